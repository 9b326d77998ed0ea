"""Sky, sun, moon, stars and rainbow; of the place under water, the water itself."""

from __future__ import annotations

import math

from PIL import Image, ImageChops, ImageDraw

from minigpt5.data.storybook.world.drawing.canvas import PLAIN, WHITE, Canvas, Colour, mix

Gradient = tuple[Colour, Colour]
SKIES: dict[str, Gradient] = {
    "morning": ((128, 212, 206), (255, 244, 176)),
    "day": ((98, 186, 246), (214, 240, 252)),
    "sunset": ((236, 96, 118), (255, 205, 120)),
    "night": ((22, 22, 70), (62, 70, 140)),
}
GREYS: dict[str, Colour] = {
    "morning": (196, 200, 126),
    "day": (138, 150, 168),
    "sunset": (160, 112, 118),
    "night": (40, 46, 74),
}
SPACE: dict[str, Gradient] = {
    "morning": ((30, 70, 96), (214, 214, 140)),
    "day": ((40, 40, 120), (110, 120, 214)),
    "sunset": ((84, 20, 80), (244, 120, 92)),
    "night": ((8, 8, 34), (34, 28, 88)),
}
WATER: dict[str, Gradient] = {
    "morning": ((196, 240, 190), (30, 140, 140)),
    "day": ((96, 214, 246), (14, 104, 196)),
    "sunset": ((250, 140, 128), (104, 58, 140)),
    "night": ((26, 48, 110), (8, 14, 60)),
}
GREY_SHARES = {
    "cloudy": (0.5, 0.4),
    "rain": (0.62, 0.5),
    "storm": (0.72, 0.5),
    "snow": (0.5, 0.4),
    "fog": (0.4, 0.3),
}
STARS = ((12, 16), (30, 34), (46, 12), (62, 30), (78, 10), (88, 38), (118, 46), (10, 50))
MORE_STARS = ((22, 62), (44, 52), (72, 58), (100, 62), (120, 72), (56, 76))
MOON: Colour = (255, 243, 190)
BANDS: tuple[Colour, ...] = (
    (236, 64, 64), (255, 150, 50), (255, 224, 70), (88, 200, 96), (70, 150, 240), (150, 96, 220),
)  # fmt: skip


def draw_sky(canvas: Canvas, place: str, time: str, weather: str) -> None:
    """The gradient of the sky with what hangs in it."""
    plain = Canvas(canvas.image, PLAIN)
    if place == "undersea":
        _water(plain, time)
        return
    top, bottom = SPACE[time] if place == "space" else gradient_of(time, weather)
    plain.gradient(((0, 0), (128, 0), (128, 100), (0, 100)), top, bottom)
    if place == "space":
        for x, y in (*STARS, *MORE_STARS):
            draw_star(plain, x, y)
    if weather in ("clear", "rainbow"):
        _light(plain, time, starry=place != "space")
    if weather == "rainbow":
        draw_rainbow(plain, 62, 86, 72, 2.6, time)


def gradient_of(time: str, weather: str) -> Gradient:
    """The upper and the lower colour of the sky."""
    top, bottom = SKIES[time]
    if weather not in GREY_SHARES:
        return top, bottom
    upper, lower = GREY_SHARES[weather]
    grey = GREYS[time]
    if weather in ("snow", "fog", "cloudy"):
        grey = mix(grey, WHITE, 0.15 if time == "night" else 0.45)
    elif weather == "storm":
        grey = mix(grey, (34, 36, 62), 0.55)
    return mix(top, grey, upper), mix(bottom, grey, lower)


def draw_rainbow(canvas: Canvas, x: float, y: float, radius: float, band: float, time: str) -> None:
    """Six bands around (x, y), the outermost with the radius."""
    dim = {"night": (0.78, 0.8, 0.95)}.get(time, PLAIN)
    tinted = Canvas(canvas.image, dim, canvas.origin, canvas.zoom)
    for index, colour in enumerate(BANDS):
        reach = radius - index * band
        points = [
            (x + reach * math.cos(a), y - reach * math.sin(a)) for a in (math.pi * i / 40 for i in range(41))
        ]
        tinted.stroke(points, band + 0.5, colour)


def _light(canvas: Canvas, time: str, starry: bool) -> None:
    if time == "night":
        for x, y in STARS if starry else ():
            draw_star(canvas, x, y)
        draw_moon(canvas, 106, 21, 13)
    elif time == "sunset":
        for radius, colour in ((27.0, (255, 176, 108)), (22, (255, 200, 104)), (17, (255, 236, 150))):
            canvas.disc(62, 46, radius, radius, colour, outline=0)
    elif time == "morning":
        draw_rising_sun(canvas, 106, 62, 15)
    else:
        for radius, colour in ((19, (176, 222, 246)), (15, (236, 240, 200)), (11.5, (255, 222, 72))):
            canvas.disc(110, 18, radius, radius, colour, outline=0)


def draw_rising_sun(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """A pale sun with rays, low in the sky."""
    for degrees in range(180, 361, 30):
        turn = math.radians(degrees)
        inner, outer = radius * 1.35, radius * 2.0
        points = [(x + r * math.cos(turn), y + r * math.sin(turn)) for r in (inner, outer)]
        canvas.stroke(points, radius * 0.24, (255, 226, 110))
    canvas.disc(x, y, radius * 1.15, radius * 1.15, (255, 236, 150), outline=0)
    canvas.disc(x, y, radius, radius, (255, 250, 214), outline=0)


def draw_moon(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """A crescent."""
    masks = []
    for dx, dy, r in ((0.0, 0.0, radius), (-0.5 * radius, -0.27 * radius, radius * 0.92)):
        px, py = canvas.place(x + dx, y + dy)
        mask, reach = Image.new("L", canvas.image.size), r * canvas.scale
        ImageDraw.Draw(mask).ellipse((px - reach, py - reach, px + reach, py + reach), fill=255)
        masks.append(mask)
    canvas.image.paste(MOON, (0, 0), ImageChops.subtract(masks[0], masks[1]))


def draw_star(canvas: Canvas, x: float, y: float, size: float = 1.0) -> None:
    """A star of four tips."""
    long, short = 4.0 * size, 1.3 * size
    tips = ((0, -long), (short, -short), (long, 0), (short, short), (0, long), (-short, short), (-long, 0))
    canvas.shape([(x + dx, y + dy) for dx, dy in (*tips, (-short, -short))], (255, 248, 200), outline=0)


def _water(canvas: Canvas, time: str) -> None:
    top, bottom = WATER[time]
    canvas.gradient(((0, 0), (128, 0), (128, 128), (0, 128)), top, bottom)
    if time == "night":
        draw_moon(canvas, 106, 21, 13)
        return
    glow = {"morning": (255, 252, 206), "day": (190, 240, 252), "sunset": (255, 190, 140)}[time]
    for x, reach in ((20, 16), (58, 20), (100, 18)):
        ray = ((x, -2), (x + 12, -2), (x + 2 - reach, 84), (x - 14 - reach, 84))
        canvas.gradient(ray, mix(top, glow, 0.75), mix(mix(top, bottom, 0.66), glow, 0.12))
