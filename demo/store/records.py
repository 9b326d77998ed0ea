"""What a chat consists of, as plain frozen values: no database, no model, no page.

A chat is a tree of messages. Editing a user's message or retrying an answer adds a sibling, so nothing is ever
overwritten; the chat that is shown is one path from the root to a leaf. A picture keeps its vokens and every drawing
that was made of them.
"""

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["user", "assistant"]
Ending = Literal["", "stop", "length", "stopped", "failed"]  # "" while the answer is being made


@dataclass(frozen=True, slots=True)
class Words:
    """Text of a message; `remark` marks words of the page itself, which the model never sees."""

    text: str
    remark: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that the user showed: `file` is its name in the picture folder, from its content."""

    file: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """One way in which a picture was drawn, with all that draws it again."""

    file: str
    seed: int
    guidance_scale: float
    num_inference_steps: int
    scheduler: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an answer: the file of its vokens (V,D), its drawings in order, and which of them is shown."""

    vokens: str
    drawings: tuple[Drawing, ...]
    chosen: int = 0


Part = Words | Upload | Picture


@dataclass(frozen=True, slots=True)
class Node:
    """One message of the tree. `options` are those of the answer (a user's node holds what was asked for with it)."""

    id: str
    parent: str | None
    role: Role
    parts: tuple[Part, ...]
    options: dict[str, object] = field(default_factory=dict)
    ending: Ending = "stop"
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChatInfo:
    """What the list of chats shows. `updated` is seconds since 1970."""

    id: str
    title: str
    updated: float
