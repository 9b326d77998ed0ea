"""The six settings at three times of day and in three weathers, painted once each and cached.

One backdrop takes 3 * pixels**2 bytes; the 162 of one size take 72 MB at 128 px (384 pixels painted).
"""

from __future__ import annotations

import math
from functools import lru_cache

from PIL import Image

from minigpt5.data.storybook.drawing.canvas import WHITE, Canvas, Colour, Tint, darker, lighter, mix
from minigpt5.data.storybook.drawing.weather import draw_sky, draw_weather

TINTS: dict[str, Tint] = {"day": (1.0, 1.0, 1.0), "sunset": (1.0, 0.78, 0.64), "night": (0.43, 0.48, 0.74)}
SNOW_GLOW = 0.3
SOFT = 1.0
TRUNK: Colour = (124, 84, 58)


class Land:
    """What the settings are painted with: a tinted canvas, the hill variant and whether snow lies."""

    def __init__(self, canvas: Canvas, variant: int, snowy: bool, night: bool) -> None:
        self.canvas = canvas
        self.variant = variant
        self.snowy = snowy
        self.night = night

    def dusted(self, colour: Colour, share: float = 0.72) -> Colour:
        """The colour of a ground or roof, whitened when snow lies."""
        return mix(colour, (248, 251, 255), share) if self.snowy else colour

    def hill(self, y: float, height: float, waves: float, phase: float, top: Colour, bottom: Colour) -> None:
        """A wavy ground from `y` to the lower edge."""
        shift = phase + 2.1 * self.variant
        edge = [(x, y + height * math.sin(x / 128 * waves * 2 * math.pi + shift)) for x in range(0, 129, 2)]
        self.canvas.gradient([*edge, (128, 128), (0, 128)], self.dusted(top), self.dusted(bottom))


def _beach(land: Land) -> None:
    canvas = land.canvas
    canvas.gradient(((0, 58), (128, 58), (128, 96), (0, 96)), (38, 138, 196), (122, 218, 222))
    for x, y in ((18, 66), (58, 64), (96, 68), (38, 75), (80, 76), (116, 78)):
        canvas.arc(x - 4, y, 4, 2.4, 0, 180, 1.3, (214, 244, 250))
        canvas.arc(x + 4, y, 4, 2.4, 0, 180, 1.3, (214, 244, 250))
    shift = 2.1 * land.variant
    edge = [(x, 84 + 2.5 * math.sin(x / 20 + shift)) for x in range(0, 129, 2)]
    canvas.stroke(edge, 4, (240, 252, 255))
    land.hill(86, 2.2, 1.02, 0, (250, 226, 164), (240, 204, 132))
    canvas.limb(((7, 92), (9, 74), (14, 58), (20, 46)), 4.5, (150, 104, 66), SOFT)
    for angle in (-165, -125, -70, -20, 25, 150):
        turn = math.radians(angle)
        canvas.oval(
            20 + 10 * math.cos(turn),
            45 + 8 * math.sin(turn),
            11,
            3.6,
            angle,
            land.dusted((62, 156, 84)),
            SOFT,
        )
    for nut in (17.5, 22.0):
        canvas.disc(nut, 48, 2.4, 2.4, (120, 76, 48), SOFT)
    canvas.disc(118, 121, 5, 3.6, (250, 178, 160), SOFT)


def _pine(land: Land, x: float, foot: float, height: float, colour: Colour) -> None:
    canvas, half = land.canvas, height * 0.27
    canvas.shape(
        ((x - 2.5, foot - 6), (x + 2.5, foot - 6), (x + 2.5, foot), (x - 2.5, foot)), (92, 62, 46), 0
    )
    for share, width in ((0.12, 1.0), (0.38, 0.8), (0.62, 0.58)):
        low, tip = foot - height * share, foot - height * min(1.0, share + 0.42)
        points = ((x - half * width, low), (x, tip), (x + half * width, low))
        canvas.shape(points, colour, 0.9, darker(colour, 0.35))
        if land.snowy:
            cap = (
                (x - half * width * 0.55, tip + (low - tip) * 0.55),
                (x, tip),
                (x + half * width * 0.55, tip + (low - tip) * 0.55),
            )
            canvas.shape(cap, (246, 250, 255), 0)


