"""A scene as class numbers: what the eyes are warmed up on and what the judge of drawn pictures names."""

from __future__ import annotations

from minigpt5.data.storybook.world.scene import (
    ACTIONS,
    COLOURS,
    FIGURES,
    MOODS,
    PLACES,
    POSITIONS,
    TIMES,
    TOY_COLOURS,
    WEARS,
    WEATHERS,
    Scene,
)
from minigpt5.data.storybook.world.things import IN_SLOT, SLOTS, TOYS

NOTHING = "none"
COUNTS = ("1", "2", "3")
TRAITS: dict[str, tuple[str, ...]] = {
    "figure": FIGURES,
    "colour": COLOURS,
    "action": ACTIONS,
    "mood": MOODS,
    "wear": WEARS,
}
OTHERS = ("second", "third")
PAINTED_SLOTS = tuple(slot for slot in SLOTS if any(toy in IN_SLOT[slot] for toy in TOYS))


def _classes() -> dict[str, tuple[str, ...]]:
    classes: dict[str, tuple[str, ...]] = {"count": COUNTS, **TRAITS, "position": POSITIONS}
    for other in OTHERS:
        for trait, values in TRAITS.items():
            # a figure that is not there has its own class, also beside "wears nothing"
            classes[f"{other}_{trait}"] = (*values, "absent") if trait == "wear" else (*values, NOTHING)
    classes |= {"place": PLACES, "time": TIMES, "weather": WEATHERS}
    for slot in SLOTS:
        classes[slot] = (*IN_SLOT[slot], NOTHING)
        if slot in PAINTED_SLOTS:
            classes[f"{slot}_colour"] = (*TOY_COLOURS, NOTHING)
    return classes


# One label per trait of each figure, per slot (which thing is there) and per slot with toys (its colour).
ATTRIBUTES: dict[str, tuple[str, ...]] = _classes()


def values_of(scene: Scene) -> dict[str, str]:
    """The scene's value for each of `ATTRIBUTES`."""
    values = {"count": str(len(scene.figures)), "position": scene.figures[0].position}
    for index, prefix in enumerate(("", *(f"{other}_" for other in OTHERS))):
        figure = scene.figures[index] if index < len(scene.figures) else None
        for trait in TRAITS:
            absent = "absent" if trait == "wear" else NOTHING
            field = "kind" if trait == "figure" else trait
            values[prefix + trait] = absent if figure is None else str(getattr(figure, field))
    values |= {"place": scene.place, "time": scene.time, "weather": scene.weather}
    for slot in SLOTS:
        thing = scene.thing_in(slot)
        values[slot] = NOTHING if thing is None else thing.kind
        if slot in PAINTED_SLOTS:
            values[f"{slot}_colour"] = (thing.colour if thing is not None else "") or NOTHING
    return {name: values[name] for name in ATTRIBUTES}


def labels_of(scene: Scene) -> list[int]:
    """The same as class numbers, in the order of `ATTRIBUTES`."""
    values = values_of(scene)
    return [classes.index(values[name]) for name, classes in ATTRIBUTES.items()]
