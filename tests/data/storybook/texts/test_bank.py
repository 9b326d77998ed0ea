"""The story bank: every skeleton can be told, as it was asked for."""

import random
import re
from collections import Counter

import pytest

from minigpt5.data.storybook.texts.story.bank import TONES, Skeleton, cast_for, fill, skeletons, tell
from minigpt5.data.storybook.texts.story.exchanges import request
from minigpt5.data.storybook.world.scene import verify

SEEDS = 3


def test_there_are_stories_of_every_tone_under_names_of_their_own() -> None:
    bank = skeletons()
    assert len(bank) >= 400
    assert len({skeleton.id for skeleton in bank}) == len(bank)
    assert set(Counter(skeleton.tone for skeleton in bank)) == set(TONES)
    assert min(Counter(skeleton.tone for skeleton in bank).values()) >= 60


@pytest.mark.parametrize("tone", TONES)
def test_every_story_can_be_told_shown_and_asked_for(tone: str) -> None:
    for skeleton in (s for s in skeletons() if s.tone == tone):
        for seed in range(SEEDS):
            _verify(skeleton, random.Random(f"{skeleton.id} {seed}"))


def _verify(skeleton: Skeleton, rng: random.Random) -> None:
    cast = cast_for(skeleton, rng)
    told = tell(skeleton, cast, rng)
    assert 4 <= len(told) <= 8
    for text, scene in told:
        verify(scene)
        assert "{" not in text, skeleton.id
        assert "  " not in text, skeleton.id
        hero = scene.figures[0]
        assert (hero.kind, hero.colour) == (cast.hero.kind, cast.hero.colour)
    assert "{" not in request(skeleton, cast, told, rng)
    for title in skeleton.title:
        assert "{" not in fill(title, cast)


def test_a_character_has_one_pronoun() -> None:
    """Wordings leave pronouns to the slots, so that nobody turns from he into she."""
    literal = re.compile(r"\b(he|she|him|his|hers|herself|himself)\b", re.IGNORECASE)
    for skeleton in skeletons():
        for beat in skeleton.beats:
            for words in beat.say:
                assert not literal.search(re.sub(r"\{[^}]*\}", "", words)), skeleton.id


def test_the_thing_of_a_story_is_named_in_at_least_half_of_its_scenes() -> None:
    for skeleton in skeletons():
        if skeleton.things:
            named = sum(any("thing}" in words for words in beat.say) for beat in skeleton.beats)
            assert 2 * named >= len(skeleton.beats), skeleton.id


def test_a_hero_without_a_name_is_introduced_once() -> None:
    rng = random.Random(1)
    for skeleton in skeletons():
        cast = cast_for(skeleton, rng)
        nameless = type(cast)(**{name: getattr(cast, name) for name in cast.__slots__} | {"name": ""})
        first = tell(skeleton, nameless, rng)[0][0].lower()
        who = f"the {cast.hero.colour} {cast.hero.kind}"
        assert f"{who} was a {cast.hero.colour}" not in first, skeleton.id
