"""Where figures and things are in a picture of 128 x 128 units; fixed places, so that they are easily learned."""

from __future__ import annotations

from dataclasses import dataclass

from minigpt5.data.storybook.world.scene import Scene

GROUND = 118.0
ZOOMS = {1: 1.0, 2: 0.8, 3: 0.66}
ALONE = {"left": 35.0, "centre": 63.0, "right": 92.0}
PAIR = (29.0, 99.0)
TRIO = (22.0, 64.0, 106.0)
TRIO_ASIDE = (20.0, 55.0, 88.0)  # when a thing stands beside them

BESIDE = {"left": 95.0, "centre": 106.0, "right": 32.0}
SKY = {"left": 68.0, "centre": 24.0, "right": 26.0}
BEHIND = {"left": 95.0, "centre": 25.0, "right": 32.0}


@dataclass(frozen=True)
class Spot:
    """A point and a size in picture units."""

    x: float
    y: float
    size: float


def figure_spots(scene: Scene) -> tuple[tuple[float, ...], float]:
    """The horizontal places of the figures, and their zoom."""
    count = len(scene.figures)
    if count == 1:
        return (ALONE[scene.figures[0].position],), ZOOMS[1]
    if count == 2:
        return PAIR, ZOOMS[2]
    return (TRIO_ASIDE if scene.thing_in("beside") else TRIO), ZOOMS[3]


def beside_spot(scene: Scene) -> Spot:
    """Where a thing stands on the ground."""
    count = len(scene.figures)
    if count == 1:
        return Spot(BESIDE[scene.figures[0].position], 121, 40)
    return Spot(64, 122, 36) if count == 2 else Spot(112, 122, 29)


def sky_spot(scene: Scene) -> Spot:
    """The centre of a thing in the sky."""
    if len(scene.figures) == 1:
        return Spot(SKY[scene.figures[0].position], 21, 34)
    return Spot(46, 20, 33)


def behind_spot(scene: Scene) -> Spot:
    """Where a large thing stands behind the figures."""
    if len(scene.figures) == 1:
        return Spot(BEHIND[scene.figures[0].position], 94, 54)
    return Spot(64, 92, 50) if len(scene.figures) == 2 else Spot(41, 83, 50)


HAND_SIZES = {1: 33.0, 2: 36.0, 3: 39.0}  # in the figure's own units, which shrink with its zoom
HEAD_SIZES = {1: 30.0, 2: 33.0, 3: 36.0}
EATEN_SHARE = 0.92
RAISED_TOYS = {
    "balloon": (0.0, -32.0),
    "kite": (0.0, -34.0),
    "umbrella": (-6.0, -24.0),
}  # of the paw, at zoom 1
TOY_SIZE = 44.0  # the box that a toy at zoom 1 fills
