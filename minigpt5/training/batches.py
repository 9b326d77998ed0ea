"""From samples to a batch of a stage, all its random draws included.

Whatever is random about a sample (the words dropped, its noise, its timestep) is drawn from the sample's own
seed, so that a batch is the same however the samples are spread over processes, and again after a resume.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Protocol

import torch
from torch import Tensor

from minigpt5.data.collate import Batch
from minigpt5.prompt import IGNORED, Encoded
from minigpt5.training.pictures import draw_timesteps
from minigpt5.training.stages import Stage


@dataclass(frozen=True)
class Example:
    """One sample with its pictures as tensors. `drawn` may be shorter than the voken groups: the first ones."""

    record: str
    encoded: Encoded
    seen: tuple[Tensor, ...]  # (3,H,W), what the eyes see
    drawn: tuple[Tensor, ...]  # (3,S,S) in [-1,1]
    captions: tuple[str | None, ...]  # one a voken group
    seed: int


class Source(Protocol):
    """Where samples come from."""

    def batches(self, batch_size: int, first: int, stride: int) -> Iterator[list[Example]]:
        """Batches number `first`, `first + stride`, ...; batch `n` depends on `n` alone."""
        ...


@dataclass(frozen=True)
class StageBatch:
    """G groups of vokens, the first K of which have their picture here."""

    records: tuple[str, ...]
    batch: Batch
    pixel_values: Tensor | None  # (N,3,H,W)
    targets: Tensor  # (K,3,S,S)
    captions: tuple[str | None, ...]  # G
    dropped: Tensor  # (G,) bool
    timesteps: Tensor  # (K,)
    noise: Tensor  # (K,c,h,w)
    vae_noise: Tensor  # (K,c,h,w)
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Over how many things each loss is a mean."""
        return {
            "text_loss": int((self.batch.labels[:, 1:] != IGNORED).sum()),
            "image_loss": len(self.targets),
            "caption_loss": sum(caption is not None for caption in self.captions),
        }

    @property
    def sizes(self) -> dict[str, int]:
        """What is worked through, for the throughput."""
        pictures = 0 if self.pixel_values is None else len(self.pixel_values)
        return {"images": pictures + len(self.targets), "tokens": int(self.batch.attention_mask.sum())}

    def weighted(self, shares: Mapping[str, float]) -> StageBatch:
        """The same, its losses to be multiplied: a mean over few things counts less than one over many."""
        return replace(self, shares=shares)

    def to(self, device: torch.device) -> StageBatch:
        """The same with its tensors on `device`."""
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        moved = {n: v.to(device) if isinstance(v, Tensor | Batch) else v for n, v in moved.items()}
        return replace(self, **moved)


def stage_batch(
    examples: list[Example], batch: Batch, stage: Stage, latent_shape: tuple[int, int, int]
) -> StageBatch:
    """The batch of `examples`, with the draws of `stage`; `batch` are their collated ids."""
    targets = [picture for example in examples for picture in example.drawn][: stage.drawn_limit]
    dropped: list[bool] = []
    timesteps: list[Tensor] = []
    noise: list[Tensor] = []
    for example in examples:
        rng = random.Random(f"draws {example.seed}")
        generator = torch.Generator().manual_seed(rng.randrange(2**31))
        for _ in example.captions:
            dropped.append(rng.random() < stage.dropped_share)
            timesteps.append(draw_timesteps(1, generator, stage.early_share))
            noise.append(torch.randn((2, *latent_shape), generator=generator))
    count = len(targets) if stage.image_weight else 0
    seen = [picture for example in examples for picture in example.seen]
    drawn_noise = torch.stack(noise[:count]) if count else torch.zeros(0, 2, *latent_shape)
    return StageBatch(
        records=tuple(example.record for example in examples),
        batch=batch,
        pixel_values=torch.stack(seen) if seen else None,
        targets=torch.stack(targets[:count]) if count else torch.zeros(0),
        captions=tuple(caption for example in examples for caption in example.captions),
        dropped=torch.tensor(dropped, dtype=torch.bool),
        timesteps=torch.cat(timesteps[:count]) if count else torch.zeros(0, dtype=torch.long),
        noise=drawn_noise[:, 0],
        vae_noise=drawn_noise[:, 1],
    )
