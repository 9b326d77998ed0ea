"""Rooms: bedroom and kitchen; the time of day and the weather are seen through a window."""

from __future__ import annotations

from PIL import Image

from minigpt5.data.storybook.world.drawing.backdrops.land import SNOW_WHITE, SOFT, Land
from minigpt5.data.storybook.world.drawing.backdrops.sky import (
    draw_moon,
    draw_rainbow,
    draw_rising_sun,
    draw_star,
    gradient_of,
)
from minigpt5.data.storybook.world.drawing.backdrops.weather import (
    draw_bolt,
    draw_clouds,
    draw_drop,
    draw_fog,
)
from minigpt5.data.storybook.world.drawing.canvas import WHITE, Canvas, Colour, darker, mix, tinted

LEFT, TOP, RIGHT, BOTTOM = 73, 7, 123, 57  # the window
FOG_BANDS = ((70, 96, 18, 6), (90, 128, 29, 6), (70, 104, 42, 6), (88, 128, 53, 5))  # as seen through it
WOOD: Colour = (196, 146, 96)


def _window(land: Land, frame: Colour) -> None:
    """The view on a picture of its own, so that nothing of it shows beside the window."""
    room = land.canvas
    view = Image.new("RGB", room.image.size)
    canvas = Canvas(view)
    top, bottom = gradient_of(land.time, land.weather)
    canvas.gradient(((LEFT, TOP), (RIGHT, TOP), (RIGHT, BOTTOM), (LEFT, BOTTOM)), top, bottom)
    _outside(canvas, land)
    edge = room.scale
    box = (round(LEFT * edge), round(TOP * edge), round(RIGHT * edge), round(BOTTOM * edge))
    room.box(LEFT - 3, TOP - 3, RIGHT + 3, BOTTOM + 3, frame, SOFT)
    room.image.paste(view.crop(box), box[:2])
    middle, across = (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2 + 6
    room.box(middle - 1.2, TOP, middle + 1.2, BOTTOM, frame, 0.6)
    room.box(LEFT, across - 1.2, RIGHT, across + 1.2, frame, 0.6)
    room.box(LEFT - 6, BOTTOM + 2, RIGHT + 6, BOTTOM + 6, frame, SOFT)


def _outside(canvas: Canvas, land: Land) -> None:
    time, weather = land.time, land.weather
    if weather in ("clear", "rainbow"):
        _lights(canvas, time)
    if weather == "rainbow":
        draw_rainbow(canvas, 98, 50, 29, 2.8, time)
    hill = tinted(mix((120, 196, 110), SNOW_WHITE, 0.85 if land.snowy else 0.0), land.canvas.tint)
    canvas.disc(92, 64, 40, 18, hill, 0)
    if weather in ("rain", "storm", "snow", "cloudy"):
        canvas_clouds = ((86, 14, 0.6), (111, 16, 0.65), (98, 32, 0.6), (122, 34, 0.5))
        draw_clouds(canvas, time, weather, canvas_clouds if weather == "cloudy" else canvas_clouds[:2])
    if weather == "storm":
        draw_bolt(canvas, 87, 36, 0.85)
        draw_bolt(canvas, 111, 36, 0.85)
    if weather in ("rain", "storm"):
        for x, y in ((82, 25), (102, 26), (120, 25), (90, 40), (110, 40), (79, 44), (122, 43)):
            draw_drop(canvas, x, y, 5 if weather == "rain" else 9, 0.6)
    if weather == "snow":
        for x, y in (
            (79, 27),
            (90, 32),
            (105, 27),
            (117, 33),
            (83, 42),
            (94, 48),
            (109, 43),
            (119, 52),
            (79, 54),
        ):
            canvas.disc(x, y, 2.4, 2.4, WHITE, 0.8, (132, 164, 214))
    if weather == "fog":
        draw_fog(canvas.image, time, FOG_BANDS)


def _lights(canvas: Canvas, time: str) -> None:
    if time == "night":
        for x, y in ((84, 14), (93, 24), (84, 36), (104, 40)):
            draw_star(canvas, x, y, 0.8)
        draw_moon(canvas, 110, 19, 8)
    elif time == "sunset":
        for radius, colour in ((15.0, (255, 176, 108)), (12, (255, 200, 104)), (9, (255, 236, 150))):
            canvas.disc(98, 42, radius, radius, colour, outline=0)
    elif time == "morning":
        draw_rising_sun(canvas, 106, 44, 8)
    else:
        for radius, colour in ((11, (176, 222, 246)), (9, (236, 240, 200)), (7, (255, 222, 72))):
            canvas.disc(111, 17, radius, radius, colour, outline=0)


def _floor(land: Land, y: float, top: Colour) -> None:
    canvas = land.canvas
    canvas.gradient(((0, y), (128, y), (128, 128), (0, 128)), top, darker(top, 0.16))
    canvas.box(-2, y - 3, 130, y, WHITE, 0.7)


def _bedroom(land: Land) -> None:
    canvas = land.canvas
    canvas.box(0, 0, 128, 98, (204, 190, 236), 0)
    for x in range(4 + 4 * land.variant, 130, 16):
        canvas.box(x, 0, x + 6, 98, (220, 208, 244), 0)
    _window(land, (250, 246, 240))
    _floor(land, 98, (206, 160, 112))
    canvas.box(4, 54, 10, 98, WOOD, SOFT)
    canvas.box(10, 60, 14, 96, darker(WOOD, 0.15), SOFT)
    canvas.block(8, 76, 72, 92, 5, (236, 108, 132))
    canvas.block(8, 76, 30, 85, 4, WHITE)
    for x in (40, 52, 64):
        canvas.disc(x, 84, 2.4, 2.4, (255, 222, 228), 0)
    canvas.box(70, 66, 75, 98, WOOD, SOFT)
    _star_picture(canvas)
    canvas.disc(64, 116, 56, 10, (120, 176, 206), 1.2, (90, 140, 176))
    canvas.disc(64, 116, 46, 7, (150, 200, 222), 0)


def _star_picture(canvas: Canvas) -> None:
    canvas.box(24, 22, 52, 44, (250, 226, 150), 1.6)
    canvas.disc(38, 33, 7, 7, (255, 160, 74), 1)


def _kitchen(land: Land) -> None:
    canvas = land.canvas
    canvas.box(0, 0, 128, 98, (250, 226, 168), 0)
    for y in (62, 72):
        for x in range(0, 130, 10):
            canvas.box(x + 0.6, y + 0.6, x + 9.4, y + 9.4, (206, 232, 232), 0)
    _window(land, (250, 250, 246))
    for x in (4, 28):
        canvas.box(x, 8, x + 23, 38, (110, 172, 160), SOFT)
        canvas.box(x + 3, 11, x + 20, 35, (132, 192, 180), 0.7)
        canvas.disc(x + (19 if x < 10 else 4), 30, 1.6, 1.6, (250, 214, 110), 0.7)
    canvas.box(-2, 80, 130, 85, (236, 232, 226), SOFT)
    for x in (-2, 62, 96):
        canvas.box(x, 85, x + 33, 100, (110, 172, 160), SOFT)
        canvas.disc(x + 16, 91, 1.8, 1.8, (250, 214, 110), 0.7)
    _stove(canvas, 32)
    _checkered(land)


def _stove(canvas: Canvas, x: float) -> None:
    canvas.box(x, 82, x + 29, 100, (232, 236, 240), SOFT)
    canvas.box(x + 5, 88, x + 24, 98, (90, 92, 104), 0.8)
    canvas.box(x + 5, 70, x + 23, 79, (214, 74, 66), SOFT)
    canvas.box(x + 3, 68, x + 25, 71, (236, 110, 96), 0.8)
    canvas.disc(x + 14, 66.5, 2, 1.6, (90, 60, 56), 0.6)


def _checkered(land: Land) -> None:
    canvas = land.canvas
    canvas.box(0, 100, 128, 128, (246, 240, 230), 0)
    for row, (top, bottom) in enumerate(((100, 107), (107, 116), (116, 128))):
        for column in range(0, 9, 2):
            x = (column + row % 2) * 16 - 8 * land.variant
            canvas.box(x, top, x + 16, bottom, (170, 204, 214), 0)


PAINTERS = {"bedroom": _bedroom, "kitchen": _kitchen}
