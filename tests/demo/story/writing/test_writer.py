"""Writing over an engine that plays scripts: which draft is told, and what of it is seen."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from demo.story.writing.cast import read_cast
from demo.story.writing.premise import Premise, StoryError, Told
from demo.story.writing.writer import (
    MAX_DRAFTS,
    SceneFinished,
    SceneStarted,
    SceneWords,
    write_scene,
    write_story,
)
from minigpt5 import (
    Conversation,
    Event,
    GenerationOptions,
    ImageFinished,
    ImageProgress,
    ImageStarted,
    TextDelta,
    TurnFinished,
)

PICTURE = Image.new("RGB", (8, 8), "blue")
CAST = Premise(cast=read_cast("Pip the blue rabbit"), scenes=3)


class Script:
    """An engine that says its drafts in turn, the last one for ever, each with two pictures."""

    def __init__(self, *drafts: str, pictures: int = 2) -> None:
        self.drafts, self.pictures = drafts, pictures
        self.seeds: list[int | None] = []
        self.closed = 0

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Iterator[Event]:
        assert options.pictures == "always"
        draft = self.drafts[min(len(self.seeds), len(self.drafts) - 1)]
        self.seeds.append(options.seed)
        try:
            for word in draft.split(" "):
                yield TextDelta(word + " ")
            for index in range(self.pictures):
                yield ImageStarted(index, 8, 8, 1)
                yield ImageProgress(index, 1, 1, PICTURE)
                yield ImageFinished(index, PICTURE, np.zeros((8, 4), np.float32), 5, 3.0, 1, "ddim")
            yield TurnFinished("stop", 0, 3, 0)
        finally:
            self.closed += 1


class Forgetful(Script):
    """Sees the hero in red pictures, and in what it drew last once it has drawn twice."""

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Iterator[Event]:
        if options.pictures == "always":
            yield from super().stream(conversation, options)
            return
        red = conversation.messages[0].images[0].getpixel((0, 0)) == (255, 0, 0)
        yield TextDelta("A blue rabbit." if red or len(self.seeds) > 1 else "A blue frog.")


def finished(events: Iterator[object]) -> list[SceneFinished]:
    return [event for event in events if isinstance(event, SceneFinished)]


def test_a_scene_has_words_and_one_picture() -> None:
    engine = Script("A blue rabbit named Pip lived here. He waved.")
    events = list(write_scene(engine, CAST, [], GenerationOptions(seed=7)))
    assert events[0] == SceneStarted(0)
    words = [event.text for event in events if isinstance(event, SceneWords)]
    assert words == ["A blue rabbit named Pip lived here.", "A blue rabbit named Pip lived here. He waved."]
    assert sum(isinstance(event, ImageFinished) for event in events) == 1
    assert events[-1].text == words[-1] and events[-1].picture.image is PICTURE and events[-1].seed == 7
    assert engine.closed == 1


def test_a_draft_that_loses_the_thread_is_given_up_before_it_is_seen() -> None:
    engine = Script("Toby met Bruno here. He left.", "He waved at the sea.")
    told = [Told("A blue rabbit named Pip lived here.")]
    events = list(write_scene(engine, CAST, told, GenerationOptions(seed=7)))
    seen = [event.text for event in events if isinstance(event, SceneWords) and event.text]
    assert seen == ["He waved at the sea."]
    assert len(set(engine.seeds)) == 2 and engine.closed == 2


def test_the_draft_with_the_fewest_faults_is_told_when_none_is_without() -> None:
    engine = Script("Toby and Otto and Mia ran.", "Toby ran.", "Toby and Mia ran.")
    told = [Told("A blue rabbit named Pip lived here.")]
    scene = finished(write_scene(engine, CAST, told, GenerationOptions(seed=7)))[0]
    assert len(engine.seeds) == MAX_DRAFTS + 1
    assert scene.seed == engine.seeds[-1] == engine.seeds[1]


def test_a_story_goes_on_from_what_is_told() -> None:
    engine = Script("He saw snow.", "He saw rain.", "He slept.")
    scenes = finished(write_story(engine, CAST, [Told("A blue rabbit named Pip lived here.")]))
    assert [scene.place for scene in scenes] == [1, 2]


def test_closing_the_story_closes_the_engine() -> None:
    engine = Script("A blue rabbit named Pip lived here. He waved.")
    events = write_story(engine, CAST)
    next(events), next(events)
    events.close()
    assert engine.closed == 1


def test_a_model_that_says_nothing_is_told_in_a_sentence() -> None:
    with pytest.raises(StoryError, match="nothing to say"):
        list(write_scene(Script("", pictures=0), CAST, []))


def test_a_scene_whose_picture_lost_the_hero_is_told_anew() -> None:
    engine = Forgetful("He saw snow.", "He saw rain.")
    told = [Told("A blue rabbit named Pip lived here.", Image.new("RGB", (8, 8), "red"))]
    scene = finished(write_scene(engine, CAST, told, GenerationOptions(seed=7)))[0]
    assert scene.text == "He saw rain." and len(engine.seeds) == 2
