"""Eyes, brows, mouths and tears: what a face feels. `x, y` is the centre of the head."""

from __future__ import annotations

from minigpt5.data.storybook.world.drawing.canvas import INK, WHITE, Canvas, Colour
from minigpt5.data.storybook.world.drawing.figures.coats import SKIN, Coat
from minigpt5.data.storybook.world.drawing.figures.faces import SCREEN

RED: Colour = (190, 52, 66)
TEAR: Colour = (120, 206, 255)
EYES: dict[str, tuple[float, float]] = {  # how far from the middle, how far below the centre
    "frog": (10.5, -13.5),
    "owl": (7.8, -2),
    "elephant": (8, -3),
    "panda": (7.6, -1.6),
    "monkey": (6.6, -2),
    "penguin": (7, -1.5),
    "robot": (7, -2.5),
    "duck": (8, -4),
    "hedgehog": (7, -0.5),
}
MOUTHS = {"pig": 12.2, "frog": 5.0, "robot": 7.6, "child": 9.4, "monkey": 9.6, "dragon": 9.6}
BEAKED = ("owl", "penguin", "duck")
RIMMED = ("panda",)  # eyes on dark patches
PALE_FACED = ("owl", "penguin", "monkey", "hedgehog", "robot", "child")  # dark lines show on any coat


def eye_spots(kind: str, x: float, y: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """The centres of the left and the right eye."""
    apart, drop = EYES.get(kind, (7.5, -2))
    return (x - apart, y + drop), (x + apart, y + drop)


def draw_eyes(figure: Canvas, kind: str, x: float, y: float, coat: Coat, mood: str, asleep: bool) -> None:
    """Two eyes, closed when asleep, wide when surprised."""
    ink = INK if kind in PALE_FACED else coat.ink
    for ex, ey in eye_spots(kind, x, y):
        if asleep:
            figure.arc(ex, ey - 0.5, 3.8, 3.2, 10, 170, 2.2, WHITE if kind in RIMMED else ink)
        elif mood == "surprised":
            figure.disc(ex, ey, 5.4, 6, WHITE, 1.2)
            figure.disc(ex, ey, 2, 2.3, INK, 0)
        else:
            _eye(figure, kind, ex, ey, coat)


def _eye(figure: Canvas, kind: str, ex: float, ey: float, coat: Coat) -> None:
    big = 3.7 if kind in ("owl", "frog") else 3.0
    if kind == "frog":
        figure.disc(ex, ey, 5.6, 5.6, WHITE, 0.9)
    elif kind in RIMMED or (coat.rimmed and kind not in PALE_FACED):
        figure.disc(ex, ey, big + 1.3, big * 1.18 + 1.3, WHITE, 0)
    figure.disc(ex, ey, big, big * 1.18, INK, 0)
    figure.disc(ex - 0.9, ey - 1.5, 1.3, 1.3, WHITE, 0)


def draw_brows(figure: Canvas, kind: str, x: float, y: float, coat: Coat, mood: str) -> None:
    """Brows and, for the sad, a tear; the happy have neither. Drawn over glasses."""
    if mood == "happy":
        return
    for side, (ex, ey) in zip((-1, 1), eye_spots(kind, x, y), strict=True):
        if mood == "angry":
            line = ((ex - side * 4.2, ey - 2.6), (ex + side * 5, ey - 7.4))
        elif mood == "sad":
            line = ((ex - side * 4, ey - 8.6), (ex + side * 5, ey - 4.8))
        else:
            line = ((ex - side * 3.4, ey - 10), (ex + side * 3.4, ey - 10))
        _brow(figure, kind, line, coat)
    if mood == "sad":
        _tear(figure, *eye_spots(kind, x, y)[0])


def _brow(figure: Canvas, kind: str, line: tuple[tuple[float, float], ...], coat: Coat) -> None:
    halo = {"child": SKIN, "robot": SCREEN}.get(kind, coat.pale if kind in PALE_FACED else coat.main)
    figure.stroke(line, 4.6, halo)
    figure.stroke(line, 2.7, INK if kind in PALE_FACED else coat.ink)


def _tear(figure: Canvas, ex: float, ey: float) -> None:
    tip = ((ex - 4, ey + 7.2), (ex - 1.8, ey + 2.2), (ex + 0.4, ey + 7.2))
    figure.shape(tip, TEAR, 1.2)
    figure.disc(ex - 1.8, ey + 8, 3, 3, TEAR, 1.2)
    figure.shape(tip, TEAR, 0)


def draw_mouth(figure: Canvas, kind: str, x: float, y: float, coat: Coat, mood: str, expression: int) -> None:
    """The mouth of all who have no beak; `expression` 0-2 varies the smile."""
    x, y = (x + 8.5, y + 8.5) if kind == "elephant" else (x, y + MOUTHS.get(kind, 9.8))
    wide = 2.2 if kind == "frog" else 0.62 if kind == "elephant" else 1.0
    ink = coat.ink if kind in ("frog", "pig", "elephant") else INK
    if mood == "surprised":
        figure.disc(x, y + 1.4, 3.2 * max(wide, 0.8), 4, RED, 1.2)
    elif mood == "angry":
        reach = 5.2 * wide
        figure.box(x - reach, y - 1.2, x + reach, y + 2.6, WHITE, 1.2)
        for share in (-0.34, 0.34):
            figure.stroke(((x + reach * share, y - 1), (x + reach * share, y + 2.4)), 1)
    elif mood == "sad":
        figure.arc(x, y + 4, 5 * wide, 4.4, 200, 340, 2, ink)
    elif kind in ("frog", "robot", "child", "elephant", "monkey"):
        figure.arc(x, y - 2.6, (5.4 + expression * 0.4) * wide, 4.6 + expression * 0.5, 15, 165, 2, ink)
    else:
        reach = 2.9 + expression * 0.4
        for side in (-1, 1):
            figure.arc(x + side * reach, y - 1.2, reach, 3, 10, 170, 1.7, ink)
