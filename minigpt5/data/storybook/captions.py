"""Scene to words: the one canonical caption, and the many ways in which people word the same picture.

Words that a wording leaves out mean the default (standing, in the middle, in the meadow, by day, clear,
no prop); `with_defaults` makes a scene for which leaving words out is the truth.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import replace

from minigpt5.data.storybook.scene import (
    ACTIONS,
    ANIMAL_COLOURS,
    ANIMALS,
    PROP_COLOURS,
    PROPS,
    SETTINGS,
    TIMES,
    WEATHERS,
    Character,
    Prop,
    Scene,
)
from minigpt5.data.storybook.words import (
    ACTION_ADJECTIVES,
    ACTION_WORDS,
    ANIMAL_WORDS,
    COLOUR_WORDS,
    NICE_WORDS,
    POSITION_WORDS,
    PROP_LINKS,
    PROP_WORDS,
    SETTING_NOUNS,
    SETTING_WORDS,
    TIME_NOUNS,
    TIME_WORDS,
    WEATHER_ADJECTIVES,
    WEATHER_WORDS,
    article,
)

OPTIONAL = ("action", "position", "setting", "time", "weather", "prop")
ALWAYS = ("animal", "colour", "prop_colour")
EVERYTHING = frozenset(OPTIONAL + ALWAYS)


def caption(scene: Scene) -> str:
    """The canonical description: every attribute, in fixed order and words."""
    cast = " and ".join(
        f"{article(c.colour)} {c.animal} {c.action} {POSITION_WORDS[c.position][0]}" for c in scene.characters
    )
    prop = f" with {article(scene.prop.colour)} {scene.prop.kind}" if scene.prop else ""
    place = SETTING_WORDS[scene.setting][0]
    return f"{cast}{prop}, {place} {TIME_WORDS[scene.time][0]} {WEATHER_WORDS[scene.weather][0]}"


def parse_caption(text: str) -> Scene:
    """The scene of a canonical caption; raises ValueError for any other text."""
    cast_text, _, place = text.partition(", ")
    cast_text, _, prop_text = cast_text.partition(" with ")
    cast = []
    for piece in cast_text.split(" and "):
        _, colour, animal, action, *where = piece.split(" ")
        position = next((p for p in POSITION_WORDS if POSITION_WORDS[p][0] == " ".join(where)), "")
        cast.append(Character(animal, colour, action, position))
    prop = Prop(prop_text.split(" ")[2], prop_text.split(" ")[1]) if prop_text else None
    setting = next((s for s in SETTINGS if place.startswith(SETTING_WORDS[s][0])), "")
    time = next((t for t in TIMES if f" {TIME_WORDS[t][0]} " in place), "")
    weather = next((w for w in WEATHERS if place.endswith(WEATHER_WORDS[w][0])), "")
    scene = Scene(tuple(cast), setting, time, weather, prop)
    known = all(c.animal in ANIMALS and c.colour in ANIMAL_COLOURS and c.action in ACTIONS for c in cast)
    if prop and (prop.kind not in PROPS or prop.colour not in PROP_COLOURS):
        known = False
    if not known or not setting or not time or not weather or caption(scene) != text:
        raise ValueError(f"got {text!r}, expected a canonical caption")
    return scene


def defaulted(scene: Scene, mentioned: Collection[str]) -> Scene:
    """The scene in which each optional attribute that is not mentioned has its default."""
    cast = scene.characters
    if "action" not in mentioned:
        cast = tuple(replace(c, action="standing") for c in cast)
    if "position" not in mentioned and len(cast) == 1:
        cast = (replace(cast[0], position="centre"),)
    return Scene(
        cast,
        scene.setting if "setting" in mentioned else "meadow",
        scene.time if "time" in mentioned else "day",
        scene.weather if "weather" in mentioned else "clear",
        scene.prop if "prop" in mentioned else None,
    )


def with_defaults(scene: Scene, rng: random.Random) -> tuple[Scene, frozenset[str]]:
    """A scene of the same half of the split with some attributes at their defaults, and the others' names."""
    for _ in range(4):
        count = min(rng.choice((0, 1, 1, 2, 2, 2, 3, 3, 4)), len(OPTIONAL))
        mentioned = frozenset(rng.sample(OPTIONAL, count)) | frozenset(ALWAYS)
        changed = defaulted(scene, mentioned)
        if changed.held_out == scene.held_out:
            return changed, mentioned
    return scene, EVERYTHING


def at_default(scene: Scene) -> set[str]:
    """The optional attributes that may be left unsaid, since they have their defaults."""
    found = set()
    if all(c.action == "standing" for c in scene.characters):
        found.add("action")
    if len(scene.characters) == 2 or scene.characters[0].position == "centre":
        found.add("position")
    for name, value in (("setting", "meadow"), ("time", "day"), ("weather", "clear"), ("prop", None)):
        if getattr(scene, name) == value:
            found.add(name)
    return found


