"""Many people on one engine: `python -m benchmarks.serving [MODEL] [--people 20]`.

The engine for one and the engine for many, in one run on one machine, each person a thread: how long the first words
take, how much is done in all beside one after the other, what a tenth turn costs over a first, what one person alone
has lost, and how soon a closed stream's place is free.
"""

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

import minigpt5
from minigpt5 import (
    Conversation,
    GenerationOptions,
    ImageProgress,
    Reply,
    ServedEvent,
    ServingEngine,
    TextDelta,
    TurnFinished,
)

WORDS = "Tell me a story about a green frog and draw it"
TOKENS = 60


class StreamingEngine(Protocol):
    """What is measured here."""

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Iterator[ServedEvent]: ...

    def reply(self, conversation: Conversation, options: GenerationOptions) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Heard:
    """Seconds from asking to the first words and to the end, and the tokens."""

    first: float
    end: float
    tokens: int


def how(seed: int, **choices: object) -> GenerationOptions:
    """60 tokens and a picture, as far as the model goes on."""
    values = {"seed": seed, "max_new_tokens": TOKENS, "pictures": "always", "temperature": 1.0, **choices}
    return GenerationOptions(**values)  # type: ignore[arg-type]


def listen(engine: StreamingEngine, seed: int) -> Heard:
    """One person's reply."""
    start, first, tokens = time.perf_counter(), 0.0, 0
    for event in engine.stream(Conversation().user(WORDS), how(seed)):
        if isinstance(event, TextDelta) and not first:
            first = time.perf_counter() - start
        if isinstance(event, TurnFinished):
            tokens = len(event.token_ids)
    return Heard(first, time.perf_counter() - start, tokens)


def together(engine: StreamingEngine, people: int) -> tuple[list[Heard], float]:
    """All at once, a thread each; what each heard, and the seconds until the last was done."""
    heard: list[Heard] = []
    ready = threading.Barrier(people + 1)

    def run(seed: int) -> None:
        ready.wait()
        heard.append(listen(engine, seed))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(people)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return heard, time.perf_counter() - start


def many(engine: StreamingEngine, people: int, serial: float) -> dict[str, float]:
    """The figures of `people` at once; `serial` seconds are what they take one after the other."""
    heard, seconds = together(engine, people)
    first = sorted(one.first for one in heard)
    return {
        "first words p50, s": statistics.median(first),
        "first words p95, s": first[round(0.95 * (people - 1))],
        "all done, s": seconds,
        "tokens": sum(one.tokens for one in heard),
        "throughput over one after the other": serial / seconds,
    }


def one_after_the_other(engine: StreamingEngine, people: int) -> float:
    """Seconds for the same replies on an engine that is asked by one person at a time."""
    start = time.perf_counter()
    for seed in range(people):
        listen(engine, seed)
    return time.perf_counter() - start


def alone(engines: Sequence[StreamingEngine], times: int = 7) -> list[dict[str, float]]:
    """What one person has of each engine, in turns so that what else the machine does falls on all."""
    rows: list[list[tuple[float, float, float]]] = [[] for _ in engines]
    for _ in range(times):
        for row, engine in zip(rows, engines, strict=True):
            heard = listen(engine, 1)
            timings = engine.reply(Conversation().user(WORDS), how(1)).timings
            row.append((heard.first, timings["tokens_per_second"], timings["pictures"]))
    names = ("first words, s", "tokens per second", "picture, s")
    return [dict(zip(names, map(statistics.median, zip(*row, strict=True)), strict=True)) for row in rows]


def turns(engine: StreamingEngine, count: int = 10) -> float:
    """The first token of turn 10 over that of turn 1, a picture a turn; the median of three chats."""
    ratios = []
    for seed in range(3):
        chat, seconds = Conversation(), []
        for turn in range(count):
            chat = chat.user(f"Draw a blue rabbit on the beach, number {turn}")
            reply = engine.reply(chat, how(seed, max_new_tokens=24, num_inference_steps=2))
            seconds.append(reply.timings["prefill"])
            chat = chat.add(reply.message)
        ratios.append(seconds[-1] / seconds[0])
    return statistics.median(ratios)


def stop(engine: ServingEngine) -> float:
    """Seconds from closing a stream that draws, among others, until its place is free; the longest of several."""
    longest = 0.0
    for seed in range(5):
        stream = engine.stream(Conversation().user(WORDS), how(seed))
        next(event for event in stream if isinstance(event, ImageProgress))
        cancelled, start = engine.metrics.endings["cancelled"], time.perf_counter()
        stream.close()
        while engine.metrics.endings["cancelled"] == cancelled:
            time.sleep(0.0005)
        longest = max(longest, time.perf_counter() - start)
    return longest


def beside(engine: ServingEngine, work: Callable[[], object], others: int) -> object:
    """The outcome of `work` while `others` draw and write without a pause."""
    over = threading.Event()

    def busy(seed: int) -> None:
        while not over.is_set():
            listen(engine, seed)

    threads = [threading.Thread(target=busy, args=(seed,)) for seed in range(others)]
    for thread in threads:
        thread.start()
    outcome = work()
    over.set()
    for thread in threads:
        thread.join()
    return outcome


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="weights/storybook")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=0, help="places; default: one for each person")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    serving = minigpt5.load(arguments.model, batch=arguments.at_once or arguments.people)
    single = serving.engine
    listen(single, 0)
    listen(serving, 0)
    serial = one_after_the_other(single, arguments.people)
    figures = {
        "one after the other, s": serial,
        "engine for one": many(single, arguments.people, serial),
        "engine for many": many(serving, arguments.people, serial),
        "alone": dict(zip(("engine for one", "engine for many"), alone([single, serving]), strict=True)),
        "turn 10 over turn 1": {"engine for one": turns(single), "engine for many": turns(serving)},
        "place free after stop, alone, s": stop(serving),
        "place free after stop, beside 8, s": beside(serving, lambda: stop(serving), 8),
        "mean batch of words": _mean(serving.metrics.word_batches),
        "mean batch of pictures": _mean(serving.metrics.picture_batches),
    }
    print(json.dumps(figures, indent=2, default=lambda value: round(value, 4)))


def _mean(batches: dict[int, int]) -> float:
    return sum(size * count for size, count in batches.items()) / max(1, sum(batches.values()))


if __name__ == "__main__":
    main()
