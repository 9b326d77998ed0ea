"""Your own data: one conversation a line, words and pictures in any order, as JSON.

    {"messages": [
        {"role": "user", "content": ["What is this?", {"image": "cat.png"}]},
        {"role": "assistant", "content": ["A cat. Now it sleeps.", {"image": "sleeping.png"}]}]}

`content` is a string, or a list of strings and pictures; picture paths are relative to the file and stay below its
folder. The user's pictures are seen, the assistant's are drawn when their message is learned and seen in later ones.
Every message of the assistant is a sample of its own, with what was said before it. Beside `messages` a line may have
`system` (the instruction in front of the chat; the model's own otherwise) and `caption` (what the last picture shows,
for the caption loss). The forms of other people's chats are read too, see `chat_forms`, and so is one list of all in
a `.json`. A file with a record that is of no form is refused, with the line of the first of each kind of fault;
a record whose picture is missing or broken is skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigpt5.conversation import ImagePart
from minigpt5.data.chat_forms import Chat, chat_of, find_below
from minigpt5.data.files import is_file, read_text
from minigpt5.data.samples import ChatSample, Findings, Picture, PictureFile, Samples
from minigpt5.errors import DataError
from minigpt5.prompt import SYSTEM

SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a file and the line on which it begins: its value, or what is wrong with it."""

    number: int
    value: Any
    fault: str | None = None


def read_jsonl(path: Path, *, system: str = SYSTEM) -> Samples:
    """The samples of a file; `system` is the model's instruction. Raises `DataError`, with line numbers."""
    findings = Findings(path.name)
    samples = [
        reply for where, chat in read_records(path, findings) for reply in replies(where, chat, system)
    ]
    verify_faultless(path, findings)
    return Samples(samples, findings)


def read_chats(path: Path, findings: Findings) -> Iterator[ChatSample]:
    """The last reply of each chat, with all that was said before it; raises as `read_jsonl`."""
    chats = list(read_records(path, findings))
    verify_faultless(path, findings)
    for where, chat in chats:
        yield list(replies(where, chat, SYSTEM))[-1]


def verify_faultless(path: Path, findings: Findings) -> None:
    """Raise `DataError` where a record is of no form."""
    if findings.faults:
        raise DataError(f"{path}: {findings.refusal()}")


def read_records(path: Path, findings: Findings) -> Iterator[tuple[str, Chat]]:
    """Where each usable chat stands, and the chat; faults and what is left out are told to `findings`."""
    find = find_below(path.parent)
    for line in lines_of(read_text(path, "a conversation in JSON on every line")):
        try:
            if line.fault:
                raise DataError(line.fault)
            chat = chat_of(line.value, find)
        except DataError as error:
            findings.fault(f"line {line.number}", str(error))
            continue
        if missing := missing_picture(pictures_of(chat)):
            findings.skip(f"{path.name} line {line.number}", "picture missing", missing)
            continue
        yield f"{path.name} line {line.number}", chat


def replies(where: str, chat: Chat, system: str) -> Iterator[ChatSample]:
    """Every reply of a chat as a sample, with what was said before it."""
    ends = [index + 1 for index, message in enumerate(chat.messages) if message.role == "assistant"]
    for end in ends:
        name = where if len(ends) == 1 else f"{where} message {end}"
        caption = chat.caption if end == ends[-1] else None
        yield ChatSample(name, chat.messages[:end], system if chat.system is None else chat.system, caption)


def pictures_of(chat: Chat) -> list[Picture]:
    """All pictures of a chat, in order."""
    return [part.image for message in chat.messages for part in message.parts if isinstance(part, ImagePart)]


def missing_picture(pictures: list[Picture]) -> str | None:
    """The name of the first picture that lies nowhere, if there is one."""
    names = (one.path.name for one in pictures if isinstance(one, PictureFile) and not is_file(one.path))
    return next(names, None)


def lines_of(text: str) -> Iterator[Line]:
    """The records of a text: an object on every line, or one list of them."""
    if text.lstrip()[:1] == "[":
        yield from _listed(text)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield Line(number, parsed(line))
            except DataError as error:
                yield Line(number, None, str(error))


def parsed(text: str) -> Any:
    """One JSON value of whole characters; raises `DataError`."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise DataError("got JSON that is nested too deeply, expected an object of messages") from error
    except UnicodeEncodeError as error:
        raise DataError(
            "got half a surrogate pair (\\ud800 to \\udfff), expected whole characters"
        ) from error
    except ValueError as error:
        raise DataError(f"got text that is not JSON ({error}), expected an object") from error
    return value


def _listed(text: str) -> Iterator[Line]:
    """The members of one list, each with the line on which it begins; what follows a broken one is lost."""
    decoder, number, counted = json.JSONDecoder(), 1, 0
    place = _after_space(text, text.index("[") + 1)
    while text[place : place + 1] not in ("]", ""):
        number, counted = number + text.count("\n", counted, place), place
        try:
            _, end = decoder.raw_decode(text, place)
            yield Line(number, parsed(text[place:end]))
        except (ValueError, RecursionError) as error:
            yield Line(number, None, f"got text that is not JSON ({error}), expected an object")
            return
        except DataError as error:
            yield Line(number, None, str(error))
        place = _after_space(text, end)
        if text[place : place + 1] == ",":
            place = _after_space(text, place + 1)
    if text[place : place + 1] != "]":
        yield Line(text.count("\n") + 1, None, "got the end of the file within a list, expected a closing ]")


def _after_space(text: str, place: int) -> int:
    found = SPACE.match(text, place)
    return found.end() if found else place
