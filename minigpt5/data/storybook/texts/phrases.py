"""Scenes as noun phrases: the one canonical caption, the assistant's description, and what a user may say.

What a wording leaves out has its default (standing, happy, nothing worn, in the middle, in the meadow, by day,
clear, no thing); `with_defaults` makes a scene for which leaving words out is the truth. Uses the words of
`lexicon`; knows nothing of requests (`requests`) nor of whole chats (`chats`).
"""

import random
from collections.abc import Collection
from dataclasses import replace
from itertools import groupby

from minigpt5.data.storybook.texts.words.lexicon import (
    ACTIONS,
    COLOURS,
    FIGURES,
    MOODS,
    NICE,
    NUMBERS,
    OTHER_THING_WORDS,
    PLACES,
    PLAIN_LINKS,
    POSITIONS,
    SLOTS,
    TIMES,
    WEARS,
    WEATHERS,
    article,
    listing,
    looks,
    said,
    with_article,
)
from minigpt5.data.storybook.world.scene import CALM_PLACES, IN_THE_PAWS, ON_THE_HEAD, Figure, Scene, Thing
from minigpt5.data.storybook.world.things import FOODS, THINGS

OPTIONAL = ("action", "mood", "wear", "position", "place", "time", "weather", "things")
EVERYTHING = frozenset((*OPTIONAL, "colour", "toy_colour"))
WITH_THING = IN_THE_PAWS
PLACE_DEFAULT = {"place": "meadow", "time": "day", "weather": "clear"}


def thing_words(thing: Thing) -> str:
    """ "a red kite"."""
    return with_article(thing.kind, f"{thing.colour} {said(thing.kind)}".strip())


def caption(scene: Scene) -> str:
    """The canonical description for the text encoder: every attribute in fixed order and words."""
    cast = " and ".join(
        " ".join(
            [
                article(f"{f.mood} {looks(f.colour, f.kind, f.kind)}"),
                f.action,
                POSITIONS[f.position][0],
                *([f"wearing {WEARS[f.wear][0]}"] if f.wear != "none" else []),
            ]
        )
        for f in scene.figures
    )
    things = "".join(f", {SLOTS[t.slot][0].format(thing_words(t))}" for t in scene.things)
    place = PLACES[scene.place][0][0]
    return f"{cast}{things}, {place} {TIMES[scene.time][0][0]} {WEATHERS[scene.weather][0][0]}"


def defaulted(scene: Scene, mentioned: Collection[str]) -> Scene:
    """The scene in which each optional attribute that is not mentioned has its default."""
    cast = scene.figures
    if "action" not in mentioned:
        kept = WITH_THING if "things" in mentioned else ()
        cast = tuple(f if f.action in kept else replace(f, action="standing") for f in cast)
    if "mood" not in mentioned:
        cast = tuple(replace(f, mood="happy") for f in cast)
    if "wear" not in mentioned:
        cast = tuple(replace(f, wear="none") for f in cast)
    if "position" not in mentioned and len(cast) == 1:
        cast = (replace(cast[0], position="centre"),)
    things = scene.things if "things" in mentioned else ()
    surroundings = {n: v if n not in mentioned else getattr(scene, n) for n, v in PLACE_DEFAULT.items()}
    return suited(Scene(cast, things=things, **surroundings))


def suited(scene: Scene) -> Scene:
    """The scene with contradictions removed: no weather in space and under the sea, one figure that holds what is in
    the hand (eats it only if it is food), nothing on a head that wears a hat or a crown."""
    if scene.place in CALM_PLACES and scene.weather != "clear":
        scene = replace(scene, weather="clear")
    if scene.figures[0].wear in ON_THE_HEAD and scene.thing_in("head"):
        scene = replace(scene, things=tuple(t for t in scene.things if t.slot != "head"))
    held = scene.thing_in("hand")
    busy = [i for i, f in enumerate(scene.figures) if f.action in WITH_THING]
    who = (busy or [0])[0] if held else -1
    cast = list(scene.figures)
    for index in {*busy, *([who] if held else [])}:
        action = (
            cast[index].action
            if index == who and index in busy
            else "holding"
            if index == who
            else "standing"
        )
        if action == "eating" and held and held.kind not in FOODS:
            action = "holding"
        cast[index] = replace(cast[index], action=action)
    return replace(scene, figures=tuple(cast))


