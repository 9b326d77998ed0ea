"""Draws a figure of any kind, face-on, in its action, mood and wear."""

from __future__ import annotations

from collections.abc import Callable

from minigpt5.data.storybook.world.drawing.canvas import Canvas, Colour, tinted
from minigpt5.data.storybook.world.drawing.figures.coats import COATS, Coat
from minigpt5.data.storybook.world.drawing.figures.ears import draw_ears
from minigpt5.data.storybook.world.drawing.figures.effects import draw_crumbs, draw_effects
from minigpt5.data.storybook.world.drawing.figures.heads import draw_head
from minigpt5.data.storybook.world.drawing.figures.poses import (
    ARMS_OF,
    draw_arm,
    draw_body,
    draw_front_paws,
    draw_legs,
    draw_lying,
    draw_soles,
)
from minigpt5.data.storybook.world.drawing.figures.tails import draw_tail
from minigpt5.data.storybook.world.drawing.figures.wear import draw_scarf, top_of
from minigpt5.data.storybook.world.scene import Figure

__all__ = ["HAND_SPOTS", "Held", "draw_figure", "head_top"]

Held = Callable[[Canvas], None]  # draws the thing in the hand on a canvas whose origin is the figure's

LIFTS = {"jumping": 15.0, "running": 2.0}
SIT = 7.0  # how much lower the body and the head of one who sits are
HEAD_AWAKE, HEAD_ASLEEP = (0.0, -37.0), (-5.0, -19.0)
HEAD_SHIFTS = {"running": 3.0, "dancing": -3.0}
HAND_SPOTS = {"holding": (0.0, -8.5), "raised": (24.5, -44.0), "eating": (18.5, -19.5)}


def _head(kind: str, action: str) -> tuple[float, float]:
    if action == "sleeping":
        return (HEAD_ASLEEP[0] - 5, HEAD_ASLEEP[1]) if kind == "child" else HEAD_ASLEEP
    x, y = HEAD_AWAKE
    return x + HEAD_SHIFTS.get(action, 0.0), y + (SIT if action == "sitting" else 0.0)


def head_top(figure: Figure) -> tuple[float, float]:
    """Where a thing sits on the head, relative to the feet."""
    x, y = _head(figure.kind, figure.action)
    return x, y + top_of(figure.kind) - LIFTS.get(figure.action, 0.0) - (2 if figure.kind == "lion" else 0)


def draw_figure(
    canvas: Canvas,
    figure: Figure,
    place: tuple[float, float],
    zoom: float,
    expression: int,
    held: Held | None = None,
    raised: int = 0,
) -> None:
    """The figure with its feet at `place`, or above it when jumping.

    `held` draws the thing in the hand; `raised` is 0 for a thing before the belly, else the side (-1 left, 1
    right) of the arm that holds it up.
    """
    x, y = place
    coat = COATS[figure.colour]
    _shadow(canvas.at(x, y, zoom), figure.action)
    lift = LIFTS.get(figure.action, 0.0)
    own = canvas.at(x, y - lift * zoom, zoom)
    if figure.action == "sleeping":
        _asleep(own, figure, coat)
    else:
        _awake(own, figure, coat, expression, held, raised)
    draw_effects(own, figure.action)


def _shadow(figure: Canvas, action: str) -> None:
    """A soft ellipse: the colour of the ground itself, darkened in two steps."""
    reach = {"jumping": 14, "sleeping": 25, "sitting": 23, "running": 22}.get(action, 18)
    px, py = figure.place(0, 0.5)
    sample = figure.image.getpixel((int(px), min(int(py), figure.image.height - 1)))
    assert isinstance(sample, tuple)  # the picture is RGB
    ground: Colour = (sample[0], sample[1], sample[2])
    plain = Canvas(figure.image, origin=figure.origin, zoom=figure.zoom)
    for grow, dim in ((1.5, 0.84), (0.0, 0.7)):
        plain.disc(0, 0.8, reach + grow, 4 + grow * 0.6, tinted(ground, (dim, dim, dim)), outline=0)


def _awake(
    canvas: Canvas, figure: Figure, coat: Coat, expression: int, held: Held | None, raised: int
) -> None:
    kind, action = figure.kind, figure.action
    head = _head(kind, action)
    drop = SIT if action == "sitting" else 0.0
    draw_tail(canvas, kind, coat)
    draw_ears(canvas, kind, *head, coat)
    if action != "sitting":
        draw_legs(canvas, kind, coat, action)
    draw_body(canvas, kind, coat, drop)
    draw_head(canvas, figure, *head, coat, expression)
    arms = ARMS_OF[action]
    if raised:
        arms = ("up", "down") if raised < 0 else ("down", "up")
    if held is not None:
        held(canvas)
    for side, arm in zip((-1, 1), arms, strict=True):
        draw_arm(canvas, kind, coat, side, arm, drop)
    if figure.wear == "scarf":
        draw_scarf(canvas, *head, lying=False)
    if action == "sitting":
        draw_soles(canvas, kind, coat)
    if action == "eating":
        draw_crumbs(canvas)


def _asleep(canvas: Canvas, figure: Figure, coat: Coat) -> None:
    head = _head(figure.kind, "sleeping")
    draw_tail(canvas, figure.kind, coat, lying=True)
    draw_lying(canvas, figure.kind, coat)
    draw_ears(canvas, figure.kind, *head, coat)
    draw_head(canvas, figure, *head, coat, 0, asleep=True)
    draw_front_paws(canvas, figure.kind, coat)
    if figure.wear == "scarf":
        draw_scarf(canvas, *head, lying=True)
