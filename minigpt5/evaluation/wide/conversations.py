"""Chats of many turns: words that the book lacks, requests after nineteen other exchanges, and whether to draw at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from minigpt5.data.storybook.texts import chats, languages, unknown
from minigpt5.data.storybook.texts.requests import opening
from minigpt5.data.storybook.texts.turns import Turn
from minigpt5.data.storybook.texts.words.lexicon import article
from minigpt5.evaluation.wide.rules import kinds_in, kinds_named, occurs
from minigpt5.evaluation.wide.trials import Answer, Ask, Case, Rule, given
from minigpt5.evaluation.wide.visitors import Visitors

LAST_TURN = 20
ALONE = ("draw", "unknown", "talk", "outside")  # kinds of visitors' requests that need no other turn
DRAWN = ("draw", "unknown", "language")
TALKED = ("question", "talk", "outside", "names")
UNKNOWN_REQUESTS = (
    "Draw {a}", "I'd like to see {a}", "{a}, please", "Can you paint {a} for my sister?", "how about {a}", "{w}",
    "Would {a} be possible?", "my turn! {a}!", "A picture with {a} in it", "we're after {a} today", "got {a}?",
)  # fmt: skip


def unknown_nouns(count: int) -> Iterator[Case]:
    """Nouns of WordNet that no training text has, in requests of few words."""
    for index in range(count):
        rng = random.Random(f"unknown noun {index}")
        word, near = unknown.noun(rng, held_out=True)
        text = rng.choice(UNKNOWN_REQUESTS).format(a=article(word), w=word)
        yield Case((Ask((text,)),), said_back(word, near), index)


def said_back(word: str, near: str) -> Rule:
    """`said back`: the word itself is in the reply. `drawn as named`: the reply names figures or things of the book
    beside the word, and all of them are in the picture. `nearest of WordNet`: that kind is in the picture."""

    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        said, there = answers[-1].said, kinds_in(answers[-1].first)
        named = kinds_named(said, without=(word,))
        return {
            "said back": occurs([word, f"{word}s"], said),
            "drawn as named": bool(named) and named <= there,
            "nearest of WordNet": near in there,
            "drawn": bool(answers[-1].seen),
        }

    return rule


def late_requests(count: int) -> Iterator[Case]:
    """Visitors' requests that need no other turn, each as the first turn and as the twentieth of a mixed chat."""
    visitors = Visitors.read()
    for number, alone in enumerate(visitors.cases(count, ALONE)):
        yield replace(alone, rule=_named("turn 1", alone.rule))
        yield replace(
            alone, asks=(*_mixed(number), *alone.asks), rule=_named(f"turn {LAST_TURN}", alone.rule)
        )


def _mixed(number: int) -> tuple[Ask, ...]:
    """Nineteen exchanges of the grammar, their answers given."""
    rng, turns = random.Random(f"mixed chat {number}"), list[Turn]()
    while len(turns) < 2 * (LAST_TURN - 1):
        turns += chats.sample(rng).messages
    return given(tuple(turns[: 2 * (LAST_TURN - 1)]))


def _named(name: str, rule: Rule) -> Rule:
    def renamed(answers: tuple[Answer, ...]) -> dict[str, bool]:
        return {name: rule(answers)["all"]}

    return renamed


def drawn_or_not(count: int, wanted: bool) -> Iterator[Case]:
    """The grammar's requests that ask for a picture (`wanted`), of held-out scenes and words, or need none."""
    kinds = DRAWN if wanted else TALKED
    for index in range(count):
        rng = random.Random(f"choice {wanted} {index}")
        kind = kinds[index % len(kinds)]
        yield Case(_drawn(kind, rng) if wanted else _talked(kind, rng), _choice(wanted, kind), index)


def _choice(wanted: bool, kind: str) -> Rule:
    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        right = bool(answers[-1].seen) == wanted
        return {"right": right, kind: right}

    return rule


def _drawn(kind: str, rng: random.Random) -> tuple[Ask, ...]:
    match kind:
        case "draw":
            asked, _ = opening(rng, held_out=True)
        case "unknown":
            asked, _ = unknown.example(rng, held_out=True)
        case _:
            asked, reply = languages.example(rng, held_out=True)
            while not reply.pictures:  # a greeting
                asked, reply = languages.example(rng, held_out=True)
    return (Ask((asked.text,), drawn=False),)


def _talked(kind: str, rng: random.Random) -> tuple[Ask, ...]:
    """Up to the first turn that is answered without a picture."""
    while True:
        turns = chats.sample(rng, kind).messages
        for index in range(0, len(turns), 2):
            if not turns[index + 1].pictures:
                *before, last = given(turns[: index + 2])
                return (*before, Ask(last.parts, drawn=False))
