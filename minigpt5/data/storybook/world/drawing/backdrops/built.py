"""Places with buildings: village, city, castle, farm."""

from __future__ import annotations

from minigpt5.data.storybook.world.drawing.backdrops.land import SOFT, Land
from minigpt5.data.storybook.world.drawing.canvas import WHITE, Colour, darker, lighter

STONE: Colour = (172, 178, 192)


def _house(
    land: Land, x: float, foot: float, width: float, height: float, wall: Colour, roof: Colour
) -> None:
    canvas, half, top = land.canvas, width / 2, foot - height
    canvas.box(x - half, top, x + half, foot, wall, SOFT)
    canvas.box(x + half * 0.45, top - 20, x + half * 0.8, top - 6, darker(roof, 0.2), SOFT)
    gable = ((x - half - 4, top), (x, top - height * 0.62), (x + half + 4, top))
    canvas.shape(gable, land.dusted(roof), SOFT)
    for dx in (-half * 0.5, half * 0.5):
        land.pane(x + dx - 3.6, top + 5, 7.2, 8)
        canvas.stroke(((x + dx, top + 5), (x + dx, top + 13)), 1)
    canvas.box(x - 4, foot - 13, x + 4, foot, (130, 86, 60), SOFT)


def _village(land: Land) -> None:
    land.hill(74, 4, 0.8, 0.6, (142, 196, 122), (120, 178, 104))
    lift = land.variant
    _house(land, 20, 95, 32, 36 + lift, (252, 236, 204), (164, 88, 60))
    _house(land, 108, 95, 34, 34 + lift, (248, 224, 212), (132, 84, 62))
    _house(land, 64, 92, 34, 40 - lift, (232, 238, 236), (188, 106, 74))
    land.hill(95, 1.4, 1.0, 0.0, (176, 198, 126), (140, 172, 100))
    path = land.dusted((232, 210, 170), 0.5)
    lane = ((0, 106), (40, 102), (90, 104), (128, 101), (128, 124), (0, 126))
    land.canvas.gradient(lane, path, darker(path, 0.12))


