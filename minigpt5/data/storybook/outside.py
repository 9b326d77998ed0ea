"""Requests beyond the picture book's world: honest answers in words, with something that it can do."""

from __future__ import annotations

import random
import string

from minigpt5.data.storybook import outside_words as ow
from minigpt5.data.storybook import scene as sc
from minigpt5.data.storybook.captions import phrase
from minigpt5.data.storybook.dialogs import frame, opening
from minigpt5.data.storybook.edit_words import ANIMAL_EDITS, COLOUR_EDITS, PROP_EDITS, SETTING_EDITS
from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.turns import Document, assistant, user
from minigpt5.data.storybook.words import ANIMAL_WORDS, SETTING_WORDS, article, fix_articles, sentence


def _animal(rng: random.Random) -> str:
    return article(f"{rng.choice(sc.ANIMAL_COLOURS)} {rng.choice(sc.ANIMALS)}")


def _place(rng: random.Random) -> str:
    return SETTING_WORDS[rng.choice(sc.SETTINGS)][0]


def _offer(rng: random.Random, best: str = "") -> str:
    first = best or _animal(rng)
    return rng.choice(ow.OFFERS).format(x=first, y=_animal(rng), p=_place(rng))


def _known(thing: str) -> bool:
    return thing[0].isupper() or thing.split(" ")[0] in ("my", "me", "yourself", "the", "nothing", "a")


def _tail(rng: random.Random) -> str:
    """At times, more of a scene around the unknown thing."""
    if rng.random() < 0.65:
        return ""
    return " " + phrase(sc.random_scene(rng, 1), rng).split(" ", 3)[-1]


def thing(rng: random.Random) -> tuple[str, str]:
    """ "Draw a car": can't."""
    name = rng.choice(ow.THINGS)
    words = name if _known(name) else article(name)
    if rng.random() < 0.25 and not _known(name):
        words = article(f"{rng.choice((*ow.FAR_COLOURS, *sc.ANIMAL_COLOURS))} {name}")
    place = f" {_place(rng)}" if rng.random() < 0.25 else ""
    said = "that" if words in ("me", "yourself", "nothing") or words.startswith("my ") else words
    cannot = rng.choice(ow.CANNOT_DRAW).format(t=said, T=sentence(said, " ").rstrip())
    return frame(words + place, rng), f"{cannot} {_offer(rng)}"


def unknown_animal(rng: random.Random) -> tuple[str, str]:
    """ "Draw a lion": offers the nearest animal."""
    name = rng.choice(list(ow.NEAR_ANIMALS))
    colour, near = ow.NEAR_ANIMALS[name]
    said = article(name)
    words = (
        said
        if rng.random() < 0.5
        else article(f"{rng.choice((*sc.ANIMAL_COLOURS, 'big', 'little', 'cute'))} {name}")
    )
    cannot = rng.choice(ow.CANNOT_DRAW).format(t=said, T=sentence(said, " ").rstrip())
    return frame(words + _tail(rng), rng), f"{cannot} {_offer(rng, article(f'{colour} {near}'))}"


def unknown_colour(rng: random.Random) -> tuple[str, str]:
    """ "A red rabbit": offers a near colour."""
    colour = rng.choice(("red", "red", "black", "white", "grey", *ow.FAR_COLOURS))
    animal = rng.choice(sc.ANIMALS)
    called = animal if rng.random() < 0.7 else rng.choice(ANIMAL_WORDS[animal])
    near = ow.FAR_COLOURS[colour]
    reply = rng.choice(ow.COLOUR_REPLIES).format(
        c=colour, C=colour.capitalize(), n=near, x=article(f"{near} {animal}")
    )
    return frame(article(f"{colour} {called}") + _tail(rng), rng), reply


def unknown_detail(rng: random.Random) -> tuple[str, str]:
    """ "A blue rabbit in space": an unknown place, action or thing to hold."""
    replies: tuple[str, ...]
    who = _animal(rng)
    kind = rng.randrange(3)
    if kind == 0:
        far = rng.choice(ow.FAR_PLACES)
        replies, words = ow.PLACE_REPLIES, f"{who} {far}"
    elif kind == 1:
        far = rng.choice(ow.FAR_ACTIONS)
        replies, words = ow.ACTION_REPLIES, f"{who} {far}"
    else:
        far = rng.choice(ow.FAR_PROPS)
        replies, words = (
            ow.PROP_REPLIES,
            f"{who} {rng.choice(('with', 'holding', 'wearing', 'carrying'))} {article(far)}",
        )
    reply = rng.choice(replies).format(
        x=who, f=far, p=_place(rng), g=rng.choice(sc.ACTIONS), k=rng.choice(sc.PROPS)
    )
    return frame(words, rng), _an(reply)


