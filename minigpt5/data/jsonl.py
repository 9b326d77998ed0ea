"""Your own data: one conversation a line, words and pictures in any order, as JSON.

    {"messages": [
        {"role": "user", "content": ["What is this?", {"image": "cat.png"}]},
        {"role": "assistant", "content": ["A cat. Now it sleeps.", {"image": "sleeping.png"}]}]}

`content` is a string, or a list of strings and pictures; picture paths are relative to the file. The user's
pictures are seen, the assistant's are drawn when their message is learned and seen in later ones. Every message of
the assistant is a sample of its own, with what was said before it. Beside `messages` a line may have `system`
(the instruction in front of the chat; the model's own otherwise) and `caption` (what the last picture shows, for
the caption loss). A file with a line that is not of this form is refused, with the number of every such line;
a record whose picture is missing or broken is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minigpt5.conversation import ImagePart, Message, TextPart
from minigpt5.data.files import read_text
from minigpt5.data.samples import MAX_LINES, ChatSample, Findings, PictureFile, Samples
from minigpt5.errors import DataError
from minigpt5.prompt import SYSTEM

KEYS = {"messages", "system", "caption"}


def read_jsonl(path: Path, *, system: str = SYSTEM) -> Samples:
    """The samples of a file; `system` is the model's instruction. Raises `DataError`, with line numbers."""
    findings = Findings(path.name)
    samples = [reply for replies in _read(path, findings, system) for reply in replies]
    return Samples(samples, findings)


def read_chats(path: Path, findings: Findings) -> Iterator[ChatSample]:
    """The last reply of each chat, with all that was said before it; raises as `read_jsonl`."""
    yield from (replies[-1] for replies in _read(path, findings, SYSTEM))


def _read(path: Path, findings: Findings, system: str) -> list[list[ChatSample]]:
    """The replies of each chat."""
    chats: list[list[ChatSample]] = []
    problems: list[str] = []
    for number, line in enumerate(read_text(path, "a conversation in JSON on every line").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = _record(line)
            messages = [_message(message, path.parent) for message in record["messages"]]
            _verify_turns(messages)
        except DataError as error:
            problems.append(f"line {number}: {error}")
            continue
        if missing := [p.path for m in messages for p in _pictures(m) if not _is_file(p.path)]:
            findings.skip(f"{path.name} line {number}", "picture missing", missing[0].name)
            continue
        chats.append(list(_replies(f"{path.name} line {number}", messages, record, system)))
    if problems:
        more = f"; and {len(problems) - MAX_LINES} more" if len(problems) > MAX_LINES else ""
        raise DataError(f"{path}: {'; '.join(problems[:MAX_LINES])}{more}")
    return chats


def _replies(
    where: str, messages: list[Message], record: dict[str, Any], system: str
) -> Iterator[ChatSample]:
    ends = [index + 1 for index, message in enumerate(messages) if message.role == "assistant"]
    for end in ends:
        name = where if len(ends) == 1 else f"{where} message {end}"
        caption = record.get("caption") if end == ends[-1] else None
        yield ChatSample(name, tuple(messages[:end]), record.get("system", system), caption)


def _record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
        json.dumps(record, ensure_ascii=False).encode()
    except RecursionError as error:
        raise DataError("got JSON that is nested too deeply, expected an object of messages") from error
    except UnicodeEncodeError as error:
        raise DataError(
            "got half a surrogate pair (\\ud800 to \\udfff), expected whole characters"
        ) from error
    except ValueError as error:
        raise DataError(f"got text that is not JSON ({error}), expected an object") from error
    if not isinstance(record, dict) or not isinstance(record.get("messages"), list):
        raise DataError("got no list of messages, expected an object with one")
    if unknown := sorted(set(record) - KEYS):
        raise DataError(f"got keys {unknown}, expected only {sorted(KEYS)}")
    for key in ("system", "caption"):
        if not isinstance(record.get(key, ""), str):
            raise DataError(f"got {key} of type {type(record[key]).__name__}, expected a string")
    return record


def _message(message: Any, folder: Path) -> Message:
    if not isinstance(message, dict) or set(message) != {"role", "content"}:
        raise DataError(f"got a message {str(message)[:60]!r}, expected an object of role and content")
    role, content = message["role"], message["content"]
    if role not in ("user", "assistant"):
        raise DataError(f"got role {role!r}, expected 'user' or 'assistant'")
    parts = [content] if isinstance(content, str) else content
    if not isinstance(parts, list) or not parts:
        raise DataError(f"got content {str(content)[:60]!r}, expected words or a list of words and pictures")
    return Message(role, tuple(_part(part, folder) for part in parts))


def _part(part: Any, folder: Path) -> TextPart | ImagePart:
    match part:
        case str() if part.strip():
            return TextPart(part)
        case {"image": str() as name} if len(part) == 1:
            return ImagePart(PictureFile(folder / name))
    raise DataError(f'got a part {str(part)[:60]!r}, expected words or {{"image": "FILE"}}')


def _verify_turns(messages: list[Message]) -> None:
    if not any(message.role == "assistant" for message in messages):
        raise DataError("got no message of the assistant, expected one to learn")
    if messages[0].role != "user":
        raise DataError("got a first message of the assistant, expected the user's")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _pictures(message: Message) -> list[PictureFile]:
    return [part.image for part in message.parts if isinstance(part, ImagePart)]