def with_defaults(scene: Scene, rng: random.Random) -> Scene:
    """A scene of the same half of the split with some attributes at their defaults."""
    for _ in range(4):
        count = min(rng.choice((0, 1, 1, 2, 2, 2, 3, 3, 4, 5)), len(OPTIONAL))
        mentioned = set(rng.sample(OPTIONAL, count))
        if scene.things and rng.random() < 0.4:
            mentioned |= {"things", "action"}
        changed = defaulted(scene, mentioned)
        if changed.held_out == scene.held_out:
            return changed
    return scene


def groups(scene: Scene) -> list[list[Figure]]:
    """Neighbouring figures that look and do the same, as one group ("three green frogs")."""
    return [list(g) for _, g in groupby(scene.figures, key=lambda f: replace(f, position="centre"))]


def describe(scene: Scene, everything: bool = False) -> str:
    """The assistant's noun phrase in canonical words: all that is not a default, or everything."""
    cast = [_described(group, scene, everything) for group in groups(scene)]
    words = " and ".join(cast)
    for thing in scene.things:
        if thing.slot != "hand":
            words += f" {SLOTS[thing.slot][0].format(thing_words(thing))}"
    places = [PLACES[scene.place][0][0]] if everything or scene.place != "meadow" else []
    places += [TIMES[scene.time][0][0]] if everything or scene.time != "day" else []
    places += [WEATHERS[scene.weather][0][0]] if everything or scene.weather != "clear" else []
    return " ".join([words, *places])


def _described(group: list[Figure], scene: Scene, everything: bool) -> str:
    figure, count, total = group[0], len(group), len(scene.figures)
    mood = f"{figure.mood} " if everything or figure.mood != "happy" else ""
    noun = figure.kind if count == 1 else FIGURES[figure.kind][0]
    words = f"{mood}{looks(figure.colour, noun, figure.kind)}"
    words = article(words) if count == 1 else f"{NUMBERS[count]} {words}"
    if figure.wear != "none":
        words += f" wearing {WEARS[figure.wear][0]}"
    if total == 1 and (everything or figure.position != "centre"):
        words += f" {POSITIONS[figure.position][0]}"
    if everything or figure.action != "standing":
        words += f" {figure.action}"
    held = scene.thing_in("hand")
    return f"{words} {thing_words(held)}" if held and figure.action in WITH_THING else words


def phrase(scene: Scene, rng: random.Random, full: bool = False, plain: bool = False) -> str:
    """A varied noun phrase as a user may put it ("a bunny napping at the seaside").

    `full` names every attribute that is not a default, and at times defaults too; `plain` uses canonical words
    most of the time.
    """
    odd = 0.15 if plain else 0.4
    cast = " and ".join(_character(g, scene, rng, odd) for g in groups(scene))
    tail = [linked(t, rng, odd, scene.figures[0].action) for t in scene.things if t.slot != "hand"]
    tail += surroundings(scene, rng, full, odd)
    rng.shuffle(tail)
    if tail and rng.random() < 0.06:
        return f"{tail[0]} {cast} {' '.join(tail[1:])}".strip()
    return (" " if rng.random() < 0.8 else ", ").join([cast, *tail])


def _thing(thing: Thing, rng: random.Random, odd: float) -> str:
    others = OTHER_THING_WORDS.get(thing.kind)
    noun = rng.choice(others) if others and rng.random() < odd else said(thing.kind)
    return with_article(thing.kind, f"{thing.colour} {noun}".strip())


def linked(thing: Thing, rng: random.Random, odd: float = 0.4, action: str = "standing") -> str:
    """ "with a red kite", "under a moon": the thing and how it stands.

    A plain "with" means the kind's usual slot; of what is usually held, that is the hand of a figure that does
    nothing else, and the ground beside any other.
    """
    first = THINGS[thing.kind].slots[0]
    usual = first == thing.slot or (first == "hand" and thing.slot == "beside" and action != "standing")
    links = PLAIN_LINKS if usual and rng.random() < 0.6 else SLOTS[thing.slot]
    return rng.choice(links).format(_thing(thing, rng, odd))


