"""What happens during one reply, in order. Frozen values: no behaviour, no tensors, nothing of a user
interface.

TextDelta* (ImageStarted ImageProgress* ImageFinished TextDelta*)* TurnFinished

A redraw has the events of its pictures alone, several of which may form side by side. An engine for many may first
say how long one has to wait: Queued*.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from PIL import Image

from minigpt5.options import SchedulerName


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More words; the reply's text is the concatenation, each picture in its place between them."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class ImageStarted:
    """A picture of `width` x `height` pixels is about to be drawn. `index` counts the reply's pictures from
    0."""

    index: int
    width: int
    height: int
    num_inference_steps: int


@dataclass(frozen=True, slots=True, eq=False)
class ImageProgress:
    """Denoising step `step` (1..num_inference_steps) is done; `preview` is a rough, small view of it."""

    index: int
    step: int
    num_inference_steps: int
    preview: Image.Image


@dataclass(frozen=True, slots=True, eq=False)
class ImageFinished:
    """The finished picture, and all that `Engine.redraw` needs to draw it again.

    `seed` is the picture's own: of a reply's first picture it is the reply's, of later ones it follows from it.
    """

    index: int
    image: Image.Image
    vokens: np.ndarray  # (V,D) float32
    seed: int
    guidance_scale: float
    num_inference_steps: int
    scheduler: SchedulerName


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The reply is over: "stop" when the model ended it, "length" when it was cut at max_new_tokens or the
    context.

    `seed` given as option makes the same reply again. `token_ids` are the reply's, one (`[IMG0]`) for each picture,
    and the end's where it was sampled. `dropped_turns` messages of the history did not fit. `timings`: seconds "prefill", "text", "pictures", "total",
    and "tokens_per_second".
    """

    finish_reason: Literal["stop", "length"]
    seed: int
    token_ids: tuple[int, ...]
    dropped_turns: int
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queued:
    """The request waits: `ahead` others come first, and about `seconds` are left, None where nothing is known yet."""

    ahead: int
    seconds: float | None


Event = TextDelta | ImageStarted | ImageProgress | ImageFinished | TurnFinished
ServedEvent = Queued | Event  # of an engine for many
