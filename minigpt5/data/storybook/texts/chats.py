"""Whole training chats: exchanges of all kinds one after another, in which every turn answers what came before.

`sample` makes one; the same seed gives the same chat. With `held_out` False no picture shows a held-out scene.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from minigpt5.data.storybook.texts import languages, outside, questions, unknown
from minigpt5.data.storybook.texts.edits import edit
from minigpt5.data.storybook.texts.noise import typed
from minigpt5.data.storybook.texts.phrases import right_articles
from minigpt5.data.storybook.texts.requests import opening
from minigpt5.data.storybook.texts.story import exchanges as stories
from minigpt5.data.storybook.texts.story.bank import a_name
from minigpt5.data.storybook.texts.turns import Document, Picture, Turn, assistant, user
from minigpt5.data.storybook.texts.words.lexicon import FIGURES, looks
from minigpt5.data.storybook.texts.words.talk import (
    ANIMAL_TALK,
    ANIMAL_TALK_REPLIES,
    ASK_NAME,
    COMPLAINT_REPLIES,
    COMPLAINTS,
    MY_NAME,
    NAME_REPLIES,
    PRAISE,
    PRAISE_REPLIES,
    TALK,
)
from minigpt5.data.storybook.world import scene as sc
from minigpt5.data.storybook.world.scene import Scene


@dataclass
class _Chat:
    """A chat in the making."""

    rng: random.Random
    turns: list[Turn] = field(default_factory=list)
    name: str = ""  # the user's, once told

    def say(self, turns: list[Turn] | tuple[Turn, ...]) -> None:
        """Go on with these turns."""
        self.turns += turns

    @property
    def scenes(self) -> list[Scene]:
        """What the pictures so far show, in order."""
        return [picture.scene for turn in self.turns for picture in turn.pictures]

    @property
    def just_drawn(self) -> Scene | None:
        """The picture of the last reply."""
        pictures = self.turns[-1].pictures if self.turns else ()
        return pictures[-1].scene if pictures else None


def _draw(chat: _Chat) -> None:
    chat.say(opening(chat.rng, figures=chat.rng.choices((None, 1, 2, 3), (70, 8, 12, 10))[0]))


def _edit(chat: _Chat) -> None:
    """Changes to the last picture, which the user may have brought, or which lies some turns back."""
    rng = chat.rng
    if not chat.scenes or rng.random() < 0.12:
        if rng.random() < 0.75:
            _draw(chat)
        else:
            chat.say(questions.brought(rng)[0])
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        pair = edit(chat.scenes[-1], rng)
        if pair:
            chat.say(pair)


def _edit_brought(chat: _Chat) -> None:
    """A picture comes with the change that is wanted."""
    rng = chat.rng
    scene = sc.sample_scene(rng)
    pair = edit(scene, rng)
    if pair:
        asked, reply = pair
        parts = (Picture(scene), *asked.parts) if rng.random() < 0.6 else (*asked.parts, Picture(scene))
        chat.say((Turn("user", parts), reply))


def _question(chat: _Chat) -> None:
    rng = chat.rng
    roll = rng.random()
    if not chat.scenes and roll < 0.12:
        chat.say(questions.nothing_to_see(rng))
        return
    if roll < 0.1:
        before = sc.sample_scene(rng)
        pair = edit(before, rng)
        after = pair[1].pictures[0].scene if pair and rng.random() < 0.85 else before
        chat.say(questions.compared(before, after, rng))
    elif not chat.scenes or roll < 0.45:
        chat.say(questions.brought(rng)[0])
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        if 1 < len(chat.scenes) <= 5 and rng.random() < 0.2:
            chat.say(questions.about_earlier(chat.scenes, rng))
        elif chat.scenes:
            chat.say(questions.about(chat.scenes[-1], rng))


def _story(chat: _Chat) -> None:
    chat.say(stories.exchanges(chat.rng))


def _story_of_picture(chat: _Chat) -> None:
    """A story about who was just drawn."""
    rng = chat.rng
    if not chat.scenes or len(chat.scenes[-1].figures) > 1:
        _story(chat)
        return
    hero = chat.scenes[-1].figures[0]
    _, _, told = stories.plan(rng, hero)
    ask = rng.choice(("Tell me a story about {x}", "Now a story about {x}", "Make a story about {x}", "Tell its story",
                      "A story about it please", "tell me a story about {x}"))  # fmt: skip
    who = rng.choice(
        (f"the {hero.kind}", "it", f"the {looks(hero.colour, hero.kind, hero.kind)}", f"this {hero.kind}")
    )
    chat.say([user(typed(ask.format(x=who), rng)), assistant(told[0][0], Picture(told[0][1]))])
    for text, scene in told[1 : rng.randint(1, len(told))]:
        chat.say(
            [
                user(typed(rng.choice(stories.NEXT_REQUESTS).format(he="it"), rng)),
                assistant(text, Picture(scene)),
            ]
        )


def _unknown(chat: _Chat) -> None:
    chat.say(unknown.example(chat.rng))


def _outside(chat: _Chat) -> None:
    chat.say(outside.example(chat.rng))


def _language(chat: _Chat) -> None:
    chat.say(languages.example(chat.rng))


def _talk(chat: _Chat) -> None:
    rng = chat.rng
    said, replies = rng.choice(TALK)
    if rng.random() < 0.12:
        said, replies = _animal_talk(rng)
    text = rng.choice(said)
    if rng.random() < 0.25 and text[-1] not in "?!.":
        text += rng.choice((".", "!", "..", " :)"))
    chat.say((user(typed(text, rng)), assistant(rng.choice(replies))))


def _animal_talk(rng: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    first, second = rng.sample(sc.FIGURES, 2)
    colour = rng.choice(sc.COLOURS)
    text = rng.choice(ANIMAL_TALK).replace("{b}s", FIGURES[second][0])
    said = text.format(a=first, s=FIGURES[first][0], b=second, c=colour)
    reply = rng.choice(ANIMAL_TALK_REPLIES).format(a=first, s=FIGURES[first][0], c=colour)
    return (right_articles(said),), (right_articles(reply),)


def _names(chat: _Chat) -> None:
    """The user's name: told, asked for."""
    rng = chat.rng
    if not chat.name and rng.random() < 0.12:
        chat.say((user(rng.choice(ASK_NAME)), assistant("You have not told me your name yet. What is it?")))
        return
    if not chat.name or rng.random() < 0.2:
        chat.name = a_name(rng.choice(("he", "she")), rng)
        said = rng.choice(MY_NAME).format(n=chat.name if rng.random() < 0.75 else chat.name.lower())
        chat.say((user(said), assistant(rng.choice(NAME_REPLIES).format(n=chat.name))))
        if rng.random() < 0.5:
            return
    if len(chat.turns) < 14:
        reply = rng.choice(("Your name is {n}.", "You are {n}!", "You told me that you are {n}."))
        chat.say((user(typed(rng.choice(ASK_NAME), rng)), assistant(reply.format(n=chat.name))))