def _character(group: list[Figure], scene: Scene, rng: random.Random, odd: float) -> str:
    figure, count, total = group[0], len(group), len(scene.figures)
    plural, one, several = FIGURES[figure.kind]
    noun = figure.kind if count == 1 else plural
    if rng.random() < odd:
        noun = rng.choice(one if count == 1 else several)
    colour = figure.colour if rng.random() > odd * 0.5 else rng.choice(COLOURS[figure.colour])
    adjectives = [rng.choice(NICE)] if rng.random() < 0.1 else []
    parts: list[str] = []
    if figure.mood != "happy" or rng.random() < 0.06:
        mood = figure.mood if rng.random() > odd else rng.choice(MOODS[figure.mood])
        if rng.random() < 0.75:
            adjectives.append(mood)
        else:
            parts.append(rng.choice(("looking {}", "who is {}", "that looks {}", "feeling {}")).format(mood))
    if figure.wear != "none":
        parts.append(f"{rng.choice(('wearing', 'wearing', 'with', 'in'))} {rng.choice(WEARS[figure.wear])}")
    if total == 1 and (figure.position != "centre" or rng.random() < 0.05):
        parts.append(rng.choice(POSITIONS[figure.position]))
    words = " ".join([*adjectives, looks(colour, noun, figure.kind if rng.random() < 0.85 else "")])
    words = article(words) if count == 1 else f"{NUMBERS[count] if rng.random() < 0.9 else count} {words}"
    rng.shuffle(parts)
    held = scene.thing_in("hand")
    if held and figure.action in WITH_THING:
        rng.shuffle(parts)
        return " ".join([words, *parts, _with_held(figure, held, rng, odd)])
    action = rng.choice(ACTIONS[figure.action][3]) if rng.random() < odd else figure.action
    if figure.action != "standing" or rng.random() < 0.15:
        parts.append(action if rng.random() < 0.9 else _clause(figure, count))
    return " ".join([words, *parts])


def _with_held(figure: Figure, held: Thing, rng: random.Random, odd: float) -> str:
    """ "holding a red ball", "who has a red ball", "munching an apple"."""
    words = _thing(held, rng, odd)
    if figure.action == "holding" and rng.random() < 0.6:
        return rng.choice((*SLOTS["hand"], *PLAIN_LINKS)).format(words)
    doing = rng.choice(ACTIONS[figure.action][3]) if rng.random() < odd else figure.action
    return f"{doing} {words}"


def _clause(figure: Figure, count: int) -> str:
    base, third, _, _ = ACTIONS[figure.action]
    return f"who {third if count == 1 else base}"


def surroundings(scene: Scene, rng: random.Random, full: bool, odd: float = 0.4) -> list[str]:
    """The pieces for place, time and weather, at times two of them in one ("on a snowy night")."""
    named = [
        n for n, v in PLACE_DEFAULT.items() if getattr(scene, n) != v or rng.random() < (0.5 if full else 0.1)
    ]
    if "weather" in named and scene.weather != "clear" and rng.random() < 0.2:
        adjective = rng.choice(WEATHERS[scene.weather][2])
        if "time" in named and rng.random() < 0.6:
            pieces = [f"on {article(f'{adjective} {TIMES[scene.time][2]}')}"]
            return pieces + ([_said(PLACES[scene.place][0], rng, odd)] if "place" in named else [])
    pieces = []
    for name, table in (("place", PLACES), ("time", TIMES), ("weather", WEATHERS)):
        if name in named:
            pieces.append(_said(table[getattr(scene, name)][0], rng, odd))  # type: ignore[index]
    return pieces


def _said(words: tuple[str, ...], rng: random.Random, odd: float) -> str:
    return rng.choice(words) if rng.random() < odd * 1.4 else words[0]


def names(scene: Scene) -> str:
    """Who is there: "a blue rabbit and two green frogs"."""
    found = []
    for _, group in groupby(scene.figures, key=lambda f: (f.kind, f.colour)):
        members = list(group)
        noun = members[0].kind if len(members) == 1 else FIGURES[members[0].kind][0]
        words = looks(members[0].colour, noun, members[0].kind)
        found.append(article(words) if len(members) == 1 else f"{NUMBERS[len(members)]} {words}")
    return listing(found)


def right_articles(text: str) -> str:
    """ "a apple" set right."""
    for vowel in "aeiou":
        text = text.replace(f" a {vowel}", f" an {vowel}").replace(" an unicorn", " a unicorn")
    return text
