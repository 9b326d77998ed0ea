"""The reading of many turns: each kind of ask in one pass over all who ask it, every sequence in a slot of its own."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from minigpt5.generation.turn import Prefill, Reading, ReadToken, ReadVokens
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.model.slots import SlotCache
from minigpt5.serving.features import Features
from minigpt5.serving.metrics import Metrics
from minigpt5.serving.prefixes import PrefixStore
from minigpt5.serving.prompt_positions import shared
from minigpt5.serving.request import Request

PREFILL_POSITIONS = 512  # of all prompts together in one pass, so that nobody's words stop for a long prompt
SMALLEST_SHARE = 32  # positions of one prompt in a pass


class Words:
    """Slots, what they hold, and the passes of the LLM over them. `deterministic` gives each request passes of its own,
    in which nothing depends on who else is there."""

    def __init__(
        self,
        model: MiniGPT5,
        slots: SlotCache,
        prefixes: PrefixStore,
        features: Features,
        metrics: Metrics,
        *,
        deterministic: bool = False,
    ) -> None:
        self._language = model.language
        self._slots = slots
        self._prefixes = prefixes
        self._features = features
        self._metrics = metrics
        self._deterministic = deterministic
        self._holders: dict[int, Request] = {}  # slot -> who reads there

    def enter(self, request: Request) -> None:
        """Give `request` a slot that holds as much of the beginning of its prompt as was ever read and kept."""
        assert request.prompt is not None
        slot = min(set(range(self._slots.count)) - set(self._holders))
        reused = 0 if self._deterministic else self._reuse(slot, request.prompt.keys)
        self._slots.crop(slot, reused)
        self._holders[slot] = request
        request.slot, request.keys = slot, request.prompt.keys[:reused].tolist()
        self._metrics.prompt_positions_reused += reused

    def leave(self, request: Request) -> None:
        """Free the slot; what was read there is kept for those who begin alike."""
        if request.slot is None:
            return
        if request.keys and not self._deterministic:
            self._prefixes.put(np.array(request.keys, dtype=np.int64), self._slots.copy(request.slot))
            self._metrics.prefix_bytes = self._prefixes.nbytes
        del self._holders[request.slot]
        self._slots.crop(request.slot, 0)
        request.slot, request.states, request.embeds = None, [], None

    def groups(self, requests: Sequence[Request]) -> list[list[Request]]:
        """Who is read together in one pass: all who ask the same kind, prompts as far as there is room for them."""
        prompts = [r for r in requests if isinstance(r.ask, Prefill)]
        vokens = [r for r in requests if isinstance(r.ask, ReadVokens)]
        tokens = [r for r in requests if isinstance(r.ask, ReadToken)]
        if self._deterministic:
            return [[request] for request in (*prompts, *vokens, *tokens)]
        return [group for group in (self._prompts_of_a_pass(prompts), vokens, tokens) if group]

    @torch.inference_mode()
    def read(self, requests: Sequence[Request]) -> list[Reading | None]:
        """One pass for a group: the answer to each, None where a prompt goes on."""
        match requests[0].ask:
            case Prefill():
                return self._read_prompts(requests)
            case ReadVokens():
                return self._read_vokens(requests)
            case ReadToken():
                return self._read_tokens(requests)
        raise AssertionError(f"{requests[0].ask} is no ask for words")

    def _read_prompts(self, requests: Sequence[Request]) -> list[Reading | None]:
        rest = [self._left_of(request) for request in requests]
        width = max(map(len, rest)) if self._deterministic else PREFILL_POSITIONS // len(requests)
        counts = [min(len(embeds), width) for embeds in rest]
        padded = rest[0].new_zeros(len(requests), max(counts), rest[0].shape[-1])
        for row, embeds, count in zip(padded, rest, counts, strict=True):
            row[:count] = embeds[:count]
        hidden = self._language.read(self._slots, _slots_of(requests), padded, counts)
        last = torch.stack([row[count - 1] for row, count in zip(hidden, counts, strict=True)])
        answers: list[Reading | None] = []
        for request, state, logits, count in zip(requests, last, self._logits(last), counts, strict=True):
            assert request.prompt is not None
            assert request.embeds is not None
            begun = len(request.keys)
            request.keys += request.prompt.keys[begun : begun + count].tolist()
            request.embeds = request.embeds[count:]
            request.states = [state]
            answers.append(Reading(logits) if len(request.keys) == len(request.prompt) else None)
        self._metrics.prompt_positions += sum(counts)
        return answers

    def _read_tokens(self, requests: Sequence[Request]) -> list[Reading | None]:
        ids = [request.ask.token_id for request in requests if isinstance(request.ask, ReadToken)]
        hidden = self._language.read(self._slots, _slots_of(requests), self._embed(ids)[:, None])[:, 0]
        for request, state, token_id in zip(requests, hidden, ids, strict=True):
            request.keys.append(token_id)
            request.states.append(state)
        self._metrics.tokens += len(ids)
        self._metrics.word_batches[len(ids)] += 1
        return [Reading(logits) for logits in self._logits(hidden)]

    def _read_vokens(self, requests: Sequence[Request]) -> list[Reading | None]:
        vokens: tuple[int, ...] = ()
        for request in requests:
            assert isinstance(request.ask, ReadVokens)
            vokens, forget = request.ask.vokens, request.ask.forget
            if forget:
                self._forget(request, forget)
        embeds = self._embed(list(vokens)).expand(len(requests), -1, -1)
        hidden = self._language.read(self._slots, _slots_of(requests), embeds)  # (B,V,D)
        answers: list[Reading | None] = []
        for request, states, logits in zip(requests, hidden, self._logits(hidden[:, -1]), strict=True):
            features = torch.cat([request.states[-1][None], states[:-1]])[None]  # see minigpt5.vokens
            request.keys += vokens
            request.states = [states[-1]]
            answers.append(Reading(logits, features))
        self._metrics.tokens += len(requests)
        return answers

    def _reuse(self, slot: int, keys: np.ndarray) -> int:
        """Copy the longest known beginning of `keys` into `slot`; the last position is always read anew."""
        stretch, kept = self._prefixes.longest(keys[:-1])
        held = {row: shared(keys[:-1], request.keys) for row, request in self._holders.items()}
        source = max(held, key=lambda row: held[row], default=slot)
        if held.get(source, 0) > kept:
            self._slots.copy_beginning(source, slot, held[source])
            return held[source]
        if stretch is not None:
            self._slots.put(slot, stretch, kept)
        return kept

    def _prompts_of_a_pass(self, prompts: list[Request]) -> list[Request]:
        """The first ones, so few that each has a share of the pass that is worth it."""
        return prompts[: PREFILL_POSITIONS // SMALLEST_SHARE]

    def _left_of(self, request: Request) -> Tensor:
        """inputs_embeds (T,D) of what is not read yet."""
        prompt = request.prompt
        assert prompt is not None
        if request.embeds is None:
            begun = len(request.keys)
            embeds = self._embed(np.maximum(prompt.keys, 0).tolist())
            new = [(s, p) for s, p in zip(prompt.starts, prompt.pictures, strict=True) if s >= begun]
            for (start, _), seen in zip(new, self._features.of([p for _, p in new]), strict=True):
                embeds[start : start + len(seen)] = seen.to(embeds)
            request.embeds = embeds[begun:]
        return request.embeds

    def _forget(self, request: Request, count: int) -> None:
        assert request.slot is not None
        assert count < len(request.states)
        self._slots.crop(request.slot, len(request.keys) - count)
        del request.states[-count:]
        del request.keys[-count:]

    def _embed(self, ids: list[int]) -> Tensor:
        """(T,D)"""
        return self._language.embed(torch.tensor(ids))

    def _logits(self, hidden: Tensor) -> Tensor:
        """hidden (B,D) -> (B,vocabulary) on the CPU, where they are sampled from, moved there at once."""
        return self._language.logits(hidden[:, None])[:, 0].float().cpu()


def _slots_of(requests: Sequence[Request]) -> list[int]:
    slots = [request.slot for request in requests if request.slot is not None]
    assert len(slots) == len(requests)
    return slots
