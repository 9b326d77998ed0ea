"""Changes to the last picture: each changes what was asked and nothing else; and the replies that draw them.

An edit function takes a scene and returns the request and the new scene, or None where it does not apply.
"""

import random
from collections.abc import Callable
from dataclasses import replace

from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.phrases import describe, linked, suited, thing_words
from minigpt5.data.storybook.texts.turns import Picture, Turn, assistant, user
from minigpt5.data.storybook.texts.words.edits import (
    ACTION_EDITS,
    ALONE_EDITS,
    ANOTHER_EDITS,
    ANY_FRIEND_EDITS,
    COLOUR_EDITS,
    EDIT_BEFORE,
    FRIEND_EDITS,
    KIND_EDITS,
    MOOD_EDITS,
    MORE_EDITS,
    NO_THING_EDITS,
    NO_WEAR_EDITS,
    NO_WEATHER_EDITS,
    PLACE_EDITS,
    POSITION_EDITS,
    REPLIES,
    SURROUNDINGS_EDITS,
    SWAP_EDITS,
    THING_COLOUR_EDITS,
    THING_EDITS,
    WEAR_EDITS,
    WEATHER_EDITS,
    WEATHER_VERBS,
)
from minigpt5.data.storybook.texts.words.lexicon import (
    ACTIONS,
    COLOURS,
    FIGURES,
    MOODS,
    NUMBERS,
    PLACES,
    POSITIONS,
    TIMES,
    WEARS,
    WEATHERS,
    article,
    capital,
    looks,
    said,
)
from minigpt5.data.storybook.world import scene as sc
from minigpt5.data.storybook.world.scene import ON_THE_HEAD, Figure, Scene, Thing
from minigpt5.data.storybook.world.things import FOODS, THINGS, TOYS

Edit = tuple[str, Scene]
EditFunction = Callable[[Scene, random.Random], Edit | None]


def _blanks(scene: Scene, rng: random.Random, index: int = 0) -> dict[str, str]:
    figure = scene.figures[index]
    he = rng.choice(("it", "it", "he", "she"))
    him = {"it": "it", "he": "him", "she": "her"}[he]
    if len({f.kind for f in scene.figures}) == 1 and len(scene.figures) > 1:
        he, him = "they", "them"
    kind = figure.kind if rng.random() < 0.7 else rng.choice(FIGURES[figure.kind][1])
    return {"k": kind, "he": he, "him": him, "He": he.capitalize(), "o": figure.colour}


def _other(options: tuple[str, ...], old: str, rng: random.Random) -> str:
    return rng.choice([option for option in options if option != old])


def _all_alike(scene: Scene) -> bool:
    return len({replace(f, position="") for f in scene.figures}) == 1


def _each(scene: Scene, changes: dict[str, str], index: int | None = None) -> Scene:
    """The figures (or the one of that index) with `changes`."""
    cast = tuple(
        replace(f, **changes) if index is None or place == index else f
        for place, f in enumerate(scene.figures)
    )
    return suited(replace(scene, figures=cast))


def _time(scene: Scene, rng: random.Random) -> Edit:
    new = _other(sc.TIMES, scene.time, rng)
    phrases, names, _ = TIMES[new]
    text = rng.choice(SURROUNDINGS_EDITS).format(p=_mostly_first(phrases, rng), n=rng.choice(names))
    return text, replace(scene, time=new)


def _mostly_first(words: tuple[str, ...], rng: random.Random) -> str:
    return words[0] if rng.random() < 0.4 else rng.choice(words)


def _weather(scene: Scene, rng: random.Random) -> Edit | None:
    if scene.place in ("space", "undersea"):
        return None
    new = _other(sc.WEATHERS, scene.weather, rng)
    phrases, names, _, _ = WEATHERS[new]
    if new == "clear":
        name = rng.choice(WEATHERS[scene.weather][1][:1])
        return rng.choice(NO_WEATHER_EDITS).format(n=name), replace(scene, weather=new)
    if rng.random() < 0.5:
        verbs = WEATHER_VERBS.get(new, (f"be {names[1]}", f"is {names[1]}"))
        text = rng.choice(WEATHER_EDITS).format(b=verbs[0], t=verbs[1], n=names[0])
        return text.replace("Make it be ", "Make it "), replace(scene, weather=new)
    text = rng.choice(SURROUNDINGS_EDITS).format(p=_mostly_first(phrases, rng), n=rng.choice(names))
    return text, replace(scene, weather=new)


