"""What a chat consists of, as plain frozen values: no database, no model, no page. Read everywhere in the demo.

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


@dataclass(frozen=True, slots=True)
class Sketch:
    """A picture that was stopped halfway: its last preview. It is shown, and the model never sees it."""

    file: str
    step: int
    num_inference_steps: int


Part = Words | Upload | Picture | Sketch


@dataclass(frozen=True, slots=True)
class Node:
    """One message of the tree. `options` are those of the answer (a user's node holds what was asked for with it).

    `token_ids` are those of a finished answer, as `TurnFinished` has them.
    """

    id: str
    parent: str | None
    role: Role
    parts: tuple[Part, ...]
    options: dict[str, object] = field(default_factory=dict)
    ending: Ending = "stop"
    timings: dict[str, float] = field(default_factory=dict)
    token_ids: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The words of the message, without remarks."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Words) and not part.remark)

    @property
    def files(self) -> frozenset[str]:
        """The names of all files that the message needs: pictures in every version, and vokens."""
        return frozenset(name for part in self.parts for name in _files(part))


@dataclass(frozen=True, slots=True)
class ChatInfo:
    """What the list of chats shows. `updated` is seconds since 1970."""

    id: str
    title: str
    updated: float


def _files(part: Part) -> tuple[str, ...]:
    match part:
        case Words():
            return ()
        case Upload(file) | Sketch(file):
            return (file,)
        case Picture(vokens, drawings):
            return tuple(filter(None, (vokens, *(drawing.file for drawing in drawings))))
