"""What shows behind a head: ears, manes, horns, spikes, hair. `x, y` is the centre of the head."""

from __future__ import annotations

import math
from collections.abc import Callable

from minigpt5.data.storybook.world.drawing.canvas import Canvas, Colour, mix
from minigpt5.data.storybook.world.drawing.figures.coats import HAIR, PINK, Coat

HORN: Colour = (255, 240, 200)
BULB: Colour = (255, 214, 64)


def _rabbit(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.oval(x + side * 8.5, y - 23, 5.6, 15, side * 9, coat.main)
        figure.oval(x + side * 8.5, y - 22, 2.6, 10.5, side * 9, PINK, 0)


def _bear(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 13.5, y - 13, 6.5, 6.5, coat.main)
        figure.disc(x + side * 13.5, y - 13, 3.4, 3.4, coat.pale, 0)


def _cat(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.shape(((x + side * 18, y - 4), (x + side * 17, y - 25), (x + side * 3, y - 13)), coat.main)
        figure.shape(((x + side * 15.5, y - 9), (x + side * 15, y - 20), (x + side * 8, y - 12)), PINK, 0)


def _elephant(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 20, y - 1, 11.5, 14.5, coat.main)
        figure.disc(x + side * 21, y, 7.5, 10, mix(coat.main, PINK, 0.65), 0)


def _mouse(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 16.5, y - 14, 12, 12, coat.main)
        figure.disc(x + side * 16.5, y - 14, 7.6, 7.6, PINK, 0)


def _owl(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.shape(((x + side * 18, y - 3), (x + side * 18.5, y - 21), (x + side * 5, y - 13)), coat.dark)


def _fox(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.shape(((x + side * 18, y - 3), (x + side * 20, y - 29), (x + side * 2, y - 13)), coat.main)
        figure.shape(
            ((x + side * 19.2, y - 19), (x + side * 20, y - 28.5), (x + side * 12, y - 21.5)), coat.deep, 0
        )
        cheek = ((x + side * 14, y - 5), (x + side * 25, y + 7), (x + side * 8, y + 14))
        figure.shape(cheek, coat.pale)


def _lion(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    turns = [2 * math.pi * i / 12 for i in range(12)]
    for outline in (1.9, 0.0):
        for turn in turns:
            figure.disc(x + 19 * math.cos(turn), y + 18 * math.sin(turn), 6.6, 6.6, coat.deep, outline)
    figure.disc(x, y, 20, 19, coat.deep, 0)
    for side in (-1, 1):
        figure.disc(x + side * 14, y - 14.5, 5, 5, coat.main)


def _tiger(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 14, y - 13, 6.2, 6.2, coat.deep)
        figure.disc(x + side * 13.2, y - 12, 3.4, 3.4, coat.pale, 0)


def _pig(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        ear = (
            (x + side * 4, y - 14),
            (x + side * 12, y - 23),
            (x + side * 22, y - 17),
            (x + side * 17, y - 6),
        )
        figure.shape(ear, coat.dark)


def _panda(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 14, y - 13.5, 7.2, 7.2, coat.deep)


def _monkey(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        figure.disc(x + side * 19.5, y - 1, 8, 8.4, coat.main)
        figure.disc(x + side * 20, y - 1, 4.6, 5, coat.pale, 0)
    figure.limb(((x - 3, y - 16), (x - 2, y - 19.5)), 3, coat.main)
    figure.limb(((x + 3, y - 16), (x + 4.5, y - 20)), 3, coat.main)


def spikes(x: float, y: float, rx: float, ry: float, count: int, reach: float) -> list[tuple[float, float]]:
    """A star around (x, y): `count` tips, each `reach` beyond the ellipse."""
    points = []
    for i in range(2 * count):
        turn, out = math.pi * i / count - math.pi / 2, reach if i % 2 == 0 else 0.0
        points.append((x + (rx + out) * math.cos(turn), y + (ry + out) * math.sin(turn)))
    return points


def _hedgehog(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.shape(spikes(x, y - 2, 20, 17.5, 15, 7.5), coat.dark)
    for side in (-1, 1):
        figure.disc(x + side * 15.5, y - 8, 4.4, 4.4, coat.main)


def _duck(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for tilt, dx in ((-38, -4.5), (0, 0), (38, 4.5)):
        figure.oval(x + dx, y - 18, 2.4, 6, tilt, coat.main)


def _dragon(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    for side in (-1, 1):
        horn = ((x + side * 6, y - 12), (x + side * 15, y - 27), (x + side * 15.5, y - 8))
        figure.shape(horn, HORN)
        frill = ((x + side * 16, y - 4), (x + side * 26, y - 7), (x + side * 22, y + 1), (x + side * 24, y + 8),
                 (x + side * 15, y + 8))  # fmt: skip
        figure.shape(frill, coat.dark)
    figure.shape(((x - 4, y - 14), (x, y - 22), (x + 4, y - 14)), coat.deep)


def _robot(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.stroke(((x, y - 15), (x, y - 24)), 3)
    figure.disc(x, y - 25, 4, 4, BULB)
    for side in (-1, 1):
        figure.box(x + side * 20 - 3, y - 5, x + side * 20 + 3, y + 5, coat.deep)


def _child(figure: Canvas, x: float, y: float, coat: Coat) -> None:
    figure.disc(x, y - 2, 20.5, 18, HAIR)
    for side in (-1, 1):
        figure.disc(x + side * 16, y + 9, 6, 7.5, HAIR)
        figure.disc(x + side * 14, y + 6, 6, 7, HAIR, 0)


EARS: dict[str, Callable[[Canvas, float, float, Coat], None]] = {
    "rabbit": _rabbit,
    "bear": _bear,
    "cat": _cat,
    "elephant": _elephant,
    "mouse": _mouse,
    "owl": _owl,
    "fox": _fox,
    "lion": _lion,
    "tiger": _tiger,
    "pig": _pig,
    "panda": _panda,
    "monkey": _monkey,
    "hedgehog": _hedgehog,
    "duck": _duck,
    "dragon": _dragon,
    "robot": _robot,
    "child": _child,
}


def draw_ears(figure: Canvas, kind: str, x: float, y: float, coat: Coat) -> None:
    """What shows behind the head; nothing for a frog, a dog (its ears hang in front) and a penguin."""
    if kind in EARS:
        EARS[kind](figure, x, y, coat)
