"""The brush: latent diffusion with diffusers' UNet, VAE and schedulers.

`denoise` is a generator: one pull is one step, so that previews, progress and Stop need no call-backs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, TypeAlias

import diffusers
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    TCDScheduler,
    UNet2DConditionModel,
)
from PIL import Image
from torch import nn

from minigpt5.config import FastConfig
from minigpt5.images import to_pil

Scheduler: TypeAlias = (
    DPMSolverMultistepScheduler
    | DDIMScheduler
    | PNDMScheduler
    | LCMScheduler
    | TCDScheduler
    | EulerDiscreteScheduler
)


class LatentDiffusion(nn.Module):
    """Draws pictures of `image_size` pixels from conditioning vectors."""

    def __init__(
        self,
        unet: dict[str, Any],
        vae: dict[str, Any],
        scheduler: dict[str, Any],
        image_size: int,
        preview: tuple[tuple[float, ...], ...] = (),
        fast: FastConfig | None = None,
    ) -> None:
        super().__init__()
        self.unet = UNet2DConditionModel(**unet)
        self.fast = fast
        self.unet_fast = UNet2DConditionModel(**unet) if fast and fast.own_unet else None
        self.vae = AutoencoderKL(**vae)
        self.scheduler_config = dict(scheduler)
        self.image_size = image_size
        channels = int(self.vae.config.latent_channels)
        self.latent_shape = (channels, int(self.unet.config.sample_size), int(self.unet.config.sample_size))
        self.preview_map: torch.Tensor
        # no weights: real even where the weights are planned only
        rows = torch.tensor(preview or [(0.0, 0.0, 0.0)] * (channels + 1), device="cpu")
        self.register_buffer(
            "preview_map", rows, persistent=False
        )  # (channels + 1, 3), the last row the offset

    def compile_drawing(self, length: int, backend: str = "inductor") -> None:
        """Compile the UNet and the decoder, channels last, for conditions of `length` vectors.

        Takes minutes, so that no picture has to; the weights and their names stay as they are.
        """
        unets = [unet for unet in (self.unet, self.unet_fast) if unet is not None]
        for network in (*unets, self.vae):
            network.to(memory_format=torch.channels_last)
        for network in (*unets, self.vae.decoder):
            network.compile(backend=backend)
        embeds = torch.zeros(1, length, int(self.unet.config.cross_attention_dim)).to(self.unet.device)
        noise = self.initial_latents(torch.Generator())
        ways = [("ddim", 2.0), *([("fast", self.fast.guidance_scale)] if self.fast else [])]
        for scheduler, guidance in ways:
            how: dict[str, Any] = {"num_inference_steps": 2, "scheduler": scheduler, "latents": noise}
            for latents in self.denoise(embeds, embeds, guidance_scale=guidance, **how):
                self.decode(latents)

    def with_unet(self, unet: UNet2DConditionModel) -> LatentDiffusion:
        """The same with another UNet of the same shape; VAE and noise schedule are shared."""
        other = copy(self)
        other._modules = {**self._modules, "unet": unet}
        return other

    def unet_of(self, scheduler: str) -> UNet2DConditionModel:
        """The UNet that draws with this choice: the one of the few steps with `fast`, where it is another."""
        return self.unet_fast if scheduler == "fast" and self.unet_fast is not None else self.unet

    def method_of(self, scheduler: str) -> str:
        """The scheduler that a choice stands for; raises ValueError for `fast` where the model has no few steps."""
        if scheduler != "fast":
            return scheduler
        if self.fast is None:
            raise ValueError("scheduler: got 'fast', expected another for a model without few steps")
        return self.fast.scheduler

    def initial_latents(self, generator: torch.Generator, batch: int = 1) -> torch.Tensor:
        """Noise (B,c,h,w) of unit variance, drawn on the generator's device so that a seed means one picture."""
        noise = torch.randn((batch, *self.latent_shape), generator=generator, device=generator.device)
        return noise.to(self.unet.device, self.unet.dtype)

    def denoise(
        self,
        prompt_embeds: torch.Tensor,
        negative_prompt_embeds: torch.Tensor,
        *,
        guidance_scale: float | torch.Tensor,
        num_inference_steps: int,
        scheduler: str,
        latents: torch.Tensor,
        generators: Sequence[torch.Generator] = (),
    ) -> Iterator[torch.Tensor]:
        """prompt_embeds (B,L,C), negative (1 or B,L,C), latents (B,c,h,w) -> latents after each step.

        `guidance_scale` is one number, or (B,) with each picture's own. Where none is above 1 the negative is left
        out, which halves the work. PNDM takes one step more than it is asked for, as in the official pipeline. LCM
        and TCD add noise between their steps, each picture's from its own of `generators`.
        """
        steps = make_scheduler(self.method_of(scheduler), self.scheduler_config)
        noise = {"generator": list(generators)} if generators and not isinstance(steps, PNDMScheduler) else {}
        steps.set_timesteps(num_inference_steps)
        guided = bool(torch.as_tensor(guidance_scale > 1).any())
        if isinstance(guidance_scale, torch.Tensor):
            guidance_scale = guidance_scale.to(latents)[:, None, None, None]
        embeds = prompt_embeds.to(self.unet.dtype)
        if guided:
            embeds = torch.cat([negative_prompt_embeds.to(embeds).expand_as(embeds), embeds])
        latents = latents * steps.init_noise_sigma
        for timestep in steps.timesteps:
            with torch.inference_mode():
                noisy = steps.scale_model_input(torch.cat([latents] * 2) if guided else latents, timestep)
                noise_pred = self.predict_noise(noisy, timestep.expand(len(noisy)), embeds, scheduler)
                if guided:
                    unconditional, conditional = noise_pred.chunk(2)
                    noise_pred = unconditional + guidance_scale * (conditional - unconditional)
                latents = steps.step(noise_pred, timestep, latents, **noise).prev_sample
            yield latents

    def predict_noise(
        self, latents: torch.Tensor, timesteps: torch.Tensor, embeds: torch.Tensor, scheduler: str
    ) -> torch.Tensor:
        """One pass of the UNet that draws with `scheduler`: latents (B,c,h,w), timesteps (B,), embeds (B,L,C) -> the
        noise in them (B,c,h,w)."""
        timesteps = timesteps.to(latents.device, torch.float32)
        return self.unet_of(scheduler)(latents, timesteps, encoder_hidden_states=embeds).sample

    def preview(self, latents: torch.Tensor) -> list[Image.Image]:
        """latents (B,c,h,w) -> small pictures h x w, by one linear map; a full decode costs a hundred times more."""
        weight, offset = self.preview_map[:-1].float(), self.preview_map[-1].float()
        rgb = torch.einsum("bchw,cr->brhw", latents.float(), weight) + offset[:, None, None]
        return [to_pil(picture) for picture in rgb]

    def decode(self, latents: torch.Tensor) -> list[Image.Image]:
        """latents (B,c,h,w) -> pictures of `image_size`."""
        scaled = latents.to(self.vae.dtype) / self.vae.config.scaling_factor
        with torch.inference_mode():
            return [to_pil(picture) for picture in self.vae.decode(scaled).sample.float()]

    def to_pipeline(self, scheduler: str = "dpmsolver++") -> diffusers.StableDiffusionPipeline:
        """diffusers' pipeline of these very networks, for its users; it has no text encoder and no picture checker.

        It is called with `prompt_embeds` (B,77,C), what the mapper makes of vokens, `negative_prompt_embeds`, what
        `mapper.null_embeds` gives, and the pipeline's other arguments.
        """
        return diffusers.StableDiffusionPipeline(  # loaded when it is asked for, by diffusers itself
            vae=self.vae,
            text_encoder=None,
            tokenizer=None,
            unet=self.unet_of(scheduler),
            scheduler=make_scheduler(self.method_of(scheduler), self.scheduler_config),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )


def make_scheduler(name: str, config: dict[str, Any]) -> Scheduler:
    """A fresh scheduler (they hold state, so each picture has its own) over the model's noise schedule.

    The last three are for painters that were distilled: `lcm` (Luo et al., 2023) and `tcd` (Zheng et al., 2024) add
    noise between their steps, `euler-trailing` begins at the last timestep (Lin et al., 2023, section 3.3) and does not.
    """
    match name:
        case "dpmsolver++":
            return DPMSolverMultistepScheduler.from_config(
                config, algorithm_type="dpmsolver++", solver_order=2, use_karras_sigmas=False
            )
        case "ddim":
            return DDIMScheduler.from_config(config)
        case "pndm":
            return PNDMScheduler.from_config(config)
        case "lcm":
            return LCMScheduler.from_config(config)
        case "tcd":
            return TCDScheduler.from_config(config)
        case "euler-trailing":
            return EulerDiscreteScheduler.from_config(config, timestep_spacing="trailing", steps_offset=0)
        case _:
            known = "'dpmsolver++', 'ddim', 'pndm', 'lcm', 'tcd' or 'euler-trailing'"
            raise ValueError(f"scheduler: got {name!r}, expected {known}")
