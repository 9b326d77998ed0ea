"""The layouts of OpenING, MMIE and ISG-Bench, as their public repositories have them.

OpenING (LanceZPF/OpenING; arXiv 2411.18499)
    DATA/test_data.jsonl   {"total_uid", "conversations": [{"input": [{"text", "image"}]}, {"output": [...]}], ...}
    OUT/MODEL_output/UID.json  UID-o-N.jpg        the same record, its output replaced
MMIE (Lillianwei-h/MMIE; arXiv 2410.10139)
    DATA/data.json         [{"id", "question": [{"text", "image"}], "gt_answer": [...]}]
    OUT/data.json  OUT/images/                    the same, with "answer" and "model"
ISG-Bench (Dongping-Chen/ISG; arXiv 2411.17188)
    DATA/ISG-Bench.jsonl   {"id", "Category", "Query": [{"type", "content"}], "Golden": [...]}
    OUT/MODEL.jsonl  OUT/MODEL_images/            the same, with "output"
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from minigpt5.errors import DataError
from minigpt5.evaluation.benchmarks import (
    Item,
    Piece,
    Step,
    all_answers,
    pieces,
    read_json,
    read_lines,
    write_json,
    write_lines,
)

NEXT_STEP = (
    "Tell me the next step with image."  # how OpenING asks MiniGPT-5: generator_codes/minigpt-inference.py
)
PICTURE_MARK = "<image>"
JPEG_QUALITY = 95
ANSWERS = "answers"  # one by one, before they are one file
ISG_KEPT = ("id", "Category", "Query", "Golden")


@dataclass(frozen=True)
class OpenING:
    """As many replies as the true answer has steps, each to the question and all that was answered so far."""

    data: Path
    out: Path
    model: str

    @property
    def options(self) -> dict[str, Any]:
        return {}

    @property
    def folder(self) -> Path:
        """Where its scripts look for the answers of a model, below `gen_outputs`."""
        return self.out / f"{self.model}_output"

    def items(self) -> Iterator[Item]:
        """The questions of a file, or of `test_data.jsonl` in a folder."""
        path = self.data / "test_data.jsonl" if self.data.is_dir() else self.data
        for record in read_lines(path):
            try:
                asked = [
                    piece
                    for said in record["conversations"][0]["input"]
                    for piece in _marked(str(said["text"]).replace("<BEGIN>", ""), said["image"], path.parent)
                ]
                yield Item(str(record["total_uid"]), tuple(asked), record)
            except (KeyError, IndexError, TypeError) as error:
                raise DataError(f"{path}: got a record without {error}, expected one of OpenING") from error

    def is_answered(self, item: Item) -> bool:
        return (self.folder / f"{item.id}.json").exists()

    def next_turn(self, item: Item, steps: Sequence[Step], replies: int) -> tuple[Piece, ...] | None:
        if replies >= len(item.record["conversations"][1]["output"]):
            return None
        return (*item.asked, *pieces(steps), NEXT_STEP)

    def save(self, item: Item, steps: Sequence[Step]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        output = []
        for number, step in enumerate(steps):
            name = None if step.picture is None else f"{item.id}-o-{number}.jpg"
            if step.picture is not None:
                step.picture.convert("RGB").save(self.folder / str(name), quality=JPEG_QUALITY)
            output.append({"text": step.text, "image": name})
        question = item.record["conversations"][0]
        write_json(
            self.folder / f"{item.id}.json",
            {**item.record, "conversations": [question, {"output": output}]},
        )

    def finish(self) -> None:
        """Nothing: its scripts read an answer a file."""


@dataclass(frozen=True)
class MMIE:
    """One reply a question; all answers in one file, the pictures of the questions beside them."""

    data: Path
    out: Path
    model: str

    @property
    def options(self) -> dict[str, Any]:
        return {}

    def items(self) -> Iterator[Item]:
        """The questions of a file, or of `data.json` in a folder."""
        path = self.data / "data.json" if self.data.is_dir() else self.data
        for record in read_json(path):
            try:
                asked = [
                    p
                    for said in record["question"]
                    for p in _marked(said["text"], said["image"], path.parent)
                ]
                yield Item(str(record["id"]), tuple(asked), record)
            except (KeyError, TypeError) as error:
                raise DataError(f"{path}: got a record without {error}, expected one of MMIE") from error

    def is_answered(self, item: Item) -> bool:
        return self._place(item).exists()

    def next_turn(self, item: Item, steps: Sequence[Step], replies: int) -> tuple[Piece, ...] | None:
        return None if replies else item.asked

    def save(self, item: Item, steps: Sequence[Step]) -> None:
        for folder in (self.out / ANSWERS, self.out / "images"):
            folder.mkdir(parents=True, exist_ok=True)
        name = f"images/{_plain(item.id)}"
        answer = [
            {"text": step.text, "image": _saved(step.picture, self.out, f"{name}-{number}.png")}
            for number, step in enumerate(steps)
        ]
        question = [
            {"text": said["text"], "image": said["image"] and self._copied(said["image"])}
            for said in item.record["question"]
        ]
        write_json(
            self._place(item), {**item.record, "question": question, "answer": answer, "model": self.model}
        )

    def finish(self) -> None:
        """Make the file that the scorer reads."""
        write_json(self.out / "data.json", all_answers(self.out / ANSWERS))

    def _place(self, item: Item) -> Path:
        return self.out / ANSWERS / f"{_plain(item.id)}.json"

    def _copied(self, image: str) -> str:
        """The question's picture beside the answers, where the scorer looks for it."""
        root = self.data if self.data.is_dir() else self.data.parent
        name = f"images/question-{_plain(image)}"
        shutil.copyfile(root / image, self.out / name)
        return name


