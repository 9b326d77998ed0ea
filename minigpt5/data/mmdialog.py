"""MMDialog: chats between two people, words and pictures (official `dataloader.py`, `MMDialogDataset`).

One conversation a line, pictures beside the file as `MEDIA_ID.jpg`. Every turn but the first is a sample whose
source is the history before it: the first speaker is Human, the second Assistant, and both are learned. The
history holds the last two or three turns: after each second turn from the fourth on, its oldest pair falls away. A
conversation ends before a turn that is longer than 20 words (in an evaluation, `test`, it does not), or whose
picture is missing. Of several pictures in a turn the first counts, as in the official code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from minigpt5.data.files import inside, is_file, read_text
from minigpt5.data.samples import Findings, PictureFile, Sample, Samples, WrittenSample
from minigpt5.errors import DataError

SYSTEM = (
    "Give the following images in <Img>ImageContent</Img> format. You will be able to see the images once I "
    "provide it to you. Please generate conversations with appropriate images."
)
MAX_WORDS = 20
SIDES = (" ###Human:", " ###Assistant:")

Turn = tuple[str, PictureFile | None]


def read_mmdialog(path: Path, *, test: bool = False) -> Samples:
    """The samples of `*_conversations.txt`; raises `DataError`."""
    findings = Findings(path.name)
    samples = [
        sample
        for record, turns in read_conversations(path, findings, test=test)
        for sample in _samples(record, turns)
    ]
    return Samples(samples, findings)


def read_conversations(
    path: Path, findings: Findings, *, test: bool = False
) -> Iterator[tuple[str, list[Turn]]]:
    """Where each conversation stands and its usable turns, one by one; raises `DataError`."""
    lines = read_text(path, "a conversation in JSON on every line").splitlines()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield f"{path.name} line {number}", _turns(path, number, line, test, findings)


def before(turns: Sequence[tuple[str, Any]]) -> tuple[Any, ...]:
    """The official prompt for the turn after `turns` (words, and a picture or None): the last two or three of them."""
    index = len(turns)
    written: list[Any] = [SYSTEM]
    for past in range(max(0, index - 2 - index % 2), index):
        written += [SIDES[past % 2], *_said(turns[past])]
    return (*written, SIDES[index % 2])


def _samples(record: str, turns: list[Turn]) -> Iterator[Sample]:
    for index in range(1, len(turns)):
        text, picture = turns[index]
        target = (text, picture, "###") if picture else (f"{text} ###",)
        yield WrittenSample(f"{record} turn {index}", before(turns[:index]), target)


def _said(turn: tuple[str, Any]) -> list[Any]:
    text, picture = turn
    return [f" {text} <Img>", picture, "</Img>"] if picture else [f" {text}"]


def _turns(path: Path, number: int, line: str, test: bool, findings: Findings) -> list[Turn]:
    """The turns up to the first that cannot be used."""
    record = f"{path.name} line {number}"
    try:
        conversation = json.loads(line)["conversation"]
    except (ValueError, KeyError, TypeError) as error:
        findings.skip(record, "no conversation in JSON", str(error))
        return []
    if not isinstance(conversation, list) or len(conversation) < 2:
        findings.skip(record, "fewer than two turns")
        return []
    usable: list[Turn] = []
    for index, entry in enumerate(conversation):
        try:
            text, picture = _turn(entry, path.parent)
            if len(text.split(" ")) > MAX_WORDS and not test:
                raise DataError(f"more than {MAX_WORDS} words (got {len(text.split(' '))})")
        except DataError as error:
            reason, _, detail = str(error).partition(" (")
            findings.skip(f"{record} from turn {index} on", reason, detail.removesuffix(")"))
            break
        usable.append((text, picture))
    return usable


def _turn(entry: Any, folder: Path) -> Turn:
    try:
        parts = entry["turn"]
        text = next(part["__TEXT__"] for part in parts if "__TEXT__" in part)
        media = next((part["__MEDIA__"] for part in parts if "__MEDIA__" in part), None)
    except (KeyError, TypeError, StopIteration) as error:
        raise DataError(f"no __TEXT__ in a turn (got {str(entry)[:60]})") from error
    if media is None:
        return str(text), None
    picture = inside(folder, f"{media}.jpg")
    if not is_file(picture):
        raise DataError(f"picture missing (got {picture.name})")
    return str(text), PictureFile(picture)
