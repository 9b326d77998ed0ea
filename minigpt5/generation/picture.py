"""One picture in progress, and a denoising step for many of them in one pass of the UNet.

Each picture has a scheduler, a number of steps, a guidance and a timestep of its own, so pictures may join and leave
between any two steps. A batch may round differently from a single picture.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from minigpt5.events import ImageProgress, ImageStarted
from minigpt5.generation.turn import PictureOrder
from minigpt5.model.diffusion import LatentDiffusion, make_scheduler


class Picture:
    """The latents of one picture, and its way through the noise levels."""

    def __init__(self, order: PictureOrder, diffusion: LatentDiffusion, prompt_embeds: Tensor) -> None:
        """prompt_embeds (1,L,C) is what the picture shows; its noise is drawn from the order's seed."""
        self.order = order
        self.prompt_embeds = prompt_embeds.to(diffusion.unet.dtype)
        self._scheduler = make_scheduler(diffusion.method_of(order.scheduler), diffusion.scheduler_config)
        self._scheduler.set_timesteps(order.num_inference_steps)
        generator = torch.Generator().manual_seed(order.seed)
        self.latents = diffusion.initial_latents(generator) * self._scheduler.init_noise_sigma  # (1,c,h,w)
        # LCM and TCD add noise between their steps; PNDM takes no generator
        self._noise = {} if order.scheduler == "pndm" else {"generator": generator}
        self._side = diffusion.image_size
        self.steps_done = 0

    @property
    def finished(self) -> bool:
        return self.steps_done == len(self._scheduler.timesteps)

    @property
    def guided(self) -> bool:
        return self.order.guidance_scale > 1

    @property
    def timestep(self) -> Tensor:
        """() the noise level of the next step."""
        return self._scheduler.timesteps[self.steps_done]

    def model_input(self) -> Tensor:
        """(1,c,h,w) as the UNet takes them at the present timestep."""
        return self._scheduler.scale_model_input(self.latents, self.timestep)

    def take(self, noise: Tensor, unconditional: Tensor | None) -> None:
        """Go one step on: `noise` (1,c,h,w) was predicted, `unconditional` of a guided picture without its meaning."""
        if unconditional is not None:
            noise = unconditional + self.order.guidance_scale * (noise - unconditional)
        self.latents = self._scheduler.step(noise, self.timestep, self.latents, **self._noise).prev_sample
        self.steps_done += 1

    def started(self) -> ImageStarted:
        return ImageStarted(self.order.index, self._side, self._side, self.order.num_inference_steps)


@torch.inference_mode()
def denoise(diffusion: LatentDiffusion, pictures: Sequence[Picture], negative: Tensor) -> None:
    """One step for each of `pictures`, those of one UNet in one pass; negative (1,L,C) is what guided ones are led
    away from."""
    groups: dict[int, list[Picture]] = {}
    for picture in pictures:
        groups.setdefault(id(diffusion.unet_of(picture.order.scheduler)), []).append(picture)
    for group in groups.values():
        _denoise_group(diffusion, group, negative)


def _denoise_group(diffusion: LatentDiffusion, pictures: Sequence[Picture], negative: Tensor) -> None:
    guided = [picture for picture in pictures if picture.guided]
    rows = [*guided, *pictures]
    latents = torch.cat([picture.model_input() for picture in rows])
    timesteps = torch.stack([picture.timestep.float() for picture in rows])
    away = [negative.to(latents)] * len(guided)
    embeds = torch.cat([*away, *(picture.prompt_embeds for picture in pictures)])
    noise = diffusion.predict_noise(latents, timesteps, embeds, pictures[0].order.scheduler).split(1)
    unconditional = dict(zip(map(id, guided), noise, strict=False))
    for picture, predicted in zip(pictures, noise[len(guided) :], strict=True):
        picture.take(predicted, unconditional.get(id(picture)))


def progress(diffusion: LatentDiffusion, pictures: Sequence[Picture]) -> list[ImageProgress]:
    """How far `pictures` are, each with a rough view of it."""
    previews = diffusion.preview(torch.cat([picture.latents for picture in pictures]))
    return [
        # PNDM takes one step more than it is asked for
        ImageProgress(
            order.index,
            min(picture.steps_done, order.num_inference_steps),
            order.num_inference_steps,
            preview,
        )
        for picture, preview in zip(pictures, previews, strict=True)
        for order in (picture.order,)
    ]
