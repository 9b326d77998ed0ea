"""Stories: is the story that follows the one that was asked for, is it steered as the user wants, does it hold together?

The wordings are not the grammar's (`tests/data/story_wordings.json`, and those below). Combinations of hero and
surroundings need not be held out but in `guided_scenes`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minigpt5.data.storybook.texts.words.lexicon import (
    PLACES,
    PRONOUNS,
    article,
    looks,
    said,
    with_article,
)
from minigpt5.data.storybook.world import scene as world
from minigpt5.data.storybook.world.things import IN_SLOT, THINGS, TOYS
from minigpt5.errors import DataError
from minigpt5.evaluation.wide.rules import occurs, sentences, shows, shows_cast, shows_thing
from minigpt5.evaluation.wide.trials import Answer, Ask, Case, Rule

WORDINGS = Path("tests/data/story_wordings.json")
SCENES = 6
NAMES = (
    "Bodo", "Quentin", "Tavi", "Oswin", "Rollo", "Fergus", "Zeno", "Wilbur", "Jory", "Ignatz", "Kasimir", "Lorcan",
    "Brynja", "Odette", "Tamsin", "Petunia", "Saoirse", "Wilma", "Xenia", "Marigold", "Zelda", "Birgit", "Juno", "Nell",
)  # fmt: skip
NEXT_PAGES = ("What happens next?", "And then?", "Go on", "What happens next?", "How does it end?")
PREMISES = (
    "Please tell me a story about {n} the {w}, who finds {t}.", "A tale in six pages: {n} the {w} and {t}.",
    "I'd love to hear how {n}, {aw}, lost {t}.", "{n} the {w} dreams of {t}. Tell us everything!",
    "Our class wrote: one day {n} the {w} was given {t}. Carry on from there.",
    "What would {n}, {aw}, do with {t}? Tell it as a story.", "story plz about {n} the {w}, there should be {t} in it",
    "It's about {n}. {n} is {aw} and has {t}. Begin!", "Once {n} the {w} wanted {t} more than anything. How does it go?",
    "my son made up {n}, {aw} with {t}, can you make it a story",
)  # fmt: skip
WITH_FRIEND = (
    "{g} the {v} should be in it too.",
    "And there is a friend, {g} the {v}.",
    "Don't forget {g}, {av}.",
)
GUIDES = (
    "After that {n} turns up {p}, it is {m} by then, and there is {t}.", "Next page: {n} {p}. {M}. With {t}, please!",
    "I think {n} should end up {p} now, when it's {m}, and discover {t}", "so {n} is {p} now ({m}) and look, {t}!",
    "Let the next bit happen {p}. It's {m}. And {n} comes across {t}.", "ok and afterwards {n} is {p} with {t}. its {m}",
    "How about this: {m} has come, {n} finds {t} {p}.", "We go on {p}: {m}, {n}, and {t}.",
    "hmm, now {n} wakes up {p}. {m}. and what's that? {t}!", "My daughter says: {n} must find {t} {p}, and it's {m}.",
)  # fmt: skip
TIMES_SAID = {
    "morning": "early morning",
    "day": "the middle of the day",
    "sunset": "sunset",
    "night": "the dead of night",
}


def wordings(count: int, path: Path = WORDINGS) -> Iterator[Case]:
    """Stories asked for in free words: is it drawn, and is the first picture what was asked? Raises `DataError`."""
    try:
        stories = json.loads(path.read_text(encoding="utf-8"))["stories"][:count]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: got {error!r}, expected wordings of stories") from error
    for number, story in enumerate(stories):
        yield Case((Ask((story["text"],)),), premise_kept(story), number)


def premise_kept(story: dict[str, Any]) -> Rule:
    """Of the first picture: some figure is the hero, in the hero's colour; the surroundings that the text names; the
    thing in any slot. `all` is all of these. `thing told`: in the picture or in the words of the first reply; `name`:
    in the words."""

    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        seen, words = answers[-1].first, answers[-1].said
        right = {"draws": bool(seen), "hero": shows_cast(seen, [{"figure": story["figure"]}], exactly=False)}
        right["colour"] = shows_cast(seen, [{n: story[n] for n in ("figure", "colour")}], exactly=False)
        right |= {n: shows(seen, {n: story[n]}) for n in ("place", "time", "weather") if n in story}
        right["thing"] = shows_thing(seen, story["thing"])
        right["all"] = all(right.values())
        right["thing told"] = right["thing"] or occurs(THINGS[story["thing"]].words, words)
        if "name" in story:
            right["name"] = occurs([story["name"]], words)
        return right

    return rule


def guided_scenes(count: int) -> Iterator[Case]:
    """A story of a named hero, then what is to happen next: another place and time, and a new thing. The new scene is a
    held-out combination with the hero that was asked for."""
    for index in range(count):
        rng = random.Random(f"guided scene {index}")
        name = rng.choice(NAMES)
        while True:
            kind, colour = rng.choice(world.FIGURES), rng.choice(world.COLOURS)
            place, time = rng.choice(world.PLACES), rng.choice(world.TIMES)
            if world.is_held_out(kind, colour, place, time):
                break
        thing, words = _a_thing(rng)
        first = f"Tell me a story about {name} the {looks(colour, kind, kind)}"
        text = rng.choice(GUIDES).format(
            n=name, p=PLACES[place][0][0], m=TIMES_SAID[time], M=TIMES_SAID[time].capitalize(), t=words
        )
        rule = _guided({"place": place, "time": time}, thing, {"figure": kind, "colour": colour})
        yield Case((Ask((first,)), Ask((text,))), rule, index)


def _a_thing(rng: random.Random) -> tuple[str, str]:
    """ "red kite" for the rule, and "a red kite" for the words."""
    kind = rng.choice((*IN_SLOT["hand"], *IN_SLOT["beside"]))
    named = f"{rng.choice(world.TOY_COLOURS)} {kind}" if kind in TOYS else kind
    return named, with_article(kind, named.replace(kind, said(kind)))


def _guided(surroundings: dict[str, str], thing: str, hero: dict[str, str]) -> Rule:
    """`hero kept`: whoever was the first figure of the first picture is in the second, in the same colour, and it is who
    was asked for."""

    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        before, after = (answer.first for answer in answers)
        right = {name: shows(after, {name: value}) for name, value in surroundings.items()}
        right["hero kept"] = all(shows_cast(seen, [hero], exactly=False) for seen in (before, after))
        right["new thing"] = shows_thing(after, thing)
        return {**right, "all": all(right.values()), "drawn": bool(after)}

    return rule


def whole_stories(count: int) -> Iterator[Case]:
    """Six scenes, the last asked for as the end; half of the heroes have a friend whom the author names."""
    for index in range(count):
        rng = random.Random(f"whole story {index}")
        thing, words = _a_thing(rng)
        hero, friend = _somebody(rng), _somebody(rng)
        while friend[0] == hero[0] or friend[1] == hero[1]:
            friend = _somebody(rng)
        (name, kind, who), (other, second, whose) = hero, friend
        text, names = rng.choice(PREMISES).format(n=name, w=who, aw=article(who), t=words), {name: kind}
        if index % 2:
            names[other] = second
            text += " " + rng.choice(WITH_FRIEND).format(g=other, v=whose, av=article(whose))
        asks = [Ask((words,)) for words in (text, *NEXT_PAGES)]
        yield Case(tuple(asks), holds_together(names, thing), index)


def _somebody(rng: random.Random) -> tuple[str, str, str]:
    """A name, a figure, and the figure in its colour."""
    kind = rng.choice(world.FIGURES)
    return rng.choice(NAMES), kind, looks(rng.choice(world.COLOURS), kind, kind)


def holds_together(names: dict[str, str], thing: str) -> Rule:
    """`names`: author's names, the hero's first, and the figures that they are of.

    `names kept`: the hero's name is in the words of half the scenes or more, every other in those of one or more, and
    no other name stands before "the (colour) <figure>" of one of them. `one pronoun each`: of the sentences that name
    one of them alone none has pronouns of both sexes, and neither have two sentences that name the same one; speech
    does not count. `thing`: named in half of the scenes or more. `no sentence twice`: in the whole story.
    """

    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        scenes = [answer.said for answer in answers]
        (hero, *friends), half = names, len(scenes) / 2
        kept = sum(occurs([hero], words) for words in scenes) >= half
        kept = kept and all(occurs([friend], " ".join(scenes)) for friend in friends)
        kind = thing.rpartition(" ")[2]
        every = [sentence for words in scenes for sentence in sentences(words)]
        right = {
            "names kept": kept and not _renamed(names, " ".join(scenes)),
            "one pronoun each": all(len(pronouns_of(name, names, scenes)) <= 1 for name in names),
            "thing": sum(occurs(THINGS[kind].words, words) for words in scenes) >= half,
            "no sentence twice": len(every) == len(set(every)),
        }
        right["six scenes"] = len([words for words in scenes if words]) == SCENES
        return {**right, "every scene drawn": all(a.seen for a in answers), "all": all(right.values())}

    return rule


def _renamed(names: dict[str, str], words: str) -> bool:
    """Whether someone else's name stands before "the blue rabbit" of one of those who have a name."""
    kinds = "|".join(names.values())
    found = re.findall(rf"\b([A-Z]\w+),? (?:the|a|an) (?:\w+ )?(?:{kinds})\b", words)
    return any(name not in names and name.lower() not in NOT_NAMES for name in found)


NOT_NAMES = {"and", "then", "with", "but", "so", "now", "there", "here", "once", "suddenly", "soon", "along", "up", "was"}  # fmt: skip
_SPEECH = re.compile(r'"[^"]*"|“[^”]*”')


def pronouns_of(name: str, names: dict[str, str], scenes: list[str]) -> set[str]:
    """ "he", "she" or both, as sentences that name this one and none of the others have it, outside speech."""
    found: set[str] = set()
    for scene in scenes:
        for sentence in sentences(_SPEECH.sub(" ", scene)):
            if [other for other in names if occurs([other], sentence)] == [name] and not _others(
                names[name], sentence
            ):
                found |= {sex for sex, forms in PRONOUNS.items() if occurs(forms.values(), sentence)}
    return found


def _others(kind: str, sentence: str) -> bool:
    """Whether another figure is in the sentence, whose pronoun it could be."""
    return occurs([other for other in world.FIGURES if other != kind], sentence)
