"""What a storybook picture shows, as data: attributes, random scenes and the train / held-out split.

Knows nothing of pixels (`drawing`) nor of words beyond the attribute names (`captions`).
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, replace

ANIMALS = ("rabbit", "bear", "cat", "dog", "elephant", "frog", "mouse", "owl")
ANIMAL_COLOURS = ("blue", "green", "pink", "purple", "orange", "brown", "yellow")
ACTIONS = ("standing", "waving", "jumping", "sleeping")
POSITIONS = ("left", "centre", "right")
SETTINGS = ("beach", "forest", "meadow", "mountains", "village", "desert")
TIMES = ("day", "sunset", "night")
WEATHERS = ("clear", "rain", "snow")
PROPS = ("balloon", "umbrella", "ball", "kite", "gift", "flower", "book", "boat")
PROP_COLOURS = ("red", "yellow", "blue", "green", "white")

HELD_OUT_SHARE = 0.15  # of all (animal, colour) x (setting, time) combinations


@dataclass(frozen=True)
class Character:
    """One animal; `position` is where it is in the picture."""

    animal: str
    colour: str
    action: str = "standing"
    position: str = "centre"


@dataclass(frozen=True)
class Prop:
    """The one object of a scene; drawn in the slot that the characters leave free."""

    kind: str
    colour: str


@dataclass(frozen=True)
class Scene:
    """One picture: one character anywhere, or two of which the first stands left and the second right."""

    characters: tuple[Character, ...]
    setting: str = "meadow"
    time: str = "day"
    weather: str = "clear"
    prop: Prop | None = None

    @property
    def held_out(self) -> bool:
        """True for combinations that training never sees (a fixed hash, so the split needs no file)."""
        return any(is_held_out(c.animal, c.colour, self.setting, self.time) for c in self.characters)


def is_held_out(animal: str, colour: str, setting: str, time: str) -> bool:
    """The documented split: sha256 of "animal colour setting time", its first 4 bytes below the share."""
    digest = hashlib.sha256(f"{animal} {colour} {setting} {time}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT_SHARE * 2**32


def random_scene(rng: random.Random, characters: int | None = None) -> Scene:
    """Any scene of the world, train or held-out; 1 character four times out of five unless told."""
    count = characters or (1 if rng.random() < 0.8 else 2)
    positions = ("left", "right") if count == 2 else (rng.choice(POSITIONS),)
    animals = rng.sample(ANIMALS, count)
    colours = rng.sample(ANIMAL_COLOURS, count)
    cast = tuple(
        Character(animal, colour, rng.choice(ACTIONS), position)
        for animal, colour, position in zip(animals, colours, positions, strict=True)
    )
    prop = Prop(rng.choice(PROPS), rng.choice(PROP_COLOURS)) if rng.random() < 0.75 else None
    return Scene(cast, rng.choice(SETTINGS), rng.choice(TIMES), rng.choice(WEATHERS), prop)


def sample_scene(rng: random.Random, held_out: bool = False, characters: int | None = None) -> Scene:
    """A scene from the asked half of the split (rejection sampling)."""
    while True:
        scene = random_scene(rng, characters)
        if scene.held_out == held_out:
            return scene


def repaint(scene: Scene, index: int, **changes: str) -> Scene:
    """The scene with the `index`-th character changed, for stories whose looks must stay consistent."""
    cast = list(scene.characters)
    cast[index] = replace(cast[index], **changes)
    return replace(scene, characters=tuple(cast))
