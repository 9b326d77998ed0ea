"""What rules are made of: does a picture show it, do the words say it?

Pictures are told by what the judge names in them (`world.attributes`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import permutations

from minigpt5.data.storybook.texts.words.lexicon import FIGURES, said
from minigpt5.data.storybook.world.attributes import NOTHING, OTHERS, TRAITS, values_of
from minigpt5.data.storybook.world.scene import Scene, Thing
from minigpt5.data.storybook.world.things import SLOTS, THINGS
from minigpt5.evaluation.wide.trials import Seen

Wanted = Mapping[str, str | list[str]]  # attribute -> value, or values of which any will do
SURROUNDINGS = ("place", "time", "weather")
PREFIXES = ("", *(f"{other}_" for other in OTHERS))
EAST_ASIAN = re.compile(r"[\u2e80-\uffef]")  # scripts without spaces between words


def figures_in(seen: Seen) -> list[Seen]:
    """The traits of each figure, from left to right."""
    found = []
    for prefix in PREFIXES:
        if seen.get(f"{prefix}figure", NOTHING) != NOTHING:
            found.append({trait: seen[f"{prefix}{trait}"] for trait in TRAITS})
    return found


def things_in(seen: Seen) -> dict[str, str]:
    """The colour of each thing by its kind, "none" for things without one."""
    return {
        seen[slot]: seen.get(f"{slot}_colour", NOTHING)
        for slot in SLOTS
        if seen.get(slot, NOTHING) != NOTHING
    }


def kinds_in(seen: Seen) -> set[str]:
    """Every figure and thing."""
    return {figure["figure"] for figure in figures_in(seen)} | set(things_in(seen))


def shows(seen: Seen, wanted: Wanted) -> bool:
    """Whether every wanted attribute has its value; a picture that is not there shows nothing."""
    return all(is_any(seen.get(name, ""), value) for name, value in wanted.items())


def is_any(value: str, wanted: str | Iterable[str]) -> bool:
    """Whether `value` is the wanted one, or one of several."""
    return value == wanted if isinstance(wanted, str) else value in wanted


def shows_cast(seen: Seen, cast: Sequence[Wanted], exactly: bool = True) -> bool:
    """Whether each of `cast` is a figure of its own in the picture, in any order; `exactly`: and nobody else is."""
    there = figures_in(seen)
    if len(there) < len(cast) or (exactly and len(there) != len(cast)):
        return False
    return any(
        all(shows(figure, wanted) for figure, wanted in zip(order, cast, strict=True))
        for order in permutations(there, len(cast))
    )


def shows_thing(seen: Seen, thing: str) -> bool:
    """Whether "drum" or "red balloon" is in some slot."""
    colour, _, kind = thing.rpartition(" ")
    return things_in(seen).get(kind) in ((colour,) if colour else (*things_in(seen).values(),))


def has_thing(seen: Seen, thing: Thing) -> bool:
    """Whether the thing is in its own slot, in its colour."""
    return seen.get(thing.slot) == thing.kind and (
        not thing.colour or seen.get(f"{thing.slot}_colour") == thing.colour
    )


def changed_attributes(before: Scene, after: Scene) -> set[str]:
    """The attributes in which two scenes differ."""
    one, other = values_of(before), values_of(after)
    return {name for name in one if one[name] != other[name]}


# ---- words ----------------------------------------------------------------------------------------------------------


def plain(words: str) -> str:
    """With typewriter's apostrophes and single spaces."""
    return " ".join(words.replace("’", "'").split())


def occurs(phrases: Iterable[str], words: str) -> bool:
    """Whether any of the phrases does, as whole words whatever the case; East Asian ones anywhere."""
    words = plain(words)
    return any(_occurs(phrase, words) for phrase in phrases)


def _occurs(phrase: str, words: str) -> bool:
    if EAST_ASIAN.search(phrase):
        return phrase in words
    return re.search(rf"(?<!\w){re.escape(plain(phrase))}(?!\w)", words, re.IGNORECASE) is not None


@cache
def words_of_kinds() -> dict[str, str]:
    """word -> the figure or thing that it names, longer words first, singular and plural."""
    found: dict[str, str] = {}
    for kind in THINGS:
        for word in (said(kind), *THINGS[kind].words):
            found |= dict.fromkeys((word, f"{word}s"), kind)
    for kind, (plural, one, several) in FIGURES.items():
        found |= dict.fromkeys((kind, plural, *one, *several), kind)
    return dict(sorted(found.items(), key=lambda entry: -len(entry[0])))


@cache
def _kind_pattern() -> re.Pattern[str]:
    return re.compile(
        r"(?<![\w-])(" + "|".join(map(re.escape, words_of_kinds())) + r")(?![\w-])", re.IGNORECASE
    )


def kinds_named(words: str, without: Collection[str] = ()) -> set[str]:
    """The figures and things that the words name, by their longest names; `without` are words that do not count."""
    text = plain(words)
    for word in without:
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", " ", text, flags=re.IGNORECASE)
    return {words_of_kinds()[match.lower()] for match in _kind_pattern().findall(text)}


def sentences(words: str) -> list[str]:
    """The sentences, in lower case and without marks."""
    parts = re.split(r"(?<=[.!?])[\"”']*\s+", plain(words))
    bare = (" ".join(re.findall(r"[\w']+", part.lower())) for part in parts)
    return [sentence for sentence in bare if sentence]
