"""Requests for one picture, in many wordings, and the replies that draw it."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import replace

from minigpt5.data.storybook import edit_words as ew
from minigpt5.data.storybook import scene as sc
from minigpt5.data.storybook.captions import (
    EVERYTHING,
    OPTIONAL,
    defaulted,
    describe,
    phrase,
    prop_words,
    with_defaults,
)
from minigpt5.data.storybook.outside_words import THINGS, TOPICS
from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.turns import Document, Picture, Turn, assistant, user
from minigpt5.data.storybook.texts.words import requests as rw
from minigpt5.data.storybook.words import (
    ACTION_WORDS,
    ANIMAL_WORDS,
    COLOUR_WORDS,
    POSITION_WORDS,
    SETTING_NOUNS,
    SETTING_WORDS,
    TIME_WORDS,
    WEATHER_NAMES,
    WEATHER_SENTENCES,
    WEATHER_WORDS,
    article,
    sentence,
)


def chatter(text: str, rng: random.Random) -> str:
    """The blanks of a BEFORE / AFTER piece filled."""
    return text.format(who=rng.choice(rw.WHO), age=rng.randint(3, 80))


def aside(rng: random.Random) -> str:
    """A sentence about anything at all, which has nothing to do with the request."""
    thing = rng.choice(THINGS)
    return rng.choice(rw.ASIDES).format(
        who=rng.choice(rw.WHO),
        t=rng.choice(TOPICS),
        x=thing if thing.startswith(("the ", "my ", "a ")) else article(thing),
    )


def frame(words: str, rng: random.Random) -> str:
    """A request around the noun phrase, with chatter before and after some of the time."""
    text = rng.choice(rw.REQUEST_FRAMES).format(v=rng.choice(rw.VERBS), x=words, who=rng.choice(rw.WHO))
    if rng.random() < 0.12:
        text = f"{text.rstrip('?')} {chatter(rng.choice(rw.AFTER), rng)}"
    if rng.random() < 0.3:
        text = sentence(text, rng.choice((".", ".", "!")))
    if rng.random() < 0.12:
        text = f"{chatter(rng.choice(rw.BEFORE), rng)} {text}"
    elif rng.random() < 0.1:
        text = f"{aside(rng)} {text}" if rng.random() < 0.7 else f"{text.rstrip('?.!')}. {aside(rng)}"
    return text if rng.random() < 0.3 else text[0].upper() + text[1:]


def _clause(words: str, scene: sc.Scene, rng: random.Random) -> str:
    """A request around a sentence ("a blue rabbit is sleeping on the beach")."""
    for action in ("sleeping", "jumping", "waving", "standing"):
        for said in ACTION_WORDS[action]:
            plain = not said.startswith(("who", "that"))
            if plain and words.find(f" {said}") > words.find(scene.characters[0].animal) > 0:
                words = words.replace(f" {said}", f" is {said}", 1)
                return rng.choice(rw.CLAUSE_FRAMES).format(s=words)
    return frame(words, rng)


def draw_request(scene: sc.Scene, rng: random.Random) -> tuple[str, sc.Scene, set[str]]:
    """A typed request, the scene that answers it, and the attributes that it names."""
    mentioned: frozenset[str] | set[str] = EVERYTHING
    if rng.random() < 0.65:
        scene, mentioned = with_defaults(scene, rng)
    dropped = set()
    if rng.random() < 0.1:
        dropped.add("colour")
    if scene.prop and rng.random() < 0.15:
        dropped.add("prop_colour")
    mentioned = set(mentioned) - dropped
    roll = rng.random()
    if roll < 0.14:
        words = keywords(scene, rng, mentioned) if roll < 0.07 else split_sentences(scene, rng, mentioned)
        return typed(words, rng), scene, mentioned
    words = phrase(scene, rng, mentioned)
    if rng.random() < 0.1:
        words = _bare_article(words)
    one = len(scene.characters) == 1
    text = _clause(words, scene, rng) if one and rng.random() < 0.15 else frame(words, rng)
    return typed(text, rng), scene, mentioned


def keywords(scene: sc.Scene, rng: random.Random, mentioned: Collection[str]) -> str:
    """The request as a mere list of words ("blue rabbit, beach, night")."""
    pieces = []
    for c in scene.characters:
        animal = rng.choice(ANIMAL_WORDS[c.animal]) if rng.random() < 0.3 else c.animal
        pieces.append(f"{c.colour} {animal}" if "colour" in mentioned else animal)
    tail = [scene.characters[0].action] if "action" in mentioned and len(scene.characters) == 1 else []
    tail += [f"{scene.prop.colour} {scene.prop.kind}"] if scene.prop and "prop" in mentioned else []
    if "setting" in mentioned:
        tail.append(rng.choice(SETTING_NOUNS[scene.setting][2]))
    tail += [rng.choice(ew.TIME_NAMES[scene.time])] if "time" in mentioned else []
    tail += [rng.choice(WEATHER_NAMES[scene.weather])] if "weather" in mentioned else []
    tail += [scene.characters[0].position] if "position" in mentioned and len(scene.characters) == 1 else []
    rng.shuffle(tail)
    if "action" in mentioned and len(scene.characters) == 2:
        pieces = [f"{piece} {c.action}" for piece, c in zip(pieces, scene.characters, strict=True)]
    text = rng.choice((", ", ", ", " ", " + ", ". ", "; ", " - ", ",")).join([*pieces, *tail])
    lead = rng.choice(rw.KEYWORD_LEADS) if rng.random() < 0.5 else ""
    return f"{lead}{text}{rng.choice(rw.KEYWORD_TAILS) if rng.random() < 0.35 else ''}"


def split_sentences(scene: sc.Scene, rng: random.Random, mentioned: Collection[str]) -> str:
    """The request in short sentences ("Draw a blue rabbit. It is night. It has a red kite.")."""
    lead = phrase(scene, rng, set(mentioned) & {"animal", "colour"})
    they = (
        "They are"
        if len(scene.characters) == 2
        else rng.choice(("It is", "It should be", "He is", "She is", "It's", "Let it be"))
    )
    more = []
    if "action" in mentioned and len({c.action for c in scene.characters}) == 1:
        more.append(f"{they} {scene.characters[0].action}")
    elif "action" in mentioned:
        more += [f"The {c.animal} is {c.action}" for c in scene.characters]
    if "position" in mentioned and len(scene.characters) == 1:
        more.append(f"{they} {rng.choice(POSITION_WORDS[scene.characters[0].position])}")
    if "setting" in mentioned:
        more.append(f"{they} {rng.choice(SETTING_WORDS[scene.setting])}")
    if "time" in mentioned:
        more.append(
            rng.choice(("It is {}", "Time: {}", "Make it {}", "The time is {}")).format(
                rng.choice(ew.TIME_NAMES[scene.time])
            )
        )
    if "weather" in mentioned:
        more.append(rng.choice(WEATHER_SENTENCES[scene.weather]))
    if scene.prop and "prop" in mentioned:
        have = rng.choice(
            (
                "There is {}",
                "It has {}",
                "It holds {}",
                "Add {}",
                "Also {}",
                "I want {} too",
                "Don't forget {}",
            )
        )
        more.append(have.format(prop_words(scene.prop, rng, "prop_colour" in mentioned)))
    rng.shuffle(more)
    return ". ".join([frame(lead, rng).rstrip("."), *more]).replace("?.", "?").replace(
        "!.", "!"
    ) + rng.choice((".", ".", "", "!"))


def _bare_article(words: str) -> str:
    for start in ("a ", "an "):
        if words.startswith(start):
            return words[len(start) :]
    return words


def _open_request(scene: sc.Scene, rng: random.Random) -> tuple[str, sc.Scene, set[str]]:
    """A request that names no animal: nothing at all, a place, a colour or a prop."""
    kind = rng.randrange(4)
    if kind == 0:
        return typed(chatter(rng.choice(rw.OPEN_REQUESTS), rng), rng), scene, set()
    if kind == 1:
        tables = {"setting": SETTING_WORDS, "time": TIME_WORDS, "weather": WEATHER_WORDS}
        names = rng.sample(sorted(tables), rng.choice((1, 1, 2)))
        said = " ".join(rng.choice(tables[name][getattr(scene, name)]) for name in names)
        return typed(rng.choice(rw.PARTIAL_REQUESTS).format(p=said), rng), scene, set(names)
    if kind == 2 and scene.prop and len(scene.characters) == 1:
        who = rng.choice(("something", "an animal", "somebody", "a friend", "someone"))
        return typed(frame(f"{who} with {prop_words(scene.prop, rng)}", rng), rng), scene, {"prop"}
    scene = defaulted(replace(scene, characters=scene.characters[:1]), {"colour"})
    thing = rng.choice(("animal", "one", "creature", "pet", "friend"))
    colour = rng.choice(COLOUR_WORDS[scene.characters[0].colour])
    return typed(frame(article(f"{colour} {thing}"), rng), rng), scene, {"colour"}


def picture_reply(scene: sc.Scene, mentioned: set[str] | frozenset[str], rng: random.Random) -> Turn:
    """One sentence naming at least animal and colour, the picture, at times a closing sentence."""
    named = set(mentioned) & set(OPTIONAL) if rng.random() < 0.7 else set()
    if rng.random() < 0.04:
        named = set(OPTIONAL)
    words = describe(scene, rng, named)
    text = rng.choice(rw.REPLIES).format(x=words, X=sentence(words, " ").rstrip())
    return assistant(text, Picture(scene), rng.choice(rw.CLOSINGS) if rng.random() < 0.15 else "")


def opening(rng: random.Random, held_out: bool = False, characters: int | None = None) -> tuple[Turn, Turn]:
    """A request and its picture, to which other dialogues may go on."""
    while True:
        scene = sc.sample_scene(rng, held_out, characters)
        if rng.random() < 0.9:
            text, scene, mentioned = draw_request(scene, rng)
        else:
            text, scene, mentioned = _open_request(scene, rng)
        if scene.held_out == held_out:
            return user(text), picture_reply(scene, mentioned, rng)


def draw(rng: random.Random, held_out: bool = False) -> Document:
    """A request for a picture, now and then after an earlier one."""
    before = opening(rng) if rng.random() < 0.12 else ()
    return Document((*before, *opening(rng, held_out)), "draw")
