"""Places at, on and under the water: beach, lake, island, undersea."""

from __future__ import annotations

import math

from minigpt5.data.storybook.world.drawing.backdrops.land import SOFT, Land
from minigpt5.data.storybook.world.drawing.canvas import Colour, darker

SAND: tuple[Colour, Colour] = ((250, 226, 164), (240, 204, 132))


def _beach(land: Land) -> None:
    canvas = land.canvas
    land.sea(58, 96, ((18, 66), (58, 64), (96, 68), (38, 75), (80, 76), (116, 78)))
    shift = 2.1 * land.variant
    edge = [(x, 84 + 2.5 * math.sin(x / 20 + shift)) for x in range(0, 129, 2)]
    canvas.stroke(edge, 4, (240, 252, 255))
    land.hill(86, 2.2, 1.02, 0, *SAND)
    land.palm(((7, 92), (9, 74), (14, 58), (20, 46)), (20, 45))
    canvas.disc(118, 121, 5, 3.6, (250, 178, 160), SOFT)


def _lake(land: Land) -> None:
    canvas = land.canvas
    land.hill(62, 5, 1.2, 0.4, (104, 168, 112), (92, 156, 104))
    for x in (6, 20, 108, 122):
        land.pine(x, 72, 30 + (x + land.variant * 7) % 9, (44, 116, 78))
    canvas.disc(64, 82, 74, 15, (70, 156, 214), 1.4, (214, 238, 246))
    for x, y, reach in ((26, 78, 9), (64, 74, 10), (98, 80, 9), (48, 88, 9), (84, 89, 8)):
        canvas.stroke(((x - reach, y), (x + reach, y)), 1.6, (168, 218, 240))
    land.hill(97, 1.6, 1.0, 1.2, (140, 204, 100), (96, 172, 76))
    for x, lean in ((6, -1), (12, 1), (116, -1), (123, 1)):
        canvas.limb(((x, 104), (x + lean, 78)), 1.6, (84, 150, 70), 0.7)
        canvas.limb(((x + lean, 82), (x + lean * 1.4, 74)), 3.4, (134, 84, 52), 0.9)


def _island(land: Land) -> None:
    canvas = land.canvas
    land.sea(
        56, 128, ((14, 63), (52, 61), (96, 66), (34, 71), (74, 73), (118, 77), (6, 84), (5, 120), (121, 124))
    )
    sand, edge = land.dusted(SAND[0], 0.6), (240, 252, 255)
    canvas.disc(64, 112, 60, 23, sand, 1.6, edge)
    canvas.disc(64, 114, 55, 18.5, land.dusted(SAND[1], 0.6), 0)
    canvas.disc(64, 92, 27, 7, land.dusted((120, 190, 92)), SOFT, darker((120, 190, 92), 0.4))
    lean = 3 * land.variant
    land.palm(((58, 93), (56, 74), (52 - lean, 58), (44 - lean, 44)), (43 - lean, 42))
    land.palm(((70, 93), (73, 76), (79 + lean, 62), (86 + lean, 50)), (87 + lean, 48))


def _coral(land: Land, x: float, foot: float, colour: Colour) -> None:
    for path in (((0, 0), (0, -22)), ((0, -8), (-8, -14), (-8, -22)), ((0, -10), (8, -16), (8, -26))):
        land.canvas.limb([(x + dx, foot + dy) for dx, dy in path], 4.4, colour, SOFT)
    for path in (((0, 0), (0, -22)), ((0, -8), (-8, -14), (-8, -22)), ((0, -10), (8, -16), (8, -26))):
        land.canvas.stroke([(x + dx, foot + dy) for dx, dy in path], 4.4, colour)


def _undersea(land: Land) -> None:
    canvas, sway = land.canvas, 2.0 - 4.0 * land.variant
    for x, foot, top in ((8, 104, 42), (20, 100, 58), (108, 100, 54), (121, 104, 40)):
        weed = [(x + sway * math.sin((foot - y) / 9), y) for y in range(foot, top, -4)]
        canvas.limb(weed, 4.6, (56, 168, 96), SOFT)
        canvas.stroke(weed, 4.6, (56, 168, 96))
    _coral(land, 38, 98, (255, 110, 130))
    _coral(land, 90, 97, (255, 160, 74))
    for x, y, r in ((48, 22, 3.6), (53, 36, 2.6), (84, 16, 3), (80, 44, 3.8), (64, 60, 2.6)):
        canvas.disc(x, y, r, r, (206, 242, 252), 0.9, (70, 140, 190))
    land.hill(96, 2.4, 1.1, 0.8, (244, 222, 168), (222, 190, 130))


PAINTERS = {"beach": _beach, "lake": _lake, "island": _island, "undersea": _undersea}
