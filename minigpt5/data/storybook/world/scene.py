"""What a storybook picture shows, as data: attributes, random scenes and the train / held-out split.

Knows nothing of pixels (`drawing`) nor of words beyond the attribute names (`captions`).
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, replace

from minigpt5.data.storybook.world.things import FOODS, IN_SLOT, THINGS, TOYS

FIGURES = (
    "rabbit", "bear", "cat", "dog", "elephant", "frog", "mouse", "owl", "fox", "lion", "tiger", "pig", "panda",
    "penguin", "monkey", "hedgehog", "duck", "dragon", "robot", "child",
)  # fmt: skip
COLOURS = (
    "blue", "green", "pink", "purple", "orange", "brown", "yellow", "red", "grey", "white", "black",
)  # fmt: skip
ACTIONS = (
    "standing", "waving", "jumping", "sleeping", "sitting", "running", "dancing", "holding", "eating",
)  # fmt: skip
MOODS = ("happy", "sad", "angry", "surprised")
WEARS = ("none", "hat", "crown", "scarf", "glasses")
POSITIONS = ("left", "centre", "right")
PLACES = (
    "beach", "forest", "meadow", "mountains", "village", "desert", "city", "castle", "farm", "lake", "undersea",
    "space", "bedroom", "kitchen", "garden", "island",
)  # fmt: skip
TIMES = ("morning", "day", "sunset", "night")
WEATHERS = ("clear", "cloudy", "rain", "storm", "snow", "fog", "rainbow")
TOY_COLOURS = ("red", "yellow", "blue", "green", "white")

INDOORS = ("bedroom", "kitchen")  # the weather is seen through a window
CALM_PLACES = ("undersea", "space")  # where the weather is always clear
IN_THE_PAWS = ("holding", "eating")  # the actions that need a thing in the hand
ON_THE_HEAD = ("hat", "crown")  # the wears that leave no room for a thing on the head
MAX_FIGURES, MAX_THINGS = 3, 2

HELD_OUT_SHARE = 0.15  # of all (figure, colour) x (place, time) combinations

_LINE_UPS: dict[int, tuple[str, ...]] = {2: ("left", "right"), 3: ("left", "centre", "right")}
_COUNT_WEIGHTS = (60, 25, 15)
_THING_COUNT_WEIGHTS = (18, 47, 35)
_ACTION_WEIGHTS = (18, *(10,) * 6, 14, 11)
_MOOD_WEIGHTS = (49, 17, 17, 17)
_WEAR_WEIGHTS = (56, 11, 11, 11, 11)
_TIME_WEIGHTS = (23, 29, 23, 25)
_WEATHER_WEIGHTS = (34, *(11,) * 6)
_SLOT_WEIGHTS = {"beside": 60, "sky": 15, "behind": 18, "head": 7}
_SLOT_WEIGHTS_UNDER_A_ROOF = {"beside": 72, "sky": 9, "behind": 10, "head": 9}
_TWINS_SHARE = 0.3  # of the pictures with several figures: all of one kind, colour, action and mood
_TOY_WEIGHT = 2  # a toy comes in five colours, so it is drawn more often than other things


@dataclass(frozen=True)
class Figure:
    """One figure; `position` is where it is in the picture."""

    kind: str
    colour: str
    action: str = "standing"
    position: str = "centre"
    mood: str = "happy"
    wear: str = "none"


@dataclass(frozen=True)
class Thing:
    """One thing in its slot; only toys have a colour of choice, other things have "" there."""

    kind: str
    slot: str
    colour: str = ""


@dataclass(frozen=True)
class Scene:
    """One picture: 1 to 3 figures from left to right and up to 2 things in different slots.

    One figure may be anywhere, two are left and right, three left, centre and right. A thing in the slot "hand"
    belongs to the one figure that is holding or eating, a thing in the slot "head" sits on the first figure.
    """

    figures: tuple[Figure, ...]
    place: str = "meadow"
    time: str = "day"
    weather: str = "clear"
    things: tuple[Thing, ...] = ()

    @property
    def held_out(self) -> bool:
        """True for combinations that training never sees (a fixed hash, so the split needs no file)."""
        return any(is_held_out(f.kind, f.colour, self.place, self.time) for f in self.figures)

    def thing_in(self, slot: str) -> Thing | None:
        """The thing in that slot, if there is one."""
        return next((thing for thing in self.things if thing.slot == slot), None)


def is_held_out(kind: str, colour: str, place: str, time: str) -> bool:
    """The documented split: sha256 of "kind colour place time", its first 4 bytes below the share."""
    digest = hashlib.sha256(f"{kind} {colour} {place} {time}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT_SHARE * 2**32


def line_up(count: int, alone: str = "centre") -> tuple[str, ...]:
    """The positions of that many figures; `alone` is where a single one is."""
    return _LINE_UPS.get(count, (alone,))


def verify(scene: Scene) -> None:
    """Raises ValueError with the reason if the scene is none that can be drawn."""
    if not 1 <= len(scene.figures) <= MAX_FIGURES:
        raise ValueError(f"a scene has 1 to {MAX_FIGURES} figures, got {len(scene.figures)}")
    for figure in scene.figures:
        _verify_figure(figure)
    positions = tuple(figure.position for figure in scene.figures)
    expected = line_up(len(positions), positions[0])
    if positions != expected:
        raise ValueError(f"{len(positions)} figures are at {_told(expected)}, got {_told(positions)}")
    _one_of("place", scene.place, PLACES)
    _one_of("time", scene.time, TIMES)
    _one_of("weather", scene.weather, WEATHERS)
    if scene.place in CALM_PLACES and scene.weather != "clear":
        raise ValueError(f"the weather of the place {scene.place!r} is always 'clear', got {scene.weather!r}")
    _verify_things(scene)


def _verify_figure(figure: Figure) -> None:
    _one_of("figure", figure.kind, FIGURES)
    _one_of("colour", figure.colour, COLOURS)
    _one_of("action", figure.action, ACTIONS)
    _one_of("position", figure.position, POSITIONS)
    _one_of("mood", figure.mood, MOODS)
    _one_of("wear", figure.wear, WEARS)


def _verify_things(scene: Scene) -> None:
    if len(scene.things) > MAX_THINGS:
        raise ValueError(f"a scene has at most {MAX_THINGS} things, got {len(scene.things)}")
    slots = [thing.slot for thing in scene.things]
    if len(set(slots)) < len(slots):
        raise ValueError(f"the things of a scene are in different slots, got {_told(slots)}")
    for thing in scene.things:
        _one_of("thing", thing.kind, tuple(THINGS))
        _one_of(f"slot of the thing {thing.kind!r}", thing.slot, THINGS[thing.kind].slots)
        _one_of(
            f"colour of the thing {thing.kind!r}", thing.colour, TOY_COLOURS if thing.kind in TOYS else ("",)
        )
    if "head" in slots and scene.figures[0].wear in ON_THE_HEAD:
        raise ValueError(f"no thing sits on a head that wears a {scene.figures[0].wear}")
    _verify_hands(scene)


def _verify_hands(scene: Scene) -> None:
    busy = [figure.action for figure in scene.figures if figure.action in IN_THE_PAWS]
    held = scene.thing_in("hand")
    if len(busy) > 1:
        raise ValueError(f"only one figure of a scene is holding or eating, got {len(busy)}")
    if busy and held is None:
        raise ValueError(f"a figure that is {busy[0]} needs a thing in the slot 'hand'")
    if held is not None and not busy:
        raise ValueError(
            f"the thing {held.kind!r} in the slot 'hand' needs a figure that is holding or eating"
        )
    if held is not None and busy == ["eating"] and held.kind not in FOODS:
        raise ValueError(f"a figure eats food only, got {held.kind!r}")


def _one_of(what: str, value: str, values: tuple[str, ...]) -> None:
    if value not in values:
        raise ValueError(f"the {what} is one of {_told(values)}; got {value!r}")


def _told(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(repr(value) for value in values)


def random_scene(rng: random.Random, figures: int | None = None) -> Scene:
    """Any scene of the world, train or held-out, with the asked number of figures (1 to 3)."""
    count = figures or random_count(rng)
    place = rng.choice(PLACES)
    weather = "clear" if place in CALM_PLACES else rng.choices(WEATHERS, _WEATHER_WEIGHTS)[0]
    cast = _random_cast(rng, count)
    things = _random_things(rng, cast, place)
    return Scene(cast, place, rng.choices(TIMES, _TIME_WEIGHTS)[0], weather, things)


def random_count(rng: random.Random) -> int:
    """How many figures a scene of the training data has."""
    return rng.choices((1, 2, 3), _COUNT_WEIGHTS)[0]


def sample_scene(rng: random.Random, held_out: bool = False, figures: int | None = None) -> Scene:
    """A scene from the asked half of the split (rejection sampling that keeps the shares of the counts)."""
    count = figures or random_count(rng)
    while True:
        scene = random_scene(rng, count)
        if scene.held_out == held_out:
            return scene


def _random_cast(rng: random.Random, count: int) -> tuple[Figure, ...]:
    positions = line_up(count, rng.choice(POSITIONS))
    if count > 1 and rng.random() < _TWINS_SHARE:
        twin = _random_figure(rng, positions[0], paws_free=True)
        return tuple(replace(twin, position=position) for position in positions)
    cast: list[Figure] = []
    for position in positions:
        busy = any(figure.action in IN_THE_PAWS for figure in cast)
        cast.append(_random_figure(rng, position, paws_free=busy))
    return tuple(cast)


def _random_figure(rng: random.Random, position: str, paws_free: bool) -> Figure:
    shown = len(ACTIONS) - len(IN_THE_PAWS) if paws_free else len(ACTIONS)
    return Figure(
        rng.choice(FIGURES),
        rng.choice(COLOURS),
        rng.choices(ACTIONS[:shown], _ACTION_WEIGHTS[:shown])[0],
        position,
        rng.choices(MOODS, _MOOD_WEIGHTS)[0],
        rng.choices(WEARS, _WEAR_WEIGHTS)[0],
    )


def _random_things(rng: random.Random, cast: tuple[Figure, ...], place: str) -> tuple[Thing, ...]:
    count = rng.choices((0, 1, 2), _THING_COUNT_WEIGHTS)[0]
    busy = next((figure for figure in cast if figure.action in IN_THE_PAWS), None)
    slots = [] if busy is None else ["hand"]
    covered = place in INDOORS or place in CALM_PLACES
    weights = dict(_SLOT_WEIGHTS_UNDER_A_ROOF if covered else _SLOT_WEIGHTS)
    if cast[0].wear in ON_THE_HEAD:
        del weights["head"]
    while len(slots) < count:
        slot = rng.choices(tuple(weights), tuple(weights.values()))[0]
        del weights[slot]
        slots.append(slot)
    eaten = busy is not None and busy.action == "eating"
    return tuple(
        _random_thing(rng, slot, FOODS if slot == "hand" and eaten else IN_SLOT[slot]) for slot in slots
    )


def _random_thing(rng: random.Random, slot: str, kinds: tuple[str, ...]) -> Thing:
    kind = rng.choices(kinds, [_TOY_WEIGHT if kind in TOYS else 1 for kind in kinds])[0]
    return Thing(kind, slot, rng.choice(TOY_COLOURS) if kind in TOYS else "")


def repaint(scene: Scene, index: int, **changes: str) -> Scene:
    """The scene with the `index`-th figure changed, for stories whose looks must stay consistent."""
    cast = list(scene.figures)
    cast[index] = replace(cast[index], **changes)
    return replace(scene, figures=tuple(cast))
