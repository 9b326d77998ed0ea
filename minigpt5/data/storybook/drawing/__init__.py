"""Draws a storybook scene: `render(scene, size, seed)` gives an RGB picture.

The same scene, size and seed always give the same pixels. The seed only varies what a caption never tells:
a few pixels of offset, the shape of the hills, the layout of drops and flakes, the smile.
"""

from __future__ import annotations

import random

from PIL import Image

from minigpt5.data.storybook.drawing.animals import draw_character
from minigpt5.data.storybook.drawing.backdrop import backdrop
from minigpt5.data.storybook.drawing.canvas import OVERSAMPLING, Canvas, Tint
from minigpt5.data.storybook.drawing.props import RAISED, draw_prop
from minigpt5.data.storybook.scene import Scene

__all__ = ["render"]

FIGURE_TINTS: dict[str, Tint] = {
    "day": (1.0, 1.0, 1.0),
    "sunset": (1.0, 0.94, 0.88),
    "night": (0.92, 0.92, 0.98),
}
GROUND = 119.0
ALONE = {"left": 35.0, "centre": 63.0, "right": 93.0}
PAIR = (30.0, 98.0)
PROP_BESIDE = {"left": 94.0, "centre": 106.0, "right": 33.0}


def render(scene: Scene, size: int = 128, seed: int = 0) -> Image.Image:
    """The picture of the scene, `size` x `size`, RGB."""
    rng = random.Random(seed)
    variant = rng.randrange(3)
    image = backdrop(scene.setting, scene.time, scene.weather, variant, size * OVERSAMPLING).copy()
    canvas = Canvas(image, FIGURE_TINTS[scene.time])
    pair = len(scene.characters) == 2
    for index, character in enumerate(scene.characters):
        x = PAIR[index] if pair else ALONE[character.position]
        place = x + rng.uniform(-1.5, 1.5), GROUND + rng.uniform(-1.5, 1.0)
        draw_character(canvas, character, place, 0.86 if pair else 1.0, rng.randrange(3))
    if scene.prop is not None:
        x = 64.0 if pair else PROP_BESIDE[scene.characters[0].position]
        y = 46.0 if scene.prop.kind in RAISED else 102.0
        draw_prop(canvas, scene.prop, x + rng.uniform(-1, 1), y + rng.uniform(-1, 1), 0.88 if pair else 1.0)
    return image.reduce(OVERSAMPLING)
