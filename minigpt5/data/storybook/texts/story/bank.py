"""The story bank: skeletons written by hand (`bank/*.toml`), and how one becomes a told story with its pictures.

A skeleton has slots for names, figures, a thing, two places, time and weather; `tell` fills them from a `Cast`.
docs/story-bank.md explains the format. Knows nothing of how stories are asked for (`stories`).
"""

import random
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from minigpt5.data.storybook.texts.phrases import suited
from minigpt5.data.storybook.texts.words.lexicon import (
    FIGURES,
    NAMES,
    PLACES,
    PRONOUNS,
    TIMES,
    WEATHERS,
    article,
    capital,
    looks,
    said,
    with_article,
)
from minigpt5.data.storybook.world import scene as sc
from minigpt5.data.storybook.world.scene import Figure, Scene, Thing
from minigpt5.data.storybook.world.things import ANIMALS, FOODS, IN_SLOT, THINGS, TOYS

Told = tuple[str, Scene]
TONES = ("plain", "bedtime", "funny", "adventure", "fairy-tale")
INDOORS = ("bedroom", "kitchen", "castle")
OUTDOORS = tuple(p for p in sc.PLACES if p not in ("bedroom", "kitchen", "space", "undersea"))
_START = re.compile(r"(^\"?|[.…] \"?|[!?] \"?|[.…]\" \"?)([a-z])")
_ARTICLE = re.compile(r"\b([Aa])(n?) (?=([a-zA-Z]+))")
_NAMELESS = re.compile(r"\{N\} (?:was|is) an? \{who\}")  # what would read "the blue rabbit was a blue rabbit"
_SILENT_H, _LIKE_W = ("hour", "honest", "heir"), ("one", "once", "unicorn", "uniform", "useful")
_SYLLABLES = ("ba", "bo", "da", "fi", "ga", "ki", "lo", "lu", "ma", "mi", "na", "no", "pa", "pi", "ra", "ri", "sa", "ta",
              "to", "va", "wi", "zo", "zu", "bel", "dor", "fen", "jax", "kor", "lin", "mor", "nix", "quin", "ros",
              "tam", "vel", "win", "yor", "zeb")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beat:
    """One scene of a skeleton: its wordings, and what the picture changes to (keys as in docs/story-bank.md)."""

    say: tuple[str, ...]
    show: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A story without its cast. `things` are the kinds that fit, empty for none; `others` the second place."""

    id: str
    tone: str
    premise: tuple[str, ...]
    sentence: tuple[str, ...]
    title: tuple[str, ...]
    things: tuple[str, ...]
    slot: str
    places: tuple[str, ...]
    others: tuple[str, ...]
    friend: bool
    opening_weather: bool
    beats: tuple[Beat, ...]

    @property
    def shows_thing_at_once(self) -> bool:
        """True if the first picture has the thing."""
        show = self.beats[0].show
        return bool(self.things) and bool(show.get("thing") or show.get("hold") or show.get("eat"))


@dataclass(frozen=True, slots=True)
class Cast:
    """Whom and what a story is about; without a name the hero is told of as "the blue rabbit"."""

    hero: Figure
    name: str
    pronoun: str
    friend: Figure
    friend_name: str
    friend_pronoun: str
    thing: Thing | None
    here: str
    there: str
    time: str = "day"
    weather: str = "clear"


@cache
def skeletons() -> tuple[Skeleton, ...]:
    """All skeletons of the bank, in the order of their files."""
    folder = files("minigpt5.data.storybook").joinpath("bank")
    names = sorted(p.name for p in folder.iterdir() if p.name.endswith(".toml"))
    return tuple(
        _skeleton(name.rsplit("-", 1)[0], entry)
        for name in names
        for entry in tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))["story"]
    )


def _skeleton(tone: str, entry: dict[str, Any]) -> Skeleton:
    return Skeleton(
        id=entry["id"],
        tone=tone,
        premise=tuple(entry["premise"]),
        sentence=tuple(entry["sentence"]),
        title=tuple(entry["title"]),
        things=_expanded(entry["things"], _THING_SETS),
        slot=entry.get("slot", "beside"),
        places=_expanded(entry["places"], _PLACE_SETS),
        others=_expanded(entry["others"], _PLACE_SETS),
        friend=entry["friend"],
        opening_weather=entry["opening_weather"],
        beats=tuple(Beat(tuple(beat["say"]), beat.get("show", {})) for beat in entry["scene"]),
    )


_THING_SETS = {"toys": TOYS, "food": FOODS, "animals": ANIMALS, "any-hand": IN_SLOT["hand"]}
_PLACE_SETS: dict[str, tuple[str, ...]] = {"outdoors": OUTDOORS, "indoors": INDOORS, "any": sc.PLACES}


def _expanded(names: list[str] | str, sets: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    listed = [names] if isinstance(names, str) else names
    return tuple(dict.fromkeys(n for name in listed for n in sets.get(name, (name,))))


def a_name(pronoun: str, rng: random.Random) -> str:
    """A name for him or her: a usual one, or now and then one that nobody has heard of."""
    if rng.random() < 0.7:
        return rng.choice(NAMES[pronoun])
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.choice((2, 2, 2, 3)))).capitalize()


def cast_for(skeleton: Skeleton, rng: random.Random, hero: Figure | None = None) -> Cast:
    """A random cast that fits the skeleton; the friend differs from the hero in kind, colour and name."""
    pronoun, other = rng.choice(("he", "she")), rng.choice(("he", "she"))
    hero = hero or Figure(rng.choice(sc.FIGURES), rng.choice(sc.COLOURS))
    friend = Figure(
        rng.choice([k for k in sc.FIGURES if k != hero.kind]),
        rng.choice([c for c in sc.COLOURS if c != hero.colour]),
    )
    name = a_name(pronoun, rng)
    here = rng.choice(skeleton.places)
    there = rng.choice([p for p in skeleton.others if p != here] or [here])
    return Cast(
        hero=replace(hero, action="standing", position="centre", mood="happy"),
        name=name,
        pronoun=pronoun,
        friend=friend,
        friend_name=next(n for n in iter(lambda: a_name(other, rng), "") if n != name),
        friend_pronoun=other,
        thing=a_thing(skeleton, rng),
        here=here,
        there=there,
        time=rng.choice(sc.TIMES) if rng.random() < 0.5 else "day",
        weather=rng.choice(sc.WEATHERS) if rng.random() < 0.5 else "clear",
    )


def a_thing(skeleton: Skeleton, rng: random.Random) -> Thing | None:
    """One of the things that fit, where the skeleton wants it."""
    if not skeleton.things:
        return None
    kind = rng.choice(skeleton.things)
    slot = skeleton.slot if skeleton.slot in THINGS[kind].slots else THINGS[kind].slots[0]
    return Thing(kind, slot, rng.choice(sc.TOY_COLOURS) if kind in TOYS else "")


def blanks(cast: Cast) -> dict[str, str]:
    """What the slots of wordings stand for."""
    who, friend = (looks(f.colour, f.kind, f.kind) for f in (cast.hero, cast.friend))
    hers, his = PRONOUNS[cast.friend_pronoun], PRONOUNS[cast.pronoun]
    thing = f"{cast.thing.colour} {said(cast.thing.kind)}".strip() if cast.thing else "thing"
    name = cast.name or f"the {who}"
    return {
        "N": name, "who": who, **his, "F": cast.friend_name, "friend": friend,
        "fhe": hers["he"], "fhim": hers["him"], "fhis": hers["his"],
        "thing": thing, "a_thing": with_article(cast.thing.kind, thing) if cast.thing else "", "Thing": thing.title(), "Figure": cast.hero.kind.title(),
        "Place": PLACES[cast.here][2].title(),
        "A": PLACES[cast.here][0][0], "B": PLACES[cast.there][0][0],
        "toA": PLACES[cast.here][1], "toB": PLACES[cast.there][1],
        "the_A": f"the {PLACES[cast.here][2]}", "the_B": f"the {PLACES[cast.there][2]}",
        "He": his["he"].capitalize(), "His": his["his"].capitalize(), "Him": his["him"].capitalize(),
        "hero": f"{name} the {who}" if cast.name else article(who), "Hero": f"{name} the {who}" if cast.name else f"The {who}",
        "friend_full": f"{cast.friend_name} the {friend}",
    }  # fmt: skip


def fill(template: str, cast: Cast, sky: str = "") -> str:
    """The template's slots filled, its sentences capitalised, "a" and "an" set right."""
    if not cast.name:
        template = (
            _NAMELESS.sub("there once was a {who}", template)
            .replace(" called {N}", "")
            .replace(" named {N}", "")
        )
    return tidy(template.format(**blanks(cast), sky=sky))


