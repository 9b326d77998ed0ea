"""What makes a face that of its kind: muzzles, beaks, stripes, patches. `x, y` is the centre of the head."""

from __future__ import annotations

from collections.abc import Callable

from minigpt5.data.storybook.world.drawing.canvas import INK, WHITE, Canvas, Colour, lighter, mix
from minigpt5.data.storybook.world.drawing.figures.coats import BEAK, HAIR, SKIN, Coat

NOSE: Colour = (255, 120, 150)
SCREEN: Colour = (206, 240, 244)


def _nose(figure: Canvas, x: float, y: float, colour: Colour, size: float = 2.4) -> None:
    figure.disc(x, y, size, size * 0.75, colour, 0.7)


def _rabbit(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.disc(x, y + 7.5, 8, 6, coat.pale, 0)
    _nose(figure, x, y + 3.6, NOSE)


def _bear(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.disc(x, y + 7, 9.4, 7.4, coat.pale, 0)
    _nose(figure, x, y + 3.2, INK, 3.3)


def _cat(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for dx in (-4.5, 0, 4.5):
        figure.stroke(((x + dx, y - 14), (x + dx, y - 10.5 - (0 if dx else -1.5))), 2, coat.deep)
    figure.disc(x, y + 7.5, 7.6, 5.8, coat.pale, 0)
    for side in (-1, 1):
        for dy in (3, 7):
            figure.stroke(((x + side * 11, y + 4 + dy * 0.5), (x + side * 23, y + dy)), 1.2)
    _nose(figure, x, y + 3.8, NOSE, 2)


def _dog(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.disc(x + 7.5, y - 2.5, 6.6, 7.2, coat.pale, 0)
    for side in (-1, 1):
        figure.oval(x + side * 18.5, y + 3, 5.6, 14.5, -side * 8, coat.dark)
    figure.disc(x, y + 7.2, 9.4, 7, coat.pale, 0)
    _nose(figure, x, y + 3, INK, 3)


def _elephant(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    trunk = ((x, y + 2), (x, y + 9), (x - 1.5, y + 15), (x - 7, y + 17))
    figure.limb(trunk, 6.6, lighter(coat.main, 0.18))
    for step in (6, 10):
        figure.stroke(((x - 2.4, y + step), (x + 2.4, y + step)), 1.1, coat.deep)


def _frog(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 10.5, y - 12.5, 7.9, 7.9, coat.main, 0)
        figure.disc(x + side * 2, y - 1, 0.9, 0.9, coat.ink, 0)


def _mouse(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.disc(x, y + 7.5, 7.4, 5.6, coat.pale, 0)
    for side in (-1, 1):
        figure.stroke(((x + side * 9, y + 7), (x + side * 19, y + 5.5)), 1.2)
    _nose(figure, x, y + 3.8, (240, 84, 120), 2.8)


def _owl(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 7.8, y - 2, 7.6, 8, mix(coat.pale, WHITE, 0.5), 1, coat.deep)


def _fox(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 8, y + 8, 9, 6.4, mix(coat.pale, WHITE, 0.35), 0)
    _nose(figure, x, y + 4, INK, 2.7)


def _lion(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.disc(x, y + 7.4, 9, 6.6, coat.pale, 0)
    figure.shape(((x - 3.4, y + 2.4), (x + 3.4, y + 2.4), (x, y + 5.6)), INK, 0.5)


def _tiger(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.stroke(((x, y - 14.5), (x, y - 8.5)), 2.8, coat.deep)
    for side in (-1, 1):
        figure.stroke(((x + side * 4.6, y - 14), (x + side * 4.2, y - 11)), 2.4, coat.deep)
        for dy in (0.5, 5.5):
            figure.stroke(((x + side * 17.6, y + dy - 1), (x + side * 12.6, y + dy)), 2.6, coat.deep)
    figure.disc(x, y + 7.4, 8.6, 6.4, coat.pale, 0)
    _nose(figure, x, y + 3.6, NOSE, 2.8)


def _pig(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.disc(x, y + 4.4, 7.6, 5, mix(coat.main, (255, 150, 176), 0.55), 1.3)
    for side in (-1, 1):
        figure.disc(x + side * 2.8, y + 4.4, 1.3, 1.9, INK, 0)


def _panda(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.oval(x + side * 8, y - 1.2, 6.2, 7.6, side * 28, coat.deep, 0)
    figure.disc(x, y + 7.6, 7.6, 5.6, coat.pale, 0)
    _nose(figure, x, y + 4, INK, 2.7)


def _penguin(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 7, y - 0.5, 8, 9.4, coat.mask, 0)
    figure.disc(x, y + 7, 11.6, 7.8, coat.mask, 0)


def _monkey(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 6.4, y - 2, 7.4, 7.4, coat.pale, 0)
    figure.disc(x, y + 7, 13, 8, coat.pale, 0)
    for side in (-1, 1):
        figure.disc(x + side * 1.7, y + 3.4, 0.9, 0.8, INK, 0)


def _hedgehog(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.disc(x, y + 2.5, 15, 12.6, coat.pale, 0)
    fringe = [(x - 17.5, y - 3), (x - 14, y - 13), (x, y - 16), (x + 14, y - 13), (x + 17.5, y - 3)]
    teeth = [(x + 13 - 5.2 * i, y - (6 if i % 2 else 11)) for i in range(6)]
    figure.shape([*fringe, *teeth], coat.dark, 0)
    _nose(figure, x, y + 4.4, INK, 3.3)


def _dragon(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.disc(x, y + 7.6, 11.5, 7.4, coat.pale, 0)
    for side in (-1, 1):
        figure.disc(x + side * 4, y + 3.4, 1.3, 1.6, INK, 0)


def _robot(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.box(x - 14, y - 9.5, x + 14, y + 12.5, SCREEN, 1.2)


def _child(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.disc(x, y + 5, 1.5, 1.1, mix(SKIN, (200, 90, 60), 0.5), 0)
    fringe = ((x - 18, y - 3), (x - 16, y - 12), (x - 7, y - 17), (x + 7, y - 17), (x + 16, y - 12),
              (x + 18, y - 3), (x + 12, y - 9.5), (x + 5, y - 8.5), (x - 3, y - 10.5), (x - 11, y - 8.5))  # fmt: skip
    figure.shape(fringe, HAIR, 0)
    figure.limb(
        ((x - 17.5, y - 9), (x - 9.5, y - 14), (x, y - 15.5), (x + 9.5, y - 14), (x + 17.5, y - 9)),
        4,
        coat.main,
        1.2,
    )


FACES: dict[str, Callable[[Canvas, float, float, Coat], None]] = {
    "rabbit": _rabbit,
    "bear": _bear,
    "cat": _cat,
    "dog": _dog,
    "elephant": _elephant,
    "frog": _frog,
    "mouse": _mouse,
    "owl": _owl,
    "fox": _fox,
    "lion": _lion,
    "tiger": _tiger,
    "pig": _pig,
    "panda": _panda,
    "penguin": _penguin,
    "monkey": _monkey,
    "hedgehog": _hedgehog,
    "dragon": _dragon,
    "robot": _robot,
    "child": _child,
}


def draw_bill(figure: Canvas, kind: str, x: float, y: float, mood: str) -> None:
    """The beak of an owl, a penguin or a duck; its corners and its gap tell the mood."""
    drop = {"surprised": 6.0}.get(mood, 0.0)
    if kind == "duck":
        bend = {"happy": -2.0, "sad": 3.0, "angry": 2.0}.get(mood, 0.0)
        if drop:
            figure.disc(x, y + 10, 6, 5, (190, 52, 66), 1.3)
        top = ((x - 11.5, y + 6 + bend), (x - 5, y + 3), (x + 5, y + 3), (x + 11.5, y + 6 + bend), (x + 6, y + 9.5),
               (x - 6, y + 9.5))  # fmt: skip
        figure.shape(top, BEAK, 1.3)
        figure.stroke(((x - 9.5, y + 6.6 + bend), (x, y + 7), (x + 9.5, y + 6.6 + bend)), 1.1)
        return
    width = 3.4 if kind == "owl" else 4.4
    if drop:
        figure.disc(x, y + 9, 3.4, 4, (190, 52, 66), 1.2)
    figure.shape(((x - width, y + 3), (x + width, y + 3), (x, y + (7 if drop else 10))), BEAK, 1.3)


def draw_kind(figure: Canvas, kind: str, x: float, y: float, coat: Coat) -> None:
    """The markings of the face; a duck has its bill alone."""
    if kind in FACES:
        FACES[kind](figure, x, y, coat)
