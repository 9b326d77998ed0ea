"""Training chats of the wide world: what is asked, what is answered, and the pictures that go with it."""

import random

import pytest

from minigpt5.data.storybook.texts import unknown, wordnet
from minigpt5.data.storybook.texts.chats import KINDS, LONGEST, sample
from minigpt5.data.storybook.texts.edits import EDITS, edit
from minigpt5.data.storybook.texts.phrases import caption, describe, with_defaults
from minigpt5.data.storybook.texts.requests import opening
from minigpt5.data.storybook.world.scene import Scene, sample_scene, verify


@pytest.mark.parametrize("kind", KINDS)
def test_chats_of_a_kind_are_whole_and_show_training_scenes_alone(kind: str) -> None:
    for seed in range(60):
        chat = sample(random.Random(f"{kind} {seed}"), kind)
        assert [turn.role for turn in chat.messages] == ["user", "assistant"] * (len(chat.messages) // 2)
        for picture in chat.pictures:
            verify(picture.scene)
            assert not picture.scene.held_out
        for turn in chat.messages:
            assert turn.text or turn.pictures
            assert "{" not in turn.text
            assert "  " not in turn.text.strip() or turn.role == "user"


def test_the_same_seed_gives_the_same_chat_and_chats_may_be_long() -> None:
    assert sample(random.Random("x")) == sample(random.Random("x"))
    lengths = [len(sample(random.Random(seed)).messages) // 2 for seed in range(60)]
    assert max(lengths) >= LONGEST
    assert min(lengths) == 1


def test_a_reply_names_what_the_picture_shows_beyond_the_usual() -> None:
    for seed in range(100):
        _, reply = opening(random.Random(seed))
        scene = reply.pictures[0].scene
        assert describe(scene).lower() in reply.text.lower()


def test_captions_tell_scenes_apart() -> None:
    scenes = {sample_scene(random.Random(seed)) for seed in range(2000)}
    assert len({caption(scene) for scene in scenes}) == len(scenes)


def test_an_edit_changes_the_picture_and_leaves_a_scene_that_can_be_drawn() -> None:
    tried = 0
    for function in EDITS:
        for seed in range(80):
            rng = random.Random(f"{function.__name__} {seed}")
            scene = with_defaults(sample_scene(rng), rng)
            changed = function(scene, rng)
            if changed:
                verify(changed[1])
                tried += 1
    assert tried > 600


def test_at_night_changes_the_time_and_nothing_else() -> None:
    for seed in range(300):
        rng = random.Random(seed)
        scene = sample_scene(rng)
        pair = edit(scene, rng)
        if pair and pair[0].text.lower().startswith("now at night"):
            new = pair[1].pictures[0].scene
            assert new == Scene(scene.figures, scene.place, "night", scene.weather, scene.things)


def test_an_unknown_noun_is_said_back_and_something_near_is_drawn() -> None:
    for seed in range(80):
        asked, reply = unknown.unknown_noun(random.Random(seed))
        assert len(reply.pictures) == 1
        assert any(word in asked.text.lower() for word in reply.text.lower().replace(".", "").split())


@pytest.mark.parametrize(
    ("noun", "near"),
    [("wolf", "dog"), ("poodle", "dog"), ("salmon", "fish"), ("cottage", "house")],
)
def test_the_nearest_thing_is_found_by_hypernyms(noun: str, near: str) -> None:
    known = {**wordnet.nouns()}
    if noun in known:
        assert known[noun] == near


def test_words_that_are_held_out_are_in_no_training_text() -> None:
    words = {unknown.noun(random.Random(seed))[0] for seed in range(500)}
    assert not any(wordnet.is_held_out_word(word) for word in words)
    assert sum(map(wordnet.is_held_out_word, wordnet.nouns())) > 1000


def test_words_that_do_not_belong_into_a_picture_book_are_left_out() -> None:
    glossed = wordnet._synsets()
    index = wordnet._index("noun")
    assert not any(glossed[index[word]].unfit for word in wordnet.nouns())
