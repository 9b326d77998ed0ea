"""The eyes' warm-up: ViT and Q-Former learn to tell the attributes of rendered scenes before the LLM listens.

From scratch a Q-Former is slow to start on the LLM's loss alone; the official one, too, came trained (BLIP-2).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from minigpt5.data.storybook.attributes import ATTRIBUTES, labels_of
from minigpt5.data.storybook.drawing import render
from minigpt5.data.storybook.scene import random_scene, sample_scene
from minigpt5.images import preprocess
from minigpt5.model.vision import VisionTower


class AttributeReader(nn.Module):
    """A vision tower with one linear head an attribute over all its query tokens; the heads are thrown away."""

    def __init__(self, vision: VisionTower) -> None:
        super().__init__()
        self.vision = vision
        queries, width = vision.query_tokens.shape[1], vision.language_projection.out_features
        self.heads = nn.ModuleList(
            nn.Linear(queries * width, len(classes)) for classes in ATTRIBUTES.values()
        )

    def forward(self, pixel_values: torch.Tensor) -> list[torch.Tensor]:
        """pixel_values (N,3,H,W) -> logits (N,classes), one for each of `ATTRIBUTES`."""
        features = self.vision(pixel_values).flatten(1)
        return [head(features) for head in self.heads]


class AttributeTask:
    """Classify every attribute of rendered training scenes; pictures are cropped and shifted a little."""

    def __init__(
        self, module: nn.Module, image_size: int, held_out: bool = False, salt: str = "eyes"
    ) -> None:
        self.module = module
        self.image_size = image_size
        self.held_out = held_out
        self.salt = salt

    def batches(self, batch_size: int, first_step: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(pixel_values (B,3,H,W), labels (B,attributes)). With `held_out`, scenes of both halves of the split."""
        step = first_step
        while True:
            rng = random.Random(f"{self.salt} {step}")
            scenes = [random_scene(rng) if self.held_out else sample_scene(rng) for _ in range(batch_size)]
            pictures = [render(s, self.image_size, rng.randrange(2**31)) for s in scenes]
            pixels = torch.stack([preprocess(p, self.image_size) for p in pictures])
            yield pixels, torch.tensor([labels_of(scene) for scene in scenes])
            step += 1

    def losses(self, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Mean cross-entropy over the attributes, and the share of all of them that is right."""
        pixels, labels = batch
        logits = self.module(pixels)
        loss = torch.stack(
            [F.cross_entropy(x, y) for x, y in zip(logits, labels.unbind(1), strict=True)]
        ).mean()
        right = torch.stack([x.argmax(1) == y for x, y in zip(logits, labels.unbind(1), strict=True)])
        return {"loss": loss, "accuracy": right.float().mean().detach()}
