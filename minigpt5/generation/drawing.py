"""From vokens to pictures: mapped once, denoised in one batch, seen while they form.

One generator for the picture of a reply and for redraws of it, so that a redraw with the same choices is the same
picture to the bit. A batch may round differently from a single picture.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from minigpt5.errors import OptionError
from minigpt5.events import Event, ImageFinished, ImageProgress, ImageStarted
from minigpt5.model.connector import Connector
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.options import MAX_TOTAL_STEPS, GenerationOptions

MAX_REDRAWN = 8  # pictures of one batch


def draw(
    model: MiniGPT5,
    negative: Tensor,
    voken_hidden: Tensor,
    choices: Sequence[GenerationOptions],
    seeds: Sequence[int],
    *,
    first_index: int = 0,
) -> Iterator[Event]:
    """Events of the pictures of voken_hidden (1,V,D), one for each of `choices` and `seeds`; negative (1,L,C)."""
    diffusion, count, steps = model.diffusion, len(choices), choices[0].num_inference_steps
    indices = range(first_index, first_index + count)
    for index in indices:
        yield ImageStarted(index, diffusion.image_size, diffusion.image_size, steps)
    with torch.inference_mode():
        prompt_embeds = model.mapper(voken_hidden).expand(count, -1, -1)  # (B,L,C)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    progress = diffusion.denoise(
        prompt_embeds,
        negative,
        guidance_scale=_guidance(choices),
        num_inference_steps=steps,
        scheduler=choices[0].scheduler,
        latents=torch.cat([diffusion.initial_latents(generator) for generator in generators]),
        generators=generators,
    )
    for step, latents in enumerate(progress, start=1):  # the last ones are decoded
        # PNDM takes one step more than it is asked for
        for index, preview in zip(indices, diffusion.preview(latents), strict=True):
            yield ImageProgress(index, min(step, steps), steps, preview)
    vokens = voken_hidden[0].float().cpu().numpy()
    for index, image, choice, seed in zip(indices, diffusion.decode(latents), choices, seeds, strict=True):
        yield ImageFinished(index, image, vokens, seed, choice.guidance_scale, steps, choice.scheduler)


def picture_seed(seed: int, index: int) -> int:
    """The seed of the noise of picture `index` of a reply made with `seed`; the first one's is `seed` itself."""
    return (seed + index * 0x9E3779B9) % 2**32 if index else seed


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


def _guidance(choices: Sequence[GenerationOptions]) -> float | Tensor:
    scales = [choice.guidance_scale for choice in choices]
    return scales[0] if len(set(scales)) == 1 else torch.tensor(scales)
