"""How a story is asked for."""

import pytest
from PIL import Image

from demo.story.writing.cast import read_cast
from demo.story.writing.premise import LAST, NEXT, Premise, StoryError, Told, conversation, request
from minigpt5 import Conversation


@pytest.mark.parametrize(
    ("premise", "words"),
    [
        (Premise("A blue rabbit"), "Tell me a story about a blue rabbit"),
        (Premise("A rabbit sees snow."), "Tell me a story. A rabbit sees snow."),
        (Premise("Tell me of a rabbit"), "Tell me of a rabbit"),
        (
            Premise("They get lost.", cast=read_cast("Pip the blue rabbit, an owl"), tone="bedtime"),
            "Tell me a bedtime story about a blue rabbit named Pip and an owl. They get lost.",
        ),
        (Premise(images=(Image.new("RGB", (8, 8)),)), NEXT),
    ],
)
def test_the_premise_becomes_a_request(premise: Premise, words: str) -> None:
    assert request(premise) == words


def test_every_scene_is_an_answer_and_the_next_request_follows() -> None:
    picture = Image.new("RGB", (8, 8))
    premise = Premise("a rabbit", scenes=3)
    chat = conversation(premise, [Told("One.", picture), Told("Two.", picture, ask="It rains")])
    assert [message.role for message in chat.messages] == ["user", "assistant", "user", "assistant", "user"]
    assert [message.text for message in chat.messages[1:]] == ["One.", "It rains", "Two.", LAST]
    assert [len(message.images) for message in chat.messages] == [0, 1, 0, 1, 0]
    assert isinstance(conversation(premise, []), Conversation)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "no premise"),
        ({"text": "x", "scenes": 1}, "scenes: got 1"),
        ({"text": "x", "scenes": 13}, "scenes: got 13"),
        ({"text": "x", "tone": "odd"}, "tone: got 'odd'"),
        ({"text": "x" * 3000}, "3000 letters"),
    ],
)
def test_what_cannot_be_told_is_refused(values: dict, why: str) -> None:
    with pytest.raises(StoryError, match=why):
        Premise(**values)
