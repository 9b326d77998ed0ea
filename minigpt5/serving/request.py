"""One request on its way: who asked, the turn it is, what it asks of the model now, and the events to be fetched."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from minigpt5.events import Event, ImageProgress, Queued, ServedEvent, TextDelta, TurnFinished
from minigpt5.generation.picture import Picture
from minigpt5.generation.turn import Ask, Draw, Prefill, Reading, ReadToken, ReadVokens
from minigpt5.serving.prompt_positions import PromptPositions

RequestKind = Literal["chat", "story", "api"]
Ending = Literal["stop", "length", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and for what: requests of one owner share a place in the order, a chat comes before a story."""

    owner: str = ""
    kind: RequestKind = "chat"


ANYONE = Caller()


@dataclass(frozen=True, slots=True, eq=False)
class Compute:
    """An ask for something small that needs the model and is neither words nor a picture."""

    function: Callable[[], object]


Work = Generator[Ask | Compute | Event, Reading | None, None]


class Request:
    """The loop writes, one consumer reads; what both touch is guarded by `news`."""

    def __init__(
        self,
        work: Work,
        prompt: PromptPositions | None,
        caller: Caller = ANYONE,
        clock: Callable[[], float] = time.perf_counter,
        news: threading.Condition | None = None,
    ) -> None:
        """`prompt` is what is read first, None where no words are wanted. `news` is held where events change hands."""
        self.prompt = prompt
        self.caller = caller
        self.cancelled = False
        self.ended = False
        self.error: Exception | None = None
        self.ending: Ending = "cancelled"
        self.outbox: deque[ServedEvent] = deque()
        self.news = news or threading.Condition()
        # the rest belongs to the loop alone
        self.ask: Ask | Compute | None = None
        self.slot: int | None = None
        self.embeds: Tensor | None = None  # (T,D), what is left of the prompt
        self.states: list[Tensor] = []  # (D,) each, since the last picture
        self.keys: list[int] = []  # what its slot holds, see PromptPositions
        self.pictures: list[Picture] = []
        self._work = work
        self._clock = clock
        self.arrived = self._since = clock()
        self.admitted = 0.0
        self.seconds = {"queued": 0.0, "prefill": 0.0, "text": 0.0, "pictures": 0.0}

    def begin(self) -> None:
        """Its place is free: go to the first ask."""
        self.admitted = self._clock()
        self.seconds["queued"] = self.admitted - self.arrived
        self._since = self.admitted
        self.go(None)

    def go(self, answer: Reading | None) -> None:
        """Answer the ask; events go out until the next ask. Raises StopIteration at the end of the turn."""
        now = self._clock()
        if (kind := _kind(self.ask)) is not None:
            self.seconds[kind] += now - self._since
        self._since = now
        step = self._work.send(answer)
        while not isinstance(step, Ask | Compute):
            self.emit(step)
            step = next(self._work)
        self.ask = step

    def emit(self, event: ServedEvent) -> None:
        """Put an event out for the consumer; an older one of the same kind that was not fetched gives way to it."""
        if isinstance(event, TurnFinished):
            self.ending = event.finish_reason
            event = replace(event, timings=self._timings(len(event.token_ids)))
        with self.news:
            before = self.outbox[-1] if self.outbox else None
            match before, event:
                case TextDelta(), TextDelta():
                    self.outbox[-1] = TextDelta(before.text + event.text)
                case (Queued(), Queued()) | (ImageProgress(), ImageProgress()) if _same(before, event):
                    self.outbox[-1] = event
                case _:
                    self.outbox.append(event)
            self.news.notify()

    def finish(self, error: Exception | None = None) -> None:
        """There will be no more events; `error` is raised where they are fetched."""
        with self.news:
            if error is not None:
                self.error, self.ending = error, "failed"
            self.ended = True
            self.news.notify()

    def _timings(self, tokens: int) -> dict[str, float]:
        total = sum(self.seconds.values())
        text = self.seconds["text"]
        # the first token comes with the prefill
        rate = (tokens - 1) / text if tokens > 1 and text > 0 else 0.0
        return {**self.seconds, "total": total, "tokens_per_second": rate}


def _kind(ask: Ask | Compute | None) -> str | None:
    match ask:
        case Prefill():
            return "prefill"
        case ReadToken() | ReadVokens():
            return "text"
        case Draw():
            return "pictures"
    return None


def _same(before: ServedEvent | None, event: ServedEvent) -> bool:
    """Whether `event` says the same thing anew."""
    return getattr(before, "index", None) == getattr(event, "index", None)
