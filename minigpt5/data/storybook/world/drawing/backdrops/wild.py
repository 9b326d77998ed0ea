"""Places without houses or water: forest, meadow, mountains, desert, garden, space."""

from __future__ import annotations

from minigpt5.data.storybook.world.drawing.backdrops.land import SNOW_WHITE, SOFT, Land
from minigpt5.data.storybook.world.drawing.canvas import WHITE, Colour, darker, lighter


def _forest(land: Land) -> None:
    land.hill(70, 3, 1.0, 0.5, (42, 96, 66), (34, 84, 58))
    for x in range(-2, 140, 13):
        land.pine(x, 82, 46 + (x * 7 + land.variant * 5) % 11, (36, 92, 70))
    land.hill(84, 2.5, 1.3, 2.0, (70, 132, 66), (44, 100, 54))
    for x, height in ((4, 74), (26, 54), (50, 48), (78, 48), (103, 56), (125, 76)):
        land.pine(x, 95, height, (30, 112, 66))
    land.hill(95, 2, 1.0, 1.0, (84, 142, 68), (48, 100, 52))
    for x, y in ((10, 120), (117, 122)):
        land.canvas.limb(((x, y), (x, y + 4)), 3, (246, 232, 210), SOFT)
        land.canvas.disc(x, y - 1, 5, 3.2, (206, 74, 62), SOFT)


def _meadow(land: Land) -> None:
    land.hill(70, 7, 0.9, 0.4, (150, 214, 128), (116, 190, 100))
    land.hill(80, 5, 0.7, 2.6, (176, 226, 120), (136, 204, 92))
    land.fence(80, WHITE)
    land.hill(95, 2.5, 1.1, 1.2, (164, 222, 104), (104, 182, 76))
    for x, y, colour in ((9, 108, WHITE), (120, 120, (255, 176, 206)), (13, 124, (255, 176, 206))):
        land.flower(x, y, colour)


def _mountains(land: Land) -> None:
    canvas, shift = land.canvas, (land.variant - 1) * 5
    peaks = ((-4, 42, 40), (46 + shift, 20, 46), (100 - shift, 30, 44), (138, 48, 34))
    for x, tip, half in sorted(peaks, key=lambda peak: -peak[1]):
        rock = (122, 142, 176) if tip < 35 else (150, 168, 196)
        canvas.shape(((x - half, 92), (x, tip), (x + half, 92)), rock, SOFT, darker(rock, 0.35))
        canvas.shape(((x, tip), (x + half, 92), (x + half * 0.25, 92)), darker(rock, 0.22), 0)
        reach, low = half / (92 - tip) * 20, tip + 20
        cap = ((x - reach, low), (x, tip), (x + reach, low), (x + reach * 0.45, low - 5), (x + reach * 0.1, low + 3),
               (x - reach * 0.4, low - 4))  # fmt: skip
        canvas.shape(cap, SNOW_WHITE, 0)
    land.hill(84, 3, 1.0, 0.3, (118, 158, 140), (96, 138, 118))
    land.hill(95, 2.2, 1.2, 2.0, (142, 172, 140), (100, 136, 112))
    for x, y, r in ((8, 106, 6), (121, 121, 6), (16, 124, 4)):
        canvas.disc(x, y, r, r * 0.7, land.dusted((150, 156, 168)), SOFT)


def _cactus(land: Land, x: float, foot: float, zoom: float) -> None:
    plant, green = land.canvas.at(x, foot, zoom), land.dusted((70, 148, 96), 0.35)
    plant.limb(((-9, -22), (-9, -14), (0, -12)), 5, green, SOFT)
    plant.limb(((9, -28), (9, -18), (0, -16)), 5, green, SOFT)
    plant.limb(((0, 0), (0, -36)), 7.5, green, SOFT)
    plant.stroke(((-1, -3), (-1, -33)), 1.2, lighter(green, 0.35))


def _desert(land: Land) -> None:
    canvas, shift = land.canvas, (land.variant - 1) * 6
    rock: Colour = (204, 104, 74)
    for x, top, half in ((28 + shift, 50, 22), (98 + shift, 56, 28)):
        sides = ((x - half - 6, 90), (x - half, top), (x + half, top), (x + half + 6, 90))
        canvas.shape(sides, rock, SOFT, darker(rock, 0.4))
        band = (
            (x - half - 1, top + 6),
            (x + half + 1, top + 6),
            (x + half + 3, top + 14),
            (x - half - 3, top + 14),
        )
        canvas.shape(band, (226, 138, 96), 0)
        canvas.box(x - half, top, x + half, top + 3, land.dusted((176, 84, 64), 0.9), 0)
    land.hill(78, 5, 0.9, 0.2, (246, 196, 120), (228, 164, 92))
    land.hill(88, 5, 0.7, 2.4, (240, 178, 98), (218, 146, 78))
    _cactus(land, 12, 98, 1.05)
    _cactus(land, 119, 94, 0.8)
    land.hill(100, 3, 0.8, 4.0, (248, 194, 112), (226, 156, 84))


def _garden(land: Land) -> None:
    canvas = land.canvas
    hedge = land.dusted((74, 150, 78), 0.4)
    for x in range(-4, 140, 16):
        canvas.disc(x + 4 * land.variant, 66, 13, 13, hedge, SOFT, darker(hedge, 0.4))
    canvas.box(0, 66, 128, 99, hedge, 0)
    beam = (246, 240, 226)
    for x in (44, 84):
        canvas.limb(((x, 94), (x, 56)), 3.4, beam, SOFT)
    arch = [(64 + 20 * dx, 56 - 17 * dy) for dx, dy in ((-1, 0), (-0.8, 0.6), (0, 1), (0.8, 0.6), (1, 0))]
    canvas.limb(arch, 3.4, beam, SOFT)
    for index, (px, py) in enumerate(arch):
        land.flower(px, py, WHITE if index % 2 else (255, 120, 160), 1.1)
    for x, colour in ((8, (240, 80, 96)), (26, (255, 206, 70)), (102, (190, 120, 230)), (120, (240, 80, 96))):
        canvas.limb(((x, 98), (x, 84)), 1.6, (64, 140, 60), 0.8)
        land.flower(x, 81, colour, 2.0)
    land.hill(95, 1.2, 1.0, 0.6, (150, 216, 110), (100, 184, 84))
    path = land.dusted((226, 206, 176), 0.5)
    canvas.gradient(((54, 95), (74, 95), (92, 128), (36, 128)), path, darker(path, 0.14))


def _space(land: Land) -> None:
    canvas, shift = land.canvas, 3 * land.variant
    planet = canvas.at(11 + shift, 66, 1.0)
    planet.disc(0, 0, 11, 11, (240, 160, 92), SOFT)
    planet.stroke(((-9, -3), (9, -5)), 2.4, (250, 200, 130))
    planet.stroke(((-9, 4), (9, 2.6)), 2.4, (206, 118, 76))
    planet.limb(((-17, 5), (-8, 2.5), (8, -2.5), (17, -5)), 2.2, (250, 222, 170), 0.8)
    land.hill(92, 3, 0.8, 0.8, (196, 198, 212), (150, 152, 172))
    for x, y, r in ((14, 104, 9), (112, 106, 10), (66, 99, 6), (44, 122, 8), (92, 124, 6)):
        canvas.disc(x, y, r, r * 0.42, (134, 136, 156), 0.9, (108, 110, 130))


PAINTERS = {
    "forest": _forest,
    "meadow": _meadow,
    "mountains": _mountains,
    "desert": _desert,
    "garden": _garden,
    "space": _space,
}
