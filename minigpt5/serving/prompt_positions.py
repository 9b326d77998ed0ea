"""A prompt by positions, each with a number for what stands there: equal numbers, equal keys and values.

A token's number is its id. A picture takes Q positions, all with one negative number made of its content, so that two
prompts with the same picture are the same, wherever the picture came from.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from torch import Tensor

from minigpt5.conversation import Conversation, ImagePart, Message, Part
from minigpt5.images import preprocess
from minigpt5.prompt import Prompt


@dataclass(slots=True, eq=False)
class SeenPicture:
    """A picture of a prompt; `pixels` (3,H,W) are made when they are needed first."""

    key: str
    image: Image.Image
    size: int
    pixels: Tensor | None = None

    def pixel_values(self) -> Tensor:
        if self.pixels is None:
            self.pixels = preprocess(self.image, self.size)
        return self.pixels


@dataclass(frozen=True, slots=True, eq=False)
class PromptPositions:
    """`keys` (T',) int64, and the pictures in order with the position of each."""

    keys: np.ndarray
    pictures: tuple[SeenPicture, ...] = ()
    starts: tuple[int, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.keys)


def lay_out(prompt: Prompt, placeholder: int, num_query_tokens: int, size: int) -> PromptPositions:
    """`prompt`, whose pictures are `ImagePart`s, by positions; `size` is the side of the pictures that are seen."""
    keys: list[int] = []
    pictures: list[SeenPicture] = []
    starts: list[int] = []
    for token in prompt.input_ids:
        if token != placeholder:
            keys.append(token)
            continue
        part = prompt.images[len(pictures)]
        key = content_key(part)
        pictures.append(SeenPicture(key, part.image, size))
        starts.append(len(keys))
        keys += [_number(key)] * num_query_tokens
    return PromptPositions(np.array(keys, dtype=np.int64), tuple(pictures), tuple(starts))


def content_key(part: ImagePart) -> str:
    """What the picture is called for its content."""
    if part.key:
        return part.key
    image = part.image.convert("RGB")
    return hashlib.blake2b(image.tobytes(), digest_size=16, salt=f"{image.size}".encode()[:16]).hexdigest()


def with_keys(conversation: Conversation) -> Conversation:
    """The same with each part in the place of its picture, so that a prompt hands on the parts and their keys."""
    return Conversation(tuple(Message(m.role, tuple(map(_wrapped, m.parts))) for m in conversation.messages))


def shared(first: np.ndarray, second: np.ndarray | Sequence[int]) -> int:
    """How many positions both begin with."""
    length = min(len(first), len(second))
    different = np.asarray(first[:length]) != np.asarray(second[:length], dtype=np.int64)
    return int(different.argmax()) if different.any() else length


def _wrapped(part: Part) -> Part:
    return ImagePart(part) if isinstance(part, ImagePart) else part


def _number(key: str) -> int:
    return -1 - int.from_bytes(hashlib.blake2b(key.encode(), digest_size=7).digest())
