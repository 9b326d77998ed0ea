"""Stories told in scenes: from plots, and from things that may happen to anyone in any picture."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from minigpt5.data.storybook import scene as sc
from minigpt5.data.storybook import story_words as sw
from minigpt5.data.storybook.captions import phrase
from minigpt5.data.storybook.dialogs import chatter
from minigpt5.data.storybook.plots import HINTS, PLOTS, Beat
from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.turns import Document, Picture, Turn, assistant, user
from minigpt5.data.storybook.words import ANIMAL_WORDS, NAMES, PRONOUNS, SETTING_WORDS, article, sentence

Told = tuple[str, sc.Scene]
_AN = re.compile(r"\b([Aa]) (?=orange|elephant|owl|umbrella)")
_START = re.compile(r"(^|[.!?] |: \")([a-z])")
INLAND = ("forest", "meadow", "mountains", "village")


@dataclass(frozen=True)
class Cast:
    """Who and what a story is about; a hero without a name is told of as "the blue rabbit"."""

    name: str
    pronoun: str
    hero: sc.Character
    friend_name: str
    friend: sc.Character
    prop: sc.Prop
    here: str
    there: str
    plot: int = -1


def new_cast(rng: random.Random, hero: sc.Character | None = None) -> Cast:
    """A random cast; the friend differs from the hero in animal, colour and name."""
    pronoun, other = rng.choice(("he", "she")), rng.choice(("he", "she"))
    hero = hero or sc.Character(rng.choice(sc.ANIMALS), rng.choice(sc.ANIMAL_COLOURS))
    friend = sc.Character(
        rng.choice([a for a in sc.ANIMALS if a != hero.animal]),
        rng.choice([c for c in sc.ANIMAL_COLOURS if c != hero.colour]),
        position="right",
    )
    here, there = rng.sample(sc.SETTINGS, 2)
    name = rng.choice(NAMES[pronoun])
    friend_name = rng.choice([n for n in NAMES[other] if n != name])
    prop = sc.Prop(rng.choice(sc.PROPS), rng.choice(sc.PROP_COLOURS))
    return Cast(name, pronoun, hero, friend_name, friend, prop, here, there)


def fill(template: str, cast: Cast, rng: random.Random, lost: sc.Prop | None = None) -> str:
    """The template's slots filled, its sentences capitalised, "a" and "an" set right."""
    he, him, his = PRONOUNS[cast.pronoun]
    prop = f"{cast.prop.colour} {cast.prop.kind}"
    who = f"{cast.hero.colour} {cast.hero.animal}"
    buddy = f"{cast.friend.colour} {cast.friend.animal}"
    if cast.friend_name.startswith("the "):
        template = template.replace("{F} the {friend}", "{F}")
    text = template.format(
        N=cast.name or f"the {who}", who=who, he=he, him=him, his=his, F=cast.friend_name,
        friend=buddy, p=prop, k=prop, u=prop,
        q=f"{lost.colour} {lost.kind}" if lost else prop,
        A=SETTING_WORDS[cast.here][0], B=SETTING_WORDS[cast.there][0],
        toA=sw.WAYS[cast.here], toB=sw.WAYS[cast.there],
        one_day=rng.choice(sw.ONE_DAY), then=rng.choice(sw.THEN), soon=rng.choice(sw.SOON), time="day",
    )  # fmt: skip
    return tidy(text)


def tidy(text: str) -> str:
    """Capital letters at sentence starts and the right article."""
    text = _START.sub(lambda match: match.group(1) + match.group(2).upper(), text)
    return _AN.sub(r"\1n ", text)


def apply(scene: sc.Scene, changes: dict[str, object], cast: Cast) -> sc.Scene:
    """The next scene: what `changes` names is changed, the rest stays, actions fall back to standing."""
    places = {"A": cast.here, "B": cast.there, "inland": cast.here, "inland2": cast.there, "green": cast.here}
    setting = str(changes.get("setting", scene.setting))
    friend = changes.get("friend", len(scene.characters) == 2)
    position = (
        "left" if friend else ("centre" if len(scene.characters) == 2 else scene.characters[0].position)
    )
    hero = replace(cast.hero, action=str(changes.get("action", "standing")), position=position)
    prop = scene.prop
    if "prop" in changes:
        prop = cast.prop if changes["prop"] else None
    buddy = replace(cast.friend, action=str(changes.get("both", "standing")), position="right")
    return sc.Scene(
        (hero, buddy) if friend else (hero,),
        places.get(setting, setting),
        str(changes.get("time", scene.time)),
        str(changes.get("weather", scene.weather)),
        prop,
    )


