"""The painter's base parts: the VAE on rendered scenes, then text-to-image on its latents (a small "SD 2.1")."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from transformers import CLIPTextModel, PreTrainedTokenizerFast

from minigpt5.data.storybook.worlds import World
from minigpt5.training.losses import image_loss, min_snr_weight, reconstruction_loss
from minigpt5.training.precision import fast_precision

KL_WEIGHT = 2e-4  # per latent element
ANCHOR_WEIGHT = 0.1  # of latents of variance 1
EARLY_SHARE = 0.5  # of the timesteps drawn from the noisier half, where left and right are decided
EMPTY_SHARE = 0.1  # of the captions dropped, for classifier-free guidance


def to_pixels(world: World, scenes: list[Any], size: int, seed: int) -> torch.Tensor:
    """Scenes -> rendered pictures (B,3,size,size) in [-1,1]; scene `i` is jittered by `seed + i`."""
    pictures = np.stack([np.asarray(world.render(scene, size, seed + i)) for i, scene in enumerate(scenes)])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def scenes_of(world: World, seed: int, count: int) -> list[Any]:
    """`count` training scenes drawn from one seed."""
    rng = random.Random(seed)
    return [world.training_scene(rng, None) for _ in range(count)]


def half_size(vae: dict[str, Any]) -> dict[str, Any]:
    """The configuration of the same VAE without its outermost level: pictures of half the side, latents as large."""
    return {
        **vae,
        "down_block_types": vae["down_block_types"][1:],
        "up_block_types": vae["up_block_types"][1:],
        "block_out_channels": vae["block_out_channels"][1:],
        "sample_size": vae["sample_size"] // 2,
    }


@torch.no_grad()
def grow(vae: AutoencoderKL, half: AutoencoderKL) -> None:
    """Begin `vae` with the weights of `half`, the VAE of half its size (Karras et al., 2018, "Progressive growing").

    The new outermost level halves and doubles the pictures and adds nothing yet; its two sides must be as wide as
    those of the level inside it.
    """
    last = len(vae.config.block_out_channels) - 1
    inner = re.compile(r"encoder\.down_blocks\.(\d+)")
    weights = {
        inner.sub(lambda m: f"encoder.down_blocks.{int(m[1]) + 1}", n): t
        for n, t in half.state_dict().items()
    }
    vae.load_state_dict(weights, strict=False)
    for resnet in (*vae.encoder.down_blocks[0].resnets, *vae.decoder.up_blocks[last].resnets):
        nn.init.zeros_(resnet.conv2.weight)
        nn.init.zeros_(resnet.conv2.bias)
    shrink = vae.encoder.down_blocks[0].downsamplers[0].conv
    enlarge = vae.decoder.up_blocks[last - 1].upsamplers[0].conv
    for conv in (shrink, enlarge):
        nn.init.zeros_(conv.weight)
        nn.init.zeros_(conv.bias)
    each = torch.arange(shrink.out_channels)
    shrink.weight[each, each, :2, :2] = 0.25  # the mean of each 2 x 2 pixels
    enlarge.weight[each, each, 1, 1] = 1.0


class VaeTask:
    """Reconstruct rendered scenes; with an `anchor` the latents stay near those of that VAE."""

    def __init__(
        self, vae: AutoencoderKL, world: World, image_size: int, anchor: AutoencoderKL | None = None
    ) -> None:
        self.module: Any = vae
        self.world = world
        self.image_size = image_size
        self.anchor = anchor

    def batches(self, batch_size: int, first_step: int) -> Iterator[torch.Tensor]:
        """Freshly rendered pictures (B,3,H,W)."""
        return self.strided_batches(batch_size, first_step, 1)

    def strided_batches(self, batch_size: int, first: int, stride: int) -> Iterator[torch.Tensor]:
        """Batches number `first`, `first + stride`, ..."""
        for number in itertools.count(first, stride):
            seed = number + (10**6 if self.anchor else 0)
            scenes = scenes_of(self.world, seed, batch_size)
            yield to_pixels(self.world, scenes, self.image_size, seed * batch_size)

    def losses(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Reconstruction, a light KL and, with an anchor, the mean squared step away from it."""
        vae = self.module
        posterior = vae.encode(batch).latent_dist
        picture = vae.decode(posterior.sample()).sample
        kl = posterior.kl().mean() / posterior.mean[0].numel()
        loss = reconstruction_loss(picture, batch) + KL_WEIGHT * kl
        mse = (picture - batch).square().mean()
        losses = {"psnr": 10 * torch.log10(4 / mse).detach(), "kl": kl.detach()}
        if self.anchor:
            with torch.no_grad():
                known = self.anchor.to(batch.device).encode(batch).latent_dist.mean
            moved = (posterior.mean - known).square().mean()
            loss = loss + ANCHOR_WEIGHT * moved
            losses["moved"] = moved.sqrt().detach()
        return {"loss": loss, **losses}


@torch.no_grad()
def normalise_latents(vae: AutoencoderKL, pictures: torch.Tensor) -> None:
    """Fold a per-channel normalisation into `quant_conv` and `post_quant_conv`: latents of mean 0, variance 1."""
    latents = torch.cat([vae.encode(part).latent_dist.mean for part in pictures.split(16)])
    mean, std = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))  # (c,)
    channels = len(mean)
    weight, bias = vae.quant_conv.weight, vae.quant_conv.bias
    after, offset = vae.post_quant_conv.weight, vae.post_quant_conv.bias
    offset += after[:, :, 0, 0] @ mean
    after *= std[None, :, None, None]
    weight[:channels] /= std[:, None, None, None]
    bias[:channels] = (bias[:channels] - mean) / std
    bias[channels:] -= 2 * std.log()  # the log-variance of the scaled latents


