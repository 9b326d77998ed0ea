"""Which jobs of Gradio's queue still have a listener: one without is dropped, and one address may not fill the queue.

`gate` reports the sessions with an open stream of events; the endpoints ask `heard`. Gradio's queue is read, never
copied.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import parse_qs

from gradio.context import LocalContext

from demo.guard.input.text import RequestError

UNHEARD_SECONDS = 10.0  # a job's stream is opened within these
LOOK_SECONDS = 1.0
TOO_MANY = "{number} of your requests are already waiting or being answered, the most that one address may have: try again when one is done"
_LISTENS = re.compile(r"/gradio_api/(?:queue/data|call/[^/]+/([^/]+)|call/v2/[^/]+/([^/]+))/?")
_JOINS = re.compile(r"/gradio_api/(?:queue/join|call/(?:v2/)?[^/]+)/?")


class CrowdError(RequestError):
    """One address asks for more than its share."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Presence:
    """The listeners of the jobs in the queue of `blocks`; `share` jobs are one address's at most."""

    def __init__(self, blocks: Any, share: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._blocks, self._share, self._clock = blocks, share, clock
        self._listening: Counter[str] = Counter()
        self._unheard: dict[str, float] = {}  # event -> since when nobody has listened to it
        self._watch: asyncio.Task[None] | None = None

    def verify_share(self, scope: Any) -> None:
        """Raise `CrowdError` when the request would be one job too many of its address."""
        if scope["method"] != "POST" or not _JOINS.fullmatch(scope["path"]):
            return
        self._start()
        address = _address(scope.get("client"))
        held = sum(_address(event.request and event.request.client) == address for event in self._jobs())
        if held >= self._share:
            raise CrowdError(TOO_MANY.format(number=held))

    @contextmanager
    def listening(self, scope: Any) -> Iterator[None]:
        """While this request is answered, its session has a listener if it asks for a stream of events."""
        found = _LISTENS.fullmatch(scope["path"]) if scope["method"] == "GET" else None
        session = found and (found[1] or found[2] or _session(scope))
        if not session:
            yield
            return
        self._listening[session] += 1
        try:
            yield
        finally:
            self._listening[session] -= 1
            if not self._listening[session]:
                del self._listening[session]

    def heard(self) -> bool:
        """Whether anybody still waits for what the present function makes; True outside of a queued call."""
        request = LocalContext.request.get(None)
        session = getattr(request, "session_hash", None)
        running = [event for event in self._running() if event.session_hash == session]
        return not running or any(event.alive for event in running)

    def _jobs(self) -> Iterable[Any]:
        queue = self._blocks._queue
        waiting = [e for q in list(queue.event_queue_per_concurrency_id.values()) for e in list(q.queue)]
        return [*waiting, *self._running()]

    def _running(self) -> list[Any]:
        return [event for job in self._blocks._queue.active_jobs if job for event in job]

    def _start(self) -> None:
        if self._watch is None or self._watch.done():
            self._watch = asyncio.get_running_loop().create_task(self._drop_unheard())

    async def _drop_unheard(self) -> None:
        """Drop the jobs that nobody has listened to for a while, until there are none."""
        try:
            while self._blocks.is_running:
                await asyncio.sleep(LOOK_SECONDS)
                for session in self.unheard():
                    await self._blocks._queue.clean_events(session_hash=session)
                if not list(self._jobs()):
                    return
        finally:
            self._watch = None  # it holds the server's event loop

    def unheard(self) -> set[str]:
        """The sessions with a job that has had no listener for `UNHEARD_SECONDS`."""
        now, jobs = self._clock(), list(self._jobs())
        silent = {event._id for event in jobs if not self._listening[event.session_hash]}
        self._unheard = {name: self._unheard.get(name, now) for name in silent}
        old = {name for name, since in self._unheard.items() if now - since >= UNHEARD_SECONDS}
        return {event.session_hash for event in jobs if event._id in old}


def _address(client: Any) -> str:
    """The network of a request: of (host, port), or of an object that has them."""
    return (
        network_of(client[0] if isinstance(client, tuple | list) else getattr(client, "host", ""))
        if client
        else ""
    )


def network_of(host: str) -> str:
    """What one person has: an IPv4 address, or the /64 network of an IPv6 address, of which anybody has 2 ** 64."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else host


def _session(scope: Any) -> str:
    return parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
