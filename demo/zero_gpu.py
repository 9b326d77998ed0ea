"""The engine on a Space with ZeroGPU, where a GPU is lent to one call of one generator at a time; called by `app.py`.

The lent process is a fork of this one, so the model is there already; conversation, options and events are pickled
across, as frozen values can be. A reply asks for the seconds that it may need, so that a short one does not use up a
visitor's share. Knows the durations of calls, nothing of pages.
"""

from collections.abc import Sequence

import numpy as np

from demo.engine_type import ChatEngine
from minigpt5 import Conversation, GenerationOptions

try:
    import spaces
except ImportError:  # everywhere but on a Space
    spaces = None

START_SECONDS = 10.0
SECONDS_PER_TOKEN = 1 / 20
SECONDS_PER_STEP = 1 / 10


def on_lent_gpu(engine: ChatEngine) -> ChatEngine:
    """`engine` with its slow work on a lent GPU where this is a ZeroGPU Space; elsewhere nothing changes."""
    if spaces is not None:
        for name, seconds in {
            "stream": seconds_of_reply,
            "redraw": seconds_of_redraw,
            "voken_influence": START_SECONDS,
        }.items():
            setattr(engine, name, spaces.GPU(getattr(engine, name), duration=seconds))
    return engine


def seconds_of_reply(conversation: Conversation, options: GenerationOptions) -> float:
    """What a reply with one picture may take at most, guessed generously."""
    words = options.max_new_tokens * SECONDS_PER_TOKEN
    return START_SECONDS + words + options.num_inference_steps * SECONDS_PER_STEP


def seconds_of_redraw(vokens: np.ndarray, choices: Sequence[GenerationOptions]) -> float:
    """What redrawn pictures may take at most."""
    return START_SECONDS + sum(choice.num_inference_steps for choice in choices) * SECONDS_PER_STEP
