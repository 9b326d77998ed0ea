"""Replies on disk: what the report is made of, and what raters compare in the arena.

    RESULTS/<setting>/setting.json           its title
    RESULTS/<setting>/made_by.json           which model made the replies, with which options
    RESULTS/<setting>/tasks.jsonl            {"id", "group", "history": [{"role", "parts"}], "truth": parts}
    RESULTS/<setting>/<system>.jsonl         {"id", "system", "parts"}
    RESULTS/<setting>/pictures/*.png         parts are {"text": ...} or {"image": "pictures/..."}

One story or dialogue is in memory at a time, and its replies are written as soon as they are there; a run that was
interrupted goes on after the last one. Where no rater looks, the pictures of histories are not kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from PIL import Image

from minigpt5.conversation import ImagePart, Message, Part, TextPart
from minigpt5.errors import DataError, OptionError, PromptError
from minigpt5.evaluation.metrics import Pair
from minigpt5.evaluation.origins import Origins, keep_apart
from minigpt5.evaluation.settings import Sample, Setting, Task, own_history, tasks_of
from minigpt5.evaluation.systems import System
from minigpt5.images import pad_to_square
from minigpt5.picture_files import open_image

TASKS = "tasks.jsonl"


def slug(name: str) -> str:
    """The name as part of a file's name."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


@dataclass(frozen=True)
class StoredPairs:
    """The replies of a system beside the true ones, read from disk one by one as often as they are wanted."""

    folder: Path
    system: str

    def __iter__(self) -> Iterator[Pair]:
        answers = _read(self.folder / f"{slug(self.system)}.jsonl")
        for task in _records(self.folder / TASKS):
            truth, answer = (self._message(parts) for parts in (task["truth"], answers[task["id"]]))
            yield Pair(task["group"], truth, answer)

    def beside(self, setting: Setting, samples: Iterable[Sample]) -> Iterator[Pair]:
        """The true replies beside those of other `samples`, in order of their numbers; a number that one side lacks is
        left out."""
        tasks = (task for group in tasks_of(setting, samples) for task in group)
        task = next(tasks, None)
        for record in _records(self.folder / TASKS):
            while task and _number(task.id) < _number(record["id"]):
                task = next(tasks, None)
            if task and task.id == record["id"]:
                yield Pair(record["group"], self._message(record["truth"]), task.truth)

    def _message(self, parts: list[dict[str, str]]) -> Message:
        return Message("assistant", tuple(_part(part, self.folder) for part in parts))


def answer_all(
    setting: Setting,
    samples: Iterable[Sample],
    systems: dict[str, System],
    origins: Origins,
    results: Path,
    size: int | None = None,
) -> dict[str, StoredPairs]:
    """Have every system of the setting reply to the samples, where its reply is not on disk already.

    True pictures are laid on a white square of `size` pixels, if one is given, as the official data sets do it. A
    sample that no prompt can be made of is left out for all systems and told. Raises `OptionError` when `results`
    holds replies to other samples, or of a system that was made otherwise than its `origins` say.
    """
    folder = results / setting.name
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    asked = {
        f"setting: {name}": getattr(setting, name) for name in ("context", "steps", "narration", "pictures")
    }
    for name in setting.systems:
        path = folder / f"{slug(name)}.jsonl"
        keep_apart(folder, name, {**origins[name], **asked}, path.exists() and path.stat().st_size > 0)
    (folder / "setting.json").write_text(json.dumps(asdict(setting), indent=2) + "\n")
    with ExitStack() as open_files:
        replying = [_Replying(setting, name, systems[name], folder, open_files) for name in setting.systems]
        known = {record["id"]: record for record in _records(folder / TASKS)}
        tasks_file = open_files.enter_context((folder / TASKS).open("w", encoding="utf-8"))
        for tasks in tasks_of(setting, samples):
            try:
                for one in replying:
                    one.reply(tasks)
            except (DataError, PromptError) as error:
                print(f"skipped {setting.name} {tasks[0].group}: {error}", flush=True)
                continue
            for task in tasks:
                record = known.get(task.id) or _task(task, folder, setting, size)
                if _heard(record) != [m.text for m in (*task.history.messages, task.truth)]:
                    raise OptionError(f"{folder}: got replies to other samples, expected an empty folder")
                _write(tasks_file, record)
    return {name: StoredPairs(folder, name) for name in setting.systems}


