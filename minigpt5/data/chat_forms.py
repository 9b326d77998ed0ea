"""A chat as people write it in JSON -> messages. Four forms are known, and told apart by their keys:

    own         {"messages": [{"role": "user", "content": ["What is this?", {"image": "cat.png"}]}, ...]}
    typed       the same with parts as OpenAI and Hugging Face have them: {"type": "text", "text": ...},
                {"type": "image_url", "image_url": {"url": ...}}, {"type": "image"} for the next of `images`
    LLaVA       {"image": "cat.png", "conversations": [{"from": "human", "value": "<image>\\nWhat is this?"}, ...]}
    questions   {"images": [...], "texts": [{"user": "What is this?", "assistant": "A cat."}]} (The Cauldron)

`image` and `images` are the pictures of a whole chat, in the order of the places for them: `<image>` in words,
or {"type": "image"}. Where a chat has no place at all they stand in front of the user's first words.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigpt5.conversation import ImagePart, Message, Role, TextPart
from minigpt5.data.files import inside
from minigpt5.data.samples import Picture, PictureBytes, PictureFile
from minigpt5.errors import DataError

KEYS = {"messages", "system", "caption"}
BESIDE = {"id", "image", "images", "source"}  # may stand in every form
SIDES: dict[str, Role] = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}
PLACE = "<image>"
SHORT = 60  # letters of wrong values that a sentence shows

Find = Callable[[str], Picture]  # the picture of that name; raises `DataError`


@dataclass(frozen=True, slots=True)
class Chat:
    """One record: its messages with `Picture`s, its form, and what else it says."""

    messages: tuple[Message, ...]
    form: str
    system: str | None = None
    caption: str | None = None


def chat_of(record: Any, find: Find, given: Sequence[Picture] = ()) -> Chat:
    """The chat in one JSON value. `given` are pictures that lie beside it; raises `DataError`, "got ..., expected ..."."""
    if not isinstance(record, dict):
        raise DataError(f"got {_brief(record)}, expected an object of messages, conversations or texts")
    form, turns = _turns(record)
    if form == "own" and (unknown := sorted(set(record) - KEYS - BESIDE)):
        raise DataError(f"got keys {unknown}, expected only {sorted(KEYS)}")
    for key in ("system", "caption"):
        if not isinstance(record.get(key) or "", str):
            raise DataError(f"got {key} of type {type(record[key]).__name__}, expected a string")
    supply = _Supply([*given, *_named(record, find)])
    system = record.get("system")
    if turns and turns[0][0] in ("system", "developer"):
        system = " ".join(
            part.text for part in _parts(turns[0][1], find, supply) if isinstance(part, TextPart)
        )
        turns = turns[1:]
    messages = [Message(_side(role), tuple(_parts(content, find, supply))) for role, content in turns]
    _verify_turns(messages)
    return Chat(tuple(supply.placed(messages)), form, system, record.get("caption"))


def is_chat(record: Any) -> bool:
    """Whether a JSON object is a chat in one of the forms."""
    return isinstance(record, dict) and any(record.get(key) for key in ("messages", "conversations", "texts"))


def find_below(folder: Path) -> Find:
    """Pictures as data files name them: paths below `folder`, or data URLs."""

    def find(name: str) -> Picture:
        kind, colon, rest = name.partition(":")
        if colon and kind.lower() == "data":
            return _from_url(rest)
        if colon and rest.startswith("//"):
            raise DataError(f"got a picture at {name!r:.80}, expected a path below the folder of the data")
        return PictureFile(inside(folder, name))

    return find


class _Supply:
    """The pictures of a whole chat, handed out place by place."""

    def __init__(self, pictures: list[Picture]) -> None:
        self.pictures = pictures
        self.places = 0

    def next(self) -> ImagePart:
        self.places += 1
        if self.places > len(self.pictures):
            return ImagePart(None)  # told by `placed`, with the number of all places
        return ImagePart(self.pictures[self.places - 1])

    def placed(self, messages: list[Message]) -> list[Message]:
        """The messages with all pictures in them; raises `DataError` where places and pictures differ."""
        named = any(isinstance(part, ImagePart) for message in messages for part in message.parts)
        if self.places == len(self.pictures) or (named and not self.places):
            return messages
        if self.places:
            raise DataError(
                f"got {len(self.pictures)} pictures for {self.places} places, expected as many pictures as places"
            )
        first, *others = messages
        return [Message(first.role, (*map(ImagePart, self.pictures), *first.parts)), *others]


def _turns(record: dict[str, Any]) -> tuple[str, list[tuple[Any, Any]]]:
    """The form of a record, and the side and the content of each turn."""
    for key in ("messages", "conversations", "texts"):
        if record.get(key) is not None:
            turns = record[key]
            break
    else:
        raise DataError("got no list of messages, expected an object with one")
    if isinstance(turns, dict) and all(isinstance(column, list) for column in turns.values()):
        turns = [dict(zip(turns, turn, strict=True)) for turn in zip(*turns.values(), strict=False)]
    if not isinstance(turns, list) or not turns:
        raise DataError(f"got {key} {_brief(turns)}, expected a list of messages")
    match key:
        case "texts":
            return "questions", [turn for pair in turns for turn in _question(pair)]
        case "conversations" if _is_llava(turns[0]):
            return "LLaVA", [_said(turn, "from", "value") for turn in turns]
    said = [_said(turn, "role", "content") for turn in turns]
    return "typed" if any(_is_typed(*turn) for turn in said) else "own", said


def _is_llava(turn: Any) -> bool:
    return isinstance(turn, dict) and "from" in turn


def _is_typed(role: Any, content: Any) -> bool:
    parts = content if isinstance(content, list) else []
    return role in ("system", "developer") or any(isinstance(part, dict) and "type" in part for part in parts)


def _said(turn: Any, side: str, content: str) -> tuple[Any, Any]:
    if not isinstance(turn, dict) or not {side, content} <= set(turn):
        raise DataError(f"got a message {_brief(turn)}, expected an object of {side} and {content}")
    extra = {key for key, value in turn.items() if value is not None} - {side, content, "name", "weight"}
    if extra:
        raise DataError(f"got a message with {sorted(extra)}, expected an object of {side} and {content}")
    return turn[side], turn[content]


def _question(pair: Any) -> list[tuple[Any, Any]]:
    if not isinstance(pair, dict) or not {"user", "assistant"} <= set(pair):
        raise DataError(f"got {_brief(pair)} among texts, expected an object of user and assistant")
    return [("user", pair["user"]), ("assistant", pair["assistant"])]


def _side(role: Any) -> Role:
    if not isinstance(role, str) or role not in SIDES:
        raise DataError(f"got role {_brief(role)}, expected 'user' or 'assistant'")
    return SIDES[role]


def _named(record: dict[str, Any], find: Find) -> list[Picture]:
    """The pictures that the record itself names for the whole chat."""
    names: list[Any] = []
    for key in ("image", "images"):
        value = record.get(key)
        names += value if isinstance(value, list) else [] if value is None else [value]
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise DataError(f"got a picture {_brief(wrong[0])}, expected a path or a data URL")
    return [find(name) for name in names]


def _parts(content: Any, find: Find, supply: _Supply) -> Iterator[TextPart | ImagePart]:
    parts = [content] if isinstance(content, str) else content
    if not isinstance(parts, list) or not parts:
        raise DataError(f"got content {_brief(content)}, expected words or a list of words and pictures")
    for part in parts:
        yield from _part(part, find, supply)


def _part(part: Any, find: Find, supply: _Supply) -> Iterator[TextPart | ImagePart]:
    if isinstance(part, dict):  # tables fill in None where a part lacks a key of another
        part = {key: value for key, value in part.items() if value is not None}
    match part:
        case str() if part.strip():
            yield from _words(part, supply)
        case {"type": "text" | "input_text" | "output_text", "text": str() as words}:
            yield from _words(words, supply)
        case {"type": "image_url" | "input_image", "image_url": {"url": str() as name} | (str() as name)}:
            yield ImagePart(find(name))
        case (
            {"type": "image", "image": str() as name}
            | {"type": "image", "path": str() as name}
            | {"type": "image", "url": str() as name}
        ):
            yield ImagePart(find(name))
        case {"type": "image"} if set(part) <= {"type", "index", "text"}:
            yield supply.next()
        case {"image": str() as name} if len(part) == 1:
            yield ImagePart(find(name))
        case _:
            raise DataError(f'got a part {_brief(part)}, expected words or {{"image": "FILE"}}')


def _words(words: str, supply: _Supply) -> Iterator[TextPart | ImagePart]:
    """Words, cut where pictures of the whole chat belong."""
    stretches = words.split(PLACE) if supply.pictures else [words]
    for number, stretch in enumerate(stretches):
        if number:
            yield supply.next()
        if stretch.strip():
            yield TextPart(stretch)


def _verify_turns(messages: list[Message]) -> None:
    if not any(message.role == "assistant" for message in messages):
        raise DataError("got no message of the assistant, expected one to learn")
    if messages[0].role != "user":
        raise DataError("got a first message of the assistant, expected the user's")
    if empty := [message.role for message in messages if not message.parts]:
        raise DataError(f"got an empty message of the {empty[0]}, expected words or pictures in each")


def _from_url(rest: str) -> PictureBytes:
    """The picture of a data URL, without its scheme."""
    header, comma, content = rest.partition(",")
    if not comma or not header.lower().endswith(";base64"):
        raise DataError(f"got a data URL of {header!r:.60}, expected data:image/...;base64,...")
    try:
        return PictureBytes(base64.b64decode(content, validate=True))
    except (binascii.Error, ValueError) as error:
        raise DataError(f"got a data URL that is damaged ({error}), expected base64") from error


def _brief(value: Any) -> str:
    return f"{str(value)[:SHORT]!r}"