def _forest(land: Land) -> None:
    land.hill(70, 3, 1.0, 0.5, (42, 96, 66), (34, 84, 58))
    for x in range(-2, 140, 13):
        _pine(land, x, 82, 46 + (x * 7 + land.variant * 5) % 11, (36, 92, 70))
    land.hill(84, 2.5, 1.3, 2.0, (70, 132, 66), (44, 100, 54))
    for x, height in ((4, 74), (26, 54), (50, 48), (78, 48), (103, 56), (125, 76)):
        _pine(land, x, 95, height, (30, 112, 66))
    land.hill(95, 2, 1.0, 1.0, (84, 142, 68), (48, 100, 52))
    for x, y in ((10, 120), (117, 122)):
        land.canvas.limb(((x, y), (x, y + 4)), 3, (246, 232, 210), SOFT)
        land.canvas.disc(x, y - 1, 5, 3.2, (206, 74, 62), SOFT)


def _meadow(land: Land) -> None:
    canvas = land.canvas
    land.hill(70, 7, 0.9, 0.4, (150, 214, 128), (116, 190, 100))
    land.hill(80, 5, 0.7, 2.6, (176, 226, 120), (136, 204, 92))
    for y in (80, 87):
        canvas.stroke(((-2, y), (130, y)), 4.4, (150, 160, 150))
        canvas.stroke(((-2, y), (130, y)), 2.8, WHITE)
    for x in range(4, 130, 15):
        canvas.shape(
            ((x - 2, 94), (x - 2, 76), (x, 73.5), (x + 2, 76), (x + 2, 94)), WHITE, 0.8, (150, 160, 150)
        )
    land.hill(95, 2.5, 1.1, 1.2, (164, 222, 104), (104, 182, 76))
    for x, y, colour in ((9, 108, (255, 255, 255)), (120, 120, (255, 176, 206)), (13, 124, (255, 176, 206))):
        for turn in range(5):
            angle = turn * 2 * math.pi / 5
            canvas.disc(
                x + 2.8 * math.cos(angle), y + 2.8 * math.sin(angle), 2, 2, colour, 0.6, darker(colour, 0.4)
            )
        canvas.disc(x, y, 1.9, 1.9, (255, 206, 64), 0)


def _mountains(land: Land) -> None:
    canvas = land.canvas
    shift = (land.variant - 1) * 5
    peaks = ((-4, 42, 40), (46 + shift, 20, 46), (100 - shift, 30, 44), (138, 48, 34))
    for x, tip, half in sorted(peaks, key=lambda peak: -peak[1]):
        rock = (122, 142, 176) if tip < 35 else (150, 168, 196)
        canvas.shape(((x - half, 92), (x, tip), (x + half, 92)), rock, SOFT, darker(rock, 0.35))
        canvas.shape(((x, tip), (x + half, 92), (x + half * 0.25, 92)), darker(rock, 0.22), 0)
        step, drop = half / (92 - tip), 20
        reach = step * drop
        cap = (
            (x - reach, tip + drop),
            (x, tip),
            (x + reach, tip + drop),
            (x + reach * 0.45, tip + drop - 5),
            (x + reach * 0.1, tip + drop + 3),
            (x - reach * 0.4, tip + drop - 4),
        )
        canvas.shape(cap, (248, 251, 255), 0)
    land.hill(84, 3, 1.0, 0.3, (118, 158, 140), (96, 138, 118))
    land.hill(95, 2.2, 1.2, 2.0, (142, 172, 140), (100, 136, 112))
    for x, y, r in ((8, 106, 6), (121, 121, 6), (16, 124, 4)):
        canvas.disc(x, y, r, r * 0.7, land.dusted((150, 156, 168)), SOFT)


