"""From vokens to pictures for one engine: mapped once, denoised side by side, seen while they form.

One generator for the picture of a reply and for redraws of it, so that a redraw with the same choices is the same
picture to the bit. A batch may round differently from a single picture.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from minigpt5.errors import OptionError
from minigpt5.events import Event, ImageFinished
from minigpt5.generation.picture import Picture, denoise, progress
from minigpt5.generation.turn import Draw, PictureOrder
from minigpt5.model.connector import Connector
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.options import MAX_TOTAL_STEPS, GenerationOptions

MAX_REDRAWN = 8  # pictures of one batch


def draw(model: MiniGPT5, negative: Tensor, ask: Draw) -> Iterator[Event]:
    """Events of the pictures that `ask` orders, which have equally many steps; negative (1,L,C)."""
    diffusion = model.diffusion
    with torch.inference_mode():
        prompt_embeds = model.mapper(ask.voken_hidden)  # (1,L,C)
    pictures = [Picture(order, diffusion, prompt_embeds) for order in ask.orders]
    yield from (picture.started() for picture in pictures)
    while not pictures[0].finished:
        denoise(diffusion, pictures, negative)
        yield from progress(diffusion, pictures)
    images = diffusion.decode(torch.cat([picture.latents for picture in pictures]))
    for picture, image in zip(pictures, images, strict=True):
        yield finished(picture.order, image, ask.voken_hidden)


def finished(order: PictureOrder, image: Image.Image, voken_hidden: Tensor) -> ImageFinished:
    """The event of a picture of voken_hidden (1,V,D)."""
    vokens = voken_hidden[0].float().cpu().numpy()
    how = (order.seed, order.guidance_scale, order.num_inference_steps, order.scheduler)
    return ImageFinished(order.index, image, vokens, *how)


def verify_redraw(vokens: np.ndarray, choices: Sequence[GenerationOptions], mapper: Connector) -> None:
    """Raise `OptionError` unless `choices` can be drawn in one batch from vokens that `mapper` takes."""
    if not 1 <= len(choices) <= MAX_REDRAWN:
        raise OptionError(f"choices: got {len(choices)} pictures to draw, expected 1 to {MAX_REDRAWN}")
    ways = {(choice.num_inference_steps, choice.scheduler) for choice in choices}
    if len(ways) > 1:
        raise OptionError(
            f"choices: got {len(ways)} kinds of steps and schedulers, expected one for all pictures"
        )
    if (total := sum(choice.num_inference_steps for choice in choices)) > MAX_TOTAL_STEPS:
        raise OptionError(
            f"choices: got {len(choices)} pictures of {choices[0].num_inference_steps} steps, {total} in all, "
            f"expected at most {MAX_TOTAL_STEPS}"
        )
    verify_vokens(vokens, mapper)


def verify_vokens(vokens: np.ndarray, mapper: Connector) -> None:
    """Raise `OptionError` unless `vokens` are features of one picture as `mapper` takes them."""
    shape = (mapper.num_vokens, mapper.llm_width)
    if vokens.shape != shape or vokens.dtype != np.float32:
        got = f"{vokens.dtype} of shape {vokens.shape}"
        raise OptionError(f"vokens: got {got}, expected float32 of shape {shape}, as this model makes them")