def tidy(text: str) -> str:
    """Capital letters at sentence starts, the right article, single spaces."""
    text = " ".join(text.split())
    text = _ARTICLE.sub(_right_article, text.replace("“", '"').replace("”", '"'))
    return _START.sub(lambda match: match.group(1) + match.group(2).upper(), text)


def _right_article(match: re.Match[str]) -> str:
    word = match[3].lower()
    vowel = word.startswith(_SILENT_H) or (word[0] in "aeio" and not word.startswith(_LIKE_W))
    if word[0] == "u":  # "an umbrella", "a unicorn": as it was written
        return match[0]
    return f"{match[1]}{'n' if vowel else ''} "


SKIES = {"morning": "it was early in the morning", "day": "it was a fine day", "sunset": "the sun was going down",
         "night": "it was night"}  # fmt: skip


def sky_sentence(scene: Scene, rng: random.Random) -> str:
    """One sentence on the scene's time and weather ("It was a stormy night.")."""
    noun = TIMES[scene.time][2]
    if scene.weather == "clear":
        return capital(SKIES[scene.time]) + "."
    past = {"rain": "it was raining", "snow": "it was snowing", "storm": "a storm was raging", "fog": "there was fog all around",
            "cloudy": "the sky was full of clouds", "rainbow": "a rainbow stood in the sky"}[scene.weather]  # fmt: skip
    forms = [f"it was {article(f'{rng.choice(WEATHERS[scene.weather][2])} {noun}')}",
             f"{past} that {'day' if scene.time == 'day' else noun}"]  # fmt: skip
    if scene.weather == "rainbow":
        forms = forms[1:]
    return capital(rng.choice(forms)) + "."


