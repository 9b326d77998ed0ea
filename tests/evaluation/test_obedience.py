"""The measures measure: a perfect painter scores one, a blind one does not."""

import json
import random
from dataclasses import dataclass

from minigpt5.conversation import ImagePart, Message, TextPart
from minigpt5.data.storybook.attributes import ATTRIBUTES, labels_of, values_of
from minigpt5.data.storybook.scene import Character, Prop, Scene, sample_scene
from minigpt5.evaluation.judge import AttributeJudge
from minigpt5.evaluation.obedience import Trial, _right, shares, told
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


def test_every_reply_is_kept_for_people_to_read(picture):
    kept = told([Trial("Draw a cat", reply(TextPart("Here."), ImagePart(picture)), {"sensible": True})])
    assert json.loads(kept) == {
        "asked": "Draw a cat",
        "said": "Here.",
        "pictures": 1,
        "right": {"sensible": True},
    }