def phrase(scene: Scene, rng: random.Random, mentioned: Collection[str] | None = None) -> str:
    """A varied noun phrase for the scene, as a user may put it ("a bunny napping at the seaside").

    Without `mentioned` it names everything 60 % of the time and else leaves defaults out.
    """
    if mentioned is None:
        left_out = at_default(scene) if rng.random() >= 0.6 else set()
        mentioned = EVERYTHING - {name for name in left_out if rng.random() < 0.7}
    cast = [_character(c, rng, mentioned, len(scene.characters) == 2) for c in scene.characters]
    head = " and ".join(cast)
    if len(cast) == 2 and "action" in mentioned:
        head = _shared_action(scene, rng, head, mentioned)
    tail = _place(scene, rng, mentioned)
    if scene.prop and "prop" in mentioned:
        tail.append(rng.choice(PROP_LINKS).format(prop_words(scene.prop, rng, "prop_colour" in mentioned)))
    rng.shuffle(tail)
    if tail and rng.random() < 0.06:
        return f"{tail[0]} {head} {' '.join(tail[1:])}".strip()
    return " ".join([head, *tail]) if rng.random() < 0.8 else ", ".join([head, *tail])


def prop_words(prop: Prop, rng: random.Random, coloured: bool = True) -> str:
    """ "a red balloon" or another word for it."""
    kind = prop.kind if rng.random() < 0.6 else rng.choice(PROP_WORDS[prop.kind])
    return article(f"{prop.colour} {kind}" if coloured else kind)


def _character(c: Character, rng: random.Random, mentioned: Collection[str], two: bool) -> str:
    animal = c.animal if rng.random() < 0.5 else rng.choice(ANIMAL_WORDS[c.animal])
    colour = c.colour if rng.random() < 0.75 else rng.choice(COLOUR_WORDS[c.colour])
    nice = rng.choice(NICE_WORDS) + " " if rng.random() < 0.12 else ""
    words = f"{nice}{colour} {animal}" if "colour" in mentioned else f"{nice}{animal}"
    if "colour" in mentioned and rng.random() < 0.04:
        words = f"{nice}{animal} that is {c.colour}"
    parts = []
    if "action" in mentioned:
        if rng.random() < 0.2:
            words = f"{rng.choice(ACTION_ADJECTIVES[c.action])} {words}"
        else:
            parts.append(rng.choice(ACTION_WORDS[c.action]) if rng.random() < 0.5 else c.action)
    if "position" in mentioned and (not two or rng.random() < 0.5):
        parts.append(rng.choice(POSITION_WORDS[c.position]))
    rng.shuffle(parts)
    return " ".join([article(words), *parts])


def _shared_action(scene: Scene, rng: random.Random, head: str, mentioned: Collection[str]) -> str:
    actions = {c.action for c in scene.characters}
    if len(actions) == 2 or rng.random() < 0.4:
        return head
    less = [n for n in mentioned if n not in ("action", "position")]
    return " and ".join(_character(c, rng, less, True) for c in scene.characters) + f" {actions.pop()}"


def _place(scene: Scene, rng: random.Random, mentioned: Collection[str]) -> list[str]:
    """The pieces for setting, time and weather, at times two of them in one ("on a snowy night")."""
    wanted = [name for name in ("setting", "time", "weather") if name in mentioned]
    if "weather" in wanted and scene.weather != "clear" and rng.random() < 0.25:
        adjective = rng.choice(WEATHER_ADJECTIVES[scene.weather])
        preposition, _, nouns = SETTING_NOUNS[scene.setting]
        if "time" in wanted and rng.random() < 0.5:
            pieces = [f"on {article(adjective)} {TIME_NOUNS[scene.time]}"]
            return pieces + ([_setting(scene, rng)] if "setting" in wanted else [])
        if "setting" in wanted:
            pieces = [f"{preposition} the {adjective} {rng.choice(nouns)}"]
            return pieces + ([rng.choice(TIME_WORDS[scene.time])] if "time" in wanted else [])
    pieces = []
    if "setting" in wanted:
        pieces.append(_setting(scene, rng))
    if "time" in wanted:
        words = TIME_WORDS[scene.time]
        pieces.append(words[0] if rng.random() < 0.4 else rng.choice(words))
    if "weather" in wanted:
        words = WEATHER_WORDS[scene.weather]
        pieces.append(words[0] if rng.random() < 0.4 else rng.choice(words))
    return pieces


def _setting(scene: Scene, rng: random.Random) -> str:
    words = SETTING_WORDS[scene.setting]
    return words[0] if rng.random() < 0.35 else rng.choice(words)


def describe(scene: Scene, rng: random.Random, mentioned: Collection[str] = ()) -> str:
    """The assistant's noun phrase: canonical words; names all that is mentioned or not a default."""
    named = (set(OPTIONAL) - at_default(scene)) | set(mentioned)
    cast = []
    for c in scene.characters:
        words = f"{article(c.colour)} {c.animal}"
        if "action" in named:
            words += f" {c.action}"
        if "position" in named:
            words += f" {POSITION_WORDS[c.position][0]}"
        cast.append(words)
    tail = [SETTING_WORDS[scene.setting][0]] if "setting" in named else []
    tail += [TIME_WORDS[scene.time][0]] if "time" in named else []
    tail += [WEATHER_WORDS[scene.weather][0]] if "weather" in named else []
    prop = f"with {article(scene.prop.colour)} {scene.prop.kind}" if scene.prop else ""
    head = " and ".join(cast)
    if prop and tail and rng.random() < 0.6:
        return f"{head} {prop}, {' '.join(tail)}"
    return " ".join(part for part in (head, *tail, prop) if part)
