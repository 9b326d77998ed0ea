"""An engine that plays a script instead of thinking: it stands in for the model at the seam of the page.

What it says depends on the user's last words, so that a test can ask for what it needs: "draw" brings a picture
between two texts, "long" many words, "fail" an engine's mistake, "refuse" a user's, anything else is echoed.
"""

import math
import random
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from PIL import Image

from minigpt5 import (
    Conversation,
    Event,
    GenerationOptions,
    ImageFinished,
    ImageProgress,
    ImageStarted,
    MiniGPT5Error,
    TextDelta,
    TurnFinished,
)

SIDE = 128


@dataclass
class ScriptedEngine:
    """`pause` seconds pass between events; `seen` keeps the conversations it was given, `closed` counts early ends."""

    pause: float = 0.0
    name: str = "scripted"
    description: dict[str, object] = field(
        default_factory=lambda: {
            "model": "storybook",
            "device": "cpu",
            "dtype": "float32",
            "quantization": None,
            "picture_size": SIDE,
            "context_length": 512,
            "knows": "rabbits, bears and frogs, at the beach and in the forest",
        }
    )
    schedulers: tuple[str, ...] = ("dpmsolver++", "ddim", "pndm")
    seen: list[Conversation] = field(default_factory=list)
    closed: int = 0

    def settled(self, options: GenerationOptions) -> GenerationOptions:
        return options

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Generator[Event, None, None]:
        self.seen.append(conversation)
        words = conversation.messages[-1].text.lower()
        finished = False
        try:
            for event in self._script(words, conversation, options):
                time.sleep(self.pause)
                yield event
            finished = True
        finally:
            self.closed += not finished

    def _script(self, words: str, conversation: Conversation, options: GenerationOptions) -> Iterator[Event]:
        if "refuse" in words:
            raise MiniGPT5Error("the last message does not fit: got 900 tokens, expected at most 500")
        if "fail" in words:
            yield TextDelta("It began well")
            raise RuntimeError("scripted failure")
        if "draw" in words and options.pictures != "never":
            yield from _words("Here is what you asked for, on a quiet evening. ")
            yield from draw(0, options)
            yield from _words("She looked back once, and smiled. Shall I go on?")
        elif "long" in words:
            yield from _words("once more " * 300)
        else:
            count = len(conversation.messages[-1].images)
            yield from _words(f"You said: {words} ({count} pictures, {len(conversation.messages)} messages)")
        dropped = 2 if "forget" in words else 0
        reason: Literal["stop", "length"] = "length" if "cut" in words else "stop"
        yield TurnFinished(reason, options.seed or 0, (1, 2), dropped, {"total": 0.5})


def draw(index: int, options: GenerationOptions) -> Iterator[Event]:
    """One picture with a preview a step."""
    seed = random.randrange(2**31) if options.seed is None else options.seed
    steps = options.num_inference_steps
    yield ImageStarted(index, SIDE, SIDE, steps)
    picture = scene(seed)
    for step in range(1, steps + 1):
        blur = picture.resize((16, 16)).resize((32, 32), Image.Resampling.BILINEAR)
        yield ImageProgress(
            index, step, steps, Image.blend(Image.new("RGB", (32, 32), "#b9a88c"), blur, step / steps)
        )
    vokens = np.full((8, 4), seed % 97, np.float32)
    yield ImageFinished(index, picture, vokens, seed, options.guidance_scale, steps, options.scheduler)


def scene(seed: int) -> Image.Image:
    """Hills under a sun, in colours that the seed decides."""
    rng = random.Random(seed)
    sky, hill = (rng.choice([(250, 200, 140), (160, 200, 235), (70, 70, 120)]) for _ in range(2))
    picture = Image.new("RGB", (SIDE, SIDE), sky)
    for x in range(SIDE):
        top = int(SIDE * 0.65 + 9 * math.sin(x / 15 + seed % 7))
        for y in range(top, SIDE):
            picture.putpixel((x, y), (hill[0] // 2, 120 + (seed % 60), 90))
    left = 20 + seed % 70
    picture.paste((245, 240, 200), (left, 18, left + 22, 40))
    return picture


def _words(text: str) -> Iterator[Event]:
    for word in text.split(" "):
        yield TextDelta(word + " ")