def _place(scene: Scene, rng: random.Random) -> Edit:
    new = _other(sc.PLACES, scene.place, rng)
    phrases, way, noun = PLACES[new]
    forms = SURROUNDINGS_EDITS if rng.random() < 0.5 else PLACE_EDITS
    name = phrases[0] if "{n}" in forms else noun
    text = rng.choice(forms).format(
        p=_mostly_first(phrases, rng), n=f"the {name}", to=way, **_blanks(scene, rng)
    )
    return text, suited(replace(scene, place=new))


def _colour(scene: Scene, rng: random.Random) -> Edit | None:
    index = _whom(scene, rng)
    if index is None:
        return None
    old = scene.figures[index].colour
    new = _other(sc.COLOURS, old, rng)
    words = new if rng.random() < 0.8 else rng.choice(COLOURS[new])
    forms = [f for f in COLOUR_EDITS if len(scene.figures) == 1 or "{k}" in f]
    if _all_alike(scene):
        forms = [f for f in COLOUR_EDITS if "{k}" not in f and " one" not in f]
        return rng.choice(forms).format(c=words, **_blanks(scene, rng)), _each(scene, {"colour": new})
    return rng.choice(forms).format(c=words, **_blanks(scene, rng, index)), _each(
        scene, {"colour": new}, index
    )


def _whom(scene: Scene, rng: random.Random) -> int | None:
    """Which figure can be told from the others by its kind; 0 when all are alike."""
    if _all_alike(scene):
        return 0
    kinds = [f.kind for f in scene.figures]
    single = [i for i, kind in enumerate(kinds) if kinds.count(kind) == 1]
    return rng.choice(single) if single else None


def _kind(scene: Scene, rng: random.Random) -> Edit | None:
    index = _whom(scene, rng)
    if index is None or (_all_alike(scene) and len(scene.figures) > 1):
        return None
    new = rng.choice([k for k in sc.FIGURES if k not in {f.kind for f in scene.figures}])
    word = new if rng.random() < 0.7 else rng.choice(FIGURES[new][1])
    forms = [f for f in KIND_EDITS if len(scene.figures) == 1 or "{k}" in f]
    text = (
        rng.choice(forms)
        .format(a=word, **_blanks(scene, rng, index))
        .replace(f" a {word}", f" {article(word)}")
    )
    return text, _each(scene, {"kind": new}, index)


def _position(scene: Scene, rng: random.Random) -> Edit | None:
    if len(scene.figures) > 1:
        return None
    new = _other(sc.POSITIONS, scene.figures[0].position, rng)
    text = rng.choice(POSITION_EDITS).format(p=_mostly_first(POSITIONS[new], rng), **_blanks(scene, rng))
    return text, _each(scene, {"position": new})


def _attribute(scene: Scene, rng: random.Random, name: str, new: str, text: str) -> Edit | None:
    """A change of action, mood or wear, of the one that is named or of all that are alike."""
    index = _whom(scene, rng)
    if index is None:
        return None
    one = len(scene.figures) > 1 and not _all_alike(scene)
    if one:
        if "{k}" not in text:
            return None
        return text.format(**_blanks(scene, rng, index)), _each(scene, {name: new}, index)
    return text.format(**_blanks(scene, rng)), _each(scene, {name: new})


def _action(scene: Scene, rng: random.Random) -> Edit | None:
    new = _other(sc.ACTIONS, scene.figures[0].action, rng)
    if new in sc.IN_THE_PAWS or scene.thing_in("hand"):
        return None
    base, third, _, doing = ACTIONS[new]
    text = (
        rng.choice(ACTION_EDITS)
        .replace("{v}", base)
        .replace("{s}", third)
        .replace("{g}", _mostly_first(doing, rng))
    )
    edit = _attribute(scene, rng, "action", new, text)
    return (edit[0].replace("they " + third, "they " + base), edit[1]) if edit else None


