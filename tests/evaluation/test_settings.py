"""The settings: what of a sample is asked for, what is shown, and samples that keep the split."""

import random

import pytest
from PIL import Image

from minigpt5.conversation import Conversation, Message
from minigpt5.evaluation.samples import held_out_story, storybook_samples
from minigpt5.evaluation.settings import SETTINGS, Setting, own_history, restrict, tasks_of

PICTURE = Image.new("RGB", (8, 8), "red")
STORY = Conversation().user("Once.", PICTURE, "Next?").assistant("Then.", PICTURE).user("Next?")
TRUTH = Conversation().assistant("Last.", PICTURE).messages[0]


def setting(**changes) -> Setting:
    return Setting("name", "title", "told", ("MiniGPT-5",), **changes)


def shape(message: Message) -> list[str]:
    return [getattr(part, "text", "picture") for part in message.parts]


def test_the_last_reply_alone_is_asked_for_or_each_of_them():
    (last,) = tasks_of(setting(), [(STORY, TRUTH)])
    (steps,) = tasks_of(setting(steps="true history"), [(STORY, TRUTH)])
    assert [task.truth.text for task in last] == ["Last."]
    assert [task.truth.text for task in steps] == ["Then.", "Last."]
    assert [len(task.history.messages) for task in steps] == [1, 3]
    assert len({task.id for task in steps}) == 2


def test_own_replies_take_the_place_of_the_true_ones():
    (steps,) = tasks_of(setting(steps="own history"), [(STORY, TRUTH)])
    own = Conversation().assistant("Mine.").messages[0]
    history = own_history(steps[1], [own]).history
    assert [m.text for m in history.messages] == ["Once. Next?", "Mine.", "Next?"]


@pytest.mark.parametrize(
    ("context", "first", "second"),
    [
        ("text", ["Once.", "Next?"], ["Then."]),
        ("images", ["picture"], ["picture"]),
        ("both", ["Once.", "picture", "Next?"], ["Then.", "picture"]),
    ],
)
def test_a_context_shows_its_kind_of_part(context, first, second):
    messages = restrict(STORY, context).messages
    assert [shape(m) for m in messages] == [first, second, ["Next?"]]


def test_no_context_leaves_the_request():
    assert [shape(m) for m in restrict(STORY, "none").messages] == [["Next?"]]


def test_every_setting_has_a_name_of_its_own_and_samples():
    assert len({s.name for s in SETTINGS}) == len(SETTINGS)
    for source in {s.source for s in SETTINGS}:
        (history, truth), again = *storybook_samples(source, 1, 32), next(storybook_samples(source, 2, 32))
        assert truth.role == "assistant"
        assert history.messages[-1].role == "user"
        assert again[1].text == truth.text


def test_stories_end_in_a_combination_that_training_never_saw():
    for seed in range(8):
        told = held_out_story(random.Random(seed))
        assert [scene.held_out for _, scene in told] == [False] * (len(told) - 1) + [True]
