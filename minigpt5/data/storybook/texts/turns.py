"""What a training dialogue is made of: turns of text and pictures (a picture is its scene, not pixels)."""

import random
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Picture:
    """A picture within a turn, told by the scene that it shows (of either world, see `worlds`)."""

    scene: Any


@dataclass(frozen=True)
class Turn:
    """One message: strings and pictures in reading order."""

    role: Literal["user", "assistant"]
    parts: tuple[str | Picture, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures of this turn, in order."""
        return tuple(part for part in self.parts if isinstance(part, Picture))

    @property
    def text(self) -> str:
        """The words of this turn, joined with spaces."""
        return " ".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True)
class Document:
    """A whole dialogue: turns alternate and begin with the user; `kind` names the generator."""

    messages: tuple[Turn, ...]
    kind: str = ""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, in order."""
        return tuple(picture for turn in self.messages for picture in turn.pictures)

    def cut(self, rng: random.Random) -> tuple[Turn, ...]:
        """The turns up to one of the assistant's, the last most often."""
        ends = [i + 1 for i, turn in enumerate(self.messages) if turn.role == "assistant"]
        return self.messages[: ends[-1] if rng.random() < 0.5 else rng.choice(ends)]

    def fits(self, held_out: bool) -> bool:
        """True if all pictures are of the training half but the last, which is of the asked half."""
        scenes = [picture.scene for picture in self.pictures]
        if not scenes:
            return True
        return scenes[-1].held_out == held_out and not any(scene.held_out for scene in scenes[:-1])


def user(*parts: str | Picture) -> Turn:
    """A user turn; empty strings are left out."""
    return Turn("user", tuple(part for part in parts if part != ""))


def assistant(*parts: str | Picture) -> Turn:
    """An assistant turn; empty strings are left out."""
    return Turn("assistant", tuple(part for part in parts if part != ""))