def _mood(scene: Scene, rng: random.Random) -> Edit | None:
    new = _other(sc.MOODS, scene.figures[0].mood, rng)
    word = new if rng.random() < 0.6 else rng.choice(MOODS[new])
    return _attribute(scene, rng, "mood", new, rng.choice(MOOD_EDITS).replace("{m}", word))


def _wear(scene: Scene, rng: random.Random) -> Edit | None:
    old = scene.figures[0].wear
    if old != "none" and rng.random() < 0.5:
        return _attribute(scene, rng, "wear", "none", rng.choice(NO_WEAR_EDITS).replace("{w}", old))
    new = rng.choice([w for w in sc.WEARS if w not in ("none", old)])
    return _attribute(scene, rng, "wear", new, rng.choice(WEAR_EDITS).replace("{w}", rng.choice(WEARS[new])))


def random_thing(scene: Scene, rng: random.Random) -> Thing | None:
    """A thing for a slot that is free, most often in its kind's usual slot."""
    kind = rng.choice(list(THINGS)) if rng.random() < 0.75 else rng.choice(TOYS)
    slots = THINGS[kind].slots
    slot = slots[0] if rng.random() < 0.7 else rng.choice(slots)
    if slot == "hand" and scene.figures[0].action != "standing":
        slot = "beside"
    if scene.thing_in(slot) or kind in {t.kind for t in scene.things}:
        return None
    if slot == "head" and scene.figures[0].wear in ON_THE_HEAD:
        return None
    return Thing(kind, slot, rng.choice(sc.TOY_COLOURS) if kind in TOYS else "")


def _add_thing(scene: Scene, rng: random.Random) -> Edit | None:
    thing = random_thing(scene, rng)
    if thing is None or len(scene.things) >= 2:
        return None
    usual = THINGS[thing.kind].slots[0] in (thing.slot, "hand")
    words = thing_words(thing) if usual and rng.random() < 0.7 else linked(thing, rng)
    for link in ("with ", "and ", "plus ", "together with "):
        words = words.removeprefix(link)
    if words.startswith(("next", "beside", "near", "under", "in front", "holding", "carrying", "who")):
        words = thing_words(thing) + {"sky": " in the sky", "behind": " behind it", "beside": " beside it",
                                      "hand": " in its hand", "head": " on its head"}[thing.slot]  # fmt: skip
    text = rng.choice(THING_EDITS).format(p=words, **_blanks(scene, rng))
    return text, suited(replace(scene, things=(*scene.things, thing)))


def _remove_thing(scene: Scene, rng: random.Random) -> Edit | None:
    if not scene.things:
        return None
    gone = rng.choice(scene.things)
    text = rng.choice(NO_THING_EDITS).format(t=said(gone.kind))
    return text, suited(replace(scene, things=tuple(t for t in scene.things if t != gone)))


def _swap_thing(scene: Scene, rng: random.Random) -> Edit | None:
    if not scene.things:
        return None
    old = rng.choice(scene.things)
    eaten = any(f.action == "eating" for f in scene.figures) and old.slot == "hand"
    fits = FOODS if eaten else [k for k, t in THINGS.items() if old.slot in t.slots]
    fits = [k for k in fits if k not in {x.kind for x in scene.things}]
    kind = rng.choice(fits)
    new = Thing(kind, old.slot, rng.choice(sc.TOY_COLOURS) if kind in TOYS else "")
    text = rng.choice(SWAP_EDITS).format(t=said(old.kind), p=thing_words(new))
    return text, replace(scene, things=tuple(new if t == old else t for t in scene.things))


def _thing_colour(scene: Scene, rng: random.Random) -> Edit | None:
    toys = [t for t in scene.things if t.colour]
    if not toys:
        return None
    old = rng.choice(toys)
    new = replace(old, colour=_other(sc.TOY_COLOURS, old.colour, rng))
    text = rng.choice(THING_COLOUR_EDITS).format(t=said(old.kind), c=new.colour)
    return text, replace(scene, things=tuple(new if t == old else t for t in scene.things))


