"""A scene as class numbers: what the eyes are warmed up on and what the judge of drawn pictures names."""

from __future__ import annotations

from minigpt5.data.storybook.scene import (
    ACTIONS,
    ANIMAL_COLOURS,
    ANIMALS,
    POSITIONS,
    PROP_COLOURS,
    PROPS,
    SETTINGS,
    TIMES,
    WEATHERS,
    Scene,
)

NOTHING = "none"

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "animal": ANIMALS,
    "colour": ANIMAL_COLOURS,
    "action": ACTIONS,
    "position": POSITIONS,
    "second_animal": (*ANIMALS, NOTHING),
    "second_colour": (*ANIMAL_COLOURS, NOTHING),
    "second_action": (*ACTIONS, NOTHING),
    "setting": SETTINGS,
    "time": TIMES,
    "weather": WEATHERS,
    "prop": (*PROPS, NOTHING),
    "prop_colour": (*PROP_COLOURS, NOTHING),
}


def values_of(scene: Scene) -> dict[str, str]:
    """The scene's value for each of `ATTRIBUTES`."""
    first = scene.characters[0]
    second = scene.characters[1] if len(scene.characters) > 1 else None
    return {
        "animal": first.animal,
        "colour": first.colour,
        "action": first.action,
        "position": first.position,
        "second_animal": second.animal if second else NOTHING,
        "second_colour": second.colour if second else NOTHING,
        "second_action": second.action if second else NOTHING,
        "setting": scene.setting,
        "time": scene.time,
        "weather": scene.weather,
        "prop": scene.prop.kind if scene.prop else NOTHING,
        "prop_colour": scene.prop.colour if scene.prop else NOTHING,
    }


def labels_of(scene: Scene) -> list[int]:
    """The same as class numbers, in the order of `ATTRIBUTES`."""
    values = values_of(scene)
    return [classes.index(values[name]) for name, classes in ATTRIBUTES.items()]
