"""The four boxes of the paper's figure 2 in one module; the way through them is `generation.engine`'s."""

from __future__ import annotations

import torch
from torch import nn

from minigpt5.errors import PromptError
from minigpt5.model.connector import Connector
from minigpt5.model.diffusion import LatentDiffusion
from minigpt5.model.language import LanguageModel
from minigpt5.model.vision import VisionTower


class MiniGPT5(nn.Module):
    """Parts are built elsewhere and handed in."""

    def __init__(
        self, vision: VisionTower, language: LanguageModel, mapper: Connector, diffusion: LatentDiffusion
    ) -> None:
        super().__init__()
        self.vision = vision
        self.language = language
        self.mapper = mapper
        self.diffusion = diffusion

    def embed(
        self, input_ids: torch.Tensor, pixel_values: torch.Tensor | None, placeholder_id: int
    ) -> torch.Tensor:
        """input_ids (1,T) with one placeholder a picture, pixel_values (N,3,H,W) -> inputs_embeds (1,T',D).

        T' = T + N (Q - 1): each placeholder gives way to the Q tokens of its picture, in order. Raises
        PromptError if there are not as many placeholders as pictures.
        """
        slots = (input_ids[0] == placeholder_id).nonzero().flatten().tolist()
        pictures = 0 if pixel_values is None else len(pixel_values)
        if len(slots) != pictures:
            raise PromptError(
                f"got {pictures} pictures for {len(slots)} placeholders, expected as many of each"
            )
        words = self.language.embed(input_ids)[0]  # (T,D)
        if pixel_values is None or not slots:
            return words[None]
        pieces, start = [], 0
        for slot, seen in zip(slots, self.vision(pixel_values).to(words), strict=True):
            pieces += [words[start:slot], seen]
            start = slot + 1
        return torch.cat([*pieces, words[start:]])[None]