@dataclass(frozen=True)
class ISGBench:
    """One reply a question; `ISG-eval.py --input_file` reads the lines, and the pictures by their absolute paths."""

    data: Path
    out: Path
    model: str

    @property
    def options(self) -> dict[str, Any]:
        return {}

    def items(self) -> Iterator[Item]:
        """The questions of a file, or of `ISG-Bench.jsonl` in a folder."""
        path = self.data / "ISG-Bench.jsonl" if self.data.is_dir() else self.data
        for record in read_lines(path):
            try:
                asked = [
                    path.parent / block["content"] if block["type"] == "image" else str(block["content"])
                    for block in record["Query"]
                ]
                yield Item(str(record["id"]), tuple(asked), record)
            except (KeyError, TypeError) as error:
                raise DataError(f"{path}: got a record without {error}, expected one of ISG-Bench") from error

    def is_answered(self, item: Item) -> bool:
        return self._place(item).exists()

    def next_turn(self, item: Item, steps: Sequence[Step], replies: int) -> tuple[Piece, ...] | None:
        return None if replies else item.asked

    def save(self, item: Item, steps: Sequence[Step]) -> None:
        pictures = self.out / f"{self.model}_images"
        for folder in (self.out / ANSWERS, pictures):
            folder.mkdir(parents=True, exist_ok=True)
        output: list[dict[str, str]] = []
        for number, piece in enumerate(pieces(steps)):
            if isinstance(piece, str):
                output.append({"type": "text", "content": piece})
            elif isinstance(piece, Image.Image):
                path = (pictures / f"{_plain(item.id)}-{number}.png").resolve()
                piece.save(path)
                output.append({"type": "image", "content": str(path)})
        kept = {name: item.record[name] for name in ISG_KEPT if name in item.record}
        write_json(self._place(item), {**kept, "output": output})

    def finish(self) -> None:
        """Make the file of lines that `ISG-eval.py` reads."""
        write_lines(self.out / f"{self.model}.jsonl", all_answers(self.out / ANSWERS))

    def _place(self, item: Item) -> Path:
        return self.out / ANSWERS / f"{_plain(item.id)}.json"


def _marked(text: str | None, image: str | None, root: Path) -> list[Piece]:
    """Words with their picture where they are marked with one, or behind them."""
    before, _, after = (text or "").partition(PICTURE_MARK)
    picture: list[Piece] = [root / image] if image else []
    return [piece for piece in (before.strip(), *picture, after.replace(PICTURE_MARK, "").strip()) if piece]


def _saved(picture: Image.Image | None, folder: Path, name: str) -> str | None:
    if picture is None:
        return None
    picture.save(folder / name)
    return name


def _plain(name: str) -> str:
    """A name as that of a file."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-")
