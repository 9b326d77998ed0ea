"""The mind: a `LlamaForCausalLM` taken apart where MiniGPT-5 needs it, between hidden states and logits.

The hidden states are those after the final norm: they feed `lm_head` as well as the voken mapper.
"""

from __future__ import annotations

from typing import Any

import torch
from peft import LoraConfig as PeftLoraConfig
from peft import inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.cache_utils import Cache, DynamicCache
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from minigpt5.config import LoraConfig


class LanguageModel(nn.Module):
    """`embed`, `forward` and `logits` around one Llama; LoRA is put in and merged out in place."""

    def __init__(self, config: dict[str, Any], prefix_length: int = 0) -> None:
        """`prefix_length` virtual tokens, given by their keys and values in every layer, precede each sequence."""
        super().__init__()
        self.llama = LlamaForCausalLM(LlamaConfig(**config))
        with torch.device("cpu"):  # computed, not stored: real even where the weights are planned only
            self.llama.model.rotary_emb = LlamaRotaryEmbedding(self.llama.config)
        self.prefix_length = 0
        if prefix_length:
            self.add_prefix(prefix_length)

    @property
    def width(self) -> int:
        """D, the width of the hidden states."""
        return self.llama.config.hidden_size

    def embed(self, input_ids: torch.Tensor) -> torch.Tensor:
        """input_ids (B,T) -> inputs_embeds (B,T,D)."""
        return self.llama.get_input_embeddings()(input_ids)

    def forward(
        self,
        inputs_embeds: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool = False,
        position_ids: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, Cache | None]:
        """inputs_embeds (B,T,D) -> hidden states after the final norm (B,T,D), and the KV cache.

        `position_ids` (1,T) count on from the cache, the prefix included, unless given.
        """
        if self.prefix_length and past_key_values is None:
            past_key_values = self._prefix(len(inputs_embeds))
            if attention_mask is not None:
                seen = attention_mask.new_ones(len(attention_mask), self.prefix_length)
                attention_mask = torch.cat([seen, attention_mask], dim=1)
        output = self.llama.model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
        )
        return output.last_hidden_state, output.past_key_values

    def _prefix(self, batch: int) -> Cache:
        cache = DynamicCache(config=self.llama.config)
        for layer, (keys, values) in enumerate(zip(self.prefix_keys, self.prefix_values, strict=True)):
            cache.update(keys.expand(batch, -1, -1, -1), values.expand(batch, -1, -1, -1), layer)
        return cache

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """hidden (B,T,D) -> logits (B,T,vocabulary)."""
        return self.llama.lm_head(hidden)

    def add_prefix(self, length: int) -> None:
        """Put `length` virtual tokens before every sequence (prefix tuning); their keys and values are 0 at first."""
        heads, width = self.llama.config.num_key_value_heads, self.llama.config.head_dim
        shape = (self.llama.config.num_hidden_layers, heads, length, width)
        self.prefix_keys = nn.Parameter(torch.zeros(shape))  # not rotated, as peft's prefix tuning
        self.prefix_values = nn.Parameter(torch.zeros(shape))
        self.prefix_length = length

    def add_lora(self, config: LoraConfig) -> None:
        """Put trainable adapters into the attention projections (paper, section 4: rank 8 on q and v)."""
        inject_adapter_in_model(
            PeftLoraConfig(
                r=config.rank,
                lora_alpha=config.alpha,
                lora_dropout=config.dropout,
                target_modules=list(config.target_modules),
            ),
            self.llama,
        )

    def merge_lora(self) -> None:
        """Fold the adapters into the weights, so that a token costs what it costs without them."""
        for name, module in list(self.llama.named_modules()):
            if isinstance(module, LoraLayer):
                module.merge()
                parent, _, child = name.rpartition(".")
                setattr(self.llama.get_submodule(parent), child, module.get_base_layer())
