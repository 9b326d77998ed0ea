"""Changes to a picture over turns: each edit changes one thing and leaves the rest as it was."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from minigpt5.data.storybook import edit_words as ew
from minigpt5.data.storybook import scene as sc
from minigpt5.data.storybook.captions import OPTIONAL, describe, prop_words
from minigpt5.data.storybook.dialogs import opening
from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.turns import Document, Picture, Turn, assistant, user
from minigpt5.data.storybook.words import (
    ACTION_WORDS,
    ANIMAL_WORDS,
    COLOUR_WORDS,
    POSITION_WORDS,
    SETTING_WORDS,
    TIME_WORDS,
    WEATHER_WORDS,
    article,
    fix_articles,
    sentence,
)

Edit = tuple[str, sc.Scene, str]  # the request, the new scene, what changed


def _blanks(scene: sc.Scene, rng: random.Random) -> dict[str, str]:
    pronoun = rng.choice(("it", "it", "he", "she"))
    return {
        "a": scene.characters[0].animal
        if rng.random() < 0.7
        else rng.choice(ANIMAL_WORDS[scene.characters[0].animal]),
        "he": pronoun,
        "him": {"it": "it", "he": "him", "she": "her"}[pronoun],
    }


def _other(options: tuple[str, ...], old: str, rng: random.Random) -> str:
    return rng.choice([option for option in options if option != old])


def _edit_time(scene: sc.Scene, rng: random.Random) -> Edit:
    new = _other(sc.TIMES, scene.time, rng)
    text = rng.choice(ew.TIME_EDITS).format(t=rng.choice(TIME_WORDS[new]), n=rng.choice(ew.TIME_NAMES[new]))
    return text, replace(scene, time=new), "time"


def _edit_weather(scene: sc.Scene, rng: random.Random) -> Edit:
    new = _other(sc.WEATHERS, scene.weather, rng)
    words = [w for w in ew.WEATHER_EDITS[new] if new != "clear" or scene.weather in w or _neutral(w)]
    return rng.choice(words), replace(scene, weather=new), "weather"


def _neutral(words: str) -> bool:
    return "rain" not in words and "snow" not in words


def _edit_setting(scene: sc.Scene, rng: random.Random) -> Edit:
    new = _other(sc.SETTINGS, scene.setting, rng)
    text = rng.choice(ew.SETTING_EDITS).format(p=rng.choice(SETTING_WORDS[new]), **_blanks(scene, rng))
    return text, replace(scene, setting=new), "setting"


def _edit_action(scene: sc.Scene, rng: random.Random) -> Edit:
    new = _other(sc.ACTIONS, scene.characters[0].action, rng)
    text = rng.choice(ew.ACTION_EDITS).format(
        g=rng.choice([w for w in ACTION_WORDS[new] if not w.startswith(("who", "that"))]),
        v=rng.choice(ew.ACTION_BASES[new]),
        s=rng.choice(ew.ACTION_THIRDS[new]),
        **_blanks(scene, rng),
    )
    return text, sc.repaint(scene, 0, action=new), "action"


def _edit_colour(scene: sc.Scene, rng: random.Random) -> Edit:
    new = _other(sc.ANIMAL_COLOURS, scene.characters[0].colour, rng)
    said = new if rng.random() < 0.8 else rng.choice(COLOUR_WORDS[new])
    text = rng.choice(ew.COLOUR_EDITS).format(c=said, **_blanks(scene, rng))
    return text, sc.repaint(scene, 0, colour=new), "colour"


def _edit_animal(scene: sc.Scene, rng: random.Random) -> Edit:
    new = _other(sc.ANIMALS, scene.characters[0].animal, rng)
    said = new if rng.random() < 0.7 else rng.choice(ANIMAL_WORDS[new])
    text = rng.choice(ew.ANIMAL_EDITS).format(a=said, o=scene.characters[0].animal)
    for vowel in "aeiou":
        text = text.replace(f" a {vowel}", f" an {vowel}")
    return text, sc.repaint(scene, 0, animal=new), "animal"


def _edit_position(scene: sc.Scene, rng: random.Random) -> Edit:
    new = _other(sc.POSITIONS, scene.characters[0].position, rng)
    text = rng.choice(ew.POSITION_EDITS).format(p=rng.choice(POSITION_WORDS[new]), **_blanks(scene, rng))
    return text, sc.repaint(scene, 0, position=new), "position"


def _edit_prop(scene: sc.Scene, rng: random.Random) -> Edit:
    if scene.prop and rng.random() < 0.35:
        return rng.choice(ew.NO_PROP_EDITS).format(k=scene.prop.kind), replace(scene, prop=None), "no_prop"
    if scene.prop and rng.random() < 0.5:
        new = sc.Prop(scene.prop.kind, _other(sc.PROP_COLOURS, scene.prop.colour, rng))
        text = rng.choice(ew.PROP_COLOUR_EDITS).format(k=new.kind, c=new.colour)
        return text, replace(scene, prop=new), "prop"
    new = sc.Prop(_other(sc.PROPS, scene.prop.kind if scene.prop else "", rng), rng.choice(sc.PROP_COLOURS))
    words = prop_words(new, rng, rng.random() < 0.75)
    return rng.choice(ew.PROP_EDITS).format(p=words, **_blanks(scene, rng)), replace(scene, prop=new), "prop"


def _edit_friend(scene: sc.Scene, rng: random.Random) -> Edit:
    if len(scene.characters) == 2:
        first, second = scene.characters
        text = rng.choice(ew.ALONE_EDITS).format(f=second.animal, a=first.animal)
        return text, replace(scene, characters=(replace(first, position="centre"),)), "all"
    first = replace(scene.characters[0], position="left")
    friend = sc.Character(
        _other(sc.ANIMALS, first.animal, rng),
        _other(sc.ANIMAL_COLOURS, first.colour, rng),
        "standing",
        "right",
    )
    text = rng.choice(ew.FRIEND_EDITS).format(f=article(f"{friend.colour} {friend.animal}"))
    return text, replace(scene, characters=(first, friend)), "all"


def _edit_another(scene: sc.Scene, rng: random.Random) -> Edit:
    """Another picture of the same animal."""
    other = sc.random_scene(rng, 1)
    first = scene.characters[0]
    new = sc.repaint(other, 0, animal=first.animal, colour=first.colour)
    return rng.choice(ew.ANOTHER_EDITS), new, "all"


EDITS: tuple[tuple[Callable[[sc.Scene, random.Random], Edit], int], ...] = (
    (_edit_time, 14), (_edit_weather, 14), (_edit_setting, 14), (_edit_action, 14), (_edit_colour, 16),
    (_edit_animal, 8), (_edit_position, 8), (_edit_prop, 18), (_edit_friend, 7), (_edit_another, 10),
)  # fmt: skip
_EDIT_FUNCTIONS = [function for function, _ in EDITS]
_EDIT_WEIGHTS = [weight for _, weight in EDITS]


def edit(scene: sc.Scene, rng: random.Random, held_out: bool = False) -> tuple[Turn, Turn] | None:
    """One change to the scene, as two turns; None if no try stayed in the asked half of the split."""
    for _ in range(12):
        function = rng.choices(_EDIT_FUNCTIONS, _EDIT_WEIGHTS)[0]
        if len(scene.characters) == 2 and function in (
            _edit_position,
            _edit_colour,
            _edit_animal,
            _edit_action,
        ):
            continue
        text, new, what = function(scene, rng)
        if new.held_out != held_out:
            continue
        if rng.random() < 0.15:
            text = f"{rng.choice(ew.EDIT_BEFORE)} {text}"
        text = text[0].upper() + text[1:]
        words = _edit_reply(new, what, rng).replace(
            "the toy", f"the {scene.prop.kind if scene.prop else 'toy'}"
        )
        return user(typed(text, rng)), assistant(words, Picture(new))
    return None


def _edit_reply(scene: sc.Scene, what: str, rng: random.Random) -> str:
    if what == "all" or len(scene.characters) == 2 or rng.random() < 0.45:
        words = describe(scene, rng, {what} & set(OPTIONAL))
        return rng.choice(ew.EDIT_REPLIES).format(x=words, X=sentence(words, " ").rstrip())
    first = scene.characters[0]
    text = rng.choice(ew.CHANGE_REPLIES[what]).format(
        who=f"{first.colour} {first.animal}",
        a=first.animal,
        c=first.colour,
        t=TIME_WORDS[scene.time][0] if scene.time != "day" else "daytime",
        w=WEATHER_WORDS[scene.weather][0],
        p=SETTING_WORDS[scene.setting][0],
        g=first.action,
        o=POSITION_WORDS[first.position][0],
        r=article(f"{scene.prop.colour} {scene.prop.kind}") if scene.prop else "",
        k="toy",
    )
    return fix_articles(text.replace("Now it is at ", "Now it is ").replace(" daytime.", " in the daytime."))


def example(rng: random.Random, held_out: bool = False) -> Document:
    """A picture (drawn on request, or brought by the user) and one to three changes to it."""
    count = rng.choice((1, 1, 1, 2, 2, 3))
    turns: list[Turn] = []
    scene = None
    if rng.random() < 0.2:
        scene = sc.sample_scene(rng)
    else:
        turns += opening(rng)
        scene = turns[-1].pictures[0].scene
    for index in range(count):
        pair = edit(scene, rng, held_out and index == count - 1)
        if pair is None:
            return example(rng, held_out)
        asked, reply = pair
        if not turns:
            parts = (Picture(scene), *asked.parts) if rng.random() < 0.7 else (*asked.parts, Picture(scene))
            asked = Turn("user", parts)
        turns += [asked, reply]
        scene = reply.pictures[0].scene
    return Document(tuple(turns), "edit")