def _tower_block(land: Land, x: float, width: float, top: float, wall: Colour) -> None:
    canvas = land.canvas
    canvas.box(x, top, x + width, 98, wall, SOFT)
    canvas.box(x - 1, top - 2, x + width + 1, top + 2, land.dusted(darker(wall, 0.2), 0.9), 0.8)
    columns = max(2, round(width / 9))
    gap = width / columns
    for row in range(int((94 - top) // 12)):
        for column in range(columns):
            land.pane(x + gap * (column + 0.5) - 2.4, top + 7 + row * 12, 4.8, 6.4, 0.7)


def _city(land: Land) -> None:
    lift = 3 * land.variant
    for x, width, top, wall in (
        (-4, 24, 40 + lift, (150, 164, 190)),
        (20, 22, 22, (206, 150, 132)),
        (43, 20, 48 - lift, (176, 190, 206)),
        (63, 24, 28 + lift, (134, 150, 186)),
        (88, 20, 46, (216, 190, 150)),
        (109, 24, 34 - lift, (164, 150, 176)),
    ):
        _tower_block(land, x, width, top, wall)
    canvas, kerb = land.canvas, land.dusted((206, 208, 214), 0.5)
    canvas.box(0, 94, 128, 101, kerb, 0.8)
    road = land.dusted((104, 108, 122), 0.4)
    canvas.gradient(((0, 101), (128, 101), (128, 128), (0, 128)), road, darker(road, 0.1))
    for x in range(-4, 130, 28):
        canvas.box(x, 112.5, x + 15, 115.5, (250, 236, 180), 0)


def _battlements(land: Land, x0: float, x1: float, top: float, wall: Colour) -> None:
    step = (x1 - x0) / 7
    for index in range(0, 7, 2):
        land.canvas.box(
            x0 + index * step, top - 6, x0 + (index + 1) * step, top + 1, land.dusted(wall, 0.5), SOFT
        )
    land.canvas.box(x0, top, x1, 97, wall, SOFT)
    for index in range(0, 7, 2):
        land.canvas.box(
            x0 + index * step, top - 5, x0 + (index + 1) * step, top + 2, land.dusted(wall, 0.5), 0
        )


def _turret(land: Land, x: float, half: float, top: float, roof: Colour, flag: Colour) -> None:
    canvas, tip = land.canvas, top - 26
    canvas.stroke(((x, tip), (x, tip - 10)), 1.6)
    canvas.shape(((x, tip - 10), (x + 12, tip - 6.5), (x, tip - 3)), flag, 0.9)
    canvas.box(x - half, top, x + half, 97, lighter(STONE, 0.2), SOFT)
    canvas.shape(((x - half - 4, top), (x, tip), (x + half + 4, top)), land.dusted(roof), SOFT)
    land.pane(x - 3, top + 8, 6, 10)


def _castle(land: Land) -> None:
    land.hill(78, 4, 0.8, 0.6, (150, 196, 130), (120, 178, 104))
    shift = 2 * land.variant
    _turret(land, 64, 13, 40 - shift, (178, 74, 110), (255, 206, 70))
    _battlements(land, 28, 100, 62, STONE)
    _turret(land, 18, 12, 48 + shift, (96, 84, 170), (240, 84, 96))
    _turret(land, 110, 12, 48 + shift, (96, 84, 170), (240, 84, 96))
    canvas = land.canvas
    canvas.disc(64, 80, 11, 11, (112, 72, 50), SOFT)
    canvas.box(53, 80, 75, 98, (112, 72, 50), 0)
    for x in (59, 64, 69):
        canvas.stroke(((x, 71), (x, 97)), 1.1, (74, 46, 36))
    land.hill(96, 1.2, 1.0, 0.3, (160, 204, 120), (116, 176, 90))
    path = land.dusted((214, 200, 180), 0.5)
    canvas.gradient(((54, 97), (74, 97), (94, 128), (34, 128)), path, darker(path, 0.14))


def _barn(land: Land) -> None:
    canvas, red = land.canvas, (196, 58, 52)
    walls = ((8, 94), (8, 60), (16, 44), (34, 36), (52, 44), (60, 60), (60, 94))
    canvas.shape(walls, red, SOFT)
    canvas.limb(((5, 61), (15, 43), (34, 34), (53, 43), (63, 61)), 3.4, land.dusted((92, 84, 92), 0.8), SOFT)
    canvas.box(22, 68, 46, 94, darker(red, 0.25), SOFT, WHITE)
    canvas.stroke(((22, 68), (46, 94)), 2, WHITE)
    canvas.stroke(((46, 68), (22, 94)), 2, WHITE)
    land.pane(28, 47, 12, 11, 1.3)


def _farm(land: Land) -> None:
    canvas = land.canvas
    land.hill(72, 4, 0.9, 0.4, (196, 206, 110), (160, 184, 90))
    canvas.box(66, 40, 82, 94, (200, 206, 216), SOFT)
    canvas.disc(74, 40, 8, 8, land.dusted((150, 158, 174), 0.8), SOFT)
    canvas.box(66, 41, 82, 50, (200, 206, 216), 0)
    for y in (52, 64, 76):
        canvas.stroke(((67, y), (81, y)), 1.2, (146, 152, 166))
    _barn(land)
    for x, y in ((104, 86), (118 - 2 * land.variant, 88)):
        canvas.disc(x, y, 10, 10, land.dusted((240, 200, 96), 0.35), SOFT)
        canvas.disc(x, y, 5.4, 5.4, land.dusted((214, 168, 70), 0.35), 0)
    land.hill(95, 1.2, 1.0, 0.8, (206, 190, 110), (170, 150, 84))
    for shift in (0, 24, 48, 72, 96, 120):
        x = shift - 2
        furrow = ((x, 128), (42 + (x - 4) * 0.36, 97))
        canvas.stroke(furrow, 1.8, land.dusted((148, 120, 70), 0.5))


PAINTERS = {"village": _village, "city": _city, "castle": _castle, "farm": _farm}
