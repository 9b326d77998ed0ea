"""Public benchmarks of interleaved replies: their questions asked, the answers written in their own layouts.

    Benchmark.items -> next_turn -> Engine.reply -> ... -> save

What a layout looks like is `benchmark_layouts`' and `vistory`'s. A question whose answer is on disk is left alone, so that
a run which was stopped goes on; the seed of an answer is its question's own, so that it is the same in any order. All that
is asked stands in one turn of the user, as the authors of MiniGPT-5 and of OpenING prompt it: the question, what has been
answered so far, what is wanted next.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from minigpt5.conversation import Conversation, ImagePart, Message, TextPart
from minigpt5.errors import DataError, ImageError, PromptError
from minigpt5.generation.engine import Engine
from minigpt5.options import GenerationOptions

FAILURES = "failures.jsonl"

Piece = str | Path | Image.Image


@dataclass(frozen=True)
class Step:
    """Words, and the picture that follows them."""

    text: str
    picture: Image.Image | None = None


@dataclass(frozen=True)
class Item:
    """A question: `asked` are words and pictures in order, `record` is what the benchmark's file says of it."""

    id: str
    asked: tuple[Piece, ...]
    record: dict[str, Any] = field(default_factory=dict)


class Benchmark(Protocol):
    """Questions, and a place for the answers."""

    @property
    def options(self) -> dict[str, Any]:
        """What of the options of a reply the benchmark demands."""
        ...

    def items(self) -> Iterable[Item]:
        """All questions; raises `DataError`."""
        ...

    def is_answered(self, item: Item) -> bool:
        """Whether the answer is on disk."""
        ...

    def next_turn(self, item: Item, steps: Sequence[Step], replies: int) -> tuple[Piece, ...] | None:
        """What to ask after `replies` replies, which gave `steps`; None when that is all."""
        ...

    def save(self, item: Item, steps: Sequence[Step]) -> None:
        """Write the answer, whole or not at all."""
        ...

    def finish(self) -> None:
        """Make one file of all answers, where the benchmark wants one."""
        ...


@dataclass
class Tally:
    """How many questions have been answered now and before, and how many not or not to the end."""

    answered: int = 0
    before: int = 0
    failed: int = 0


def answer(
    engine: Engine, benchmark: Benchmark, out: Path, options: GenerationOptions, count: int = 0
) -> Tally:
    """Answer the first `count` questions (0: all) that are not answered yet.

    One that cannot be asked, because it is too long for the model or its picture is missing, is told and noted in
    `failures.jsonl`; what was answered of it before is kept. Raises `DataError`.
    """
    tally = Tally()
    options = replace(options, **benchmark.options)
    failures = {line["id"]: line for line in read_lines(out / FAILURES)} if (out / FAILURES).exists() else {}
    for item in islice(benchmark.items(), count or None):
        if benchmark.is_answered(item):
            tally.before += 1
            continue
        steps, reason = _steps(engine, benchmark, item, options)
        failures.pop(item.id, None)
        if steps:
            benchmark.save(item, steps)
            tally.answered += 1
        if reason:
            failures[item.id] = {"id": item.id, "steps": len(steps), "reason": reason}
            tally.failed += 1
            write_lines(out / FAILURES, failures.values())
            print(f"{item.id}: {reason}", flush=True)
    benchmark.finish()
    return tally


def _steps(
    engine: Engine, benchmark: Benchmark, item: Item, options: GenerationOptions
) -> tuple[list[Step], str]:
    """The answer as far as it goes, and why no further."""
    steps: list[Step] = []
    replies = 0
    try:
        while (turn := benchmark.next_turn(item, steps, replies)) is not None:
            seeded = replace(options, seed=zlib.crc32(f"{item.id} {replies}".encode()))
            steps += steps_of(engine.reply(Conversation().user(*turn), seeded).message)
            replies += 1
    except (PromptError, ImageError, DataError) as error:
        return steps, str(error)
    return steps, ""


def steps_of(message: Message) -> list[Step]:
    """A reply as steps: each picture belongs to the words before it; one without a word has none of its own."""
    steps: list[Step] = []
    for part in message.parts:
        match part:
            case TextPart():
                steps.append(Step(part.text.strip()))
            case ImagePart():
                if steps and steps[-1].picture is None:
                    steps[-1] = replace(steps[-1], picture=part.image)
                else:
                    steps.append(Step("", part.image))
    return steps or [Step("")]


def pieces(steps: Iterable[Step]) -> list[Piece]:
    """Steps as words and pictures in order."""
    flat: list[Piece] = []
    for step in steps:
        flat += [step.text] if step.text else []
        flat += [step.picture] if step.picture is not None else []
    return flat


def all_answers(folder: Path) -> list[dict[str, Any]]:
    """What was written to `folder` answer by answer, in the order of the names."""
    return [read_json(path) for path in sorted(folder.glob("*.json"))]


def write_json(path: Path, values: Any) -> None:
    """Write a file whole or not at all."""
    _write(path, json.dumps(values, indent=4, ensure_ascii=False) + "\n")


def write_lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write a file with an object a line, whole or not at all."""
    _write(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file with one a line; raises `DataError`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: got {error}, expected a JSON object on every line") from error
    if not all(isinstance(record, dict) for record in records):
        raise DataError(f"{path}: got lines that are no JSON object, expected one on every line")
    return records


def read_json(path: Path) -> Any:
    """The value of a JSON file; raises `DataError`."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: got {error}, expected JSON") from error