def _friend(scene: Scene, rng: random.Random) -> Edit | None:
    if len(scene.figures) >= 3:
        return None
    kind = rng.choice([k for k in sc.FIGURES if k not in {f.kind for f in scene.figures}])
    friend = Figure(kind, rng.choice([c for c in sc.COLOURS if c not in {f.colour for f in scene.figures}]))
    if rng.random() < 0.15 and len(scene.figures) == 1:
        text = rng.choice(ANY_FRIEND_EDITS).format(**_blanks(scene, rng))
    else:
        text = rng.choice(FRIEND_EDITS).format(f=article(looks(friend.colour, friend.kind, friend.kind)))
    return text, placed(replace(scene, figures=(*scene.figures, friend)))


def placed(scene: Scene) -> Scene:
    """The scene with its figures at the places that their number asks for."""
    places = {1: ("centre",), 2: ("left", "right"), 3: ("left", "centre", "right")}[len(scene.figures)]
    if len(scene.figures) == 1:
        return scene
    cast = (replace(f, position=place) for f, place in zip(scene.figures, places, strict=True))
    return replace(scene, figures=tuple(cast))


def _alone(scene: Scene, rng: random.Random) -> Edit | None:
    index = _whom(scene, rng)
    if index is None or len(scene.figures) != 2 or _all_alike(scene):
        return None
    gone, stays = scene.figures[index], scene.figures[1 - index]
    text = rng.choice(ALONE_EDITS).format(f=gone.kind, k=stays.kind)
    return text, suited(replace(scene, figures=(replace(stays, position="centre"),)))


def _number(scene: Scene, rng: random.Random) -> Edit | None:
    if len({(f.kind, f.colour) for f in scene.figures}) > 1:
        return None
    count = rng.choice([n for n in (1, 2, 3) if n != len(scene.figures)])
    if scene.thing_in("hand"):
        return None
    first = replace(scene.figures[0], position="centre")
    plural = FIGURES[first.kind][0]
    number = NUMBERS[count] if rng.random() < 0.7 else str(count)
    if count == 1:
        return f"{rng.choice(('Only one', 'Just one', 'One'))} {first.kind}", replace(scene, figures=(first,))
    text = rng.choice(MORE_EDITS).format(n=number, N=number.capitalize(), s=plural)
    return text, placed(replace(scene, figures=(first,) * count))


def _another(scene: Scene, rng: random.Random) -> Edit:
    """Another picture of the same cast."""
    other = sc.random_scene(rng, len(scene.figures))
    cast = tuple(
        replace(new, kind=old.kind, colour=old.colour)
        for new, old in zip(other.figures, scene.figures, strict=True)
    )
    return rng.choice(ANOTHER_EDITS), suited(replace(other, figures=cast))


EDITS: dict[EditFunction, int] = {
    _time: 15, _weather: 14, _place: 15, _colour: 13, _kind: 7, _position: 5, _action: 12, _mood: 8, _wear: 8,
    _add_thing: 16, _remove_thing: 8, _swap_thing: 5, _thing_colour: 6, _friend: 8, _alone: 4, _number: 5,
    _another: 4,
}  # fmt: skip
_FUNCTIONS, _WEIGHTS = list(EDITS), list(EDITS.values())


def edit(scene: Scene, rng: random.Random, held_out: bool = False) -> tuple[Turn, Turn] | None:
    """One change to the scene as two turns, one time in eight two at once; None if no try stayed in the asked
    half of the split."""
    for _ in range(20):
        asked = change(scene, rng)
        if asked is None or asked[1].held_out != held_out or asked[1] == scene:
            continue
        text, new = asked
        if rng.random() < 0.12:
            more = change(new, rng)
            if more and more[1].held_out == held_out and more[1] not in (scene, new):
                link = rng.choice((" and ", ". ", ", and ", ". Then "))
                text, new = text.rstrip("?.!") + link + more[0][:1].lower() + more[0][1:], more[1]
        if rng.random() < 0.12:
            text = f"{rng.choice(EDIT_BEFORE)} {text}"
        words = describe(new)
        reply = rng.choice(REPLIES).format(x=words, X=capital(words))
        return user(typed(capital(text) if rng.random() < 0.6 else text, rng)), assistant(reply, Picture(new))
    return None


def change(scene: Scene, rng: random.Random) -> Edit | None:
    """One change: the request and the scene that it makes."""
    return rng.choices(_FUNCTIONS, _WEIGHTS)[0](scene, rng)
