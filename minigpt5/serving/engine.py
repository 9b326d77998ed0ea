"""The engine for many: the same calls as `Engine`, and everybody's turns go through the model together.

Users pull their own events. Who waits for one turns the crank: that thread does the next tick, for all; the others wait
until something has come for them or the crank is free. So no thread is needed that runs when nobody asks, and one person
alone is served as by the engine for one. The words of a seed are the same whoever else is there, except where a last bit
decides: a batch rounds differently from a single sequence. `deterministic` gives each request passes of its own.
"""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

import numpy as np
import torch

from minigpt5.conversation import Conversation
from minigpt5.errors import BusyError
from minigpt5.events import ServedEvent
from minigpt5.generation.drawing import verify_redraw, verify_vokens
from minigpt5.generation.engine import DEFAULTS, Engine, Reply, fold, seed_of
from minigpt5.generation.inspection import Inspection, voken_influence
from minigpt5.generation.turn import order_of, redrawing
from minigpt5.options import GenerationOptions
from minigpt5.prompt import Prompt
from minigpt5.serving.admission import Admission
from minigpt5.serving.features import Features
from minigpt5.serving.loop import Loop
from minigpt5.serving.metrics import Metrics
from minigpt5.serving.pictures import Pictures
from minigpt5.serving.prefixes import PrefixStore
from minigpt5.serving.prompt_positions import PromptPositions, lay_out, with_keys
from minigpt5.serving.request import ANYONE, Caller, Compute, Request, Work
from minigpt5.serving.words import Words

ServedEvents = Generator[ServedEvent, None, None]


class ServingEngine:
    """`at_once` requests are worked on at the same time, the others wait in a fair order. May be used from threads."""

    def __init__(
        self,
        engine: Engine,
        at_once: int,
        *,
        deterministic: bool = False,
        prefix_bytes: int | None = None,
    ) -> None:
        """`prefix_bytes` for beginnings that were read before; default: as much as the slots take."""
        self.engine = engine
        self.name = engine.name
        self.description: dict[str, str | int] = {**engine.description, "at once": at_once}
        self.metrics = Metrics()
        model, length = engine.model, engine.config.context_length
        slots = model.language.make_slots(at_once, length)
        prefixes = PrefixStore(slots.nbytes if prefix_bytes is None else prefix_bytes)
        self._features = Features(
            model.vision, engine.config.vision["image_size"], self.metrics, one_by_one=deterministic
        )
        words = Words(model, slots, prefixes, self._features, self.metrics, deterministic=deterministic)
        pictures = Pictures(model, engine.negative, self._features, self.metrics, deterministic=deterministic)
        self._loop = Loop(words, pictures, Admission(at_once), at_once, self.metrics)
        self._mutex = threading.Lock()
        self._turning = False
        self._waiting: list[Request] = []

    @property
    def schedulers(self) -> tuple[str, ...]:
        """What `GenerationOptions.scheduler` may be for this model."""
        return self.engine.schedulers

    def settled(self, options: GenerationOptions) -> GenerationOptions:
        """The options as this model draws with them, see `options.settled`."""
        return self.engine.settled(options)

    def stream(
        self, conversation: Conversation, options: GenerationOptions = DEFAULTS, caller: Caller = ANYONE
    ) -> ServedEvents:
        """As `Engine.stream`, with `Queued` events before the first words while others come first.

        Closing it frees the place. Raises `BusyError` with the first pull where too many wait.
        """
        seed, options = seed_of(options), self.settled(options)
        prompt = self.engine.prompt(with_keys(conversation), options)
        yield from self._serve(self.engine.turn(prompt, options, seed), caller, self._lay_out(prompt))

    def reply(
        self, conversation: Conversation, options: GenerationOptions = DEFAULTS, caller: Caller = ANYONE
    ) -> Reply:
        """The whole reply at once; raises as `stream`."""
        return fold(self.stream(conversation, options, caller))

    def redraw(
        self, vokens: np.ndarray, choices: Sequence[GenerationOptions], caller: Caller = ANYONE
    ) -> ServedEvents:
        """As `Engine.redraw`; raises `BusyError` as `stream`."""
        choices = [self.settled(choice) for choice in choices]
        verify_redraw(vokens, choices, self.engine.model.mapper)
        hidden = torch.from_numpy(vokens)[None].to(self.engine.model.vision.query_tokens.device)
        orders = [order_of(choice, index, seed_of(choice)) for index, choice in enumerate(choices)]
        yield from self._serve(redrawing(hidden, orders), caller)

    def inspect(
        self, conversation: Conversation, token_ids: Sequence[int], options: GenerationOptions = DEFAULTS
    ) -> Inspection:
        """As `Engine.inspect`; it takes the tokenizer alone, so it waits for nobody."""
        return self.engine.inspect(conversation, token_ids, options)

    def voken_influence(self, vokens: np.ndarray, caller: Caller = ANYONE) -> np.ndarray:
        """As `Engine.voken_influence`; raises `BusyError` as `stream`."""
        mapper = self.engine.model.mapper
        verify_vokens(vokens, mapper)
        found: list[np.ndarray] = []
        with closing(
            self._serve(_computing(lambda: found.append(voken_influence(mapper, vokens))), caller)
        ) as e:
            for _ in e:
                pass
        return found[0]

    def _lay_out(self, prompt: Prompt) -> PromptPositions:
        config = self.engine.config
        laid = lay_out(prompt, self.engine.placeholder, config.num_query_tokens, config.vision["image_size"])
        for picture in laid.pictures:
            if picture.key not in self._features:
                picture.pixel_values()  # here and not in a tick, where all would wait for it
        return laid

    def _serve(self, work: Work, caller: Caller, prompt: PromptPositions | None = None) -> ServedEvents:
        request = Request(work, prompt, caller, news=threading.Condition(self._mutex))
        try:
            self._loop.submit(request)
        except BusyError:
            self.metrics.endings["refused"] += 1
            raise
        try:
            while (event := self._next(request)) is not None:
                yield event
        finally:
            request.cancelled = True
            self._sweep()

    def _next(self, request: Request) -> ServedEvent | None:
        """The next event of `request`, None after the last; raises what its work raised."""
        with self._mutex:
            try:
                while not request.outbox and not request.ended:
                    if self._turning:
                        self._wait(request)
                    else:
                        self._turn(self._loop.tick)
                if request.outbox:
                    return request.outbox.popleft()
                if request.error is not None:
                    raise request.error
                return None
            finally:
                self._hand_over()

    def _wait(self, request: Request) -> None:
        self._waiting.append(request)
        try:
            request.news.wait()
        finally:
            self._waiting.remove(request)

    def _turn(self, crank: Callable[[], None]) -> None:
        """Turn the crank, the mutex given back meanwhile."""
        self._turning = True
        self._mutex.release()
        try:
            crank()
        finally:
            self._mutex.acquire()
            self._turning = False

    def _hand_over(self) -> None:
        if not self._turning and self._waiting:
            self._waiting[0].news.notify()

    def _sweep(self) -> None:
        """Free the places of those who gave up, unless somebody turns the crank and does so with the next tick.

        Never waits: an abandoned stream may be closed in any thread, also in one that holds the mutex.
        """
        if not self._mutex.acquire(blocking=False):
            return
        try:
            if not self._turning:
                self._turn(self._loop.sweep)
                self._hand_over()
        finally:
            self._mutex.release()


def _computing(function: Callable[[], object]) -> Work:
    yield Compute(function)
