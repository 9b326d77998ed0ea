"""A picture as tags: one word an attribute, in the LLM's own embeddings, as many as the eyes have query tokens.

This is the common tongue of the base parts. The LLM learns to read pictures as tags before it has eyes, the eyes
learn to say the tags; so they understand each other when they meet, and the alignment on describing pictures
starts near its end. From scratch, a small Q-Former hardly starts on the LLM's loss alone.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from transformers import PreTrainedTokenizerFast

from minigpt5.data.storybook.worlds import World


class Tags:
    """All values of all attributes of a world in one list of rows; a scene is `count` of them."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, world: World) -> None:
        values = [value for classes in world.attributes.values() for value in classes]
        pieces = [tokenizer.encode(value, add_special_tokens=False) for value in values]
        self.sizes = [len(classes) for classes in world.attributes.values()]
        self.count = len(self.sizes)
        self.starts = [sum(self.sizes[:index]) for index in range(self.count)]
        self.labels_of = world.labels_of
        self.ids = torch.tensor([piece for word in pieces for piece in word])
        self.offsets = torch.tensor([0, *[len(word) for word in pieces]])[:-1].cumsum(0)

    def rows(self, scene: Any) -> list[int]:
        """The row of each attribute's value."""
        return [start + label for start, label in zip(self.starts, self.labels_of(scene), strict=True)]

    def embed(self, weight: torch.Tensor) -> torch.Tensor:
        """The LLM's input embeddings (vocabulary,D) -> (rows,D), a value of several tokens as their mean."""
        ids, offsets = self.ids.to(weight.device), self.offsets.to(weight.device)
        return F.embedding_bag(ids, weight, offsets, mode="mean")