def _suited(cast: Cast, plot: tuple[Beat, ...], rng: random.Random) -> Cast:
    """The cast with the places and the prop that the plot needs."""
    for _, changes in plot:
        if isinstance(changes.get("prop"), str):
            cast = replace(cast, prop=replace(cast.prop, kind=str(changes["prop"])))
        if changes.get("setting") == "inland":
            here, there = rng.sample(INLAND, 2)
            return replace(cast, here=here, there=there)
        if changes.get("setting") == "green":
            return replace(cast, here=rng.choice(INLAND))
    return cast


def plot_story(rng: random.Random, hero: sc.Character | None = None) -> tuple[Cast, list[Told]]:
    """A story from a plot, with all its beats; none of its scenes is held out but perhaps the last."""
    while True:
        index = rng.randrange(len(PLOTS))
        plot = PLOTS[index]
        cast = replace(_suited(new_cast(rng, hero), plot, rng), plot=index)
        scene = sc.Scene((cast.hero,), cast.here)
        told: list[Told] = []
        for texts, changes in plot:
            scene = apply(scene, changes, cast)
            told.append((fill(rng.choice(texts), cast, rng), scene))
        if not any(scene.held_out for _, scene in told[:-1]):
            return cast, told


def happening(kind: str, scene: sc.Scene, cast: Cast, rng: random.Random) -> tuple[Told, Cast]:
    """What may come after any scene: the event of that kind and what the hero does."""
    lost = scene.prop
    if kind in ("find", "swap"):
        kinds = [k for k in sc.PROPS if not lost or k != lost.kind]
        cast = replace(cast, prop=sc.Prop(rng.choice(kinds), rng.choice(sc.PROP_COLOURS)))
    if kind == "meet":
        other = new_cast(rng, cast.hero)
        cast = replace(cast, friend=other.friend, friend_name=other.friend_name)
    places = [s for s in sc.SETTINGS if s != scene.setting]
    cast = replace(cast, here=scene.setting, there=rng.choice(places))
    return _told_event(kind, scene, cast, lost, rng), cast


def _told_event(kind: str, scene: sc.Scene, cast: Cast, lost: sc.Prop | None, rng: random.Random) -> Told:
    actions = (
        ("sleeping", "sleeping", "standing", "waving")
        if kind == "night"
        else ("standing", "waving", "jumping")
    )
    action = "sleeping" if kind != "find" and rng.random() < 0.06 else rng.choice(actions)
    changes: dict[str, object] = {"action": action}
    if kind in sc.WEATHERS:
        changes["weather"] = kind
    elif kind in sc.TIMES:
        changes["time"] = kind
    elif kind == "go":
        changes["setting"] = "B"
    elif kind in ("find", "swap", "lose"):
        changes["prop"] = kind != "lose"
    elif kind in ("meet", "part"):
        changes["friend"] = kind == "meet"
    two = changes.get("friend", len(scene.characters) == 2)
    doing: Mapping[str, tuple[str, ...]] = sw.ACTION_SENTENCES
    if two and rng.random() < 0.6:
        changes["both"] = action
        doing = sw.TOGETHER_SENTENCES
    pieces = [rng.choice(sw.EVENTS[kind]), rng.choice(doing[action])]
    if rng.random() < 0.15:
        pieces.append(rng.choice(sw.ENDINGS[2:8]))
    return fill(" ".join(pieces), cast, rng, lost), apply(scene, changes, cast)


def possible(scene: sc.Scene) -> list[str]:
    """The kinds of events that can follow the scene."""
    kinds = [w for w in sc.WEATHERS if w != scene.weather] + ["go", "go"]
    kinds.append({"day": "sunset", "sunset": "night", "night": "day"}[scene.time])
    kinds += ["night"] if scene.time == "day" else []
    kinds += ["lose", "swap"] if scene.prop else ["find", "find"]
    return [*kinds, "part" if len(scene.characters) == 2 else "meet"]


def follow(scene: sc.Scene, cast: Cast, rng: random.Random, held_out: bool = False) -> tuple[str, Told, Cast]:
    """One happening whose scene is in the asked half (the training half if no try is): kind, scene, cast."""
    for attempt in range(60):
        kind = rng.choice(possible(scene))
        told, changed = happening(kind, scene, cast, rng)
        if told[1].held_out == (held_out and attempt < 50):
            return kind, told, changed
    return kind, told, changed


