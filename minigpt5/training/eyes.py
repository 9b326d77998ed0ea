"""The eyes' warm-up: ViT and Q-Former learn to tell the tags of rendered scenes before the LLM listens.

From scratch a Q-Former is slow to start on the LLM's loss alone; the official one, too, came trained (BLIP-2).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch
from torch import nn

from minigpt5.data.storybook.worlds import World
from minigpt5.images import preprocess
from minigpt5.model.vision import VisionTower
from minigpt5.training.losses import attribute_losses

SHARPNESS = 10.0  # logits per squared distance, in units of the tags' variance


class Tagger(nn.Module):
    """A vision tower whose query tokens are to say the scene's tags, one each, in the LLM's embeddings."""

    def __init__(self, vision: VisionTower, tags: torch.Tensor, world: World) -> None:
        super().__init__()
        if vision.query_tokens.shape[1] != len(world.attributes):
            raise ValueError(
                f"num_query_tokens: got {vision.query_tokens.shape[1]}, expected {len(world.attributes)}, one a tag"
            )
        self.vision = vision
        sizes = [len(classes) for classes in world.attributes.values()]
        self.tags = list(tags.split(sizes))  # (classes,D) of each attribute
        self.scale = (tags - tags.mean(0)).square().sum(1).mean()

    def forward(self, pixel_values: torch.Tensor) -> list[torch.Tensor]:
        """pixel_values (N,3,H,W) -> logits (N,classes), one for each attribute."""
        return self.compare(self.vision(pixel_values).float())

    def compare(self, said: torch.Tensor) -> list[torch.Tensor]:
        """said (N,Q,D), one query an attribute -> logits (N,classes) of each: how near it is to each tag."""
        return [
            -SHARPNESS * (said[:, index, None] - tags.to(said.device)).square().sum(-1) / self.scale
            for index, tags in enumerate(self.tags)
        ]


class AttributeTask:
    """Classify every attribute of rendered training scenes; pictures are cropped and shifted a little."""

    def __init__(
        self, module: nn.Module, image_size: int, world: World, held_out: bool = False, salt: str = "eyes"
    ) -> None:
        self.module = module
        self.world = world
        self.image_size = image_size
        self.held_out = held_out
        self.salt = salt

    def batches(self, batch_size: int, first_step: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(pixel_values (B,3,H,W), labels (B,attributes)). With `held_out`, scenes of both halves of the split."""
        step, world = first_step, self.world
        while True:
            rng = random.Random(f"{self.salt} {step}")
            scenes = [
                world.any_scene(rng) if self.held_out else world.training_scene(rng, None)
                for _ in range(batch_size)
            ]
            pictures = [world.render(s, self.image_size, rng.randrange(2**31)) for s in scenes]
            pixels = torch.stack([preprocess(p, self.image_size) for p in pictures])
            yield pixels, torch.tensor([world.labels_of(scene) for scene in scenes])
            step += 1

    def losses(self, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Mean cross-entropy over the attributes, and the share of all of them that is right."""
        pixels, labels = batch
        return attribute_losses(self.module(pixels), labels)


class TagTask(AttributeTask):
    """Say the right tag, exactly: cross-entropy keeps the tags apart, the distance makes the LLM know them."""

    def losses(self, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Mean cross-entropy plus the mean squared distance to the right tags, in units of their variance."""
        pixels, labels = batch
        logits = self.module(pixels)
        losses = attribute_losses(logits, labels)
        distance = -torch.stack(
            [x.gather(1, y[:, None]).mean() for x, y in zip(logits, labels.unbind(1), strict=True)]
        ).mean()
        return {
            **losses,
            "loss": losses["loss"] + distance / SHARPNESS,
            "distance": (distance / SHARPNESS).detach(),
        }
