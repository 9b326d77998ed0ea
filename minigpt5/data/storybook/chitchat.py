"""Friendly small talk, alone or after a picture or a story; the replies have no pictures."""

from __future__ import annotations

import random

from minigpt5.data.storybook import chat_words as cw
from minigpt5.data.storybook import scene as sc
from minigpt5.data.storybook.dialogs import opening
from minigpt5.data.storybook.stories import any_story, story_request
from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.turns import Document, Picture, Turn, assistant, user
from minigpt5.data.storybook.words import NAMES, PLURALS, article, fix_articles

MORE_NAMES = ("Tom", "Emma", "Noah", "Olivia", "Liam", "Sophie", "Lucas", "Marie", "Paul", "Laura", "Ahmed",
    "Yuki", "Carlos", "Priya", "Kim",
              "Peter", "Susan", "David", "Sara", "Ali", "Jana", "Lars", "Ines", "Mark", "Julia", "Omar",
              "Wei", "Lea", "Bob", "Alice")  # fmt: skip


def _exchange(rng: random.Random) -> tuple[Turn, Turn]:
    if rng.random() < 0.12:
        return _animal_talk(rng)
    said, replies = rng.choice(cw.TALK)
    text = rng.choice(said)
    if rng.random() < 0.25 and text[-1] not in "?!.":
        text += rng.choice((".", "!", "..", " :)"))
    return user(typed(text, rng)), assistant(rng.choice(replies))


def _animal_talk(rng: random.Random) -> tuple[Turn, Turn]:
    """Words about animals and colours that ask for no picture."""
    first, second = rng.sample(sc.ANIMALS, 2)
    colour = rng.choice(sc.ANIMAL_COLOURS)
    text = (
        rng.choice(cw.ANIMAL_TALK)
        .format(a=first, s=PLURALS[first], b=second, c=colour)
        .replace("mouses", "mice")
    )
    reply = rng.choice(cw.ANIMAL_TALK_REPLIES).format(a=first, s=PLURALS[first], c=colour)
    return user(typed(fix_articles(text), rng)), assistant(fix_articles(reply))


def _name_exchange(rng: random.Random) -> list[Turn]:
    name = rng.choice(MORE_NAMES + NAMES["he"] + NAMES["she"])
    said = rng.choice(cw.MY_NAME).format(n=name if rng.random() < 0.8 else name.lower())
    turns = [user(said), assistant(rng.choice(cw.NAME_REPLIES).format(n=name))]
    if rng.random() < 0.35:
        reply = rng.choice(("Your name is {n}.", "You are {n}!", "You told me that you are {n}.")).format(
            n=name
        )
        turns += [user(typed(rng.choice(cw.ASK_NAME), rng)), assistant(reply)]
    elif rng.random() < 0.1:
        turns = [user(rng.choice(cw.ASK_NAME)), assistant("You have not told me your name yet. What is it?")]
    return turns


def after_picture(rng: random.Random, held_out: bool = False) -> Document:
    """A comment on the picture just drawn."""
    turns: list[Turn] = [*opening(rng, held_out)]
    said: tuple[str, ...]
    replies: tuple[str, ...]
    first = turns[-1].pictures[0].scene.characters[0]
    roll = rng.random()
    if roll < 0.55:
        said, replies = cw.PRAISE, cw.PRAISE_REPLIES
    elif roll < 0.8:
        said, replies = cw.COMPLAINTS, cw.COMPLAINT_REPLIES
    else:
        return Document((*turns, *_exchange(rng)), "chat")
    text = fix_articles(rng.choice(said).format(a=first.animal))
    reply = rng.choice(replies).format(a=first.animal, c=first.colour)
    return Document((*turns, user(typed(text, rng)), assistant(reply)), "chat")


def after_story(rng: random.Random, held_out: bool = False) -> Document:
    """A comment on a story, or a question about its hero."""
    cast, told = any_story(rng)
    text, scene = told[0]
    turns = [user(typed(story_request(cast, told, rng), rng)), assistant(text, Picture(scene))]
    who = article(f"{cast.hero.colour} {cast.hero.animal}")
    if rng.random() < 0.5:
        wrong = rng.choice(sc.ANIMALS)
        said = fix_articles(rng.choice(cw.WHO_IS).format(n=cast.name, w=wrong))
        lead = "" if not said.startswith("Is ") else "Yes, " if wrong == cast.hero.animal else "No, "
        reply = f"{lead}{cast.name} is {who}."
    else:
        said = rng.choice(cw.STORY_PRAISE).format(n=cast.name)
        reply = rng.choice(cw.STORY_PRAISE_REPLIES).format(n=cast.name)
    return Document((*turns, user(typed(said, rng)), assistant(reply)), "chat")


def example(rng: random.Random, held_out: bool = False) -> Document:
    """Small talk of one to three exchanges; now and then a request for a picture comes after."""
    roll = rng.random()
    if roll < 0.25:
        return after_picture(rng, held_out)
    if roll < 0.35:
        return after_story(rng, held_out)
    if roll < 0.42:
        return Document(tuple(_name_exchange(rng)), "chat")
    turns: list[Turn] = []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        turns += _exchange(rng)
    if rng.random() < 0.2:
        turns += opening(rng, held_out)
    return Document(tuple(turns), "chat")
