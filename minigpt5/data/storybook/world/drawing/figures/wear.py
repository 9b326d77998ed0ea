"""What a figure wears. `x, y` is the centre of its head."""

from __future__ import annotations

from minigpt5.data.storybook.world.drawing.canvas import INK, WHITE, Canvas, Colour
from minigpt5.data.storybook.world.drawing.figures.moods import eye_spots

TEAL: Colour = (30, 150, 150)
GOLD: Colour = (255, 206, 52)
RUBY: Colour = (226, 44, 70)
CROWN_OF_HEAD = {"frog": -18.5, "child": -15.5, "hedgehog": -14.5, "lion": -13.0}


def top_of(kind: str) -> float:
    """Where a hat or a bird sits, relative to the centre of the head."""
    return CROWN_OF_HEAD.get(kind, -12.5)


def draw_wear(figure: Canvas, kind: str, wear: str, x: float, y: float) -> None:
    """Hat, crown or glasses; nothing for "none" and for a scarf, which lies over arms and paws."""
    if wear == "hat":
        _hat(figure, x, y + top_of(kind))
    elif wear == "crown":
        _crown(figure, x, y + top_of(kind))
    elif wear == "glasses":
        _glasses(figure, kind, x, y)


def draw_scarf(figure: Canvas, x: float, y: float, lying: bool) -> None:
    """A striped scarf around the neck with one end at the left; drawn last, so that nothing hides it."""
    y += 15.5 if lying else 18.0
    end = ((x - 14, y - 1), (x - 25, y + 1)) if lying else ((x - 12, y + 1), (x - 18.5, y + 11))
    (x0, y0), (x1, y1) = end
    figure.limb(end, 6, RUBY)
    across = (y1 - y0, x0 - x1)
    for share in (0.55, 0.9):
        px, py = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share
        reach = 2.4 / (across[0] ** 2 + across[1] ** 2) ** 0.5
        line = [(px + side * reach * across[0], py + side * reach * across[1]) for side in (-1, 1)]
        figure.stroke(line, 2, WHITE)
    figure.limb(((x - 13, y - 1), (x, y + 1.6), (x + 13, y - 1)), 6, RUBY)
    for dx, dy in ((-9.5, -0.4), (-3.2, 1), (3.2, 1), (9.5, -0.4)):
        figure.stroke(((x + dx, y + dy - 2.2), (x + dx, y + dy + 2.4)), 2, WHITE)


def _hat(figure: Canvas, x: float, y: float) -> None:
    figure.disc(x, y, 16, 3.6, TEAL)
    figure.box(x - 10, y - 18, x + 10, y, TEAL)
    figure.box(x - 10, y - 5.5, x + 10, y - 0.5, GOLD, 0)
    figure.disc(x, y + 1.2, 14, 2, TEAL, 0)


def _crown(figure: Canvas, x: float, y: float) -> None:
    tips = ((x - 12.5, y + 1), (x - 14, y - 13), (x - 6.5, y - 6), (x, y - 16), (x + 6.5, y - 6), (x + 14, y - 13),
            (x + 12.5, y + 1))  # fmt: skip
    figure.shape(tips, GOLD)
    for dx in (-7.5, 0, 7.5):
        figure.disc(x + dx, y - 2.5, 2, 2, RUBY, 0.7)
    for dx, dy in ((-14, -13), (0, -16), (14, -13)):
        figure.disc(x + dx, y + dy, 1.9, 1.9, GOLD, 1.2)


def _glasses(figure: Canvas, kind: str, x: float, y: float) -> None:
    (left, height), (right, _) = eye_spots(kind, x, y)
    reach = min(6.6, (right - left) / 2 - 0.6)
    for width, colour in ((4.2, INK), (1.9, GOLD)):
        figure.stroke(((left + reach, height), (right - reach, height)), width, colour)
        for side, ex in ((-1, left), (1, right)):
            figure.stroke(
                ((ex + side * reach, height), (ex + side * (reach + 4.5), height - 1.5)), width, colour
            )
            figure.arc(ex, height, reach, reach + 0.6, 0, 360, width, colour)
