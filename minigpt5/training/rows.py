"""A few rows of the LLM's embeddings trained on their own, the rest left as it is.

The paper trains nine new tokens; done with the whole matrices, as in the official code, that costs gradients,
moments and masks for all 32,000 rows, and weight decay moves rows that nobody trains. Here the control tokens'
rows are parameters of their own while a stage runs, and `fold_rows` puts them back.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from minigpt5.model.language import LanguageModel


class RowsEmbedding(nn.Module):
    """An embedding whose rows `ids` are trained, in float32."""

    def __init__(self, base: nn.Embedding, ids: list[int]) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.rows = nn.Parameter(base.weight.detach()[ids].float().clone())  # (R,D)
        self.ids = ids
        places = torch.full((base.num_embeddings,), -1, device=base.weight.device)
        places[ids] = torch.arange(len(ids), device=base.weight.device)
        self.places: torch.Tensor
        self.register_buffer("places", places, persistent=False)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """input_ids (B,T) -> inputs_embeds (B,T,D)."""
        places = self.places[input_ids]
        words = self.base(input_ids)
        return torch.where((places >= 0)[..., None], self.rows[places.clamp(min=0)].to(words), words)


class RowsHead(nn.Module):
    """An output layer whose rows `ids` are trained, in float32."""

    def __init__(self, base: nn.Linear, ids: list[int]) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.rows = nn.Parameter(base.weight.detach()[ids].float().clone())  # (R,D)
        self.ids = ids
        self.places: torch.Tensor
        self.register_buffer("places", torch.tensor(ids, device=base.weight.device), persistent=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """hidden (..,D) -> logits (..,vocabulary)."""
        logits = self.base(hidden.to(self.base.weight.dtype))
        new = F.linear(hidden.to(self.rows.dtype), self.rows).to(logits)
        return logits.index_copy(-1, self.places, new)


def train_rows(language: LanguageModel, ids: list[int]) -> None:
    """Make the rows `ids` of both matrices parameters of their own, in place."""
    llama = language.llama
    llama.set_input_embeddings(RowsEmbedding(llama.get_input_embeddings(), ids))
    llama.lm_head = RowsHead(llama.lm_head, ids)


def fold_rows(language: LanguageModel) -> None:
    """Undo `train_rows`, keeping what was learned."""
    llama = language.llama
    embedding, head = llama.get_input_embeddings(), llama.lm_head
    assert isinstance(embedding, RowsEmbedding) and isinstance(head, RowsHead)
    with torch.no_grad():
        for module in (embedding, head):
            module.base.weight[module.ids] = module.rows.to(module.base.weight)
    llama.set_input_embeddings(embedding.base)
    llama.lm_head = head.base
