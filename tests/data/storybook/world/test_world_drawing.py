"""The renderer: same input same pixels, right size, and every attribute visible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigpt5.data.storybook.world import scene as world
from minigpt5.data.storybook.world.drawing import emoji, render
from minigpt5.data.storybook.world.scene import Figure, Scene, Thing, repaint
from minigpt5.data.storybook.world.things import IN_SLOT, SLOTS, TOYS
from minigpt5.errors import DataError

HERO = Figure("rabbit", "blue")
BASE = Scene((HERO,), things=(Thing("ball", "beside", "red"),))
TRIO = Scene(
    tuple(
        Figure(kind, "green", position=p)
        for kind, p in zip(("cat", "robot", "duck"), world.POSITIONS, strict=True)
    )
)
SIZE = 128


@pytest.fixture(autouse=True)
def _font() -> None:
    if not emoji.FONT.is_file():
        pytest.skip(f"the package {emoji.PACKAGE} is not installed")


def difference(first: Image.Image, second: Image.Image) -> float:
    """Share of pixels that differ clearly."""
    gap = np.abs(np.asarray(first, dtype=np.int16) - np.asarray(second, dtype=np.int16)).max(axis=2)
    return float((gap > 24).mean())


def in_slot(slot: str, kind: str | None) -> Scene:
    """A rabbit with that thing in the slot, or with none."""
    action = "holding" if slot == "hand" and kind else "standing"
    things = () if kind is None else (Thing(kind, slot, "red" if kind in TOYS else ""),)
    return replace(repaint(BASE, 0, action=action), things=things)


def acting(action: str) -> Scene:
    things = (Thing("apple", "hand"),) if action in world.IN_THE_PAWS else ()
    return replace(repaint(BASE, 0, action=action), things=things)


def variants(attribute: str) -> list[Scene]:
    """The base scene with every value of one attribute."""
    return {
        "kind": [repaint(BASE, 0, kind=v) for v in world.FIGURES],
        "colour": [repaint(BASE, 0, colour=v) for v in world.COLOURS],
        "action": [acting(v) for v in world.ACTIONS],
        "mood": [repaint(BASE, 0, mood=v) for v in world.MOODS],
        "mood asleep": [repaint(BASE, 0, action="sleeping", mood=v) for v in world.MOODS],
        "wear": [repaint(BASE, 0, wear=v) for v in world.WEARS],
        "wear asleep": [repaint(BASE, 0, action="sleeping", wear=v) for v in world.WEARS],
        "position": [repaint(BASE, 0, position=v) for v in world.POSITIONS],
        "place": [replace(BASE, place=v) for v in world.PLACES],
        "time": [replace(BASE, time=v) for v in world.TIMES],
        "time in a storm": [replace(BASE, place="forest", weather="storm", time=v) for v in world.TIMES],
        "weather": [replace(BASE, weather=v) for v in world.WEATHERS],
        "weather from a room": [replace(BASE, place="bedroom", weather=v) for v in world.WEATHERS],
        "toy colour": [replace(BASE, things=(Thing("ball", "beside", v),)) for v in world.TOY_COLOURS],
        **{slot: [in_slot(slot, None), *(in_slot(slot, kind) for kind in IN_SLOT[slot])] for slot in SLOTS},
    }[attribute]


@pytest.mark.parametrize("size", [64, 128, 256])
def test_size_and_mode(size: int):
    picture = render(BASE, size)
    assert picture.size == (size, size) and picture.mode == "RGB"


def test_same_input_gives_same_pixels():
    first = render(BASE, seed=3).tobytes()
    render(replace(BASE, time="night"), seed=4)
    assert render(BASE, seed=3).tobytes() == first
    assert render(BASE, seed=5).tobytes() != first


def pairs(pictures: list[Image.Image]) -> Iterator[tuple[Image.Image, Image.Image]]:
    for index, first in enumerate(pictures):
        for second in pictures[index + 1 :]:
            yield first, second


@pytest.mark.parametrize(
    "attribute",
    [
        *(
            "kind",
            "colour",
            "action",
            "mood",
            "mood asleep",
            "wear",
            "wear asleep",
            "position",
            "place",
            "time",
        ),
        *("time in a storm", "weather", "weather from a room", "toy colour", *SLOTS),
    ],
)
def test_every_value_of_an_attribute_is_visible(attribute: str):
    pictures = [render(scene, SIZE) for scene in variants(attribute)]
    least = 0.003 if attribute.startswith(("mood", "wear")) else 0.01
    assert min(difference(first, second) for first, second in pairs(pictures)) > least


def test_each_of_three_figures_has_a_part_of_the_picture():
    before = np.asarray(render(TRIO, SIZE), dtype=np.int16)
    for index, (left, right) in enumerate(((0, 43), (43, 86), (86, 128))):
        changed = np.asarray(render(repaint(TRIO, index, kind="bear"), SIZE)) != before
        columns = np.flatnonzero(changed.any(axis=(0, 2)))
        assert len(columns) and columns.min() >= left - 6 and columns.max() < right + 6


def test_a_scene_that_cannot_be_is_not_drawn():
    with pytest.raises(ValueError, match="the place is one of"):
        render(replace(BASE, place="moon"))


def test_without_the_font_the_error_names_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(emoji, "FONT", tmp_path / "none.ttf")
    for cached in (emoji._font, emoji._picture, emoji.sprite):
        cached.cache_clear()
    with pytest.raises(DataError, match="apt-get install fonts-noto-color-emoji"):
        render(in_slot("sky", "rocket"))
