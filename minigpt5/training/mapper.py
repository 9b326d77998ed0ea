"""The mapper alone against the caption features, on voken states of the frozen LLM that are computed once.

The caption loss needs neither the UNet nor a gradient through the LLM. Without them the mapper, whose task is the
hardest of the first stage, sees ten times as many scenes in the same time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from minigpt5.data.collate import collate
from minigpt5.data.storybook.worlds import World
from minigpt5.images import preprocess
from minigpt5.model.connector import Connector
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.prompt import Encoded
from minigpt5.training.losses import caption_loss
from minigpt5.training.multimodal import Teacher
from minigpt5.training.precision import fast_precision
from minigpt5.training.scenes import Sampler
from minigpt5.vokens import FIRST_VOKEN, IMAGE_PLACEHOLDER

DROPPED_SHARE = 0.1  # of the states replaced by zeros, which are to map to the empty caption (paper, eq. 6)


@dataclass(frozen=True)
class VokenStates:
    """What the LLM holds where vokens stand, and the caption of the picture that is meant."""

    hidden: torch.Tensor  # (N,V,D) in fp16
    captions: list[str]


@torch.no_grad()
def precompute_states(
    model: MiniGPT5,
    tokenizer: PreTrainedTokenizerFast,
    sampler: Sampler,
    world: World,
    path: Path,
    count: int,
    chunk: int = 1024,
) -> VokenStates:
    """The states of `count` samples, in batches of like length; kept in `path`."""
    if path.exists():
        return VokenStates(**torch.load(path, weights_only=True))
    hidden, captions = [], []
    for start in range(0, count, chunk):
        rng = random.Random(f"voken states {start}")
        examples = sorted((sampler(rng) for _ in range(chunk)), key=lambda e: len(e.input_ids))
        for first in range(0, chunk, 64):
            part = examples[first : first + 64]
            with fast_precision():
                hidden.append(states_of(model, tokenizer, part, world, start + first).half())
            captions += [world.caption(scene) for example in part for scene in example.drawn]
    states = VokenStates(torch.cat(hidden), captions)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(vars(states), path)
    return states


def states_of(
    model: MiniGPT5, tokenizer: PreTrainedTokenizerFast, examples: list[Encoded], world: World, seed: int
) -> torch.Tensor:
    """The states (G,V,D) that predict the vokens of all pictures to draw in `examples`, in order."""
    placeholder, first = tokenizer.convert_tokens_to_ids([IMAGE_PLACEHOLDER, FIRST_VOKEN])
    queries = model.vision.query_tokens.shape[1]
    batch = collate(examples, placeholder, first, queries, tokenizer.eos_token_id)
    embeds = model.language.embed(batch.input_ids)  # (B,T,D)
    if batch.seen:
        eye = model.vision.vit.config.image_size
        pictures = [world.render(scene, eye, seed + i) for i, scene in enumerate(batch.seen)]
        image_embeds = model.vision(torch.stack([preprocess(p, eye) for p in pictures]))  # (N,Q,D)
        slots = (batch.input_ids == placeholder)[..., None]
        embeds = embeds.masked_scatter(slots, image_embeds.to(embeds))
    hidden, _ = model.language(embeds, attention_mask=batch.attention_mask)
    rows, starts = batch.voken_positions.unbind(1)
    return hidden[rows[:, None], starts[:, None] - 1 + torch.arange(model.mapper.num_vokens)]


class MapperTask:
    """Meet the text encoder's features of the caption."""

    def __init__(self, mapper: Connector, states: VokenStates, teacher: Teacher) -> None:
        self.module: Any = mapper
        self.states = states
        self.teacher = teacher

    def batches(self, batch_size: int, first_step: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """States (B,V,D), some of them zero, and the ids (B,L) of their captions, then empty."""
        step = first_step
        while True:
            rng = random.Random(f"mapper {step}")
            picks = [rng.randrange(len(self.states.captions)) for _ in range(batch_size)]
            dropped = [rng.random() < DROPPED_SHARE for _ in picks]
            hidden = self.states.hidden[picks].float()
            hidden[torch.tensor(dropped)] = 0.0
            captions = ["" if d else self.states.captions[i] for i, d in zip(picks, dropped, strict=True)]
            yield hidden, self.teacher.tokenize(captions)
            step += 1

    def losses(self, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The caption loss."""
        hidden, ids = batch
        with torch.no_grad():
            features = self.teacher.text_encoder.to(ids.device)(input_ids=ids).last_hidden_state
        return {"loss": caption_loss(self.module(hidden), features)}
