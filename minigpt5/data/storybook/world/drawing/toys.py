"""The eight toys, painted in a colour of choice, about 40 units tall, each centred on its own origin."""

from __future__ import annotations

import math

from minigpt5.data.storybook.world.drawing.canvas import INK, WHITE, Canvas, Colour, darker, lighter
from minigpt5.data.storybook.world.scene import Thing

COLOURS: dict[str, Colour] = {
    "red": (222, 36, 44),
    "yellow": (255, 228, 20),
    "blue": (30, 66, 200),
    "green": (14, 146, 72),
    "white": (252, 252, 252),
}
BOLD = 2.2


def _accent(colour: Colour) -> Colour:
    """What trims a toy: white, or dark on a white one."""
    return (70, 72, 92) if colour == COLOURS["white"] else WHITE


def _shine(colour: Colour) -> Colour:
    return lighter(colour, 0.55) if colour != COLOURS["white"] else (214, 222, 236)


def _balloon(canvas: Canvas, colour: Colour) -> None:
    canvas.limb(((0, 14), (-2, 20), (2, 27), (-1, 34)), 1.2, WHITE, 0.9)
    canvas.shape(((0, 13), (-4, 19), (4, 19)), darker(colour, 0.2), BOLD)
    canvas.disc(0, -4, 16, 18.5, colour, BOLD)
    canvas.oval(-6, -11, 3, 5.5, 25, _shine(colour), 0)


def _umbrella(canvas: Canvas, colour: Colour) -> None:
    handle = ((0, 0), (0, 23), (1.2, 26.5), (4, 28), (6.8, 26.5), (8, 23))
    canvas.limb(handle, 2.4, (236, 184, 116), 1.3)
    dome = [(21 * math.cos(a), 1 - 20 * math.sin(a)) for a in (math.pi * i / 20 for i in range(21))]
    scallops = [(x, -3 if i % 2 else 2) for i, x in enumerate((-21, -14, -7, 0, 7, 14, 21))]
    canvas.stroke(((0, -22), (0, -24)), 3, INK)
    canvas.shape([*dome, *scallops], colour, BOLD)
    canvas.shape(((0, -18), (7, 0), (0, 1), (-7, 0)), _shine(colour), 0)
    for x in (-7, 7):
        canvas.stroke(((0, -19), (x * 0.8, -9), (x, 0)), 1.3, INK)


def _ball(canvas: Canvas, colour: Colour) -> None:
    canvas.disc(0, -1, 18, 18, colour, BOLD)
    band = [
        (17.8 * math.cos(math.radians(a)), -1 + 17.8 * math.sin(math.radians(a))) for a in range(-18, 30, 4)
    ]
    left = [
        (17.8 * math.cos(math.radians(a)), -1 + 17.8 * math.sin(math.radians(a))) for a in range(150, 199, 4)
    ]
    canvas.shape([*band, (0, 5), *left, (0, -8)], _accent(colour), 0)
    canvas.oval(-6, -12, 4.5, 2.6, -25, _shine(colour), 0)


def _kite(canvas: Canvas, colour: Colour) -> None:
    canvas.limb(((0, 18), (4, 24), (-3, 30), (2, 37)), 1.2, WHITE, 0.9)
    for x, y in ((3, 24), (-2, 31)):
        canvas.shape(((x, y), (x - 6, y - 3.5), (x - 6, y + 3.5)), colour, 1.2)
        canvas.shape(((x, y), (x + 6, y - 3.5), (x + 6, y + 3.5)), colour, 1.2)
    canvas.shape(((0, -23), (17, -5), (0, 18), (-17, -5)), colour, BOLD)
    canvas.shape(((0, -23), (17, -5), (0, -5)), _shine(colour), 0)
    canvas.shape(((-17, -5), (0, -5), (0, 18)), _shine(colour), 0)
    canvas.stroke(((0, -23), (0, 18)), 1.8, INK)
    canvas.stroke(((-17, -5), (17, -5)), 1.8, INK)


def _gift(canvas: Canvas, colour: Colour) -> None:
    ribbon = _accent(colour)
    for side in (-1, 1):
        canvas.oval(side * 7, -15, 7, 4.2, side * 22, ribbon, BOLD * 0.8)
    canvas.shape(((-15, -4), (15, -4), (15, 18), (-15, 18)), colour, BOLD)
    canvas.shape(((-3.5, -4), (3.5, -4), (3.5, 18), (-3.5, 18)), ribbon, 0)
    canvas.shape(((-18, -11), (18, -11), (18, -3), (-18, -3)), colour, BOLD)
    canvas.shape(((-3.5, -11), (3.5, -11), (3.5, -3), (-3.5, -3)), ribbon, 0)
    canvas.disc(0, -13, 3, 3, ribbon, 1.4)


def _flower(canvas: Canvas, colour: Colour) -> None:
    stem = (64, 150, 62)
    canvas.limb(((0, 0), (0, 20)), 3, stem, 1.4)
    for side in (-1, 1):
        canvas.oval(side * 8, 13, 7.5, 3.4, -side * 25, stem, 1.4)
    petals = [math.radians(60 * i - 90) for i in range(6)]
    for outline in (BOLD, 0.0):
        for angle in petals:
            canvas.disc(10.5 * math.cos(angle), -9 + 10.5 * math.sin(angle), 6.6, 6.6, colour, outline)
    for angle in petals:
        inner = (4 * math.cos(angle), -9 + 4 * math.sin(angle))
        canvas.stroke((inner, (9.5 * math.cos(angle), -9 + 9.5 * math.sin(angle))), 1.1, darker(colour, 0.3))
    canvas.disc(0, -9, 5.4, 5.4, (255, 190, 60) if colour != COLOURS["yellow"] else (150, 84, 36), 1.4)


def _book(canvas: Canvas, colour: Colour) -> None:
    canvas.shape(((-21, -9), (0, -5), (21, -9), (21, 14), (0, 18), (-21, 14)), colour, BOLD)
    paper = (255, 248, 226)
    for side in (-1, 1):
        page = ((0, -8), (side * 8, -14), (side * 16.5, -12.5), (side * 16.5, 8), (side * 8, 6.5), (0, 11.5))
        canvas.shape(page, paper, 1.1)
        for y in (-7, -2, 3):
            canvas.stroke(((side * 4, y), (side * 9, y - 2.5), (side * 13.5, y - 2)), 1.3, (150, 140, 140))


def _boat(canvas: Canvas, colour: Colour) -> None:
    canvas.stroke(((0, -21), (0, 8)), 3, INK)
    canvas.shape(((3, -19), (17, 2), (3, 2)), colour, BOLD)
    canvas.shape(((-3, -15), (-14, 2), (-3, 2)), _shine(colour), BOLD)
    canvas.shape(((-20, 7), (20, 7), (14, 18), (-14, 18)), colour, BOLD)
    canvas.stroke(((-16, 11), (16, 11)), 2, _accent(colour))


PAINTERS = {
    "balloon": _balloon,
    "umbrella": _umbrella,
    "ball": _ball,
    "kite": _kite,
    "gift": _gift,
    "flower": _flower,
    "book": _book,
    "boat": _boat,
}


def draw_toy(canvas: Canvas, toy: Thing, x: float, y: float, zoom: float) -> None:
    """The toy centred on (x, y)."""
    PAINTERS[toy.kind](canvas.at(x, y, zoom), COLOURS[toy.colour])
