"""The answers that wait for the engine or are being made, in order, so that each can be told how many come first.

`ChatHandlers` adds and removes them. This is a display and a limit for one browser; the queue that runs the work is
Gradio's, which it does not know.
"""

import threading
import time
from collections.abc import Callable

FORGOTTEN_SECONDS = 15.0
MAX_OF_OWNER = 4  # answers of one browser that wait or are being made


class QueueDisplay:
    """The answers that wait or are being made. One that is not asked about for a while is taken to have left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[object, float] = {}  # in the order of arrival
        self._owners: dict[object, str] = {}
        self._lock = threading.Lock()

    def join(self, ticket: object, owner: str) -> bool:
        """`ticket` of `owner` is the last in the queue now; False when the owner has `MAX_OF_OWNER` in it already."""
        with self._lock:
            self._forget(self._clock())
            if sum(self._owners[other] == owner for other in self._seen) >= MAX_OF_OWNER:
                return False
            self._seen[ticket], self._owners[ticket] = self._clock(), owner
            return True

    def ahead(self, ticket: object) -> int:
        """How many come before `ticket`, which is put back into the queue if it was taken to have left."""
        with self._lock:
            now = self._clock()
            self._owners.setdefault(ticket, "")
            self._seen[ticket] = max(now, self._seen.get(ticket, now))
            self._forget(now)
            return list(self._seen).index(ticket)

    def serve(self, ticket: object) -> None:
        """It is the turn of `ticket`, and stays so until it leaves."""
        with self._lock:
            self._owners.setdefault(ticket, "")
            self._seen[ticket] = float("inf")

    def leave(self, ticket: object) -> None:
        """`ticket` is answered, or gave up."""
        with self._lock:
            self._seen.pop(ticket, None)
            self._owners.pop(ticket, None)

    def _forget(self, now: float) -> None:
        for ticket, seen in list(self._seen.items()):
            if now - seen > FORGOTTEN_SECONDS:
                del self._seen[ticket], self._owners[ticket]
