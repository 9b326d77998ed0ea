"""Another way from the LLM to the conditioning of the diffusion than the paper's `VokenMapper`: an encoder.

What came after MiniGPT-5 lets many learned queries (64 to 256, here the vokens' rows of the LLM's embeddings) read the
conversation in one causal pass of the LLM, and trains a transformer encoder with bidirectional attention between their
states and the painter. Of its two orders the one that first encodes at the LLM's side and then projects to the width of
the conditioning ("Enc-Proj") was found better than the other and six times smaller.

Sources: Pan et al., "Transfer between Modalities with MetaQueries", arXiv 2504.06256 (learned queries, frozen LLM; the
connector: table 3, its best one has 24 layers of width 896); Chen et al., "BLIP3-o", arXiv 2505.09568 (queries of a frozen autoregressive model as the condition of a
diffusion). Ours differs where MiniGPT-5 does: layers are torch's pre-norm ones, and the empty condition is what zero
states give (MiniGPT-5, equation 6).
"""

from __future__ import annotations

import torch
from torch import nn

from minigpt5.config import ConnectorConfig, MapperConfig
from minigpt5.model.mapper import VokenMapper


class EncoderConnector(nn.Module):
    """An encoder over the voken states, then a two-layer MLP and a norm: one conditioning vector a voken.

    Its values and its precision are as those of `VokenMapper`: float32 whatever the LLM's.
    """

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__()
        self.llm_width = config.llm_width
        self.num_vokens = config.num_vokens
        narrower = config.encoder_width != config.llm_width
        self.entry = nn.Linear(config.llm_width, config.encoder_width) if narrower else nn.Identity()
        layer = nn.TransformerEncoderLayer(
            d_model=config.encoder_width,
            nhead=config.num_heads,
            dim_feedforward=config.feedforward_width,
            dropout=0.0,
            activation="gelu",
            norm_first=True,
            batch_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, config.num_layers, enable_nested_tensor=False)
        for weight in self.encoder.parameters():  # torch's layers are copies of one
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)
        self.exit = nn.Sequential(
            nn.LayerNorm(config.encoder_width),
            nn.Linear(config.encoder_width, config.width),
            nn.GELU(),
            nn.Linear(config.width, config.width),
            nn.LayerNorm(config.width),
        )

    def forward(self, voken_hidden: torch.Tensor) -> torch.Tensor:
        """voken_hidden (B,V,D), see `minigpt5.vokens` -> prompt_embeds (B,V,C)."""
        hidden = voken_hidden.to(next(self.parameters()).dtype)
        return self.exit(self.encoder(self.entry(hidden)))

    def null_embeds(self) -> torch.Tensor:
        """What zero states map to, (1,V,C): the negative of classifier-free guidance."""
        return self(next(self.parameters()).new_zeros(1, self.num_vokens, self.llm_width))


Connector = VokenMapper | EncoderConnector


def build_connector(config: MapperConfig | ConnectorConfig) -> Connector:
    """The module of `config` with random weights."""
    match config:
        case MapperConfig():
            return VokenMapper(config)
        case ConnectorConfig():
            return EncoderConnector(config)
