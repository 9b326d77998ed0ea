"""Who is waiting for the model, in order: so that everyone can be told how many come first."""

import threading
import time
from collections.abc import Callable

FORGOTTEN_SECONDS = 15.0


class Line:
    """The answers that wait or are being made. One that is not seen again for a while is taken to have left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[object, float] = {}  # in the order of arrival
        self._lock = threading.Lock()

    def ahead(self, ticket: object) -> int:
        """How many come before `ticket`, which joins the line at its first call."""
        with self._lock:
            now = self._clock()
            self._seen[ticket] = max(now, self._seen.get(ticket, now))
            for other, seen in list(self._seen.items()):
                if now - seen > FORGOTTEN_SECONDS:
                    del self._seen[other]
            return list(self._seen).index(ticket)

    def serve(self, ticket: object) -> None:
        """It is the turn of `ticket`, and stays so until it leaves."""
        with self._lock:
            self._seen[ticket] = float("inf")

    def leave(self, ticket: object) -> None:
        """`ticket` is answered, or gave up."""
        with self._lock:
            self._seen.pop(ticket, None)
