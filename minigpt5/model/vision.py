"""The eyes: a frozen ViT, a Q-Former that asks it a fixed number of questions, and a projection to the LLM.

Source: paper section 3.1; official `minigpt4/models/mini_gpt4.py` `encode_img`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import Blip2QFormerConfig, Blip2QFormerModel, Blip2VisionConfig, Blip2VisionModel


class VisionTower(nn.Module):
    """pixel_values -> image_embeds, the tokens that stand for a picture in the LLM's input."""

    def __init__(
        self, vision: dict[str, Any], qformer: dict[str, Any], num_query_tokens: int, llm_width: int
    ) -> None:
        super().__init__()
        qformer_config = Blip2QFormerConfig(**qformer)
        sizes = dict(vision)
        last_epsilon = sizes.pop("post_layer_norm_eps", None)
        self.vit = Blip2VisionModel(Blip2VisionConfig(**sizes))
        if last_epsilon is not None:  # of the norm between ViT and Q-Former, which is not the ViT's own
            self.vit.post_layernorm.eps = last_epsilon
        self.query_tokens = nn.Parameter(torch.zeros(1, num_query_tokens, qformer_config.hidden_size))
        self.qformer = Blip2QFormerModel(qformer_config)
        self.language_projection = nn.Linear(qformer_config.hidden_size, llm_width)
        nn.init.normal_(self.query_tokens, std=qformer_config.initializer_range)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """pixel_values (N,3,H,W), CLIP-normalised -> image_embeds (N,Q,D).

        Pictures of another size than the table of positions is for are met with the table resized (bicubic),
        as in the official `eva_vit.py`.
        """
        seen = self.vit(pixel_values=pixel_values, interpolate_pos_encoding=True)
        patches = seen.last_hidden_state  # (N,P+1,W)
        queries = self.query_tokens.expand(len(pixel_values), -1, -1)
        seen = self.qformer(query_embeds=queries, encoder_hidden_states=patches).last_hidden_state  # (N,Q,W')
        return self.language_projection(seen)
