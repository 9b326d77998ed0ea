"""Words that the picture book lacks: said back, and the nearest thing that it has is drawn instead."""

import random
from dataclasses import replace
from functools import cache

from minigpt5.data.storybook.texts import wordnet
from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.phrases import (
    defaulted,
    describe,
    phrase,
    suited,
    thing_words,
    with_defaults,
)
from minigpt5.data.storybook.texts.requests import frame
from minigpt5.data.storybook.texts.turns import Picture, Turn, assistant, user
from minigpt5.data.storybook.texts.words.lexicon import ACTIONS, FIGURES, article, capital, said, with_article
from minigpt5.data.storybook.world import scene as sc
from minigpt5.data.storybook.world.scene import Scene, Thing, sample_scene
from minigpt5.data.storybook.world.things import THINGS, TOYS

COLOURS = {
    "turquoise": "blue", "cyan": "blue", "navy": "blue", "indigo": "blue", "azure": "blue", "cobalt": "blue",
    "sapphire": "blue", "aqua": "blue", "ultramarine": "blue", "denim": "blue", "teal": "green", "olive": "green",
    "emerald": "green", "mint": "green", "khaki": "green", "jade": "green", "chartreuse": "green", "moss": "green",
    "magenta": "pink", "fuchsia": "pink", "salmon": "pink", "rose-coloured": "pink", "coral": "orange",
    "apricot": "orange", "amber": "orange", "peach-coloured": "orange", "copper": "brown", "bronze": "brown",
    "beige": "brown", "tan": "brown", "chestnut": "brown", "caramel": "brown", "mahogany": "brown", "rust": "brown",
    "maroon": "red", "crimson": "red", "ruby": "red", "vermilion": "red", "burgundy": "red", "wine-red": "red",
    "mauve": "purple", "plum": "purple", "amethyst": "purple", "aubergine": "purple", "cream": "white",
    "ivory": "white", "pearl": "white", "transparent": "white", "invisible": "white", "ebony": "black",
    "charcoal": "grey", "ash-grey": "grey", "steel-grey": "grey", "platinum": "grey", "striped": "orange",
    "spotted": "brown", "rainbow-coloured": "purple", "multicoloured": "green", "checkered": "red",
    "mustard": "yellow", "sandy": "yellow", "blond": "yellow", "ochre": "yellow", "straw-coloured": "yellow",
}  # fmt: skip
NEVER_SEEN = (
    "I have never seen {t}. Here is {x} instead.", "I don't know what {t} looks like. Here is {x} instead.",
    "There is no {w} in my book yet, so here is {x}.", "I have no {w}. The nearest I have is {n}. Here is {x}.",
    "I never learned to draw {t}. How about this? Here is {x}.", "{T} is new to me. I drew {x} instead.",
    "Sorry, I can't draw {t}. But here is {x}.",
)  # fmt: skip
NO_COLOUR = ("I have no {w} paint, so here is {x}.", "I don't have {w}. Here is {x} instead.",
             "There is no {w} in my paint box. {n} is the nearest: here is {x}.")  # fmt: skip
NO_PLACE = ("I have never been to {t}. Here is {x} instead.", "I don't know {t}. Here is {x} instead.",
            "There is no {w} in my book yet, so here is {x}.")  # fmt: skip
NO_ACTION = ("My figures don't know {w} yet. Here is {x} instead.", "I can't draw {w}. Here is {x} instead.",
             "Nobody in my book is good at {w}, so here is {x}.")  # fmt: skip


@cache
def _words(table: str, held_out: bool) -> tuple[tuple[str, str], ...]:
    entries = getattr(wordnet, table)()
    return tuple((w, near) for w, near in entries.items() if wordnet.is_held_out_word(w) == held_out)


def noun(rng: random.Random, held_out: bool = False) -> tuple[str, str]:
    """A noun that the book lacks and the nearest kind; common categories are not drawn more often than rare ones."""
    return rng.choice(_words("nouns", held_out))


def example(rng: random.Random, held_out: bool = False) -> tuple[Turn, Turn]:
    """A request with an unknown noun, colour, place or action, and the reply."""
    form = rng.choices((unknown_noun, unknown_colour, unknown_place, unknown_action), (65, 11, 12, 12))[0]
    return form(rng, held_out)


def _scene(rng: random.Random) -> Scene:
    return with_defaults(sample_scene(rng, figures=1), rng)


def _reply(form: str, scene: Scene, word: str, near: str) -> Turn:
    text = form.format(t=article(word), T=capital(article(word)), w=word, n=near, x=describe(scene))
    return assistant(capital(text), Picture(scene))


