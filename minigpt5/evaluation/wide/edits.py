"""One change to a picture that the model has just drawn: is it made, and does everything else stay?

The wordings are data of their own (`tests/data/edit_requests.json`: {kind: [text, ...] or {value: [text, ...]}}), none of
them the grammar's; each is typed in some case. Slots: {k} the figure, {c} a new colour, {a} a new figure, {p} a place, {t} a
thing that is there, {x} a new one, {w} what is worn, {f} a friend, {g} a figure that goes, {n} a number and {s} figures.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from minigpt5.data.storybook.texts.edits import placed, random_thing
from minigpt5.data.storybook.texts.phrases import phrase, suited, thing_words, with_defaults
from minigpt5.data.storybook.texts.words.lexicon import FIGURES, NUMBERS, PLACES, article, looks, said
from minigpt5.data.storybook.world import scene as world
from minigpt5.data.storybook.world.attributes import values_of
from minigpt5.data.storybook.world.scene import Figure, Scene
from minigpt5.data.storybook.world.things import TOYS
from minigpt5.errors import DataError
from minigpt5.evaluation.wide.rules import changed_attributes, has_thing, shows
from minigpt5.evaluation.wide.trials import Answer, Ask, Case, Rule

EDITS = Path("tests/data/edit_requests.json")
Texts = dict[str, Any]
Change = (
    tuple[str, Scene] | None
)  # what is typed and the scene after it; None where the scene has no room for it
CASES: tuple[Callable[[str], str], ...] = (str, str, str.lower, str.upper, str.capitalize, str.title)


def read_edits(path: Path = EDITS) -> Texts:
    """The wordings; raises `DataError`."""
    try:
        texts: Texts = json.loads(path.read_text(encoding="utf-8"))
        if missing := [kind for kind in CHANGES if not texts[kind]]:
            raise ValueError(f"nothing for {missing[0]}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: got {error!r}, expected texts for each of {', '.join(CHANGES)}") from error
    return texts


def edits(count: int, path: Path = EDITS) -> Iterator[Case]:
    """A held-out scene in the grammar's plain words, then one change; every kind of change is as frequent."""
    texts, kinds = read_edits(path), list(CHANGES)
    for index in range(count):
        rng, kind = random.Random(f"edit {index}"), kinds[index % len(kinds)]
        before, text, after = _possible(kind, texts[kind], rng)
        asks = (Ask((f"Draw {phrase(before, rng, full=True, plain=True)}",)), Ask((rng.choice(CASES)(text),)))
        yield Case(asks, changed(kind, before, after), index)


def _possible(kind: str, texts: Any, rng: random.Random) -> tuple[Scene, str, Scene]:
    count = {"alone": 2, "number": 1, "position": 1}.get(kind)
    while True:
        before = suited(with_defaults(world.sample_scene(rng, held_out=True, figures=count), rng))
        if len({figure.kind for figure in before.figures}) < len(before.figures):
            continue
        change = CHANGES[kind](before, texts, rng)
        if change and change[1] != before:
            return before, *change


def changed(kind: str, before: Scene, after: Scene) -> Rule:
    """`change made`: the attributes in which the scenes differ have their new values in the second picture; of a new
    thing the place in the picture is free. `nothing else changed`: all others are as in the first picture."""
    differing, wanted = changed_attributes(before, after), values_of(after)
    new = [thing for thing in after.things if thing not in before.things]
    anywhere = kind == "add" and bool(new)

    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        first, second = (answer.first for answer in answers)
        touched = set(differing)
        if anywhere:
            slots = {slot for slot, value in second.items() if value == new[0].kind}
            made = bool(slots) and any(has_thing(second, replace(new[0], slot=slot)) for slot in slots)
            touched |= slots | {f"{slot}_colour" for slot in slots} | {"action", new[0].slot}
        else:
            made = bool(second) and shows(second, {name: wanted[name] for name in differing})
        kept = bool(first) and bool(second) and all(second[n] == first[n] for n in first if n not in touched)
        right = {"change made": made, "nothing else changed": kept}
        return {**right, "both": made and kept, f"change made, {kind}": made}

    return rule


# ---- what may change -------------------------------------------------------------------------------------------------


def _of_scene(name: str, values: tuple[str, ...]) -> Callable[[Scene, Any, random.Random], Change]:
    def change(scene: Scene, texts: Any, rng: random.Random) -> Change:
        if name == "weather" and scene.place in world.CALM_PLACES:
            return None
        value = rng.choice(
            [v for v in values if v != getattr(scene, name) and (name == "place" or v in texts)]
        )
        text = rng.choice(texts if name == "place" else texts[value])
        p = PLACES[value][0][0] if name == "place" else ""
        changes: dict[str, Any] = {name: value}
        return text.format(p=p), suited(replace(scene, **changes))

    return change


