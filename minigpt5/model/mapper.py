"""From what the LLM meant to what the painter reads: the voken states -> the conditioning of the diffusion.

Source: paper section 3.2; official `model.py` (`fc`, `llm_to_t2i_mapping`, `t2i_decoder_prompt`).
"""

from __future__ import annotations

import torch
from torch import nn

from minigpt5.config import MapperConfig


class VokenMapper(nn.Module):
    """A two-layer MLP, then an encoder-decoder transformer that `length` learned queries read out.

    A loaded one is in float32 whatever the precision of the LLM; it takes states and gives embeddings.
    """

    def __init__(self, config: MapperConfig) -> None:
        super().__init__()
        self.llm_width = config.llm_width
        self.num_vokens = config.num_vokens
        self.proj = nn.Sequential(
            nn.Linear(config.llm_width, config.width), nn.GELU(), nn.Linear(config.width, config.width)
        )
        self.queries = nn.Parameter(torch.randn(1, config.length, config.width))
        self.transformer = nn.Transformer(
            d_model=config.width,
            nhead=config.num_heads,
            num_encoder_layers=config.num_encoder_layers,
            num_decoder_layers=config.num_decoder_layers,
            dim_feedforward=config.feedforward_width,
            dropout=0.0,
            norm_first=True,
            batch_first=True,
        )

    def forward(self, voken_hidden: torch.Tensor) -> torch.Tensor:
        """voken_hidden (B,V,D), see `minigpt5.vokens` -> prompt_embeds (B,L,C)."""
        source = self.proj(voken_hidden.to(self.queries.dtype))
        return self.transformer(source, self.queries.expand(len(source), -1, -1))

    def null_embeds(self) -> torch.Tensor:
        """What zero features map to, (1,L,C): the negative of classifier-free guidance (paper, eq. 6)."""
        return self(self.queries.new_zeros(1, self.num_vokens, self.llm_width))
