"""The measures measure: a perfect painter scores one, a blind one does not."""

import json
import random
from dataclasses import dataclass

import pytest

from minigpt5.conversation import ImagePart, Message, TextPart
from minigpt5.data.storybook.attributes import ATTRIBUTES, labels_of, values_of
from minigpt5.data.storybook.scene import Character, Prop, Scene, sample_scene
from minigpt5.evaluation.judge import AttributeJudge
from minigpt5.evaluation.obedience import _right, is_sensible, shares
from minigpt5.generation.engine import Reply

SCENE = Scene((Character("cat", "pink", "jumping", "left"),), "forest", "night", "snow", Prop("kite", "red"))


@dataclass
class Oracle:
    """A judge that sees `values` in every picture."""

    values: dict

    def name(self, pictures):
        return [self.values for _ in pictures]


def reply(*parts):
    return Reply(Message("assistant", parts), 1, "stop", 3, 0, {})


def test_a_picture_that_shows_the_scene_is_right_in_everything(picture):
    right = _right(SCENE, reply(ImagePart(picture)), Oracle(values_of(SCENE)))
    assert set(right) >= {"animal", "colour", "position", "prop_colour"}
    assert all(right.values())


def test_one_wrong_attribute_spoils_everything_but_the_others(picture):
    right = _right(SCENE, reply(ImagePart(picture)), Oracle({**values_of(SCENE), "weather": "rain"}))
    assert not right["weather"]
    assert not right["everything"]
    assert right["animal"]


def test_both_characters_are_right_only_when_each_is_what_was_asked_for(picture):
    two = Scene((Character("cat", "pink", position="left"), Character("owl", "blue", position="right")))
    swapped = {**values_of(two), "animal": "owl", "second_animal": "cat"}
    for seen, expected in ((values_of(two), True), (swapped, False)):
        assert _right(two, reply(ImagePart(picture)), Oracle(seen))["both characters"] == expected


def test_a_reply_without_a_picture_is_wrong_in_every_attribute():
    right = _right(SCENE, reply(TextPart("no")), Oracle({}))
    assert not any(right.values())


@pytest.mark.parametrize(
    ("expect", "with_picture", "sensible"),
    [
        ("text", False, True),
        ("text", True, False),
        ("draw", True, True),
        ("draw", False, False),
        ("story", True, True),
    ],
)
def test_a_request_is_answered_sensibly_when_it_gets_what_it_asks_for(
    picture, expect, with_picture, sensible
):
    parts = (TextPart("Here."), ImagePart(picture)) if with_picture else (TextPart("Here."),)
    request = {"text": "", "expect": expect, "animal": "cat", "colour": None}
    assert is_sensible(request, reply(*parts), Oracle(values_of(SCENE))) == sensible


def test_a_picture_of_another_animal_than_the_named_one_is_not_sensible(picture):
    request = {"text": "", "expect": "draw", "animal": "dog", "colour": None}
    assert not is_sensible(request, reply(TextPart("Here."), ImagePart(picture)), Oracle(values_of(SCENE)))


def test_shares_count_only_the_trials_that_have_the_name():
    trials = [type("T", (), {"right": r})() for r in ({"a": True}, {"a": False, "b": True})]
    assert shares(trials) == {"a": 0.5, "b": 1.0}


def test_labels_are_the_class_numbers_of_the_values():
    scene = sample_scene(random.Random(3))
    for number, (name, classes) in zip(labels_of(scene), ATTRIBUTES.items(), strict=True):
        assert classes[number] == values_of(scene)[name]


def test_an_untrained_judge_names_every_attribute_with_a_known_class(picture):
    (named,) = AttributeJudge().eval().name([picture])
    assert all(named[name] in classes for name, classes in ATTRIBUTES.items())


def test_the_list_of_unseen_requests_is_two_hundred_distinct_ones(pytestconfig):
    requests = json.loads((pytestconfig.rootpath / "tests/data/unseen_requests.json").read_text())
    assert len({request["text"] for request in requests}) == 200
    assert {request["expect"] for request in requests} == {"draw", "story", "text"}
