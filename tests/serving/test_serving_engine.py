"""The engine for many against the engine for one, on the tiny, random model in float32."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.build import build
from minigpt5.config import FastConfig, ModelConfig
from minigpt5.conversation import Conversation
from minigpt5.errors import BusyError, OptionError, PromptError
from minigpt5.events import (
    Event,
    ImageFinished,
    ImageProgress,
    ImageStarted,
    Queued,
    ServedEvent,
    TextDelta,
    TurnFinished,
)
from minigpt5.generation.engine import Engine
from minigpt5.options import GenerationOptions
from minigpt5.serving.engine import ServingEngine

CHAT = Conversation().user("Draw a blue rabbit.")
LONG = Conversation().user("What happens next? " * 8).assistant("The rabbit walks to the beach.")


def options(**values: Any) -> GenerationOptions:
    return GenerationOptions(
        **{"seed": 3, "max_new_tokens": 12, "num_inference_steps": 3, "pictures": "always", **values}
    )


@dataclass(frozen=True)
class Told:
    """What a stream said; pictures by their latents and vokens."""

    text: str
    ids: tuple[int, ...]
    pictures: tuple[ImageFinished, ...]


def told(events: list[ServedEvent]) -> Told:
    end = events[-1]
    assert isinstance(end, TurnFinished)
    pictures = tuple(event for event in events if isinstance(event, ImageFinished))
    return Told("".join(e.text for e in events if isinstance(e, TextDelta)), end.token_ids, pictures)


def mixed(picture: Image.Image) -> list[tuple[Conversation, GenerationOptions]]:
    """Requests of all kinds: long and short prompts, seen pictures, every scheduler, with and without guidance."""
    return [
        (CHAT, options(seed=1, num_inference_steps=5)),
        (LONG.user(picture, "And then?"), options(seed=2, scheduler="ddim", guidance_scale=1)),
        (CHAT.user(picture), options(seed=3, scheduler="pndm", guidance_scale=7.5, repetition_penalty=1.4)),
        (LONG.user("Go on."), options(seed=4, pictures="never", max_new_tokens=30)),
        (CHAT, options(seed=5, pictures="auto", temperature=1.5, top_k=50, max_new_tokens=40)),
        (CHAT.user(picture, picture.rotate(90)), options(seed=6, temperature=0)),
        (CHAT, options(seed=7, scheduler="lcm", guidance_scale=1, num_inference_steps=4)),
    ]


@pytest.fixture
def latents(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """The latents of every picture that is decoded."""
    seen: list[torch.Tensor] = []
    decode: Callable[[torch.Tensor], list[Image.Image]] = engine.model.diffusion.decode
    monkeypatch.setattr(
        engine.model.diffusion, "decode", lambda batch: seen.extend(batch.unbind()) or decode(batch)
    )
    return seen


def interleaved(streams: list[Iterator[ServedEvent]], late: int) -> list[list[ServedEvent]]:
    """All events of each; a stream is begun `late` rounds after the one before it."""
    events: list[list[ServedEvent]] = [[] for _ in streams]
    open_, rounds = set(range(len(streams))), 0
    while open_:
        for index in sorted(open_):
            if rounds < late * index:
                continue
            event = next(streams[index], None)
            if event is None:
                open_.remove(index)
            else:
                events[index].append(event)
        rounds += 1
    return events


@pytest.mark.parametrize(("late", "at_once"), [(0, 8), (3, 8), (1, 2)])
def test_many_are_answered_as_one_would_be(
    late: int, at_once: int, engine: Engine, picture: Image.Image, latents: list[torch.Tensor]
) -> None:
    requests = mixed(picture)
    alone = [told(list(engine.stream(chat, how))) for chat, how in requests]
    expected, count = torch.stack(latents), len(latents)
    serving = ServingEngine(engine, at_once)
    together = [told(e) for e in interleaved([serving.stream(chat, how) for chat, how in requests], late)]
    for one, many in zip(alone, together, strict=True):
        assert (many.text, many.ids) == (one.text, one.ids)
        for first, second in zip(one.pictures, many.pictures, strict=True):
            assert np.allclose(first.vokens, second.vokens, atol=1e-5)
            assert (first.index, first.seed, first.scheduler) == (second.index, second.seed, second.scheduler)
    drawn = torch.stack(latents[count:])  # in the order in which they were finished
    distances = (expected[:, None] - drawn[None]).abs().flatten(2).amax(-1)
    assert distances.amin(1).max() < 1e-4
    assert sorted(distances.argmin(1).tolist()) == list(range(count))


def test_one_alone_hears_the_same_events_in_the_same_order(engine: Engine) -> None:
    kinds = [
        [(type(event), getattr(event, "step", 0)) for event in stream]
        for stream in (engine.stream(CHAT, options()), ServingEngine(engine, 4).stream(CHAT, options()))
    ]
    assert kinds[0] == kinds[1]
    assert [kind for kind, _ in kinds[0] if kind is not TextDelta] == [
        ImageStarted,
        *[ImageProgress] * 3,
        ImageFinished,
        TurnFinished,
    ]


def test_a_next_turn_reads_only_what_is_new_and_says_the_same(engine: Engine, picture: Image.Image) -> None:
    serving = ServingEngine(engine, 2)
    first = serving.reply(CHAT.user(picture), options())
    chat = CHAT.user(picture).add(first.message).user("And then?")
    read = serving.metrics.prompt_positions
    second = serving.reply(chat, options(seed=8))
    fresh = ServingEngine(engine, 2)
    assert fresh.reply(chat, options(seed=8)).token_ids == second.token_ids
    assert second.token_ids == engine.reply(chat, options(seed=8)).token_ids
    new = serving.metrics.prompt_positions - read
    assert new + serving.metrics.prompt_positions_reused == fresh.metrics.prompt_positions
    assert serving.metrics.prompt_positions_reused > read // 2


def test_a_picture_is_seen_once_in_whatever_chat(engine: Engine, picture: Image.Image) -> None:
    serving = ServingEngine(engine, 2)
    serving.reply(CHAT.user(picture), options(pictures="never"))
    serving.reply(Conversation().user(picture.copy(), "What is this?"), options(pictures="never"))
    assert (serving.metrics.features_made, serving.metrics.features_reused) == (1, 1)


def test_a_closed_stream_frees_its_place_at_once(engine: Engine) -> None:
    serving = ServingEngine(engine, 1)
    for wanted in (TextDelta, ImageProgress):
        stream = serving.stream(CHAT, options(num_inference_steps=50, temperature=1.5))
        next(event for event in stream if isinstance(event, wanted))
        stream.close()
        assert len(serving._loop._active) == 0
    serving.reply(CHAT, options())
    assert serving.metrics.endings["cancelled"] == 2


def test_who_waits_is_told_and_who_gives_up_waits_no_more(engine: Engine) -> None:
    serving = ServingEngine(engine, 1)
    first = serving.stream(CHAT, options(num_inference_steps=20))
    next(first)
    second, third = (serving.stream(CHAT, options(seed=seed)) for seed in (4, 5))
    assert next(second) == Queued(0, None)
    assert next(third) == Queued(1, None)
    second.close()
    first.close()
    assert not any(isinstance(event, Queued) and event.ahead for event in third)
    assert serving.metrics.endings["cancelled"] == 2


def test_threads_share_the_model_and_nobody_hears_anothers_words(engine: Engine) -> None:
    serving = ServingEngine(engine, 3)
    alone = [told(list(engine.stream(CHAT, options(seed=seed)))) for seed in range(6)]
    heard: dict[int, Told] = {}

    def run(seed: int) -> None:
        heard[seed] = told(list(serving.stream(CHAT, options(seed=seed))))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(heard[seed].text, heard[seed].ids) for seed in range(6)] == [(t.text, t.ids) for t in alone]
    assert max(serving.metrics.word_batches) <= 3


def test_redraws_are_drawn_beside_replies(engine: Engine) -> None:
    serving = ServingEngine(engine, 4)
    (first,) = told(list(engine.stream(CHAT, options()))).pictures
    streams = [
        serving.redraw(first.vokens, [options(seed=first.seed), options(seed=9)]),
        serving.stream(CHAT, options(seed=5, num_inference_steps=7)),
    ]
    redrawn, replied = interleaved(streams, 1)
    again, other = (event for event in redrawn if isinstance(event, ImageFinished))
    difference = np.asarray(again.image, int) - np.asarray(first.image, int)
    assert np.abs(difference).max() <= 1
    assert (other.index, other.seed) == (1, 9)
    assert isinstance(replied[-1], TurnFinished)


def test_few_steps_with_a_unet_of_their_own_are_drawn_beside_many(
    config: ModelConfig, tokenizer: PreTrainedTokenizerFast
) -> None:
    torch.manual_seed(0)
    config = replace(config, fast=FastConfig("lcm", 2))
    engine = Engine(build(config), tokenizer, config)
    requests = [options(seed=1, scheduler="fast"), options(seed=2), options(seed=3, scheduler="fast")]
    serving = ServingEngine(engine, 3)
    together = interleaved([serving.stream(CHAT, how) for how in requests], 0)
    for how, events in zip(requests, together, strict=True):
        (alone,), (drawn,) = told(list(engine.stream(CHAT, how))).pictures, told(events).pictures
        assert (drawn.scheduler, drawn.num_inference_steps) == (alone.scheduler, alone.num_inference_steps)
        assert np.abs(np.asarray(alone.image, int) - np.asarray(drawn.image, int)).max() <= 1


def test_a_failure_is_told_to_whom_it_concerns_and_the_others_go_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = ServingEngine(engine, 2)
    good, bad = (serving.stream(CHAT, options(seed=seed)) for seed in (1, 2))
    next(good)

    def fail(request: Any) -> None:
        raise RuntimeError("no memory")

    next(bad)
    monkeypatch.setattr(serving._loop._pictures, "finish", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        list(bad)
    monkeypatch.undo()
    good.close()
    assert serving.reply(CHAT, options()).token_ids == engine.reply(CHAT, options()).token_ids
    assert serving.metrics.endings["failed"] >= 1


def test_deterministic_replies_are_the_same_to_the_bit_whoever_else_is_there(
    engine: Engine, picture: Image.Image
) -> None:
    requests = mixed(picture)[:4]
    serving = ServingEngine(engine, 4, deterministic=True)
    alone = [told(list(serving.stream(chat, how))) for chat, how in requests]
    together = [told(e) for e in interleaved([serving.stream(chat, how) for chat, how in requests], 1)]
    for one, many in zip(alone, together, strict=True):
        assert (many.text, many.ids) == (one.text, one.ids)
        for first, second in zip(one.pictures, many.pictures, strict=True):
            assert first.vokens.tobytes() == second.vokens.tobytes()
            assert first.image.tobytes() == second.image.tobytes()


def test_mistakes_are_refused_as_by_the_engine_for_one(engine: Engine) -> None:
    serving = ServingEngine(engine, 2)
    with pytest.raises(PromptError, match="empty"):
        serving.reply(Conversation())
    with pytest.raises(OptionError, match="vokens"):
        next(serving.redraw(np.zeros((2, 2), np.float32), [options()]))
    with pytest.raises(OptionError, match="vokens"):
        serving.voken_influence(np.zeros((2, 2), np.float32))


def test_too_many_waiting_are_turned_away_with_a_sentence(engine: Engine) -> None:
    serving = ServingEngine(engine, 1)
    serving._loop._admission._max_waiting = 1
    streams = [serving.stream(CHAT, options()) for _ in range(3)]
    first, second, third = streams
    next(first)
    next(second)
    with pytest.raises(BusyError, match="got 1 requests that wait, expected fewer; come back"):
        next(third)
    assert serving.metrics.endings["refused"] == 1


def test_looking_inside_says_what_the_engine_for_one_says(engine: Engine) -> None:
    serving = ServingEngine(engine, 2)
    events: list[Event] = list(engine.stream(CHAT, options()))
    (drawn,), ids = told(events).pictures, told(events).ids
    assert serving.inspect(CHAT, ids, options()) == engine.inspect(CHAT, ids, options())
    assert np.allclose(serving.voken_influence(drawn.vokens), engine.voken_influence(drawn.vokens), atol=1e-6)