def _of_figure(name: str, values: tuple[str, ...]) -> Callable[[Scene, Any, random.Random], Change]:
    """One figure, told from the others by its kind."""

    def change(scene: Scene, texts: Any, rng: random.Random) -> Change:
        index = rng.randrange(len(scene.figures))
        old = scene.figures[index]
        if name == "action" and (scene.thing_in("hand") or old.action in world.IN_THE_PAWS):
            return None
        taken = {figure.kind for figure in scene.figures} if name == "kind" else {getattr(old, name)}
        value = rng.choice([v for v in values if v not in taken and (isinstance(texts, list) or v in texts)])
        text = rng.choice(texts if isinstance(texts, list) else texts[value])
        text = text.replace("a {a}", "{aa}").format(k=old.kind, c=value, a=value, aa=article(value))
        return text, suited(world.repaint(scene, index, **{name: value}))

    return change


def _undress(scene: Scene, texts: Any, rng: random.Random) -> Change:
    dressed = [i for i, figure in enumerate(scene.figures) if figure.wear != "none"]
    if len(dressed) != 1:
        return None
    figure = scene.figures[dressed[0]]
    return rng.choice(texts).format(w=figure.wear, k=figure.kind), world.repaint(
        scene, dressed[0], wear="none"
    )


def _add(scene: Scene, texts: Any, rng: random.Random) -> Change:
    thing = random_thing(scene, rng)
    if thing is None or len(scene.things) > 1:
        return None
    after = suited(replace(scene, things=(*scene.things, thing)))
    return rng.choice(texts).format(x=thing_words(thing)), after


def _remove(scene: Scene, texts: Any, rng: random.Random) -> Change:
    if not scene.things:
        return None
    gone = rng.choice(scene.things)
    left = tuple(thing for thing in scene.things if thing != gone)
    return rng.choice(texts).format(t=said(gone.kind)), suited(replace(scene, things=left))


def _swap(scene: Scene, texts: Any, rng: random.Random) -> Change:
    if not scene.things:
        return None
    old, new = rng.choice(scene.things), random_thing(replace(scene, things=()), rng)
    if new is None or new.slot != old.slot or new.kind in {thing.kind for thing in scene.things}:
        return None
    things = tuple(new if thing == old else thing for thing in scene.things)
    after = suited(replace(scene, things=things))
    return rng.choice(texts).format(t=said(old.kind), x=thing_words(new)), after


def _toy_colour(scene: Scene, texts: Any, rng: random.Random) -> Change:
    toys = [thing for thing in scene.things if thing.kind in TOYS]
    if not toys:
        return None
    new = replace(toys[0], colour=rng.choice([c for c in world.TOY_COLOURS if c != toys[0].colour]))
    things = tuple(new if thing == toys[0] else thing for thing in scene.things)
    return rng.choice(texts).format(t=said(new.kind), c=new.colour), replace(scene, things=things)


def _friend(scene: Scene, texts: Any, rng: random.Random) -> Change:
    if len(scene.figures) > 2:
        return None
    kind = rng.choice([k for k in world.FIGURES if k not in {figure.kind for figure in scene.figures}])
    friend = Figure(kind, rng.choice(world.COLOURS))
    words = rng.choice(texts).format(k=scene.figures[0].kind, f=article(looks(friend.colour, kind, kind)))
    return words, suited(placed(replace(scene, figures=(*scene.figures, friend))))


def _alone(scene: Scene, texts: Any, rng: random.Random) -> Change:
    gone = rng.randrange(2)
    stays, goes = scene.figures[1 - gone], scene.figures[gone]
    after = suited(replace(scene, figures=(replace(stays, position="centre"),)))
    return rng.choice(texts).format(k=stays.kind, g=goes.kind), after


def _number(scene: Scene, texts: Any, rng: random.Random) -> Change:
    if scene.thing_in("hand") or scene.thing_in("head"):
        return None
    number, (figure,) = rng.choice((2, 3)), scene.figures
    text = rng.choice(texts).format(n=NUMBERS[number], s=FIGURES[figure.kind][0])
    return text, placed(replace(scene, figures=(figure,) * number))


CHANGES: dict[str, Callable[[Scene, Any, random.Random], Change]] = {
    "time": _of_scene("time", world.TIMES),
    "weather": _of_scene("weather", world.WEATHERS),
    "place": _of_scene("place", world.PLACES),
    "colour": _of_figure("colour", world.COLOURS),
    "kind": _of_figure("kind", world.FIGURES),
    "action": _of_figure("action", world.ACTIONS),
    "mood": _of_figure("mood", world.MOODS),
    "wear": _of_figure("wear", world.WEARS),
    "undress": _undress,
    "add": _add,
    "remove": _remove,
    "swap": _swap,
    "toy_colour": _toy_colour,
    "friend": _friend,
    "alone": _alone,
    "number": _number,
    "position": _of_figure("position", world.POSITIONS),
}
