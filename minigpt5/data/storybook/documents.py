"""The training dialogues: `sample` picks a kind by weight; the same seed gives the same document.

With `held_out` False no picture shows a held-out scene; with True the last picture does (if there is one).
"""

from __future__ import annotations

import random
from collections.abc import Callable

from minigpt5.data.storybook import chitchat, dialogs, edits, outside, questions, stories
from minigpt5.data.storybook.texts.turns import Document, Picture, Turn

__all__ = ["KINDS", "Document", "Picture", "Turn", "sample"]

KINDS: dict[str, tuple[int, Callable[[random.Random, bool], Document]]] = {
    "draw": (29, dialogs.draw),
    "edit": (11, edits.example),
    "story": (25, stories.example),
    "question": (11, questions.example),
    "no_picture": (1, questions.nothing_to_see),
    "outside": (9, outside.example),
    "chat": (14, chitchat.example),
}
_NAMES = list(KINDS)
_WEIGHTS = [weight for weight, _ in KINDS.values()]


def sample(rng: random.Random, held_out: bool = False, kind: str | None = None) -> Document:
    """One document of the asked half of the split, of the asked kind or of any."""
    chosen = kind or rng.choices(_NAMES, _WEIGHTS)[0]
    build = KINDS[chosen][1]
    while True:
        document = build(rng, held_out)
        if document.fits(held_out):
            return document
