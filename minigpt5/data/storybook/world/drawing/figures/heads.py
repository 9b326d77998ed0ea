"""Heads: the round of the head, the face of its kind and its mood, and what it wears."""

from __future__ import annotations

from minigpt5.data.storybook.world.drawing.canvas import Canvas, mix
from minigpt5.data.storybook.world.drawing.figures.coats import BLUSH, SKIN, Coat
from minigpt5.data.storybook.world.drawing.figures.faces import draw_bill, draw_kind
from minigpt5.data.storybook.world.drawing.figures.moods import BEAKED, draw_brows, draw_eyes, draw_mouth
from minigpt5.data.storybook.world.drawing.figures.wear import draw_wear
from minigpt5.data.storybook.world.scene import Figure

SIZES = {
    "frog": (20.5, 14.5),
    "mouse": (17, 15),
    "elephant": (17, 16),
    "duck": (16.5, 16),
    "child": (17.5, 15.5),
}


def draw_head(
    canvas: Canvas, figure: Figure, x: float, y: float, coat: Coat, expression: int, asleep: bool = False
) -> None:
    """The whole head but for what shows behind it (`ears`)."""
    kind, mood = figure.kind, figure.mood
    _round(canvas, kind, x, y, coat)
    if kind != "robot":
        skin = SKIN if kind == "child" else coat.main
        for side in (-1, 1):
            canvas.disc(x + side * 12.4, y + 5.5, 3.2, 2.3, mix(skin, BLUSH, 0.6), 0)
    draw_kind(canvas, kind, x, y, coat)
    draw_eyes(canvas, kind, x, y, coat, mood, asleep)
    if kind in BEAKED:
        draw_bill(canvas, kind, x, y, mood)
    else:
        draw_mouth(canvas, kind, x, y, coat, mood, expression)
    draw_wear(canvas, kind, figure.wear, x, y)
    draw_brows(canvas, kind, x, y, coat, mood)


def _round(canvas: Canvas, kind: str, x: float, y: float, coat: Coat) -> None:
    if kind == "robot":
        canvas.block(x - 18, y - 14.5, x + 18, y + 16, 5, coat.main)
        return
    rx, ry = SIZES.get(kind, (18.5, 16))
    if kind == "frog":
        for side in (-1, 1):
            canvas.disc(x + side * 10.5, y - 13, 8, 8, coat.main)
    canvas.disc(x, y, rx, ry, SKIN if kind == "child" else coat.main)
