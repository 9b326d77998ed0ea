"""The JSON of the public endpoints as it comes in: options, a chat, vokens. Every refusal names the place. Called by
`endpoints`.

A message is `{"role": "user" | "assistant", "content": [part, ...]}`; a part is `{"type": "text", "text"}` or
`{"type": "image", "image": file}`. What an endpoint returns as `content` may be handed back in the next call's
history.
"""

import base64
from typing import Any

import numpy as np

from demo.guard.input.text import brief
from demo.guard.input.uploads import uploaded_path
from demo.guard.input.vokens import verify_vokens
from minigpt5 import (
    Conversation,
    GenerationOptions,
    ImagePart,
    Message,
    MiniGPT5Error,
    OptionError,
    TextPart,
    open_image,
)

Json = dict[str, Any]
MAX_TURNS, MAX_HISTORY_LETTERS, MAX_HISTORY_PICTURES = 400, 200_000, 64


def read_options(values: Json | None) -> GenerationOptions:
    """The options named in `values`; raises `OptionError` for other names and for values out of range."""
    known = GenerationOptions.__dataclass_fields__
    if values is not None and not isinstance(values, dict):
        raise OptionError(f"options: got {type(values).__name__}, expected an object of {', '.join(known)}")
    if unknown := sorted(set(values or {}) - set(known)):
        raise OptionError(f"options: got {', '.join(unknown):.80}, expected only {', '.join(known)}")
    return GenerationOptions(**(values or {}))


def read_history(history: list[Json] | None) -> Conversation:
    """The conversation that `history` tells; raises `MiniGPT5Error` that names the place of what is wrong."""
    messages = _list("history", history)
    verify_history(messages)
    return Conversation(
        tuple(_message(f"history[{index}]", message) for index, message in enumerate(messages))
    )


def verify_history(messages: list[Any]) -> None:
    """Raise `MiniGPT5Error` when a history has more than any model remembers, before any of it is read."""
    if len(messages) > MAX_TURNS:
        raise MiniGPT5Error(f"history: got {len(messages)} messages, expected at most {MAX_TURNS}")
    parts = [part for m in messages if isinstance(m, dict) for part in _listed(m.get("content"))]
    letters = sum(len(text) for part in parts if isinstance(text := part.get("text"), str))
    pictures = sum("image" in part for part in parts)
    if letters > MAX_HISTORY_LETTERS:
        raise MiniGPT5Error(f"history: got {letters} letters, expected at most {MAX_HISTORY_LETTERS}")
    if pictures > MAX_HISTORY_PICTURES:
        raise MiniGPT5Error(f"history: got {pictures} pictures, expected at most {MAX_HISTORY_PICTURES}")


def _listed(content: object) -> list[dict[str, Any]]:
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _message(place: str, message: Any) -> Message:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("user", "assistant"):
        raise MiniGPT5Error(f"{place}.role: got {brief(role)}, expected 'user' or 'assistant'")
    content = _list(f"{place}.content", message.get("content"))
    return Message(
        role, tuple(_part(f"{place}.content[{number}]", part) for number, part in enumerate(content))
    )


def _part(place: str, part: object) -> TextPart | ImagePart:
    match part:
        case {"type": "text", "text": str(text)}:
            return TextPart(text)
        case {"type": "image", "image": image}:
            return ImagePart(open_image(uploaded_path(image, f"{place}.image")))
    raise MiniGPT5Error(
        f'{place}: got {part!r:.80}, expected {{"type": "text", "text": str}} or {{"type": "image", "image": file}}'
    )


def _list(place: str, values: object) -> list[Any]:
    if values is None:
        return []
    if not isinstance(values, list):
        raise MiniGPT5Error(f"{place}: got {type(values).__name__}, expected a list")
    return values


def read_vokens(values: object) -> np.ndarray:
    """What `write_vokens` wrote, (V,D) float32; raises `OptionError` for anything else."""
    try:
        match values:
            case {"shape": [int(rows), int(width)], "data": str(data)} if _is_shape(rows, width):
                vokens = np.frombuffer(base64.b64decode(data, validate=True), "<f4").reshape(rows, width)
                verify_vokens(vokens)
                return vokens.copy()
    except ValueError as error:
        raise OptionError(f"vokens: got data that is not as its shape says ({error})") from error
    raise OptionError('vokens: expected {"shape": [V, D], "data": base64}, as a picture of a reply has them')


def _is_shape(rows: int, width: int) -> bool:
    return not isinstance(rows, bool) and not isinstance(width, bool) and rows > 0 and width > 0
