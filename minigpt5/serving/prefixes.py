"""Beginnings that were read before: keys and values of sequences that have left their slots.

The next turn of a chat begins with what the last one read, every chat with the same system prompt, and a story's
drafts with the same premise. What is kept is found by the longest common beginning, never by who asked.
"""

from dataclasses import dataclass

import numpy as np

from minigpt5.model.slots import Stretch
from minigpt5.serving.prompt_positions import shared


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    keys: np.ndarray  # (T,) see PromptPositions
    stretch: Stretch


class PrefixStore:
    """At most `max_bytes` of stretches; the one that was not used for the longest goes first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: list[_Kept] = []  # least recently used first
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def longest(self, keys: np.ndarray) -> tuple[Stretch | None, int]:
        """The stretch that shares the most positions with `keys` from the beginning on, and how many."""
        lengths = [shared(kept.keys, keys) for kept in self._kept]
        if not lengths or max(lengths) == 0:
            return None, 0
        best = int(np.argmax(lengths))
        kept = self._kept.pop(best)
        self._kept.append(kept)
        return kept.stretch, lengths[best]

    def put(self, keys: np.ndarray, stretch: Stretch) -> None:
        """Keep `stretch`, in which `keys` were read, in the place of those that it goes on from."""
        if stretch.nbytes > self._max_bytes:
            return
        for kept in list(self._kept):
            common = shared(kept.keys, keys)
            if common == len(keys):
                return  # kept already
            if common == len(kept.keys):
                self._drop(kept)
        self._kept.append(_Kept(keys, stretch))
        self.nbytes += stretch.nbytes
        while self.nbytes > self._max_bytes:
            self._drop(self._kept[0])

    def _drop(self, kept: _Kept) -> None:
        self._kept.remove(kept)
        self.nbytes -= kept.stretch.nbytes
