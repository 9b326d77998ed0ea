"""One sequence read by the LLM on a KV cache of its own: what answers a turn that is alone with its model."""

import torch
from torch import Tensor
from transformers.cache_utils import Cache

from minigpt5.generation.turn import Reading, ReadToken, ReadVokens
from minigpt5.model.decode_step import DecodeStep
from minigpt5.model.language import LanguageModel


class Reader:
    """The LLM reading one sequence: its cache and its state after each position since the last picture.

    With a `step` single tokens go through it; prompts and vokens never do.
    """

    def __init__(self, language: LanguageModel, step: DecodeStep | None = None) -> None:
        self._language = language
        self._step = step
        self._cache: Cache | None = step.cache if step else None
        self._states: list[Tensor] = []  # (1,1,D) each
        self.length = 0

    @torch.inference_mode()
    def read(self, inputs_embeds: Tensor, position_ids: Tensor | None = None) -> Tensor:
        """inputs_embeds (1,T,D), position_ids (1,T) unless they go on from what was read -> states (1,T,D)."""
        if self._step and self.length and inputs_embeds.shape[1] == 1:
            hidden = self._step(inputs_embeds)
        else:
            hidden, self._cache = self._language(
                inputs_embeds, past_key_values=self._cache, use_cache=True, position_ids=position_ids
            )
        self._states.append(hidden[:, -1:])
        self.length += inputs_embeds.shape[1]
        return hidden

    @torch.inference_mode()
    def read_token(self, token_id: int) -> None:
        self.read(self._embed([token_id]))

    @torch.inference_mode()
    def read_vokens(self, vokens: tuple[int, ...]) -> Tensor:
        """Read all vokens in one pass -> voken_hidden (1,V,D)."""
        before = self._states[-1]
        hidden = self.read(self._embed(list(vokens)))
        self._states = self._states[-1:]
        return torch.cat([before, hidden[:, :-1]], dim=1)

    @property
    def last_state(self) -> Tensor:
        """(1,1,D), the state that predicts the next token."""
        return self._states[-1]

    @torch.inference_mode()
    def next_logits(self) -> Tensor:
        """(vocabulary,)"""
        return self._language.logits(self._states[-1])[0, -1]

    def forget(self, count: int) -> None:
        """Un-read the last `count` tokens, none of which may lie before the last picture."""
        if count:
            assert self._cache is not None
            assert count < len(self._states)
            self.length -= count
            if self._step:
                self._step.forget(count)
            else:
                self._cache.crop(-count)
            del self._states[-count:]

    def answer(self, ask: ReadToken | ReadVokens) -> Reading:
        """Read what a turn asks for."""
        match ask:
            case ReadToken():
                self.read_token(ask.token_id)
                return Reading(self.next_logits())
            case ReadVokens():
                self.forget(ask.forget)
                voken_hidden = self.read_vokens(ask.vokens)
                return Reading(self.next_logits(), voken_hidden)

    def _embed(self, ids: list[int]) -> Tensor:
        device = next(self._language.parameters()).device
        return self._language.embed(torch.tensor([ids], device=device))
