"""Who is in a picture, as the model sees it, over an engine whose sight is a script."""

from collections.abc import Iterator

from PIL import Image

from demo.story.writing.cast import read_cast
from demo.story.writing.continuity import MAX_MISSES, HeroCheck
from demo.story.writing.premise import Premise, Told
from minigpt5 import Conversation, Event, GenerationOptions, TextDelta

FIRST, NEXT = (Image.new("RGB", (8, 8), colour) for colour in ("blue", "green"))
PREMISE = Premise(cast=read_cast("Pip the blue rabbit"))
TOLD = [Told("A blue rabbit named Pip lived here.", FIRST)]


class Sight:
    """Sees `first` in the story's first picture, `others` in every other one."""

    def __init__(self, first: str, others: str) -> None:
        self.first, self.others = first, others

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Iterator[Event]:
        assert options.pictures == "never"
        shown = conversation.messages[0].images[0]
        yield TextDelta(self.first if shown.getpixel((0, 0)) == (0, 0, 255) else self.others)


def test_a_picture_without_the_hero_is_missed_and_only_so_often() -> None:
    check = HeroCheck(Sight("It is a blue rabbit.", "A green frog."), PREMISE, TOLD)
    assert [check.miss(NEXT) for _ in range(MAX_MISSES + 1)] == [True] * MAX_MISSES + [False]


def test_the_hero_may_have_company() -> None:
    assert not HeroCheck(Sight("A blue rabbit.", "A green frog and a blue rabbit."), PREMISE, TOLD).miss(NEXT)


def test_eyes_that_do_not_know_the_hero_at_first_judge_nothing() -> None:
    assert not HeroCheck(Sight("A photograph.", "A green frog."), PREMISE, TOLD).miss(NEXT)


def test_without_a_cast_the_hero_is_who_the_story_begins_with() -> None:
    assert HeroCheck(Sight("A blue rabbit.", "A green frog."), Premise("x"), TOLD).miss(NEXT)


def test_a_first_scene_is_not_judged() -> None:
    assert not HeroCheck(Sight("A blue rabbit.", "A green frog."), PREMISE, []).miss(NEXT)
