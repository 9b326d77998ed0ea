"""Replies on disk: what the report is made of, and what raters compare in the arena.

    RESULTS/<setting>/setting.json           its title
    RESULTS/<setting>/tasks.jsonl            {"id", "group", "history": [{"role", "parts"}], "truth": parts}
    RESULTS/<setting>/<system>.jsonl         {"id", "parts"}
    RESULTS/<setting>/pictures/*.png         parts are {"text": ...} or {"image": "pictures/..."}

A line is written as soon as its reply is there; a run that was interrupted goes on after the last one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minigpt5.conversation import ImagePart, Message, Part, TextPart
from minigpt5.evaluation.metrics import Pair
from minigpt5.evaluation.settings import Sample, Setting, Task, own_history, tasks_of
from minigpt5.evaluation.systems import System
from minigpt5.picture_files import open_image


def slug(name: str) -> str:
    """The name as part of a file's name."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


def answer_all(
    setting: Setting, samples: Iterable[Sample], systems: dict[str, System], results: Path
) -> dict[str, list[Pair]]:
    """The replies of every system of the setting beside the true ones, from disk where they are there already."""
    folder = results / setting.name
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    stories = list(tasks_of(setting, samples))
    (folder / "setting.json").write_text(json.dumps(asdict(setting), indent=2) + "\n")
    lines = [json.dumps(_task(task, folder)) for tasks in stories for task in tasks]
    (folder / "tasks.jsonl").write_text("\n".join(lines) + "\n")
    return {name: _answer(setting, stories, name, systems[name], folder) for name in setting.systems}


def _answer(
    setting: Setting, stories: list[list[Task]], name: str, system: System, folder: Path
) -> list[Pair]:
    path, pairs = folder / f"{slug(name)}.jsonl", []
    there = _read(path, folder)
    with path.open("a") as file:
        for tasks in stories:
            answers: list[Message] = []
            for task in tasks:
                asked = own_history(task, answers) if setting.steps == "own history" else task
                message = there.get(task.id)
                if message is None:
                    message = system.answer(asked, setting, _seed(task))
                    parts = _parts(message, folder, f"{slug(name)}-{task.id}")
                    file.write(json.dumps({"id": task.id, "system": name, "parts": parts}) + "\n")
                    file.flush()
                answers.append(message)
                pairs.append(Pair(task.group, task.truth, message))
    return pairs


def _seed(task: Task) -> int:
    group, _, step = task.id.partition("-")
    return int(group) * 1000 + int(step)


def _task(task: Task, folder: Path) -> dict[str, Any]:
    history = [
        {"role": m.role, "parts": _parts(m, folder, f"history-{task.id}-{n}")}
        for n, m in enumerate(task.history.messages)
    ]
    truth = _parts(task.truth, folder, f"truth-{task.id}")
    return {"id": task.id, "group": task.group, "history": history, "truth": truth}


def _parts(message: Message, folder: Path, name: str) -> list[dict[str, str]]:
    """Text as it is, pictures as files `pictures/<name>-<n>.png`."""
    parts = []
    for n, part in enumerate(message.parts):
        match part:
            case TextPart():
                parts.append({"text": part.text})
            case ImagePart():
                file = f"pictures/{name}-{n}.png"
                part.image.save(folder / file)
                parts.append({"image": file})
    return parts


def _read(path: Path, folder: Path) -> dict[str, Message]:
    """The replies by task; a last line that was cut off is left out and removed."""
    if not path.exists():
        return {}
    lines = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    path.write_text("".join(lines))
    records = [json.loads(line) for line in lines]
    return {r["id"]: Message("assistant", tuple(_part(p, folder) for p in r["parts"])) for r in records}


def _part(part: dict[str, str], folder: Path) -> Part:
    return TextPart(part["text"]) if "text" in part else ImagePart(open_image(folder / part["image"]))