@torch.no_grad()
def fit_preview(vae: AutoencoderKL, pictures: torch.Tensor) -> tuple[tuple[float, ...], ...]:
    """The least-squares map from latents to the RGB of the shrunk picture, (channels + 1, 3)."""
    latents = torch.cat([vae.encode(part).latent_dist.mean for part in pictures.split(16)])
    small = nn.functional.adaptive_avg_pool2d(pictures, latents.shape[-1])
    inputs = latents.permute(0, 2, 3, 1).flatten(0, 2)  # (B h w, c)
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1)
    solution = torch.linalg.lstsq(inputs, small.permute(0, 2, 3, 1).flatten(0, 2)).solution
    return tuple(tuple(round(v, 5) for v in row) for row in solution.tolist())


@torch.no_grad()
def precompute_latents(
    vae: AutoencoderKL, world: World, path: Path, count: int, image_size: int, chunk: int = 32
) -> torch.Tensor:
    """Latents (count,c,h,w) in fp16 of the training scenes `chunk_scenes(world, 0), ...`; kept in `path`."""
    if path.exists():
        return torch.load(path, weights_only=True)
    parts = []
    for index in range(count // chunk):
        pixels = to_pixels(world, chunk_scenes(world, index, chunk), image_size, index * chunk)
        with fast_precision():
            parts.append(vae.encode(pixels).latent_dist.mean.half())
    latents = torch.cat(parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(latents, path)
    return latents


def chunk_scenes(world: World, index: int, chunk: int = 32) -> list[Any]:
    """The scenes of one chunk of the precomputed set."""
    return scenes_of(world, 5_000_000 + index, chunk)


def draw_timesteps(count: int, generator: torch.Generator, early_share: float = EARLY_SHARE) -> torch.Tensor:
    """Timesteps (count,), `early_share` of them from 500-999, the others from all."""
    uniform = torch.randint(0, 1000, (count,), generator=generator)
    late = torch.randint(500, 1000, (count,), generator=generator)
    return torch.where(torch.rand(count, generator=generator) < early_share, late, uniform)


def training_caption(world: World, scene: Any, rng: random.Random) -> str:
    """The canonical wording, which the mapper is to meet, or a free one, so that the text encoder knows both."""
    return world.caption(scene) if rng.random() < world.canonical_share else world.phrase(scene, rng)


class TextToImage(nn.Module):
    """UNet and text encoder, trained together."""

    def __init__(self, unet: UNet2DConditionModel, text_encoder: CLIPTextModel) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder


class TextToImageTask:
    """Predict the noise on precomputed latents given the caption (epsilon, Min-SNR)."""

    def __init__(
        self,
        module: TextToImage,
        world: World,
        latents: torch.Tensor,
        scenes: list[Any],
        tokenize: TokenizeCaptions,
        scheduler: DDPMScheduler,
        salt: str,
        early_share: float = EARLY_SHARE,
    ) -> None:
        module.unet.set_attn_processor(AttnProcessor())  # on a CPU the fused one's backward pass is slow
        self.module: Any = module
        self.world = world
        self.early_share = early_share
        self.salt = salt
        self.latents = latents
        self.scenes = scenes
        self.tokenize = tokenize
        self.scheduler = scheduler

    def batches(self, batch_size: int, first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        """(latents, caption ids, noise, timesteps)."""
        step = first_step
        while True:
            rng = random.Random(f"{self.salt} {step}")
            generator = torch.Generator().manual_seed(rng.randrange(2**31))
            picks = [rng.randrange(len(self.scenes)) for _ in range(batch_size)]
            captions = [
                "" if rng.random() < EMPTY_SHARE else training_caption(self.world, self.scenes[i], rng)
                for i in picks
            ]
            latents = self.latents[picks].float()
            noise = torch.randn(latents.shape, generator=generator)
            timesteps = draw_timesteps(batch_size, generator, self.early_share)
            yield latents, self.tokenize(captions), noise, timesteps
            step += 1

    def losses(self, batch: tuple[torch.Tensor, ...]) -> dict[str, torch.Tensor]:
        """Noise prediction."""
        latents, ids, noise, timesteps = batch
        embeds = self.module.text_encoder(input_ids=ids).last_hidden_state
        noisy = self.scheduler.add_noise(latents, noise, timesteps)
        noise_pred = self.module.unet(noisy, timesteps, encoder_hidden_states=embeds).sample
        weights = min_snr_weight(self.scheduler.alphas_cumprod, timesteps)
        return {"loss": image_loss(noise_pred, noise, weights)}


class TokenizeCaptions:
    """Captions -> ids (B,L) of fixed length, padded as SD 2.x does, with a begin and an end token."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, length: int, bos: int, eos: int, pad: int) -> None:
        self.tokenizer = tokenizer
        self.length = length
        self.bos, self.eos, self.pad = bos, eos, pad

    def __call__(self, captions: list[str]) -> torch.Tensor:
        """Encode a batch."""
        rows = []
        for text in captions:
            ids = self.tokenizer(text, add_special_tokens=False)["input_ids"][: self.length - 2]
            row = [self.bos, *ids, self.eos]
            rows.append(row + [self.pad] * (self.length - len(row)))
        return torch.tensor(rows)
