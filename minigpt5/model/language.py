"""The mind: a `LlamaForCausalLM` taken apart where MiniGPT-5 needs it, between hidden states and logits.

The hidden states are those after the final norm: they feed `lm_head` as well as the voken mapper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from peft import LoraConfig as PeftLoraConfig
from peft import inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.cache_utils import Cache, DynamicCache, StaticCache
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from minigpt5.config import LoraConfig
from minigpt5.model.decode_step import DecodeStep
from minigpt5.model.slots import SlotCache


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
        self._compiled: Callable[..., Any] | None = None
        self._max_length = 0

    @property
    def width(self) -> int:
        """D, the width of the hidden states."""
        return self.llama.config.hidden_size

    def embed(self, input_ids: torch.Tensor) -> torch.Tensor:
        """input_ids (B,T), on any device -> inputs_embeds (B,T,D)."""
        embeddings = self.llama.get_input_embeddings()
        return embeddings(input_ids.to(self.llama.device))

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
            past_key_values = DynamicCache(config=self.llama.config)
            self._put_prefix(past_key_values, len(inputs_embeds))
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

    def make_slots(self, count: int, length: int) -> SlotCache:
        """Room for `count` sequences of `length` positions, to be handed to `read`."""
        embeddings = self.llama.get_input_embeddings().weight
        prefix = (self.prefix_keys.detach(), self.prefix_values.detach()) if self.prefix_length else None
        where: dict[str, Any] = {"device": embeddings.device, "dtype": embeddings.dtype}
        return SlotCache(self.llama.config, count, length, prefix=prefix, **where)

    @torch.inference_mode()
    def read(
        self,
        slots: SlotCache,
        rows: Sequence[int],
        inputs_embeds: torch.Tensor,
        counts: Sequence[int] | None = None,
    ) -> torch.Tensor:
        """Read sequences on, each in its own slot and from its own position: inputs_embeds (B,T,D) of the slots `rows`
        -> hidden states after the final norm (B,T,D). Of row b the first `counts[b]` positions are real (default: all).
        """
        width = inputs_embeds.shape[1]
        positions, mask = slots.begin(rows, width)
        output = self.llama.model(
            inputs_embeds=inputs_embeds,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=slots,
            use_cache=True,
        )
        slots.end(rows, counts if counts is not None else [width] * len(rows))
        return output.last_hidden_state

    def _put_prefix(self, cache: Cache, batch: int) -> None:
        for layer, (keys, values) in enumerate(zip(self.prefix_keys, self.prefix_values, strict=True)):
            cache.update(keys.expand(batch, -1, -1, -1), values.expand(batch, -1, -1, -1), layer)

    def compile_decoding(self, max_length: int, backend: str = "inductor") -> None:
        """Make `decode_step` give compiled steps for sequences of up to `max_length` positions.

        Takes a minute or two, so that no reply has to. Needs a C++ compiler or, on CUDA, Triton.
        """
        self._max_length = max_length
        self._compiled = torch.compile(self.llama.model, backend=backend, dynamic=False)
        step = self.decode_step()
        assert step is not None
        with torch.inference_mode():
            token = self.embed(torch.zeros(1, 1, dtype=torch.long, device=self.llama.device))
            self(token, past_key_values=step.cache, use_cache=True)
            for _ in range(3):  # compiled, recorded, replayed
                step(token)

    @torch.inference_mode()
    def decode_step(self) -> DecodeStep | None:
        """A compiled way to read one sequence on token by token; None before `compile_decoding`."""
        if self._compiled is None:
            return None
        cache = StaticCache(self.llama.config, max_cache_len=self.prefix_length + self._max_length)
        if self.prefix_length:
            self._put_prefix(cache, batch=1)
        return DecodeStep(self._compiled, cache)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """hidden (B,T,D) -> logits (B,T,vocabulary)."""
        return self.llama.lm_head(hidden)

    @torch.no_grad()
    def grow(self, size: int) -> None:
        """Make room for `size` tokens; the rows of new ones are the mean of those that were there."""
        before = self.llama.config.vocab_size
        if size <= before:
            return
        self.llama.resize_token_embeddings(size, mean_resizing=False)
        for weight in (self.llama.get_input_embeddings().weight, self.llama.lm_head.weight):
            weight[before:] = weight[:before].float().mean(0).to(weight)

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