def _comment(chat: _Chat) -> None:
    """Praise or complaint about the picture just drawn."""
    rng = chat.rng
    if chat.just_drawn is None:
        _draw(chat)
    figure = chat.scenes[-1].figures[0]
    said, replies = (PRAISE, PRAISE_REPLIES) if rng.random() < 0.7 else (COMPLAINTS, COMPLAINT_REPLIES)
    text = right_articles(rng.choice(said).format(a=figure.kind))
    chat.say((user(typed(text, rng)), assistant(rng.choice(replies).format(a=figure.kind, c=figure.colour))))


_KINDS: dict[str, tuple[int, Callable[[_Chat], None]]] = {
    "draw": (24, _draw),
    "edit": (24, _edit),
    "edit_brought": (4, _edit_brought),
    "question": (14, _question),
    "story": (17, _story),
    "story_of_picture": (3, _story_of_picture),
    "unknown": (14, _unknown),
    "outside": (4, _outside),
    "language": (3, _language),
    "talk": (8, _talk),
    "names": (4, _names),
    "comment": (3, _comment),
}
KINDS = tuple(_KINDS)
_WEIGHTS = [weight for weight, _ in _KINDS.values()]
LONGEST = 20  # exchanges


def sample(rng: random.Random, kind: str | None = None) -> Document:
    """A chat of one to twenty exchanges that changes topic; or one exchange (or story) of the asked kind."""
    chat = _Chat(rng)
    if kind:
        _KINDS[kind][1](chat)
        return Document(tuple(chat.turns), kind)
    length = rng.choice((1, 1, 1, 2, 2, 3, 4, 6, 9, 12, 16, LONGEST))
    while len(chat.turns) < 2 * length:
        _KINDS[rng.choices(KINDS, _WEIGHTS)[0]][1](chat)
    return Document(tuple(chat.turns), "chat")