def free_story(
    rng: random.Random, hero: sc.Character | None = None, start: sc.Scene | None = None
) -> tuple[Cast, list[Told]]:
    """A story of three to five happenings that lead from one to the next."""
    cast = new_cast(rng, hero)
    scene = start or sc.Scene((replace(cast.hero, action=rng.choice(sc.ACTIONS)),), cast.here)
    if not start and rng.random() < 0.4:
        scene = replace(scene, time=rng.choice(sc.TIMES), weather=rng.choice(sc.WEATHERS))
    pieces = [rng.choice(sw.OPENINGS)]
    if "{A}" not in pieces[0]:
        pieces.append(rng.choice(sw.OPENING_PLACES[:2]))
    if scene.time != "day":
        pieces.append("It was night." if scene.time == "night" else "The sun was setting.")
    if scene.weather != "clear":
        pieces.append("It was raining." if scene.weather == "rain" else "It was snowing.")
    pieces.append(rng.choice(sw.ACTION_SENTENCES[scene.characters[0].action]))
    cast = replace(cast, here=scene.setting)
    told = [(fill(" ".join(pieces), cast, rng), scene)]
    for _ in range(rng.choice((2, 3, 3, 4))):
        _, after, cast = follow(told[-1][1], cast, rng)
        told.append(after)
    text, scene = told[-1]
    told[-1] = (f"{text} {fill(rng.choice(sw.ENDINGS), cast, rng)}", scene)
    return cast, told


def any_story(rng: random.Random, hero: sc.Character | None = None) -> tuple[Cast, list[Told]]:
    """A plot two times out of three, else a free story."""
    return plot_story(rng, hero) if rng.random() < 0.66 else free_story(rng, hero)


def _next_request(cast: Cast, rng: random.Random) -> str:
    return typed(rng.choice(sw.NEXT_REQUESTS).format(he=cast.pronoun), rng)


def story_request(cast: Cast, told: list[Told], rng: random.Random) -> str:
    """How a user asks for the story of this hero, or for any story."""
    if rng.random() < 0.3:
        return chatter(rng.choice(sw.OPEN_STORY_REQUESTS), rng)
    animal = cast.hero.animal if rng.random() < 0.6 else rng.choice(ANIMAL_WORDS[cast.hero.animal])
    words = f"{cast.hero.colour} {animal}" if rng.random() < 0.7 else animal
    if cast.plot >= 0 and rng.random() < 0.25:
        with_hero, topics = HINTS[cast.plot]
        hint = rng.choice(with_hero) if rng.random() < 0.7 else rng.choice(topics)
        hint = hint.format(x=article(words), bare=words, kind=cast.prop.kind)
        return rng.choice(sw.STORY_REQUESTS[:36]).format(x=hint, who=rng.choice(("kids", "son", "daughter")))
    words = article(words)
    extra = rng.random()
    if extra < 0.2:
        words += f" {rng.choice(('named', 'called'))} {cast.name}"
    elif extra < 0.3:
        words += f" {rng.choice(SETTING_WORDS[told[0][1].setting])}"
    elif extra < 0.38:
        words = f"{cast.name} the {animal}"
    elif extra < 0.46 and any(len(scene.characters) == 2 for _, scene in told):
        words += f" and {article(f'{cast.friend.colour} {cast.friend.animal}')}"
    elif extra < 0.56 and any(scene.prop == cast.prop for _, scene in told):
        words += f" and {article(rng.choice((cast.prop.kind, f'{cast.prop.colour} {cast.prop.kind}')))}"
    return rng.choice(sw.STORY_REQUESTS).format(
        x=words, who=rng.choice(("kids", "son", "daughter", "friend", "class"))
    )


def _cut(told: list[Told], rng: random.Random) -> list[Told]:
    return told if len(told) <= 3 or rng.random() < 0.5 else told[: rng.randint(3, len(told) - 1)]


def interactive(rng: random.Random, held_out: bool = False) -> Document:
    """A story asked for and told scene by scene; at times the user steers what happens."""
    cast, told = any_story(rng)
    told = told[: rng.randint(1, 4)]
    request = story_request(cast, told, rng)
    turns = [user(typed(request, rng)), assistant(told[0][0], Picture(told[0][1]))]
    for text, scene in told[1:]:
        turns += [user(_next_request(cast, rng)), assistant(text, Picture(scene))]
    if rng.random() < 0.35 and len(turns) < 7:
        turns += steered(told[-1][1], cast, rng)
    return Document(tuple(turns), "story")


def _looks(character: sc.Character) -> tuple[str, str]:
    return character.animal, character.colour


def steered(scene: sc.Scene, cast: Cast, rng: random.Random) -> list[Turn]:
    """The user says what happens; the story does it."""
    if len(scene.characters) == 2 and _looks(scene.characters[1]) != _looks(cast.friend):
        return []
    kind, (text, after), changed = follow(scene, cast, rng)
    request = fill(rng.choice(sw.STEER[kind]), changed, rng, scene.prop)
    return [user(typed(request, rng)), assistant(text, Picture(after))]


