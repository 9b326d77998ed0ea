"""What a measure is made of: scripted chats, the model's answers to them, and a rule for each.

A `Case` is a chat as the user types it. `answer` has an engine reply turn by turn and the judge name what each picture
shows; the rule of the case then sees nothing but that record, so that rules are tested without a model. Records are
kept in a file of lines, and a case whose record is there is not asked again.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from minigpt5.conversation import Conversation, ImagePart, Message, Part, TextPart
from minigpt5.data.storybook.texts.turns import Picture, Turn
from minigpt5.data.storybook.world.drawing import render
from minigpt5.data.storybook.world.scene import Scene
from minigpt5.generation.engine import DEFAULTS, Engine
from minigpt5.options import GenerationOptions, PictureMode

Seen = dict[str, str]  # attribute -> value, of one picture
Z = 1.96  # of a 95 % interval
SHEET = 64  # pictures that are kept of a measure


class Judge(Protocol):
    """Whoever names what pictures show."""

    def name(self, pictures: list[Image.Image]) -> list[Seen]: ...


@dataclass(frozen=True)
class Ask:
    """One turn of the user: words, scenes (which are rendered) and pictures, in order.

    `given` is an answer that the model is said to have made; without it the model answers. `drawn` false means that no
    one looks at the answer's picture, so that one denoising step will do.
    """

    parts: tuple[str | Scene | Image.Image, ...]
    given: tuple[str | Scene, ...] | None = None
    pictures: PictureMode = "auto"
    drawn: bool = True

    @property
    def text(self) -> str:
        """The words of this turn."""
        return " ".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True)
class Answer:
    """What the model said, and what the judge names in each picture of it."""

    said: str
    seen: tuple[Seen, ...] = ()
    finished: bool = True

    @property
    def first(self) -> Seen:
        """What its first picture shows; nothing where there is none."""
        return self.seen[0] if self.seen else {}


Rule = Callable[[tuple[Answer, ...]], dict[str, bool]]


@dataclass(frozen=True)
class Case:
    """A chat and its rule, which gets one answer for each turn that the model answers itself."""

    asks: tuple[Ask, ...]
    rule: Rule
    seed: int = 0

    @property
    def asked(self) -> list[str]:
        """The words of all turns of the user; the record of a case with other words is not its own."""
        return [ask.text for ask in self.asks]


@dataclass(frozen=True)
class Trial:
    """A case's words, its answers, and what of its rule is kept."""

    asked: list[str]
    answers: tuple[Answer, ...]
    right: dict[str, bool]


@dataclass(frozen=True)
class Share:
    """How many of how many trials are right, with Wilson's 95 % interval."""

    right: int
    trials: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.right / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson, "Probable inference", 1927."""
        n, p = self.trials, self.value
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        reach = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        return max(0.0, middle - reach), min(1.0, middle + reach)

    @property
    def told(self) -> dict[str, float | int]:
        """For a file."""
        low, high = self.interval
        return {
            "share": round(self.value, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "trials": self.trials,
        }


def shares(trials: Iterable[Trial]) -> dict[str, Share]:
    """The share that is right, by name, over the trials that have the name."""
    right: dict[str, list[bool]] = defaultdict(list)
    for trial in trials:
        for name, value in trial.right.items():
            right[name].append(value)
    return {name: Share(sum(values), len(values)) for name, values in right.items()}


def given(turns: tuple[Turn, ...]) -> tuple[Ask, ...]:
    """Whole exchanges of a document as turns whose answers are given."""
    bare = [tuple(p.scene if isinstance(p, Picture) else p for p in turn.parts) for turn in turns]
    return tuple(Ask(asked, said) for asked, said in zip(bare[::2], bare[1::2], strict=True))


def answer(
    engine: Engine, judge: Judge, case: Case, options: GenerationOptions = DEFAULTS
) -> tuple[tuple[Answer, ...], list[Image.Image]]:
    """The model's answers to the turns that it is to answer, and the pictures of the last of them."""
    chat, answers, pictures = Conversation(), list[Answer](), list[Image.Image]()
    size = engine.config.image_size
    for number, ask in enumerate(case.asks):
        chat = chat.add(Message("user", tuple(_parts(ask.parts, size, case.seed + number))))
        if ask.given is not None:
            chat = chat.add(Message("assistant", tuple(_parts(ask.given, size, case.seed + number))))
            continue
        steps = options.num_inference_steps if ask.drawn else 1
        how = replace(options, seed=case.seed + number, pictures=ask.pictures, num_inference_steps=steps)
        reply = engine.reply(chat, how)
        chat, pictures = chat.add(reply.message), list(reply.images)
        seen = judge.name(pictures) if pictures and ask.drawn else [{} for _ in pictures]
        answers.append(Answer(reply.text, tuple(seen), reply.finish_reason == "stop"))
    return tuple(answers), pictures


def _parts(parts: Iterable[str | Scene | Image.Image], size: int, seed: int) -> Iterator[Part]:
    for part in parts:
        match part:
            case str():
                yield TextPart(part)
            case Scene():
                yield ImagePart(render(part, size, seed))
            case _:
                yield ImagePart(part)


class Records:
    """The answers to a measure's cases, in `folder/<name>.jsonl`, and its first pictures in `folder/<name>/`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.jsonl"
        self.pictures = folder / name
        self.known: dict[int, dict[str, Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        *lines, cut_off = text.split("\n")
        if cut_off:
            self.path.write_text(text.removesuffix(cut_off), encoding="utf-8")
        for line in lines:
            record = json.loads(line)
            self.known[record["id"]] = record

    def trial(
        self, number: int, case: Case, ask: Callable[[], tuple[tuple[Answer, ...], list[Image.Image]]]
    ) -> Trial:
        """The trial of a case, asked where there is no record of the same words."""
        record = self.known.get(number)
        if record is None or record["asked"] != case.asked:
            answers, pictures = ask()
            self._keep(number, pictures)
        else:
            answers = tuple(Answer(**{**a, "seen": tuple(a["seen"])}) for a in record["answers"])
        trial = Trial(case.asked, answers, case.rule(answers))
        row = {
            "id": number,
            "asked": trial.asked,
            "right": trial.right,
            "answers": [asdict(a) for a in answers],
        }
        if row != record:
            self.known[number] = row
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return trial

    def _keep(self, number: int, pictures: list[Image.Image]) -> None:
        if pictures and number < SHEET:
            self.pictures.mkdir(parents=True, exist_ok=True)
            pictures[0].save(self.pictures / f"{number:04d}.png")

    def tidy(self) -> None:
        """Write every record once, in order."""
        rows = [json.dumps(self.known[n], ensure_ascii=False) + "\n" for n in sorted(self.known)]
        self.path.write_text("".join(rows), encoding="utf-8")

    def sheet(self) -> list[Image.Image]:
        """The kept pictures, in order."""
        return [Image.open(path).convert("RGB") for path in sorted(self.pictures.glob("*.png"))]
