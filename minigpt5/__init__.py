"""MiniGPT-5: a model that answers with words and pictures in one reply.

import minigpt5
from minigpt5 import Conversation, GenerationOptions

engine = minigpt5.load("weights/storybook")
chat = Conversation().user("Draw a blue rabbit on the beach.")
for event in engine.stream(chat, GenerationOptions(seed=7)):
    ...
reply = engine.reply(chat, GenerationOptions(seed=7))
chat = chat.add(reply.message)
"""

# ruff: noqa: E402
import logging

# before anything imports it: it warns of kernels that a CPU lacks, and in 8-bit at every layer of every token
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

from minigpt5.conversation import Conversation, ImagePart, Message, TextPart
from minigpt5.errors import BusyError, CheckpointError, ImageError, MiniGPT5Error, OptionError, PromptError
from minigpt5.events import (
    Event,
    ImageFinished,
    ImageProgress,
    ImageStarted,
    Queued,
    ServedEvent,
    TextDelta,
    TurnFinished,
)
from minigpt5.generation.engine import Engine, Reply
from minigpt5.generation.inspection import Inspection, Token
from minigpt5.loading import load
from minigpt5.options import PICTURE_MODES, SCHEDULERS, GenerationOptions
from minigpt5.picture_files import MAX_BYTES, MAX_PIXELS, open_image
from minigpt5.serving.engine import ServingEngine
from minigpt5.serving.request import Caller

__version__ = "0.1.0"  # as in CHANGELOG.md; the package takes its version from here

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "PICTURE_MODES",
    "SCHEDULERS",
    "BusyError",
    "Caller",
    "CheckpointError",
    "Conversation",
    "Engine",
    "Event",
    "GenerationOptions",
    "ImageError",
    "ImageFinished",
    "ImagePart",
    "ImageProgress",
    "ImageStarted",
    "Inspection",
    "Message",
    "MiniGPT5Error",
    "OptionError",
    "PromptError",
    "Queued",
    "Reply",
    "ServedEvent",
    "ServingEngine",
    "TextDelta",
    "TextPart",
    "Token",
    "TurnFinished",
    "load",
    "open_image",
]
