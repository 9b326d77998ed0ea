"""Clouds, lightning, fog and what falls from the sky, over the landscape."""

from __future__ import annotations

from PIL import Image

from minigpt5.data.storybook.world.drawing.canvas import INK, PLAIN, WHITE, Canvas, Colour, Points, mix

CLOUDS: dict[str, dict[str, Colour]] = {
    "cloudy": {
        "morning": (252, 242, 190),
        "day": (236, 240, 246),
        "sunset": (255, 208, 190),
        "night": (120, 128, 168),
    },
    "rain": {
        "morning": (150, 152, 108),
        "day": (112, 122, 142),
        "sunset": (140, 98, 116),
        "night": (70, 76, 108),
    },
    "storm": {"morning": (98, 98, 62), "day": (70, 74, 96), "sunset": (92, 62, 84), "night": (52, 54, 86)},
    "snow": {
        "morning": (255, 248, 206),
        "day": (246, 250, 255),
        "sunset": (255, 226, 214),
        "night": (158, 168, 208),
    },
}
FOG: dict[str, Colour] = {
    "morning": (246, 240, 190),
    "day": (232, 238, 244),
    "sunset": (248, 206, 190),
    "night": (126, 134, 172),
}
Bands = tuple[tuple[float, float, float, float], ...]
WIDE_BANDS: Bands = ((-6, 84, 30, 9), (46, 134, 50, 10), (-6, 100, 71, 11), (30, 134, 92, 10))
BOLT: Colour = (255, 232, 64)
SHAPE: Points = ((4, -20), (-9, 3), (-1, 3), (-6, 21), (11, -5), (2, -5), (10, -20))
WIDE = ((98, 13, 1.15), (30, 11, 1.0))
MANY = ((98, 15, 1.25), (28, 13, 1.15), (64, 24, 1.0), (122, 40, 0.8), (4, 42, 0.8))


def draw_weather(canvas: Canvas, time: str, weather: str, layout: int) -> None:
    """All of the weather that is not in the sky's colours."""
    plain = Canvas(canvas.image, PLAIN)
    if weather == "cloudy":
        draw_clouds(plain, time, weather, MANY)
    elif weather == "rain":
        draw_clouds(plain, time, weather, WIDE)
        _rain(plain, layout, slant=6)
    elif weather == "storm":
        draw_clouds(plain, time, weather, MANY[:3])
        for x, y in ((40 + 4 * layout, 52), (88 - 4 * layout, 50)):
            draw_bolt(plain, x, y, 1.05)
        _rain(plain, layout, slant=13)
    elif weather == "snow":
        draw_clouds(plain, time, weather, WIDE)
        _snow(plain, layout)
    elif weather == "fog":
        draw_fog(canvas.image, time)


def draw_clouds(
    canvas: Canvas, time: str, weather: str, places: tuple[tuple[float, float, float], ...]
) -> None:
    """Clouds at (x, y, zoom)."""
    colour, shade = CLOUDS[weather][time], {"snow": 0.14, "cloudy": 0.16}.get(weather, 0.28)
    puffs = ((-17, 3, 9), (-7, -3, 11), (6, -4, 12), (17, 2, 10), (0, 5, 11))
    for x, y, zoom in places:
        cloud = canvas.at(
            canvas.origin[0] + x * canvas.zoom, canvas.origin[1] + y * canvas.zoom, zoom * canvas.zoom
        )
        for grow, tone in ((1.5, mix(colour, (40, 48, 80), shade + 0.18)), (0.0, colour)):
            for dx, dy, r in puffs:
                cloud.disc(dx, dy, r + grow, (r + grow) * 0.85, tone, outline=0)
        for dx, dy, r in puffs[:4]:
            cloud.disc(dx - 1, dy - 2.5, r * 0.6, r * 0.45, mix(colour, WHITE, 0.28), outline=0)


def draw_bolt(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A flash of lightning."""
    canvas.shape([(x + dx * size, y + dy * size) for dx, dy in SHAPE], BOLT, 1.6, INK)


def _rain(canvas: Canvas, layout: int, slant: float) -> None:
    for row in range(3):
        for column in range(4):
            x = 14 + column * 31 + (row * 13 + layout * 10) % 29
            y = 32 + row * 31 + (column * 7 + layout * 11) % 13
            draw_drop(canvas, x, y, slant)


def draw_drop(canvas: Canvas, x: float, y: float, slant: float = 6, size: float = 1.0) -> None:
    """A fat streak of rain."""
    points = ((x, y), (x - slant * size, y + 17 * size))
    canvas.stroke(points, 4.4, (84, 132, 206))
    canvas.stroke(points, 2.8, (222, 240, 255))


def _snow(canvas: Canvas, layout: int) -> None:
    for row in range(3):
        for column in range(5):
            x = 8 + column * 26 + (row * 11 + layout * 8) % 21 - 4
            y = 34 + row * 29 + (column * 11 + layout * 9) % 17
            canvas.disc(x, y, 2.9, 2.9, WHITE, outline=0.9, ink=(132, 164, 214))


def draw_fog(image: Image.Image, time: str, bands: Bands = WIDE_BANDS) -> None:
    """A veil over the whole picture, thicker in bands (from x, to x, y, width)."""
    colour = FOG[time]
    image.paste(Image.blend(image, Image.new("RGB", image.size, colour), 0.48))
    canvas = Canvas(Image.new("RGB", image.size))
    for x0, x1, y, width in bands:
        canvas.stroke(((x0, y), (x1, y)), width, WHITE)
    veil = canvas.image.convert("L").point([round(0.72 * v) for v in range(256)])
    image.paste(mix(colour, WHITE, 0.35 if time != "night" else 0.12), (0, 0, *image.size), veil)