def whole(rng: random.Random, held_out: bool = False) -> Document:
    """A whole story in one reply: text, picture, text, picture, ..."""
    cast, told = any_story(rng)
    told = _cut(told, rng)
    request = story_request(cast, told, rng) + (rng.choice(sw.WHOLE_REQUESTS) if rng.random() < 0.9 else "")
    parts: list[str | Picture] = []
    for text, scene in told:
        parts += [text, Picture(scene)]
    return Document((user(typed(request.replace("?", ""), rng)), assistant(*parts)), "story")


def given(rng: random.Random, held_out: bool = False) -> Document:
    """The user brings one to three scenes of a story; the reply is the next scene, and more if asked."""
    cast, told = any_story(rng)
    count = rng.choice((1, 1, 2, 2, 2, 3, 3))
    count = min(count, len(told) - 1)
    form = rng.choice(("both", "both", "texts", "pictures", "loose"))
    if form in ("pictures", "loose"):
        return _given_pictures(rng, held_out, form == "loose")
    parts: list[str | Picture] = []
    for text, scene in told[:count]:
        parts += [text, Picture(scene)] if form == "both" else [text]
    request = rng.choice(sw.GIVEN_REQUESTS)
    if request and rng.random() < 0.3:
        parts.insert(0, typed(request, rng))
    elif request:
        parts.append(typed(request, rng))
    turns = [user(*parts), assistant(told[count][0], Picture(told[count][1]))]
    for text, scene in told[count + 1 : count + 1 + rng.choice((0, 0, 1, 2))]:
        turns += [user(_next_request(cast, rng)), assistant(text, Picture(scene))]
    return Document(tuple(turns), "story")


def _given_pictures(rng: random.Random, held_out: bool, loose: bool) -> Document:
    """Pictures of one character without a told story, or with loose captions such as a user writes."""
    scene = sc.sample_scene(rng)
    cast = new_cast(rng, scene.characters[0])
    if not loose or rng.random() < 0.4:
        cast = replace(cast, name="")
    if len(scene.characters) == 2:
        friend = scene.characters[1]
        cast = replace(cast, friend=friend, friend_name=f"the {friend.colour} {friend.animal}")
    parts: list[str | Picture] = []
    for index in range(rng.choice((1, 1, 2, 2, 3))):
        if index:
            _, (_, scene), cast = follow(scene, cast, rng)
        if loose:
            parts.append(typed(_loose(scene, cast, rng), rng))
        parts.append(Picture(scene))
    if len(scene.characters) == 2:
        cast = replace(cast, friend_name=f"the {cast.friend.colour} {cast.friend.animal}")
    request = rng.choice(sw.GIVEN_REQUESTS)
    parts = [typed(request, rng), *parts] if rng.random() < 0.3 else [*parts, typed(request, rng)]
    turns = [user(*parts)]
    for index in range(rng.choice((1, 1, 2))):
        if index:
            turns.append(user(_next_request(cast, rng)))
        _, (text, scene), cast = follow(scene, cast, rng, held_out)
        turns.append(assistant(text, Picture(scene)))
    return Document(tuple(turns), "story")


def _loose(scene: sc.Scene, cast: Cast, rng: random.Random) -> str:
    words = phrase(scene, rng)
    if cast.name and rng.random() < 0.7:
        return f"{cast.name} is {words}." if rng.random() < 0.5 else f"{sentence(words)} This is {cast.name}."
    return sentence(words) if rng.random() < 0.6 else f"There is {words}."


def far_topic(rng: random.Random, held_out: bool = False) -> Document:
    """A story about something that the book does not know: said honestly, then one about an animal."""
    cast, told = any_story(rng)
    topic = rng.choice(sw.FAR_TOPICS)
    request = rng.choice(sw.STORY_REQUESTS[:20]).format(x=article(topic), who="kids")
    sorry = rng.choice((
        "I don't know much about a {t}, so here is a story about a {who}.",
        "A {t} is not in my book yet. But I know a {who}!",
        "My book has no {t}. Let me tell you about a {who} instead.",
    ))  # fmt: skip
    sorry = tidy(sorry.format(t=topic, who=f"{cast.hero.colour} {cast.hero.animal}"))
    turns = [user(typed(request, rng)), assistant(f"{sorry} {told[0][0]}", Picture(told[0][1]))]
    if rng.random() < 0.4:
        turns += [user(_next_request(cast, rng)), assistant(told[1][0], Picture(told[1][1]))]
    return Document(tuple(turns), "story")


_FORMS = (interactive, whole, given, far_topic)


def example(rng: random.Random, held_out: bool = False) -> Document:
    """A story in one of its forms."""
    return rng.choices(_FORMS, (42, 17, 36, 5))[0](rng, held_out)
