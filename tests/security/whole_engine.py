"""The scripted engine with all that a page can ask of one, quick enough for thousands of requests."""

from collections.abc import Generator, Sequence

import numpy as np
from scripted_engine import ScriptedEngine, draw

from minigpt5 import Conversation, Event, GenerationOptions, Inspection, OptionError

MAX_STEPS = 3


class WholeEngine(ScriptedEngine):
    """Draws in a few steps whatever is asked for; vokens must be (8,4), as its own are."""

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Generator[Event, None, None]:
        yield from super().stream(conversation, options)

    def redraw(
        self, vokens: np.ndarray, choices: Sequence[GenerationOptions]
    ) -> Generator[Event, None, None]:
        if vokens.shape != (8, 4):
            raise OptionError(f"vokens: got shape {vokens.shape}, expected float32 of shape (8, 4)")
        for index, choice in enumerate(choices):
            yield from draw(index, choice)

    def inspect(
        self, conversation: Conversation, token_ids: Sequence[int], options: GenerationOptions
    ) -> Inspection:
        return Inspection((), (), 8, 0)

    def voken_influence(self, vokens: np.ndarray) -> np.ndarray:
        return np.zeros((8, 4))
