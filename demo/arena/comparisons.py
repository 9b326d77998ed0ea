"""What raters compare: two systems' replies to the same history, read from a results folder; called by `arena.page`
and `arena.handlers`.

The folder is what `python -m minigpt5 evaluate --paper --out RESULTS` writes: for each setting `setting.json`,
`tasks.jsonl`, a `<system>.jsonl` of replies and their pictures. One setting's folder will do. A part is {"text": ...}
or {"image": file}. Knows no votes and no model.
"""

import json
import random
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

Parts = tuple[dict[str, str], ...]


class ArenaError(Exception):
    """The results folder cannot be compared; the message says what is missing."""


@dataclass(frozen=True)
class Answer:
    """A system's reply."""

    system: str
    parts: Parts


@dataclass(frozen=True)
class Comparison:
    """Two replies to one history; image parts name files within `folder`."""

    id: str
    title: str
    folder: Path
    history: tuple[tuple[str, Parts], ...]  # (role, parts)
    left: Answer
    right: Answer


def read_comparisons(results: Path) -> list[Comparison]:
    """Every task that two systems have answered, differently. Raises `ArenaError` where there is none."""
    files = [*results.glob("tasks.jsonl"), *sorted(results.glob("*/tasks.jsonl"))]
    found = [pair for file in files for pair in _in_setting(file.parent)]
    if not found:
        raise ArenaError(
            f"{results}: got no replies of two systems, expected a folder that `evaluate --paper` has written"
        )
    return found


def _in_setting(folder: Path) -> list[Comparison]:
    setting = json.loads((folder / "setting.json").read_text(encoding="utf-8"))
    if not setting["rated"]:
        return []
    tasks = {record["id"]: record for record in _records(folder / "tasks.jsonl")}
    systems = [
        {record["id"]: _answer(record) for record in _records(file)}
        for file in sorted(folder.glob("*.jsonl"))
        if file.name != "tasks.jsonl"
    ]
    return [
        Comparison(
            f"{folder.name}/{id_}/{one[id_].system}|{other[id_].system}",
            setting["title"],
            folder,
            tuple((turn["role"], tuple(turn["parts"])) for turn in tasks[id_]["history"]),
            one[id_],
            other[id_],
        )
        for one, other in combinations(systems, 2)
        for id_ in tasks
        if id_ in one and id_ in other and _differ(one[id_], other[id_])
    ]


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _answer(record: dict[str, Any]) -> Answer:
    return Answer(record["system"], tuple(record["parts"]))


def _differ(one: Answer, other: Answer) -> bool:
    pictures = any("image" in part for part in one.parts + other.parts)
    return pictures or one.parts != other.parts


def in_order_of(rater: str, comparisons: list[Comparison]) -> list[Comparison]:
    """The comparisons shuffled, half of them with their sides exchanged; always the same for one rater."""
    shuffled = random.Random(f"order {rater}").sample(comparisons, len(comparisons))
    return [
        _turned(pair) if random.Random(f"{rater} {pair.id}").random() < 0.5 else pair for pair in shuffled
    ]


def _turned(pair: Comparison) -> Comparison:
    return Comparison(pair.id, pair.title, pair.folder, pair.history, pair.right, pair.left)
