"""The LLM reading one token at a time as fast as its device allows.

At batch 1 a token costs as long as its weights take to be read, if nothing else holds it up. What does is the
launching of many small kernels: the step is compiled, which joins them, and on CUDA recorded once for each
sequence and replayed, which launches them all at once. Both need a cache whose tensors never move or grow.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import StaticCache


class DecodeStep:
    """One sequence's `cache` and the step on it; what precedes the first step is read into `cache` eagerly."""

    def __init__(self, compiled: Callable[..., Any], cache: StaticCache) -> None:
        """`compiled` is the LLM without its output layer, called as transformers' `LlamaModel`."""
        self.cache = cache
        self._compiled = compiled
        self._warm = False
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, inputs_embeds: Tensor) -> Tensor:
        """inputs_embeds (1,1,D) -> hidden state (1,1,D)."""
        if inputs_embeds.device.type != "cuda" or not self._warm:
            self._warm = True
            return self._read(inputs_embeds)
        if self._graph is None:
            self._record(inputs_embeds)
        assert self._graph is not None
        self._input.copy_(inputs_embeds)
        self._graph.replay()
        return self._output.clone()

    def forget(self, count: int) -> None:
        """Un-read the last `count` tokens: what lies behind the length is masked, and written over."""
        for layer in self.cache.layers:
            layer.cumulative_length -= count

    def _read(self, inputs_embeds: Tensor) -> Tensor:
        output = self._compiled(inputs_embeds=inputs_embeds, past_key_values=self.cache, use_cache=True)
        return output.last_hidden_state

    def _record(self, inputs_embeds: Tensor) -> None:
        self._input = inputs_embeds.clone()
        self._graph = torch.cuda.CUDAGraph()
        # other threads may draw meanwhile
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._output = self._read(self._input)
