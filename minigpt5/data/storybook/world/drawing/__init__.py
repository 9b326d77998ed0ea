"""Draws a storybook scene: `render(scene, size, seed)` gives an RGB picture.

The same scene, size and seed always give the same pixels. The seed only varies what a caption never tells:
a few pixels of offset, the shape of the hills, the layout of drops and flakes, the smile.
"""

from __future__ import annotations

import random

from PIL import Image

from minigpt5.data.storybook.world.drawing import layout
from minigpt5.data.storybook.world.drawing.backdrops import VARIANTS, backdrop
from minigpt5.data.storybook.world.drawing.canvas import OVERSAMPLING, Canvas, Tint
from minigpt5.data.storybook.world.drawing.emoji import draw_emoji
from minigpt5.data.storybook.world.drawing.figures import HAND_SPOTS, Held, draw_figure, head_top
from minigpt5.data.storybook.world.drawing.toys import draw_toy
from minigpt5.data.storybook.world.scene import Figure, Scene, Thing, verify
from minigpt5.data.storybook.world.things import TOYS

__all__ = ["render"]

FIGURE_TINTS: dict[str, Tint] = {
    "morning": (1.0, 0.98, 0.88),
    "day": (1.0, 1.0, 1.0),
    "sunset": (1.0, 0.94, 0.88),
    "night": (0.92, 0.92, 0.98),
}


def render(scene: Scene, size: int = 256, seed: int = 0) -> Image.Image:
    """The picture of the scene, `size` x `size`, RGB; a scene that cannot be is a ValueError."""
    verify(scene)
    rng = random.Random(seed)
    ground = backdrop(scene.place, scene.time, scene.weather, rng.randrange(VARIANTS), size)
    image = ground.resize((size * OVERSAMPLING, size * OVERSAMPLING), Image.Resampling.NEAREST)
    canvas = Canvas(image, FIGURE_TINTS[scene.time])
    _draw_thing(canvas, scene.thing_in("sky"), layout.sky_spot(scene), rng)
    _draw_thing(canvas, scene.thing_in("behind"), layout.behind_spot(scene), rng, stands=True)
    places, zoom = layout.figure_spots(scene)
    for index, (figure, x) in enumerate(zip(scene.figures, places, strict=True)):
        place = x + rng.uniform(-1.5, 1.5), layout.GROUND + rng.uniform(-1.5, 1.0)
        held, raised = _held(scene, figure, place[0])
        draw_figure(canvas, figure, place, zoom, rng.randrange(3), held, raised)
        if index == 0:
            _draw_rider(canvas, scene, figure, place, zoom)
    _draw_thing(canvas, scene.thing_in("beside"), layout.beside_spot(scene), rng, stands=True)
    return image.reduce(OVERSAMPLING)


def _draw_thing(
    canvas: Canvas, thing: Thing | None, spot: layout.Spot, rng: random.Random, stands: bool = False
) -> None:
    if thing is None:
        return
    x, y = spot.x + rng.uniform(-1, 1), spot.y + rng.uniform(-1, 1)
    if thing.kind in TOYS:
        draw_toy(canvas, thing, x, y - spot.size / 2 if stands else y, spot.size / layout.TOY_SIZE)
    else:
        draw_emoji(canvas, thing.kind, x, y, spot.size, foot=stands)


def _held(scene: Scene, figure: Figure, x: float) -> tuple[Held | None, int]:
    """What draws the thing in the figure's hand, and on which side it is held up (0: before the belly)."""
    thing = scene.thing_in("hand")
    if thing is None or figure.action not in ("holding", "eating"):
        return None, 0
    side = 0
    if thing.kind in layout.RAISED_TOYS:
        side = 1 if x < 80 else -1
    size = layout.HAND_SIZES[len(scene.figures)]

    def draw(canvas: Canvas) -> None:
        _draw_in_hand(canvas, thing, figure.action, side, size)

    return draw, side


def _draw_in_hand(canvas: Canvas, thing: Thing, action: str, side: int, size: float) -> None:
    """The thing on a canvas whose origin is at the figure's feet."""
    px, py = HAND_SPOTS["raised" if side else action]
    if thing.kind not in TOYS:
        share = layout.EATEN_SHARE if action == "eating" else 1.0
        draw_emoji(canvas, thing.kind, px, py, size * share)
        return
    zoom = size / layout.TOY_SIZE
    dx, dy = layout.RAISED_TOYS.get(thing.kind, (0.0, 0.0))
    x, y = px * (side or 1) + dx * zoom, py + dy * zoom
    draw_toy(canvas, thing, *_absolute(canvas, x, y), zoom * canvas.zoom)


def _absolute(canvas: Canvas, x: float, y: float) -> tuple[float, float]:
    """A point of a figure's own canvas in picture units."""
    return canvas.origin[0] + x * canvas.zoom, canvas.origin[1] + y * canvas.zoom


def _draw_rider(
    canvas: Canvas, scene: Scene, figure: Figure, place: tuple[float, float], zoom: float
) -> None:
    thing = scene.thing_in("head")
    if thing is not None:
        x, y = head_top(figure)
        size = layout.HEAD_SIZES[len(scene.figures)] * zoom
        draw_emoji(canvas, thing.kind, place[0] + x * zoom, place[1] + (y + 2) * zoom, size, foot=True)
