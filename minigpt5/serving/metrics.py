"""What the engine for many has done so far, as plain numbers that a page of figures can read."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

RECENT = 1000  # requests whose waiting times are kept


@dataclass(slots=True)
class Metrics:
    """Written by the loop alone; `snapshot` may be called from any thread."""

    ticks: int = 0
    endings: Counter[str] = field(
        default_factory=Counter
    )  # "stop", "length", "cancelled", "failed", "refused"
    tokens: int = 0  # of replies
    prompt_positions: int = 0  # read
    prompt_positions_reused: int = 0  # not read again
    pictures: int = 0
    picture_steps: int = 0
    features_made: int = 0
    features_reused: int = 0
    word_batches: Counter[int] = field(default_factory=Counter)  # size of a decoding step -> how many
    picture_batches: Counter[int] = field(default_factory=Counter)
    waiting: int = 0
    active: int = 0
    prefix_bytes: int = 0
    first_words: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))  # s from asking

    def snapshot(self) -> dict[str, Any]:
        """All numbers by name."""
        counts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: _plain(value) for name, value in counts.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Counter):
        return dict(value)
    return list(value) if isinstance(value, deque) else value