def _house(
    land: Land, x: float, foot: float, width: float, height: float, wall: Colour, roof: Colour
) -> None:
    canvas, half = land.canvas, width / 2
    top = foot - height
    canvas.shape(((x - half, top), (x + half, top), (x + half, foot), (x - half, foot)), wall, SOFT)
    canvas.shape(
        (
            (x + half * 0.45, top - 6),
            (x + half * 0.8, top - 6),
            (x + half * 0.8, top - 20),
            (x + half * 0.45, top - 20),
        ),
        darker(roof, 0.2),
        SOFT,
    )
    canvas.shape(
        ((x - half - 4, top), (x, top - height * 0.62), (x + half + 4, top)), land.dusted(roof), SOFT
    )
    for dx in (-half * 0.5, half * 0.5):
        left, upper = x + dx - 3.6, top + 5
        pane = ((left, upper), (left + 7.2, upper), (left + 7.2, upper + 8), (left, upper + 8))
        if land.night:
            Canvas(canvas.image).shape(pane, (255, 214, 96), SOFT)
        else:
            canvas.shape(pane, (176, 218, 236), SOFT)
        canvas.stroke(((x + dx, upper), (x + dx, upper + 8)), 1)
    canvas.shape(((x - 4, foot), (x - 4, foot - 13), (x + 4, foot - 13), (x + 4, foot)), (130, 86, 60), SOFT)


def _village(land: Land) -> None:
    land.hill(74, 4, 0.8, 0.6, (142, 196, 122), (120, 178, 104))
    lift = land.variant
    _house(land, 20, 95, 32, 36 + lift, (252, 236, 204), (164, 88, 60))
    _house(land, 108, 95, 34, 34 + lift, (248, 224, 212), (132, 84, 62))
    _house(land, 64, 92, 34, 40 - lift, (232, 238, 236), (188, 106, 74))
    land.hill(95, 1.4, 1.0, 0.0, (176, 198, 126), (140, 172, 100))
    path = land.dusted((232, 210, 170), 0.5)
    land.canvas.gradient(
        ((0, 106), (40, 102), (90, 104), (128, 101), (128, 124), (0, 126)), path, darker(path, 0.12)
    )


def _cactus(land: Land, x: float, foot: float, zoom: float) -> None:
    plant, green = land.canvas.at(x, foot, zoom), land.dusted((70, 148, 96), 0.35)
    plant.limb(((-9, -22), (-9, -14), (0, -12)), 5, green, SOFT)
    plant.limb(((9, -28), (9, -18), (0, -16)), 5, green, SOFT)
    plant.limb(((0, 0), (0, -36)), 7.5, green, SOFT)
    plant.stroke(((-1, -3), (-1, -33)), 1.2, lighter(green, 0.35))


def _desert(land: Land) -> None:
    canvas = land.canvas
    shift = (land.variant - 1) * 6
    for x, top, half in ((28 + shift, 50, 22), (98 + shift, 56, 28)):
        rock = (204, 104, 74)
        sides = ((x - half - 6, 90), (x - half, top), (x + half, top), (x + half + 6, 90))
        canvas.shape(sides, rock, SOFT, darker(rock, 0.4))
        canvas.shape(
            (
                (x - half - 1, top + 6),
                (x + half + 1, top + 6),
                (x + half + 3, top + 14),
                (x - half - 3, top + 14),
            ),
            (226, 138, 96),
            0,
        )
        canvas.shape(
            ((x - half, top), (x + half, top), (x + half, top + 3), (x - half, top + 3)),
            land.dusted((176, 84, 64), 0.9),
            0,
        )
    land.hill(78, 5, 0.9, 0.2, (246, 196, 120), (228, 164, 92))
    land.hill(88, 5, 0.7, 2.4, (240, 178, 98), (218, 146, 78))
    _cactus(land, 12, 98, 1.05)
    _cactus(land, 119, 94, 0.8)
    land.hill(100, 3, 0.8, 4.0, (248, 194, 112), (226, 156, 84))


PAINTERS = {
    "beach": _beach,
    "forest": _forest,
    "meadow": _meadow,
    "mountains": _mountains,
    "village": _village,
    "desert": _desert,
}


@lru_cache(maxsize=192)
def backdrop(setting: str, time: str, weather: str, variant: int, pixels: int) -> Image.Image:
    """The painted setting, `pixels` across; shared, so copy it before drawing on it."""
    image = Image.new("RGB", (pixels, pixels))
    red, green, blue = (t + (1 - t) * SNOW_GLOW if weather == "snow" else t for t in TINTS[time])
    dim = 0.84 if weather == "rain" else 1.0
    canvas = Canvas(image, (red * dim, green * dim, blue * dim))
    draw_sky(canvas, time, weather)
    PAINTERS[setting](Land(canvas, variant, weather == "snow", time == "night"))
    draw_weather(canvas, time, weather, variant)
    return image
