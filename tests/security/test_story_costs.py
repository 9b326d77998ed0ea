"""What a redraw, a picture and a scene of a story may cost."""

from collections.abc import Iterator

import pytest
from PIL import Image

from demo.story.writing import writer
from demo.story.writing.cast import read_cast
from demo.story.writing.premise import MAX_LETTERS, Premise, StoryError
from demo.story.writing.writer import MAX_SCENE_TOKENS, write_scene
from minigpt5 import Conversation, Event, GenerationOptions, OptionError, TextDelta, TurnFinished
from minigpt5.generation.drawing import verify_redraw
from minigpt5.generation.engine import Engine
from minigpt5.images import MAX_SQUARE, pad_to_square
from minigpt5.options import MAX_TOTAL_STEPS


def test_a_narrow_strip_makes_no_square_of_gigabytes() -> None:
    strip = Image.new("RGB", (20_000, 10), "red")
    assert pad_to_square(strip).size == (MAX_SQUARE, MAX_SQUARE)
    assert pad_to_square(Image.new("RGB", (30, 20))).size == (30, 30)


def test_the_steps_of_all_redrawn_pictures_are_bounded(engine: Engine) -> None:
    vokens = engine.negative.new_zeros(engine.model.mapper.num_vokens, engine.model.mapper.llm_width).numpy()
    for count, steps in ((5, 100), (8, 62)):
        verify_redraw(vokens, [GenerationOptions(num_inference_steps=steps)] * count, engine.model.mapper)
    with pytest.raises(OptionError, match=f"504 in all, expected at most {MAX_TOTAL_STEPS}"):
        verify_redraw(vokens, [GenerationOptions(num_inference_steps=63)] * 8, engine.model.mapper)


class Chatty:
    """Says one sentence of many words, and keeps how much it was allowed to say."""

    def __init__(self) -> None:
        self.options: list[GenerationOptions] = []

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Iterator[Event]:
        self.options.append(options)
        for word in ("A blue rabbit named Pip " + "walked on and on " * 40 + "home. He slept.").split(" "):
            yield TextDelta(word + " ")
        yield TurnFinished("stop", 0, (1,), 0)


def test_a_draft_is_judged_by_the_sentence_and_not_by_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    real = writer.faults
    monkeypatch.setattr(writer, "faults", lambda *a, **k: judged.append(a[0]) or real(*a, **k))
    list(write_scene(Chatty(), Premise(cast=read_cast("Pip the blue rabbit"), scenes=3), []))
    assert len(judged) <= 4


def test_a_draft_of_a_story_is_no_longer_than_a_scene() -> None:
    engine = Chatty()
    list(write_scene(engine, Premise("a rabbit", scenes=3), [], GenerationOptions(max_new_tokens=1024)))
    assert {options.max_new_tokens for options in engine.options} == {MAX_SCENE_TOKENS}


def test_what_shall_happen_has_a_limit() -> None:
    with pytest.raises(StoryError, match=f"has 20000 letters, at most {MAX_LETTERS} are allowed"):
        next(iter(write_scene(Chatty(), Premise("a rabbit"), [], ask="a" * 20_000)))
