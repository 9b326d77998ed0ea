"""Single abilities, a measure each, in wordings that the grammar lacks; see `ABILITIES`."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from minigpt5.data.storybook.texts.words.lexicon import (
    FIGURES,
    NUMBERS,
    PLACES,
    TIMES,
    WEARS,
    article,
    looks,
    said,
    with_article,
)
from minigpt5.data.storybook.world import scene as world
from minigpt5.data.storybook.world.scene import Figure, Scene, sample_scene
from minigpt5.data.storybook.world.things import IN_SLOT, TOYS
from minigpt5.evaluation.wide.rules import figures_in, kinds_named, occurs, shows, shows_cast, things_in
from minigpt5.evaluation.wide.trials import Answer, Ask, Case, Rule

SYLLABLES = ("bra", "cu", "del", "fo", "gri", "hep", "jo", "kla", "mur", "nis", "ov", "pul", "ri", "sto", "tev", "ush", "wim", "yab", "zig")  # fmt: skip
NAMES_SAID = ("they call me {n}", "{n}'s the name", "Greetings from {n}!", "it's {n} typing here", "the name on my badge says {n}")  # fmt: skip
NAMES_ASKED = ("so how am I called?", "and who's talking to you right now?", "tell me the name I gave you", "still know my name?")  # fmt: skip
CANNOT_TELL = ("make this out", "make it out", "can't tell", "cannot tell", "not sure", "don't know", "do not know", "don't see", "do not see", "can't see", "cannot see", "not a picture from", "not from my", "nothing that I know", "can't read", "unclear", "can't recognise")  # fmt: skip


def _figure(rng: random.Random, other: Figure | None = None) -> Figure:
    kinds = [kind for kind in world.FIGURES if other is None or kind != other.kind]
    colours = [colour for colour in world.COLOURS if other is None or colour != other.colour]
    return Figure(rng.choice(kinds), rng.choice(colours))


def _who(figure: Figure) -> str:
    return looks(figure.colour, figure.kind, figure.kind)


def _cast(*figures: Figure) -> list[dict[str, str | list[str]]]:
    return [{"figure": figure.kind, "colour": figure.colour} for figure in figures]


def _right(check: Callable[[Answer], bool]) -> Rule:
    """A rule of the last answer alone."""
    return lambda answers: {"right": check(answers[-1])}


def negation(rng: random.Random) -> tuple[tuple[Ask, ...], Rule]:
    """What is named only to be left out is not there, and the figure is."""
    figure, kind = _figure(rng), rng.choice((*TOYS, *IN_SLOT["sky"]))
    wear = rng.choice(world.WEARS[1:])
    form, left_out = rng.choice(
        (("I want {f}, but {t} must not be anywhere", kind), ("{f} that has no {n} at all", kind),
         ("{f}, and for once no {w}", wear), ("{f} who never wears {w}", wear))
    )  # fmt: skip
    text = form.format(
        f=article(_who(figure)), t=with_article(kind, said(kind)), n=said(kind), w=WEARS[wear][0]
    )

    def check(answer: Answer) -> bool:
        there = {f["wear"] for f in figures_in(answer.first)} | set(things_in(answer.first))
        return shows_cast(answer.first, _cast(figure)) and left_out not in there

    return (Ask((text,)),), _right(check)


def counting(rng: random.Random) -> tuple[tuple[Ask, ...], Rule]:
    """Two or three of a kind and colour."""
    figure, number = _figure(rng), rng.choice((2, 3))
    many = looks(figure.colour, FIGURES[figure.kind][0], figure.kind)
    form = rng.choice(("we'd need {n} {f} here", "a family of {n} {f}", "{n} {f}, no more, no fewer", "put {n} {f} side by side"))  # fmt: skip
    text = form.format(n=rng.choice((NUMBERS[number], str(number))), f=many)
    return (Ask((text,)),), _right(lambda answer: shows_cast(answer.first, _cast(figure) * number))


def recolouring(rng: random.Random) -> tuple[tuple[Ask, ...], Rule]:
    """The second of two figures gets another colour, the first keeps its own."""
    first = _figure(rng)
    second = _figure(rng, first)
    colour = rng.choice([c for c in world.COLOURS if c not in (first.colour, second.colour)])
    form = rng.choice(("the {k} had better be {c}", "give that {k} a coat of {c}", "hm, {c} for the {k}, the other one's fine"))  # fmt: skip
    asks = (
        Ask((f"Draw {article(_who(first))} and {article(_who(second))}",)),
        Ask((form.format(k=second.kind, c=colour),)),
    )
    after = _cast(first, replace(second, colour=colour))
    return asks, _right(lambda answer: shows_cast(answer.first, after))


def drawn_relations(rng: random.Random) -> tuple[tuple[Ask, ...], Rule]:
    """Who stands left and who right is as asked."""
    first = _figure(rng)
    second = _figure(rng, first)
    left, right = rng.choice(((first, second), (second, first)))
    side = "left" if left == first else "right"
    form = rng.choice(("{b}, and to the {s} of it {a}", "{a} standing {s} of {b}", "{a} that is on the {s}-hand side of {b}"))  # fmt: skip
    text = form.format(a=article(_who(first)), b=article(_who(second)), s=side)
    wanted = {
        "figure": left.kind,
        "colour": left.colour,
        "second_figure": right.kind,
        "second_colour": right.colour,
    }
    return (Ask((text,)),), _right(lambda answer: shows(answer.first, {**wanted, "count": "2"}))


def seen_relations(rng: random.Random) -> tuple[tuple[Ask, ...], Rule]:
    """Asked who is on one side of whom in an attached picture, it names that figure and no other but the asked one."""
    scene = _pair(rng)
    left, right = scene.figures
    side, asked, found = rng.choice((("left", right, left), ("right", left, right)))
    form = rng.choice(("whom do we find {s} of the {k}?", "looking {s} from the {k}, who's that?", "name whoever is to the {s} of the {k}"))  # fmt: skip

    def check(answer: Answer) -> bool:
        named = kinds_named(answer.said) - {asked.kind}
        return named == {found.kind} and not answer.seen

    return (Ask((scene, form.format(s=side, k=asked.kind)), drawn=False),), _right(check)


def _pair(rng: random.Random) -> Scene:
    while True:
        scene = sample_scene(rng, held_out=True, figures=2)
        one, other = scene.figures
        if one.kind != other.kind and one.colour != other.colour:
            return scene


def copying(rng: random.Random) -> tuple[tuple[Ask, ...], Rule]:
    """A name that nobody has heard of is said back at once, and again when asked for."""
    name = "".join(rng.sample(SYLLABLES, rng.choice((2, 3)))).capitalize()
    asks = (
        Ask((rng.choice(NAMES_SAID).format(n=name),), drawn=False),
        Ask((rng.choice(NAMES_ASKED),), drawn=False),
    )

    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        return {"said back": occurs([name], answers[0].said), "remembered": occurs([name], answers[1].said)}

    return asks, rule


def yes_or_no(rng: random.Random) -> tuple[tuple[Ask, ...], Rule]:
    """Questions on an attached picture; the answer begins with the right word. Half of them are to be denied."""
    scene = sample_scene(rng, held_out=True, figures=1)
    figure, yes = scene.figures[0], rng.random() < 0.5
    name, values = rng.choice((("colour", world.COLOURS), ("kind", world.FIGURES), ("mood", world.MOODS), ("place", world.PLACES), ("time", world.TIMES)))  # fmt: skip
    true = getattr(scene if name in ("place", "time") else figure, name)
    value = true if yes else rng.choice([v for v in values if v != true])
    told = {
        "place": lambda: PLACES[value][0][0],
        "time": lambda: TIMES[value][0][0],
        "kind": lambda: article(value),
    }
    words = told.get(name, lambda: value)()
    text = rng.choice(
        ("would you say it's {w}?", "it's {w}, isn't it? yes or no", "{w}: true or not?")
    ).format(w=words)
    begins = re.compile(r"\W*(yes|true)\b" if yes else r"\W*(no|not|false)\b", re.IGNORECASE)

    def check(answer: Answer) -> bool:
        return bool(begins.match(answer.said)) and not answer.seen

    return (Ask((scene, text), drawn=False),), _right(check)


def swapped_letters(rng: random.Random) -> tuple[tuple[Ask, ...], Rule]:
    """Two letters of the figure's or the colour's name are swapped, not the first and not the last two of a short one."""
    while True:
        figure = _figure(rng)
        word = rng.choice((figure.kind, figure.colour))
        places = [i for i in range(1, len(word) - 1) if word[i] != word[i + 1]]
        if len(word) >= 4 and places:
            break
    at = rng.choice(places)
    typed = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    words = article(_who(figure)).replace(word, typed, 1)
    text = rng.choice(("draw {x}", "i'd like {x} plz", "{x}", "one picture of {x} for me")).format(x=words)
    return (Ask((text,)),), _right(lambda answer: shows_cast(answer.first, _cast(figure)))


def strange_pictures(rng: random.Random) -> tuple[tuple[Ask, ...], Rule]:
    """A picture of noise, stripes or a gradient: the reply says that it cannot make it out and names no figure."""
    noise = np.random.default_rng(rng.randrange(2**31))
    low = Image.fromarray(
        noise.integers(0, 256, (rng.choice((2, 16, 256)), rng.choice((2, 16, 256)), 3), dtype=np.uint8)
    )
    picture = low.resize((256, 256), rng.choice((Image.Resampling.NEAREST, Image.Resampling.BICUBIC)))
    text = rng.choice(("Who is this?", "What do you see?", "Describe the picture", "which animal is that"))

    def check(answer: Answer) -> bool:
        return occurs(CANNOT_TELL, answer.said) and not kinds_named(answer.said)

    return (Ask((picture, text), drawn=False),), _right(check)


def five_turns(rng: random.Random) -> tuple[tuple[Ask, ...], Rule]:
    """Draw, change the time, ask for the colour, change the place, ask how many: every turn must be right."""
    figure, time = _figure(rng), rng.choice(world.TIMES[2:])
    place = rng.choice([p for p in world.PLACES if p != "meadow"])
    asks = (
        Ask((f"I'd be glad of {article(_who(figure))}",)),
        Ask((f"same thing {TIMES[time][0][0]}, would you",)),
        Ask((f"remind me, which colour has the {figure.kind}?",)),
        Ask((f"off we go, {PLACES[place][0][0]}",)),
        Ask(("tell me how many there are now",), drawn=False),
    )

    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        first, second, colour, moved, number = answers
        turns = [
            shows_cast(first.first, _cast(figure)),
            shows_cast(second.first, _cast(figure)) and shows(second.first, {"time": time}),
            occurs([figure.colour], colour.said) and not colour.seen,
            shows_cast(moved.first, _cast(figure)) and shows(moved.first, {"time": time, "place": place}),
            occurs(["one", "1", "only"], number.said) and not number.seen,
        ]
        return {"all five": all(turns), **{f"turn {n}": right for n, right in enumerate(turns, 1)}}

    return asks, rule


ABILITIES: dict[str, Callable[[random.Random], tuple[tuple[Ask, ...], Rule]]] = {
    "negation": negation,
    "counting": counting,
    "recolouring the second of two": recolouring,
    "left and right, drawn": drawn_relations,
    "left and right, seen": seen_relations,
    "copying a name": copying,
    "yes or no": yes_or_no,
    "two letters swapped": swapped_letters,
    "a picture that shows no storybook": strange_pictures,
    "five turns": five_turns,
}


def ability(name: str, count: int) -> Iterator[Case]:
    """`count` cases of one of `ABILITIES`."""
    for index in range(count):
        asks, rule = ABILITIES[name](random.Random(f"{name} {index}"))
        yield Case(asks, rule, index)
