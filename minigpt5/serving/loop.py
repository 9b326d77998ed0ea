"""One model, many turns: a tick is one step of words for all who write, and when it is due one of pictures for all who
draw. Requests come and go between any two ticks.

Whoever calls `tick` must be the only one; `submit` and `request.cancelled` may be used by anybody at any time.
"""

import time
from collections.abc import Callable, Sequence

from minigpt5.events import Queued
from minigpt5.generation.turn import Draw, Reading
from minigpt5.serving.admission import Admission
from minigpt5.serving.metrics import Metrics
from minigpt5.serving.pictures import Pictures
from minigpt5.serving.request import Compute, Request
from minigpt5.serving.words import Words

PICTURES_SHARE = 0.5  # of the time, while others write


class Loop:
    """`places` requests are worked on at once, the others wait."""

    def __init__(
        self,
        words: Words,
        pictures: Pictures,
        admission: Admission,
        places: int,
        metrics: Metrics,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._words = words
        self._pictures = pictures
        self._admission = admission
        self._places = places
        self._metrics = metrics
        self._clock = clock
        self._active: list[Request] = []  # in the order in which they were let in
        self._told: dict[Request, int] = {}  # who waits, and how many before it were told
        self._seconds_of_words = 0.0  # since the last step of pictures
        self._seconds_of_pictures = 0.0  # of the last step

    def submit(self, request: Request) -> None:
        """Let `request` wait for a place; raises `BusyError`."""
        self._admission.offer(request)

    def tick(self) -> None:
        """Take in, read, draw, and hand out what came of it."""
        self._metrics.ticks += 1
        self.sweep()
        self._admit()
        start = self._clock()
        for request in [r for r in self._active if isinstance(r.ask, Compute)]:
            self._work([request], self._compute)
        reading = self._words.groups(self._active)
        for group in reading:
            self._work(group, self._words.read)
        self._seconds_of_words += self._clock() - start
        if not reading or self._pictures_are_due():
            self._draw()

    def sweep(self) -> None:
        """Free the places of those who gave up."""
        for request in self._admission.remove_cancelled():
            self._told.pop(request, None)
            self._end(request)
        for request in [r for r in self._active if r.cancelled]:
            self._leave(request)

    def _admit(self) -> None:
        while len(self._active) < self._places and (request := self._admission.next()) is not None:
            self._told.pop(request, None)
            self._active.append(request)
            self._work([request], self._enter)
        for request, ahead, seconds in self._admission.places():
            if self._told.get(request) != ahead:
                self._told[request] = ahead
                request.emit(Queued(ahead, seconds))
        self._metrics.waiting, self._metrics.active = len(self._admission), len(self._active)

    def _enter(self, requests: Sequence[Request]) -> list[Reading | None]:
        (request,) = requests
        if request.prompt is not None:
            self._words.enter(request)
        request.begin()
        self._asked(request)
        return [None]

    def _compute(self, requests: Sequence[Request]) -> list[Reading | None]:
        for request in requests:
            assert isinstance(request.ask, Compute)
            request.ask.function()
            self._advance(request, None)
        return [None] * len(requests)

    def _draw(self) -> None:
        start = self._clock()
        for group in self._pictures.groups(self._active):
            self._work(group, self._step)
        for group in self._pictures.ready(self._active):
            self._work(group, self._finish)
        self._seconds_of_pictures = self._clock() - start
        self._seconds_of_words = 0.0

    def _step(self, requests: Sequence[Request]) -> list[Reading | None]:
        self._pictures.step(requests)
        return [None] * len(requests)

    def _finish(self, requests: Sequence[Request]) -> list[Reading | None]:
        self._pictures.finish(requests)
        for request in requests:
            self._advance(request, None)
        return [None] * len(requests)

    def _pictures_are_due(self) -> bool:
        """Words and pictures share the time where there are both."""
        words = self._seconds_of_words * PICTURES_SHARE
        return words >= self._seconds_of_pictures * (1 - PICTURES_SHARE)

    def _work(
        self, group: Sequence[Request], work: Callable[[Sequence[Request]], Sequence[Reading | None]]
    ) -> None:
        """Do a piece of work for `group` and answer them; where it fails it fails for the group and for nobody else."""
        try:
            answers = work(group)
            for request, answer in zip(group, answers, strict=True):
                if answer is not None:
                    self._advance(request, answer)
        except (
            Exception
        ) as error:  # a model may raise anything; it is raised again where the events are fetched
            for request in group:
                if not request.ended:
                    self._leave(request, error)

    def _advance(self, request: Request, answer: Reading | None) -> None:
        """Answer `request`; what fails from here on is its own failure."""
        try:
            request.go(answer)
            self._asked(request)
        except StopIteration:
            self._leave(request)
        except Exception as error:
            self._leave(request, error)

    def _asked(self, request: Request) -> None:
        if isinstance(request.ask, Draw):
            self._pictures.begin(request)

    def _leave(self, request: Request, error: Exception | None = None) -> None:
        self._active.remove(request)
        self._words.leave(request)
        request.pictures = []
        self._admission.was_held(self._clock() - request.admitted)
        self._end(request, error)

    def _end(self, request: Request, error: Exception | None = None) -> None:
        request.finish(error)
        self._metrics.endings[request.ending] += 1
