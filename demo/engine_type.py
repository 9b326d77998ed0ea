"""What the page asks of an engine. `minigpt5.load` returns one; a test may script its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from minigpt5 import Conversation, Event, GenerationOptions


class ChatEngine(Protocol):
    """An engine that answers a conversation event by event and can say what it is."""

    @property
    def name(self) -> str:
        """The model's name, for the header."""

    @property
    def description(self) -> Mapping[str, object]:
        """Facts for the header: model, device, dtype, quantization, what it knows."""

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Iterator[Event]:
        """The reply to the last user message; closing the iterator ends the work at its next step."""

    def redraw(self, vokens: np.ndarray, choices: Sequence[GenerationOptions]) -> Iterator[Event]:
        """Pictures of the vokens (V,D) of an earlier one, one for each of `choices`."""


@contextmanager
def streaming(
    engine: ChatEngine, conversation: Conversation, options: GenerationOptions
) -> Iterator[Iterator[Event]]:
    """The events of a reply; leaving the context closes them, which ends the engine's work."""
    events = engine.stream(conversation, options)
    try:
        yield events
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
