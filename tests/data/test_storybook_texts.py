"""The language of the picture book: captions, wordings, and the generators of training dialogues."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from minigpt5.data.storybook.captions import (
    EVERYTHING,
    caption,
    defaulted,
    parse_caption,
    phrase,
    with_defaults,
)
from minigpt5.data.storybook.documents import KINDS, Document, Picture, sample
from minigpt5.data.storybook.scene import sample_scene
from minigpt5.data.storybook.texts.noise import roughen
from minigpt5.data.storybook.words import ANIMAL_WORDS, COLOUR_WORDS

UNSEEN = Path(__file__).with_name("unseen_requests.json")


def documents(count: int, held_out: bool = False, kind: str | None = None, seed: int = 5) -> list[Document]:
    rng = random.Random(seed)
    return [sample(rng, held_out, kind) for _ in range(count)]


def test_captions_name_everything() -> None:
    rng = random.Random(0)
    for held_out in (False, True) * 100:
        scene = sample_scene(rng, held_out)
        assert parse_caption(caption(scene)) == scene
    with pytest.raises(ValueError, match="expected a canonical caption"):
        parse_caption("a red car standing on the left, on the beach at night in the rain")


def test_phrases_name_the_animal_and_leave_out_defaults_only() -> None:
    rng = random.Random(1)
    for _ in range(300):
        scene, mentioned = with_defaults(sample_scene(rng), rng)
        assert not scene.held_out
        assert mentioned == EVERYTHING or defaulted(scene, mentioned) == scene
        words = phrase(scene, rng, mentioned)
        for character in scene.characters:
            assert any(word in words for word in ANIMAL_WORDS[character.animal])
            assert any(word in words for word in COLOUR_WORDS[character.colour])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_yields_wellformed_dialogues(kind: str) -> None:
    for document in documents(120, kind=kind):
        roles = [turn.role for turn in document.messages]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert len(roles) >= 2
        for turn in document.messages:
            assert turn.parts
            for part in turn.parts:
                assert isinstance(part, Picture) or (part.strip() and "###" not in part)
            if turn.role == "assistant":
                assert turn.text.isascii()
                assert "{" not in turn.text
                assert all(len(part.split()) <= 60 for part in turn.parts if isinstance(part, str))


def test_held_out_scenes_never_reach_training() -> None:
    assert not any(p.scene.held_out for document in documents(600) for p in document.pictures)
    for kind in ("draw", "edit", "story"):
        for document in documents(12, held_out=True, kind=kind):
            *earlier, last = document.pictures
            assert last.scene.held_out
            assert not any(p.scene.held_out for p in earlier)


def test_same_seed_same_documents() -> None:
    assert documents(60, seed=9) == documents(60, seed=9)
    assert documents(60, seed=9) != documents(60, seed=10)


def test_stories_keep_their_hero() -> None:
    for document in documents(200, kind="story"):
        looks = {(p.scene.characters[0].animal, p.scene.characters[0].colour) for p in document.pictures}
        assert len(looks) == 1


def test_questions_are_answered_without_pictures() -> None:
    for kind in ("question", "no_picture"):
        assert not any(document.messages[-1].pictures for document in documents(150, kind=kind))


def test_roughen_keeps_some_text() -> None:
    rng = random.Random(2)
    assert all(roughen("Draw a blue rabbit, please!", rng).strip() for _ in range(300))


def test_unseen_requests_are_unseen() -> None:
    requests = json.loads(UNSEEN.read_text(encoding="utf-8"))["requests"]
    assert len(requests) == 200
    typed = {
        turn.text.lower() for document in documents(1000) for turn in document.messages if turn.role == "user"
    }
    for request in requests:
        assert request["expect"] in ("draw", "story", "text")
        assert request["text"].lower() not in typed
