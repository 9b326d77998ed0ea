"""A conversation as plain, frozen values: who said what, in words and pictures, in order.

It knows nothing of tokens, templates or tensors. Every method returns a new conversation, so that two users
who start from the same one never see each other's turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from minigpt5.picture_files import open_image

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words of a message."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class ImagePart:
    """A picture of a message.

    `image` is a PIL picture wherever a model looks at it; the prompt never opens it, so a data set may put a
    key of its own there. `vokens` are the (V,D) features of a picture that the model drew itself, when they
    are known. `key` names the content, where a name for it is known: pictures of one key are the same picture, and an
    engine that has seen one need not open the other.
    """

    image: Any  # PIL.Image.Image
    vokens: np.ndarray | None = None
    key: str = ""


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said in one turn."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All the words, without the pictures."""
        return " ".join(part.text.strip() for part in self.parts if isinstance(part, TextPart)).strip()

    @property
    def images(self) -> tuple[Image.Image, ...]:
        """All the pictures, in order."""
        return tuple(part.image for part in self.parts if isinstance(part, ImagePart))


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns so far, oldest first."""

    messages: tuple[Message, ...] = ()

    def user(self, *parts: str | Image.Image | Path | Part) -> Conversation:
        """This conversation and a turn of the user. A str is words, a `Path` a picture's file
        (`ImageError`)."""
        return self.add(Message("user", _parts(parts)))

    def assistant(self, *parts: str | Image.Image | Path | Part) -> Conversation:
        """This conversation and a turn of the model, given as for `user`."""
        return self.add(Message("assistant", _parts(parts)))

    def add(self, message: Message) -> Conversation:
        """This conversation and one more message."""
        return Conversation((*self.messages, message))


def _parts(values: tuple[str | Image.Image | Path | Part, ...]) -> tuple[Part, ...]:
    return tuple(_part(value) for value in values)


def _part(value: str | Image.Image | Path | Part) -> Part:
    match value:
        case TextPart() | ImagePart():
            return value
        case str():
            return TextPart(value)
        case Image.Image() | Path():
            return ImagePart(open_image(value))
    raise TypeError(
        f"got a part of type {type(value).__name__}, expected str, PIL image, Path, TextPart or ImagePart"
    )