def unknown_noun(rng: random.Random, held_out: bool = False) -> tuple[Turn, Turn]:
    """ "Draw a wolf in the forest": a dog in the forest."""
    while True:
        word, kind = noun(rng, held_out)
        scene, request = (_with_figure if kind in FIGURES else _with_thing)(word, kind, rng)
        if not scene.held_out:
            break
    near = with_article(kind, said(kind)) if kind in THINGS else article(kind)
    return user(typed(request, rng)), _reply(rng.choice(NEVER_SEEN), scene, word, near)


def _with_figure(word: str, kind: str, rng: random.Random) -> tuple[Scene, str]:
    scene = _scene(rng)
    scene = replace(scene, figures=(replace(scene.figures[0], kind=kind),))
    if rng.random() < 0.5:
        scene = suited(
            defaulted(scene, set(rng.sample(("place", "time", "weather", "mood"), rng.choice((0, 0, 1)))))
        )
    colour = scene.figures[0].colour
    words = phrase(scene, rng, plain=True)
    for name in (kind, *FIGURES[kind][1]):
        if f" {name}" in words:
            words = words.replace(f" {name}", f" {word}", 1)
            break
    else:
        words = article(f"{colour} {word}")
    if rng.random() < 0.65:
        words = words.replace(f"{colour} ", "", 1)
        words = article(words.split(" ", 1)[1]) if words.startswith(("a ", "an ")) else words
    return scene, frame(words, rng)


def _with_thing(word: str, kind: str, rng: random.Random) -> tuple[Scene, str]:
    slot = THINGS[kind].slots[0]
    thing = Thing(kind, slot, rng.choice(sc.TOY_COLOURS) if kind in TOYS else "")
    scene = suited(replace(_scene(rng), things=(thing,)))
    action = "holding" if slot == "hand" and rng.random() < 0.5 else scene.figures[0].action
    scene = suited(replace(scene, figures=(replace(scene.figures[0], action=action),)))
    if rng.random() < 0.6:
        bare = defaulted(scene, {"things", "action"})
        scene = replace(bare, things=(thing,))
        return scene, frame(article(word), rng)
    words = phrase(scene, rng, plain=True)
    new = words.replace(thing_words(thing), article(word), 1)
    return scene, frame(new if new != words else f"{words} with {article(word)}", rng)


def unknown_colour(rng: random.Random, held_out: bool = False) -> tuple[Turn, Turn]:
    """ "A turquoise rabbit": a blue one."""
    word = rng.choice(list(COLOURS))
    scene = _scene(rng)
    scene = replace(scene, figures=(replace(scene.figures[0], colour=COLOURS[word]),))
    if scene.held_out:
        return unknown_colour(rng, held_out)
    words = phrase(scene, rng, plain=True)
    kind = scene.figures[0].kind
    words = (
        words.replace(f"{COLOURS[word]} ", f"{word} ", 1)
        if f"{COLOURS[word]} " in words
        else article(f"{word} {kind}")
    )
    words = article(words.split(" ", 1)[1]) if words.startswith(("a ", "an ")) else words
    near = capital(COLOURS[word])
    return user(typed(frame(words, rng), rng)), _reply(rng.choice(NO_COLOUR), scene, word, near)


def unknown_place(rng: random.Random, held_out: bool = False) -> tuple[Turn, Turn]:
    """ "A rabbit in a cathedral": at the castle."""
    word, place = rng.choice(_words("places", held_out))
    scene = suited(replace(_scene(rng), place=place))
    if scene.held_out:
        return unknown_place(rng, held_out)
    words = phrase(suited(replace(scene, place="meadow")), rng, plain=True).replace(" in the meadow", "")
    where = rng.choice(("in a", "at a", "in the", "at the", "near the", "by a", "inside a")) + f" {word}"
    where = where.replace(" a ", f" {article(word).split(' ')[0]} ")
    return user(typed(frame(f"{words} {where}", rng), rng)), _reply(rng.choice(NO_PLACE), scene, word, "")


def unknown_action(rng: random.Random, held_out: bool = False) -> tuple[Turn, Turn]:
    """ "A rabbit juggling": one that jumps."""
    word, action = rng.choice(_words("verbs", held_out))
    scene = _scene(rng)
    things = tuple(t for t in scene.things if t.slot != "hand")
    bare = replace(scene, figures=(replace(scene.figures[0], action="standing"),), things=things)
    scene = replace(bare, figures=(replace(bare.figures[0], action=action),))
    words = phrase(replace(bare, things=()), rng, plain=True)
    kind = scene.figures[0].kind
    for form in ACTIONS["standing"][3][:1]:
        words = words.replace(f" {form}", "")
    words = words.replace(f" {kind}", f" {kind} {word}", 1) if f" {kind}" in words else f"{words} {word}"
    scene = replace(scene, things=())
    return user(typed(frame(words, rng), rng)), _reply(rng.choice(NO_ACTION), scene, word, "")
