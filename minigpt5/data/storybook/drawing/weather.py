"""Sky, sun, moon, stars, clouds, rain and snow; all of it belongs to the cached backdrop."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageDraw

from minigpt5.data.storybook.drawing.canvas import PLAIN, WHITE, Canvas, Colour, mix

SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((98, 186, 246), (214, 240, 252)),
    "sunset": ((236, 96, 118), (255, 205, 120)),
    "night": ((22, 22, 70), (62, 70, 140)),
}
GREYS: dict[str, Colour] = {"day": (138, 150, 168), "sunset": (160, 112, 118), "night": (40, 46, 74)}
RAIN_CLOUDS: dict[str, Colour] = {"day": (112, 122, 142), "sunset": (140, 98, 116), "night": (70, 76, 108)}
SNOW_CLOUDS: dict[str, Colour] = {"day": (246, 250, 255), "sunset": (255, 226, 214), "night": (158, 168, 208)}
STARS = ((12, 16), (30, 34), (46, 12), (62, 30), (78, 10), (88, 38), (118, 46), (10, 50))
MOON: Colour = (255, 243, 190)


def draw_sky(canvas: Canvas, time: str, weather: str) -> None:
    """The gradient of the sky with what hangs in it."""
    top, bottom = SKIES[time]
    if weather != "clear":
        grey = (
            GREYS[time] if weather == "rain" else mix(GREYS[time], WHITE, 0.45 if time != "night" else 0.15)
        )
        top, bottom = mix(top, grey, 0.62), mix(bottom, grey, 0.5)
    canvas = Canvas(canvas.image, PLAIN)
    canvas.gradient(((0, 0), (128, 0), (128, 96), (0, 96)), top, bottom)
    if weather == "clear":
        _light(canvas, time)


def _light(canvas: Canvas, time: str) -> None:
    if time == "night":
        for x, y in STARS:
            _star(canvas, x, y)
        _moon(canvas, 106, 21, 13)
        return
    if time == "sunset":
        for radius, colour in ((27.0, (255, 176, 108)), (22, (255, 200, 104)), (17, (255, 236, 150))):
            canvas.disc(62, 46, radius, radius, colour, outline=0)
        return
    for radius, colour in ((19, (176, 222, 246)), (15, (236, 240, 200)), (11.5, (255, 222, 72))):
        canvas.disc(110, 18, radius, radius, colour, outline=0)


def _moon(canvas: Canvas, x: float, y: float, radius: float) -> None:
    masks = []
    for dx, dy, r in ((0.0, 0.0, radius), (-6.5, -3.5, radius * 0.92)):
        px, py = canvas.place(x + dx, y + dy)
        mask, reach = Image.new("L", canvas.image.size), r * canvas.scale
        ImageDraw.Draw(mask).ellipse((px - reach, py - reach, px + reach, py + reach), fill=255)
        masks.append(mask)
    canvas.image.paste(MOON, (0, 0), ImageChops.subtract(masks[0], masks[1]))


def _star(canvas: Canvas, x: float, y: float) -> None:
    long, short = 4.0, 1.3
    tips = ((0, -long), (short, -short), (long, 0), (short, short), (0, long), (-short, short), (-long, 0))
    canvas.shape([(x + dx, y + dy) for dx, dy in (*tips, (-short, -short))], (255, 248, 200), outline=0)


def draw_weather(canvas: Canvas, time: str, weather: str, layout: int) -> None:
    """Clouds and what falls from them, over the landscape."""
    canvas = Canvas(canvas.image, PLAIN)
    if weather == "rain":
        _clouds(canvas, RAIN_CLOUDS[time], 0.28)
        _rain(canvas, layout)
    elif weather == "snow":
        _clouds(canvas, SNOW_CLOUDS[time], 0.14)
        _snow(canvas, layout)


def _clouds(canvas: Canvas, colour: Colour, shade: float) -> None:
    puffs = ((-17, 3, 9), (-7, -3, 11), (6, -4, 12), (17, 2, 10), (0, 5, 11))
    for x, y, zoom in ((98, 13, 1.15), (30, 11, 1.0)):
        cloud = canvas.at(x, y, zoom)
        for grow, tone in ((1.5, mix(colour, (40, 48, 80), shade + 0.18)), (0.0, colour)):
            for dx, dy, r in puffs:
                cloud.disc(dx, dy, r + grow, (r + grow) * 0.85, tone, outline=0)
        for dx, dy, r in puffs[:4]:
            cloud.disc(dx - 1, dy - 2.5, r * 0.6, r * 0.45, mix(colour, WHITE, 0.28), outline=0)


def _rain(canvas: Canvas, layout: int) -> None:
    for row in range(3):
        for column in range(4):
            x = 14 + column * 31 + (row * 13 + layout * 10) % 29
            y = 32 + row * 31 + (column * 7 + layout * 11) % 13
            points = ((x, y), (x - 6, y + 17))
            canvas.stroke(points, 4.4, (84, 132, 206))
            canvas.stroke(points, 2.8, (222, 240, 255))


def _snow(canvas: Canvas, layout: int) -> None:
    for row in range(3):
        for column in range(5):
            x = 8 + column * 26 + (row * 11 + layout * 8) % 21 - 4
            y = 34 + row * 29 + (column * 11 + layout * 9) % 17
            canvas.disc(x, y, 2.7, 2.7, WHITE, outline=0.9, ink=(132, 164, 214))
