"""A whole turn of the tiny, random model."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice, zip_longest
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.build import build
from minigpt5.config import FastConfig, ModelConfig
from minigpt5.conversation import Conversation, ImagePart, TextPart
from minigpt5.errors import OptionError, PromptError
from minigpt5.events import Event, ImageFinished, ImageProgress, ImageStarted, TextDelta, TurnFinished
from minigpt5.generation.engine import Engine, fold
from minigpt5.options import GenerationOptions

CHAT = Conversation().user("Draw a blue rabbit.")


def options(**values: Any) -> GenerationOptions:
    chosen = {"seed": 3, "max_new_tokens": 12, "num_inference_steps": 3, "pictures": "always", **values}
    return GenerationOptions(**chosen)


def told(events: list[Event]) -> list[Any]:
    """Events as values that can be compared."""
    told_: list[Any] = []
    for event in events:
        match event:
            case TextDelta() | ImageStarted():
                told_.append(repr(event))
            case ImageProgress():
                told_.append((event.step, event.preview.tobytes()))
            case ImageFinished():
                told_.append((event.seed, event.image.tobytes()))
            case TurnFinished():
                told_.append((event.finish_reason, event.token_ids))
    return told_


def test_the_events_of_a_picture_come_in_order_and_the_turn_ends_once(
    engine: Engine, picture: Image.Image
) -> None:
    events = list(engine.stream(CHAT.user(picture), options()))
    kinds = [type(event) for event in events if not isinstance(event, TextDelta)]
    assert kinds == [ImageStarted, *[ImageProgress] * 3, ImageFinished, TurnFinished]
    progress = [event.step for event in events if isinstance(event, ImageProgress)]
    (finished,) = (event for event in events if isinstance(event, ImageFinished))
    assert progress == [1, 2, 3]
    assert finished.image.size == (32, 32)
    assert (finished.seed, finished.guidance_scale) == (3, 3.0)
    assert (finished.num_inference_steps, finished.scheduler) == (3, "dpmsolver++")


def test_a_seed_repeats_words_and_pictures_and_another_changes_them(engine: Engine) -> None:
    first, again, other = (told(list(engine.stream(CHAT, options(seed=seed)))) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_without_a_seed_each_reply_is_new_and_can_be_repeated(engine: Engine) -> None:
    reply = engine.reply(CHAT, options(seed=None))
    again = engine.reply(CHAT, options(seed=reply.seed))
    assert engine.reply(CHAT, options(seed=None)).seed != reply.seed
    assert again.text == reply.text
    assert again.images[0].tobytes() == reply.images[0].tobytes()


def test_guidance_one_leaves_the_negative_out(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    unet = engine.model.diffusion.unet
    unet.register_forward_pre_hook(lambda _, arguments: sizes.append(len(arguments[0])))
    engine.reply(CHAT, options(guidance_scale=1))
    engine.reply(CHAT, options(guidance_scale=5))
    assert sizes == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("scheduler", ["dpmsolver++", "ddim", "pndm", "lcm", "tcd", "euler-trailing"])
def test_every_scheduler_reports_each_step_up_to_the_last(scheduler: str, engine: Engine) -> None:
    events = list(engine.stream(CHAT, options(scheduler=scheduler, num_inference_steps=4)))
    steps = [event.step for event in events if isinstance(event, ImageProgress)]
    assert steps[:4] == [1, 2, 3, 4]
    assert steps[-1] == 4


def test_a_reply_is_the_fold_of_its_stream(engine: Engine) -> None:
    reply = engine.reply(CHAT, options())
    events = list(engine.stream(CHAT, options()))
    assert (
        reply.text.split() == "".join(event.text for event in events if isinstance(event, TextDelta)).split()
    )
    assert len(reply.images) == 1
    assert reply.message.role == "assistant"
    assert set(reply.timings) == {"prefill", "text", "pictures", "total", "tokens_per_second"}
    assert reply.timings["pictures"] > 0


def test_the_fold_keeps_pictures_between_the_words(picture: Image.Image) -> None:
    vokens = np.zeros((8, 64), np.float32)
    finished = ImageFinished(0, picture, vokens, 5, 3.0, 20, "ddim")
    reply = fold(
        iter(
            [
                TextDelta("One"),
                TextDelta(" two. "),
                finished,
                TextDelta(" After."),
                TurnFinished("stop", 5, (9, 8, 7, 2), 0),
            ]
        )
    )
    before, drawn, after = reply.message.parts
    assert (before, after) == (TextPart("One two."), TextPart("After."))
    assert isinstance(drawn, ImagePart)
    assert drawn.vokens is vokens
    assert reply.seed == 5


def finished_pictures(events: Iterable[Event]) -> list[ImageFinished]:
    return [event for event in events if isinstance(event, ImageFinished)]


def test_a_redraw_with_the_same_choices_is_the_same_picture(engine: Engine) -> None:
    (first,) = finished_pictures(engine.stream(CHAT, options()))
    events = list(engine.redraw(first.vokens, [options(seed=first.seed)]))
    (again,) = finished_pictures(events)
    assert [type(event) for event in events] == [ImageStarted, *[ImageProgress] * 3, ImageFinished]
    assert again.image.tobytes() == first.image.tobytes()
    assert (again.seed, again.vokens.tobytes()) == (first.seed, first.vokens.tobytes())


@pytest.mark.parametrize("method", ["lcm", "euler-trailing"])
def test_a_fast_picture_is_drawn_and_redrawn_in_the_models_few_steps(
    method: str, config: ModelConfig, tokenizer: PreTrainedTokenizerFast
) -> None:
    config = replace(config, fast=FastConfig(method, 2))  # type: ignore[arg-type]
    engine = Engine(build(config), tokenizer, config)
    (first,) = finished_pictures(engine.stream(CHAT, options(scheduler="fast")))
    assert (first.num_inference_steps, first.guidance_scale, first.scheduler) == (2, 1.0, "fast")
    (again,) = finished_pictures(engine.redraw(first.vokens, [options(scheduler="fast", seed=first.seed)]))
    assert again.image.tobytes() == first.image.tobytes()


def test_fast_is_refused_before_the_first_word_where_there_are_no_few_steps(engine: Engine) -> None:
    with pytest.raises(OptionError, match="scheduler: got 'fast'"):
        next(engine.stream(CHAT, options(scheduler="fast")))
    assert "fast" not in engine.schedulers


def test_redraws_form_side_by_side_each_with_its_seed_and_guidance(engine: Engine) -> None:
    (first,) = finished_pictures(engine.stream(CHAT, options()))
    choices = [options(seed=1), options(seed=2), options(seed=2, guidance_scale=9.0)]
    events = list(engine.redraw(first.vokens, choices))
    assert [event.index for event in events if isinstance(event, ImageProgress)] == [0, 1, 2] * 3
    drawn = finished_pictures(events)
    assert [(event.seed, event.guidance_scale) for event in drawn] == [(1, 3.0), (2, 3.0), (2, 9.0)]
    assert len({event.image.tobytes() for event in drawn}) == 3


def test_a_redraw_that_cannot_be_is_refused(engine: Engine) -> None:
    vokens = np.zeros((8, engine.model.language.width), np.float32)
    refused = [
        (vokens, [], "got 0 pictures"),
        (vokens, [options(), options(scheduler="ddim")], "2 kinds of steps and schedulers"),
        (vokens[:, 1:], [options()], "vokens: got float32 of shape"),
        (vokens.astype(np.float64), [options()], "vokens: got float64"),
    ]
    for values, choices, why in refused:
        with pytest.raises(OptionError, match=why):
            next(engine.redraw(values, choices))


def test_events_that_break_off_make_no_reply() -> None:
    with pytest.raises(ValueError, match="without TurnFinished"):
        fold(iter([TextDelta("One")]))


def test_the_next_turn_sees_the_words_and_pictures_of_the_reply(engine: Engine) -> None:
    reply = engine.reply(CHAT, options())
    chat = CHAT.add(reply.message).user("And then?")
    assert len(engine.reply(chat, options()).images) == 1


def test_two_interleaved_streams_do_not_see_each_other(engine: Engine, picture: Image.Image) -> None:
    other = Conversation().user("What is this?", picture)
    alone = [told(list(engine.stream(chat, options()))) for chat in (CHAT, other)]
    mixed: list[list[Event]] = [[], []]
    for pair in zip_longest(engine.stream(CHAT, options()), engine.stream(other, options())):
        for events, event in zip(mixed, pair, strict=True):
            events += [event] if event is not None else []
    assert [told(events) for events in mixed] == alone


def test_streams_in_threads_do_not_see_each_other(engine: Engine) -> None:
    alone = [told(list(engine.stream(CHAT, options(seed=seed)))) for seed in range(3)]
    results: dict[int, list[Any]] = {}

    def run(seed: int) -> None:
        results[seed] = told(list(engine.stream(CHAT, options(seed=seed))))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [results[seed] for seed in range(3)] == alone


def test_a_stream_leaves_gradients_on_between_its_events(engine: Engine) -> None:
    for _ in engine.stream(CHAT, options()):
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()


def test_closing_the_stream_stops_within_one_denoising_step(engine: Engine) -> None:
    calls: list[int] = []
    engine.model.diffusion.unet.register_forward_pre_hook(lambda *_: calls.append(1))
    stream = engine.stream(CHAT, options(num_inference_steps=50))
    next(event for event in stream if isinstance(event, ImageProgress))
    stream.close()
    assert len(calls) == 1


def test_closing_the_stream_stops_within_one_token(engine: Engine) -> None:
    calls: list[int] = []
    engine.model.language.llama.model.register_forward_pre_hook(lambda *_: calls.append(1))
    stream = engine.stream(CHAT, options(pictures="never", max_new_tokens=100))
    list(islice(stream, 1))
    read = len(calls)
    stream.close()
    assert len(calls) == read < 100


def test_dropped_turns_are_told(engine: Engine) -> None:
    chat = Conversation()
    for turn in range(12):
        chat = chat.user(f"This is question number {turn}.").assistant("That is the answer to it.")
    *_, end = engine.stream(chat.user("Last?"), options())
    assert isinstance(end, TurnFinished)
    assert end.dropped_turns > 0


def test_an_empty_conversation_is_refused(engine: Engine) -> None:
    with pytest.raises(PromptError, match="empty"):
        engine.reply(Conversation())


def test_the_engine_describes_itself(engine: Engine) -> None:
    assert engine.name == "tiny"
    assert engine.description["picture size"] == 32
    assert engine.description["context length"] == 256