class _Replying:
    """A system and the file of its replies."""

    def __init__(
        self, setting: Setting, name: str, system: System, folder: Path, open_files: ExitStack
    ) -> None:
        self.setting, self.name, self.system, self.folder = setting, name, system, folder
        path = folder / f"{slug(name)}.jsonl"
        self.there = _read(path)
        self.file = open_files.enter_context(path.open("a", encoding="utf-8"))

    def reply(self, tasks: list[Task]) -> None:
        """Answer those tasks of one story that are not answered yet."""
        own, answers = self.setting.steps == "own history", list[Message]()
        for task in tasks:
            parts = self.there.get(task.id)
            if parts is None:
                asked = own_history(task, answers) if own else task
                message = self.system.answer(asked, self.setting, _number(task.id))
                parts = _parts(message, self.folder, f"{slug(self.name)}-{task.id}")
                _write(self.file, {"id": task.id, "system": self.name, "parts": parts})
            elif own:
                message = Message("assistant", tuple(_part(part, self.folder) for part in parts))
            if own:
                answers.append(message)


def _number(task_id: str) -> int:
    group, _, step = task_id.partition("-")
    return int(group) * 1000 + int(step)


def _write(file: IO[str], record: dict[str, Any]) -> None:
    file.write(json.dumps(record) + "\n")
    file.flush()


def _task(task: Task, folder: Path, setting: Setting, size: int | None) -> dict[str, Any]:
    history = [
        {"role": m.role, "parts": _parts(m, folder if setting.rated else None, f"history-{task.id}-{n}")}
        for n, m in enumerate(task.history.messages)
    ]
    truth = _parts(task.truth, folder, f"truth-{task.id}", size)
    return {"id": task.id, "group": task.group, "history": history, "truth": truth}


def _parts(message: Message, folder: Path | None, name: str, size: int | None = None) -> list[dict[str, str]]:
    """Text as it is, pictures as files `pictures/<name>-<n>.png`, without a folder not at all."""
    parts = []
    for n, part in enumerate(message.parts):
        match part:
            case TextPart():
                parts.append({"text": part.text})
            case ImagePart() if folder:
                file = f"pictures/{name}-{n}.png"
                (_squared(part.image, size) if size else part.image).save(folder / file)
                parts.append({"image": file})
    return parts


def _squared(image: Image.Image, size: int) -> Image.Image:
    return pad_to_square(image).resize((size, size), Image.Resampling.BILINEAR)


def _heard(record: dict[str, Any]) -> list[str]:
    """The words of each message of a task, the true reply's last."""
    return [_words(parts) for parts in (*(m["parts"] for m in record["history"]), record["truth"])]


def _words(parts: list[dict[str, str]]) -> str:
    return " ".join(part["text"].strip() for part in parts if "text" in part).strip()


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file of lines; a last one that was cut off is removed from it."""
    if not path.exists():
        return
    with path.open("r+", encoding="utf-8") as file:
        whole = 0
        while line := file.readline():
            if not line.endswith("\n"):
                file.truncate(whole)
                return
            whole = file.tell()
            yield json.loads(line)


def _read(path: Path) -> dict[str, list[dict[str, str]]]:
    """The parts of the replies by task."""
    return {record["id"]: record["parts"] for record in _records(path)}


def _part(part: dict[str, str], folder: Path) -> Part:
    return TextPart(part["text"]) if "text" in part else ImagePart(open_image(folder / part["image"]))
