"""`ChatEngine`, the protocol of what the pages ask of an engine.

`minigpt5.load` returns one, `zero_gpu` wraps one, a test may script its own. Knows no Gradio and no implementation.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol

import numpy as np

from minigpt5 import Conversation, Event, GenerationOptions, Inspection

Events = Generator[Event, None, None]  # closing it ends the work at its next step


class ChatEngine(Protocol):
    """An engine that answers a conversation event by event and can say what it is."""

    @property
    def name(self) -> str:
        """The model's name, for the header."""

    @property
    def description(self) -> Mapping[str, object]:
        """Facts for the header: model, device, dtype, quantization, what it knows."""

    @property
    def schedulers(self) -> Sequence[str]:
        """What `GenerationOptions.scheduler` may be for this model."""

    def settled(self, options: GenerationOptions) -> GenerationOptions:
        """The options as pictures are drawn with them: `fast` has steps and guidance of its own. Raises `OptionError`."""

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Events:
        """The reply to the last user message."""

    def redraw(self, vokens: np.ndarray, choices: Sequence[GenerationOptions]) -> Events:
        """Pictures of the vokens (V,D) of an earlier one, one for each of `choices`, side by side."""

    def inspect(
        self, conversation: Conversation, token_ids: Sequence[int], options: GenerationOptions
    ) -> Inspection:
        """The prompt of the reply to `conversation`, and the reply's ids, as readable tokens."""

    def voken_influence(self, vokens: np.ndarray) -> np.ndarray:
        """(V,L): how far each conditioning vector moves when one voken is put to zero."""
