"""The renderer: same input same pixels, right size, and every attribute visible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from minigpt5.data.storybook import scene as world
from minigpt5.data.storybook.drawing import render
from minigpt5.data.storybook.scene import Character, Prop, Scene

BASE = Scene((Character("rabbit", "blue"),), prop=Prop("ball", "red"))
HERO = BASE.characters[0]


def difference(first: Image.Image, second: Image.Image) -> float:
    """Share of pixels that differ clearly."""
    gap = np.abs(np.asarray(first, dtype=np.int16) - np.asarray(second, dtype=np.int16)).max(axis=2)
    return float((gap > 24).mean())


def variants(attribute: str) -> list[Scene]:
    """The base scene with every value of one attribute."""
    return {
        "animal": [replace(BASE, characters=(replace(HERO, animal=v),)) for v in world.ANIMALS],
        "colour": [replace(BASE, characters=(replace(HERO, colour=v),)) for v in world.ANIMAL_COLOURS],
        "action": [replace(BASE, characters=(replace(HERO, action=v),)) for v in world.ACTIONS],
        "position": [replace(BASE, characters=(replace(HERO, position=v),)) for v in world.POSITIONS],
        "setting": [replace(BASE, setting=v) for v in world.SETTINGS],
        "time": [replace(BASE, time=v) for v in world.TIMES],
        "weather": [replace(BASE, weather=v) for v in world.WEATHERS],
        "prop": [replace(BASE, prop=None), *(replace(BASE, prop=Prop(v, "red")) for v in world.PROPS)],
        "prop colour": [replace(BASE, prop=Prop("ball", v)) for v in world.PROP_COLOURS],
    }[attribute]


@pytest.mark.parametrize("size", [64, 128, 256])
def test_size_and_mode(size: int) -> None:
    picture = render(BASE, size)
    assert picture.size == (size, size) and picture.mode == "RGB"


def test_same_input_gives_same_pixels() -> None:
    first = render(BASE, seed=3).tobytes()
    render(replace(BASE, time="night"), seed=4)
    assert render(BASE, seed=3).tobytes() == first
    assert render(BASE, seed=5).tobytes() != first


@pytest.mark.parametrize(
    "attribute",
    ["animal", "colour", "action", "position", "setting", "time", "weather", "prop", "prop colour"],
)
def test_every_value_of_an_attribute_is_visible(attribute: str) -> None:
    pictures = [render(scene) for scene in variants(attribute)]
    for index, first in enumerate(pictures):
        assert all(difference(first, second) > 0.01 for second in pictures[index + 1 :])


def test_two_characters_stand_left_and_right() -> None:
    pair = Scene((Character("cat", "orange", position="left"), Character("owl", "purple", position="right")))
    swapped = replace(pair, characters=(pair.characters[0], Character("frog", "purple", position="right")))
    gap = np.asarray(render(pair), dtype=np.int16) != np.asarray(render(swapped), dtype=np.int16)
    assert gap[:, 64:].any() and not gap[:, :56].any()
