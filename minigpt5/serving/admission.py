"""Who comes next, and how long the others have to wait.

By kind first (a chat before a story before the API), then by person, then by arrival. Each request of a person is due
one turn after that person's last one, so that one person's eight requests do not push back another's one (start-time
fair queueing, Goyal et al. 1996). Whoever waits long goes up a kind, so that nobody waits for ever.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from minigpt5.errors import BusyError
from minigpt5.serving.request import Request, RequestKind

PRIORITIES: dict[RequestKind, int] = {"chat": 0, "story": 1, "api": 2}
AGING_SECONDS = 30.0  # of waiting are worth one kind
MAX_WAITING = 256
MAX_OF_OWNER = 16
SMOOTHING = 0.1  # weight of the newest place that came free in the mean time that one is held


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    request: Request
    due: float  # in turns, not seconds
    number: int
    since: float


class Admission:
    """The requests that wait for one of `places`. May be used from several threads."""

    def __init__(
        self,
        places: int,
        *,
        max_waiting: int = MAX_WAITING,
        max_of_owner: int = MAX_OF_OWNER,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._places = places
        self._max_waiting = max_waiting
        self._max_of_owner = max_of_owner
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._next_due: dict[str, float] = {}  # of owners
        self._turn = 0.0  # when the last one that was let in was due
        self._number = 0
        self._held_seconds: float | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, request: Request) -> None:
        """Let `request` wait; raises `BusyError` where too many do, of all or of its owner."""
        owner = request.caller.owner
        with self._lock:
            mine = sum(waiting.request.caller.owner == owner for waiting in self._waiting)
            if owner and mine >= self._max_of_owner:
                raise BusyError(
                    f"busy: got {mine} requests of yours that wait, expected fewer; {self._when(mine)}"
                )
            if (all_ := len(self._waiting)) >= self._max_waiting:
                raise BusyError(f"busy: got {all_} requests that wait, expected fewer; {self._when(all_)}")
            due = max(self._turn, self._next_due.get(owner, 0.0))
            self._next_due[owner] = due + 1
            self._number += 1
            self._waiting.append(_Waiting(request, due, self._number, self._clock()))

    def next(self) -> Request | None:
        """The request that is let in now, None when nobody waits."""
        with self._lock:
            if not self._waiting:
                return None
            chosen = self._ordered()[0]
            self._waiting.remove(chosen)
            self._turn = max(self._turn, chosen.due)
            self._next_due = {owner: due for owner, due in self._next_due.items() if due > self._turn}
            return chosen.request

    def remove_cancelled(self) -> list[Request]:
        """Those that gave up; they wait no more."""
        with self._lock:
            gone = [waiting.request for waiting in self._waiting if waiting.request.cancelled]
            self._waiting = [waiting for waiting in self._waiting if not waiting.request.cancelled]
            return gone

    def places(self) -> list[tuple[Request, int, float | None]]:
        """Each that waits, how many come before it, and the seconds that are left, None before any is known."""
        with self._lock:
            ordered = [waiting.request for waiting in self._ordered()]
            return [(request, ahead, self._seconds(ahead)) for ahead, request in enumerate(ordered)]

    def was_held(self, seconds: float) -> None:
        """A place came free after `seconds`."""
        with self._lock:
            mean = self._held_seconds
            self._held_seconds = seconds if mean is None else mean + SMOOTHING * (seconds - mean)

    def _ordered(self) -> list[_Waiting]:
        now = self._clock()

        def key(waiting: _Waiting) -> tuple[int, float, int]:
            kind = PRIORITIES[waiting.request.caller.kind] - int((now - waiting.since) / AGING_SECONDS)
            return max(kind, 0), waiting.due, waiting.number

        return sorted(self._waiting, key=key)

    def _seconds(self, ahead: int) -> float | None:
        """Each place comes free after the mean time, so one of all does so many times as often."""
        return None if self._held_seconds is None else (ahead + 1) * self._held_seconds / self._places

    def _when(self, ahead: int) -> str:
        seconds = self._seconds(ahead)
        return "come back later" if seconds is None else f"come back in about {max(1, round(seconds))} s"
