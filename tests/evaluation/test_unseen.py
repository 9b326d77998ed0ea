"""The rules of the requests in unseen wordings: what they let pass and what not, each on its own request."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from minigpt5.conversation import ImagePart, Message, TextPart
from minigpt5.data.storybook.attributes import ATTRIBUTES, values_of
from minigpt5.data.storybook.scene import Character, Prop, Scene
from minigpt5.errors import DataError
from minigpt5.evaluation.unseen import is_sensible, read_requests
from minigpt5.generation.engine import Reply

REQUESTS = {request.text: request for request in read_requests(Path("tests/data/unseen_requests.json"))}
GREEN_MOUSE = Scene((Character("mouse", "green"),), weather="rain", prop=Prop("umbrella", "red"))
PINK_RABBIT = Scene((Character("rabbit", "pink"),))


@dataclass
class Oracle:
    """A judge that sees `scene` in every picture."""

    scene: Scene

    def name(self, pictures):
        return [values_of(self.scene) for _ in pictures]


@pytest.fixture
def sensible(picture):
    def ask(text, words, scene=None):
        parts = (TextPart(words), ImagePart(picture)) if scene else (TextPart(words),)
        answer = Reply(Message("assistant", parts), 1, "stop", 3, 0, {})
        return is_sensible(REQUESTS[text], answer, Oracle(scene))

    return ask


@pytest.mark.parametrize(
    ("scene", "right"),
    [
        (GREEN_MOUSE, True),
        (Scene((Character("mouse", "green"),), weather="rain"), False),  # no umbrella
        (Scene((Character("mouse", "green"),), weather="rain", prop=Prop("umbrella", "blue")), False),
        (Scene((Character("mouse", "green"),), prop=Prop("umbrella", "red")), False),  # no rain
        (
            Scene((*GREEN_MOUSE.characters, Character("owl", "blue")), weather="rain", prop=GREEN_MOUSE.prop),
            False,
        ),
        (None, False),
    ],
    ids=["as asked", "no toy", "another colour of it", "other weather", "one animal too many", "no picture"],
)
def test_a_picture_must_show_all_that_the_request_names_and_nobody_else(scene, right, sensible):
    text = "So I had this thought: green mouse, red umbrella, rain everywhere"
    assert sensible(text, "Here is the mouse in the rain.", scene) == right


def test_words_beside_a_right_picture_may_neither_refuse_nor_name_another_animal(sensible):
    text = "So I had this thought: green mouse, red umbrella, rain everywhere"
    assert not sensible(text, "A green frog with an umbrella.", GREEN_MOUSE)
    assert not sensible(text, "I can't draw that yet.", GREEN_MOUSE)
    assert not sensible(text, "", GREEN_MOUSE)


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("One day Mia the pink rabbit went for a walk.", True),
        ("Here is a rabbit.", False),
        ("One day Mia the pink owl went for a walk.", False),
        ("Sorry, I don't know how to tell of a rabbit yet.", False),
    ],
)
def test_a_story_is_told_about_its_hero(words, right, sensible):
    assert sensible("Compose a kids' tale, hero: pink rabbit", words, PINK_RABBIT) == right


@pytest.mark.parametrize(
    ("text", "words", "right"),
    [
        ("draw a fridge with magnets on it", "I can't draw a fridge yet. How about a pink cat?", True),
        ("draw a fridge with magnets on it", "Hello! Shall I draw something for you?", False),
        ("draw a fridge with magnets on it", "I can't draw a castle yet. How about a pink cat?", False),
        ("my hamster died this morning", "I am sorry to hear that. Would a little story help?", True),
        ("my hamster died this morning", "How nice! Shall we make a happy picture?", False),
        ("Name every place you can show", "I know the beach and the forest.", False),
        ("what's 13 squared", "I don’t know that. I only know my little picture book.", True),
        ("what's 13 squared", "Here is a picture of a blue owl.", False),
        ("I'm Gertrude, nice to meet you", "Nice to meet you, Gertrude!", True),
        ("I'm Gertrude, nice to meet you", "Nice to meet you, Emma!", False),
        ("thx a million", "You are welcome!", True),
        ("thx a million", "I only speak English.", False),
    ],
)  # fmt: skip
def test_words_must_answer_the_request_and_not_just_be_words(text, words, right, sensible):
    assert sensible(text, words) == right


def test_a_picture_where_words_were_wanted_is_wrong(sensible):
    assert not sensible("thx a million", "You are welcome!", PINK_RABBIT)


def test_all_two_hundred_requests_have_a_rule_that_can_be_kept():
    assert len(REQUESTS) == 200
    assert {request.expect for request in REQUESTS.values()} == {"draw", "story", "text"}
    for request in REQUESTS.values():
        assert all(value in ATTRIBUTES[name] for name, value in request.picture.items()), request
        assert (request.expect == "text") == (not request.picture) or request.expect == "story"
        assert request.says or request.expect == "draw", request
        assert not {phrase for group in request.says for phrase in group} & set(request.never), request


def test_a_file_without_rules_is_refused(tmp_path):
    path = tmp_path / "requests.json"
    for text in ("[", "[]", '{"phrases": {}, "requests": [{"text": "hi", "says": [["hello"]]}]}'):
        path.write_text(text)
        with pytest.raises(DataError, match=r"requests\.json: got .*expected requests and their rules"):
            read_requests(path)