def question(rng: random.Random) -> tuple[str, str]:
    """Facts, news, sums and chores."""
    if rng.random() < 0.6:
        return rng.choice(ow.QUESTIONS), f"{rng.choice(ow.CANNOT)} {_offer(rng)}"
    name = rng.choice(ow.THINGS)
    topic = rng.choice(ow.TOPICS) if rng.random() < 0.7 else (name if _known(name) else article(name))
    if rng.random() < 0.1:
        a, b = rng.randint(1, 99), rng.randint(1, 99)
        return (
            f"{rng.choice(('What is', 'Calculate', 'whats', 'Solve', ''))} {a} {rng.choice('+-*/')} "
            f"{b}".strip(),
            f"{rng.choice(ow.CANNOT)} {_offer(rng)}",
        )
    return rng.choice(ow.TOPIC_FRAMES).format(t=topic), f"{rng.choice(ow.CANNOT)} {_offer(rng)}"


def foreign(rng: random.Random) -> tuple[str, str]:
    """Other languages."""
    return rng.choice(ow.FOREIGN), rng.choice(ow.FOREIGN_REPLIES).format(x=_animal(rng))


def far_change(rng: random.Random) -> Document:
    """A change to the picture before that cannot be made."""
    replies: tuple[str, ...]
    turns = [*opening(rng, characters=1)]
    first = turns[-1].pictures[0].scene.characters[0]
    kind = rng.randrange(4)
    if kind == 0:
        colour = rng.choice(("red", "black", "white", "grey", *ow.FAR_COLOURS))
        near = ow.FAR_COLOURS[colour]
        text = rng.choice(COLOUR_EDITS).format(c=colour, a=first.animal, him="it")
        replies, blanks = (
            ow.COLOUR_REPLIES,
            {"c": colour, "C": colour.capitalize(), "n": near, "x": article(f"{near} {first.animal}")},
        )
    elif kind == 1:
        name = rng.choice(list(ow.NEAR_ANIMALS))
        near = article(" ".join(ow.NEAR_ANIMALS[name]))
        text = fix_articles(rng.choice(ANIMAL_EDITS).format(a=name, o=first.animal))
        replies, blanks = ow.ANIMAL_REPLIES, {"t": article(name), "x": near}
    elif kind == 2:
        far = rng.choice(ow.FAR_PLACES)
        text = rng.choice(SETTING_EDITS).format(p=far, a=first.animal, him="it")
        replies, blanks = (
            ow.PLACE_REPLIES,
            {"x": article(f"{first.colour} {first.animal}"), "p": _place(rng), "f": far},
        )
    else:
        far = rng.choice(ow.FAR_PROPS)
        text = rng.choice(PROP_EDITS).format(p=article(far), a=first.animal, him="it")
        replies, blanks = (
            ow.PROP_REPLIES,
            {"x": article(f"{first.colour} {first.animal}"), "f": far, "k": rng.choice(sc.PROPS)},
        )
    reply = fix_articles(rng.choice(replies).format(**blanks))
    return Document((*turns, user(typed(text, rng)), assistant(_an(reply))), "outside")


def _an(text: str) -> str:
    for word in ("apple", "ice cream"):
        text = text.replace(f"A {word}", f"An {word}").replace(f" a {word}", f" an {word}")
    return text


def gibberish(rng: random.Random) -> tuple[str, str]:
    """Keys pressed at random, lone marks and numbers."""
    kind = rng.randrange(4)
    if kind == 0:
        text = "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(4, 14)))
    elif kind == 1:
        text = " ".join(
            "".join(rng.choice("asdfghjklqwe") for _ in range(rng.randint(2, 7)))
            for _ in range(rng.randint(2, 4))
        )
    elif kind == 2:
        text = rng.choice("!.*-_=+@%&") * rng.randint(1, 6)
    else:
        text = "".join(rng.choice(string.digits + string.punctuation) for _ in range(rng.randint(2, 9)))
    return text, rng.choice(ow.GIBBERISH_REPLIES).format(x=_animal(rng))


_FORMS = (thing, unknown_animal, unknown_colour, unknown_detail, question, foreign, gibberish)


def example(rng: random.Random, held_out: bool = False) -> Document:
    """One request beyond the world, sometimes within a dialogue about known things."""
    if rng.random() < 0.1 and not held_out:
        return far_change(rng)
    form = rng.choices(_FORMS, (22, 17, 15, 14, 22, 6, 4))[0]
    text, reply = form(rng)
    turns = [
        user(typed(text, rng) if form not in (foreign, gibberish) else text),
        assistant(fix_articles(reply)),
    ]
    if rng.random() < 0.12:
        turns = [*opening(rng), *turns]
    if rng.random() < 0.12 or (held_out and len(turns) > 2):
        turns = [*turns, *opening(rng, held_out)]
    return Document(tuple(turns), "outside")