def tell(skeleton: Skeleton, cast: Cast, rng: random.Random) -> list[Told]:
    """The whole story: the words and the picture of each scene."""
    opening = skeleton.opening_weather
    scene = suited(
        Scene((cast.hero,), cast.here, cast.time if opening else "day", cast.weather if opening else "clear")
    )
    told = []
    for beat in skeleton.beats:
        shown, scene = show(scene, beat.show, cast)
        told.append((fill(rng.choice(beat.say), cast, sky_sentence(shown, rng)), shown))
    return told


def show(scene: Scene, changes: dict[str, Any], cast: Cast) -> tuple[Scene, Scene]:
    """The picture after `changes`, and the scene that the next one starts from (without what is there once)."""
    places = {"A": cast.here, "B": cast.there}
    place = changes.get("at", scene.place)
    with_friend = changes.get("friend", len(scene.figures) > 1)
    held = bool(changes.get("hold") or changes.get("eat"))
    has_thing = changes.get(
        "thing", held or any(t.kind == cast.thing.kind for t in scene.things) if cast.thing else False
    )
    action = (
        "holding"
        if changes.get("hold")
        else "eating"
        if changes.get("eat")
        else changes.get("action", "standing")
    )
    hero = replace(
        cast.hero,
        action=action,
        mood=changes.get("mood", "happy"),
        wear=changes.get("wear", scene.figures[0].wear),
    )
    friend = replace(
        cast.friend, action=changes.get("faction", "standing"), mood=changes.get("fmood", "happy")
    )
    things: list[Thing] = []
    if cast.thing and (has_thing or held):
        things = [_standing(cast.thing, held or (cast.thing.slot == "hand" and action == "standing"))]
    lasting = Scene(
        (hero, friend) if with_friend else (hero,),
        places.get(place, place),
        changes.get("time", scene.time),
        changes.get("weather", scene.weather),
        tuple(things),
    )
    return _extras(lasting, changes), suited(lasting)


def _standing(thing: Thing, in_hand: bool) -> Thing:
    """The thing in the hand, or where it stands when nobody holds it."""
    slots = THINGS[thing.kind].slots
    if in_hand and "hand" in slots:
        return replace(thing, slot="hand")
    return replace(thing, slot=next(s for s in (thing.slot, *slots) if s != "hand"))


def _extras(scene: Scene, changes: dict[str, Any]) -> Scene:
    """What only this picture shows: a second thing, a third figure; and each figure in its place."""
    also = changes.get("also")
    if also and also in THINGS:
        slot = next((s for s in THINGS[also].slots if s not in {t.slot for t in scene.things}), None)
        if slot and len(scene.things) < 2 and also not in {t.kind for t in scene.things}:
            colour = "red" if also in TOYS else ""
            scene = replace(scene, things=(*scene.things, Thing(also, slot, colour)))
    crowd = changes.get("crowd")
    if crowd in FIGURES and len(scene.figures) < 3:
        scene = replace(
            scene, figures=(*scene.figures, Figure(crowd, "brown" if crowd != "frog" else "green"))
        )
    places = {1: ("centre",), 2: ("left", "right"), 3: ("left", "centre", "right")}[len(scene.figures)]
    cast = (replace(f, position=p) for f, p in zip(scene.figures, places, strict=True))
    return suited(replace(scene, figures=tuple(cast)))
