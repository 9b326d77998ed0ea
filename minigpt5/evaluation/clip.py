"""A stand-in for CLIP on the storybook world: one space for pictures and words, trained on rendered scenes alone.

The judge's features of a picture and a small text tower of its own, both projected; InfoNCE over a batch (Radford
et al., "Learning Transferable Visual Models", 2021). It shares no weights with the model that is measured.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast

from minigpt5.checkpoint.store import write_tensors
from minigpt5.data.storybook.captions import caption, phrase
from minigpt5.data.storybook.drawing import render
from minigpt5.data.storybook.scene import Scene, random_scene
from minigpt5.evaluation.judge import JUDGE_SIZE, MIXED, AttributeJudge
from minigpt5.images import preprocess
from minigpt5.training.pictures import TokenizeCaptions
from minigpt5.training.trainer import Schedule, fit

WIDTH = 128
LENGTH = 77
TEMPERATURE = 0.05


class StorybookClip(nn.Module):
    """Pictures and words -> unit vectors (N,128); `judge` stays as it is."""

    def __init__(self, judge: AttributeJudge, tokenizer: PreTrainedTokenizerFast) -> None:
        super().__init__()
        self.tokenize = TokenizeCaptions(tokenizer, LENGTH, bos=1, eos=2, pad=0)
        self.text = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                hidden_size=WIDTH,
                intermediate_size=2 * WIDTH,
                num_hidden_layers=2,
                num_attention_heads=4,
                max_position_embeddings=LENGTH,
                bos_token_id=1,
                eos_token_id=2,
                pad_token_id=0,
            )
        )
        self.see = nn.Linear(MIXED, WIDTH)
        self.read = nn.Linear(WIDTH, WIDTH)
        self.judge = judge.requires_grad_(False)

    def forward(self, pixel_values: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """pixel_values (N,3,128,128), ids (N,L) -> unit vectors of the pictures and of the words."""
        with torch.no_grad():
            seen = self.judge.mix(self.judge.features(pixel_values))
        return F.normalize(self.see(seen), dim=-1), F.normalize(self.read(self.states(ids)[0]), dim=-1)

    def states(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """ids (N,L) -> their mean (N,D) over the words, the states (N,L,D) and which of them are words (N,L)."""
        words = (ids != 0) & (ids != 1) & (ids != 2)
        length = int(words.sum(1).max()) + 2  # what comes after the longest text changes nothing
        words, states = words[:, :length], self.text(input_ids=ids[:, :length]).last_hidden_state
        mask = words[..., None]
        return (states * mask).sum(1) / mask.sum(1).clamp(min=1), states, words


class ClipTask:
    """Which words belong to which picture of the batch? Scenes of both halves of the split."""

    def __init__(self, module: StorybookClip) -> None:
        self.module: Any = module

    def batches(self, batch_size: int, first_step: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Pixels (B,3,128,128) and the ids (B,L) of a wording of each."""
        step = first_step
        while True:
            rng = random.Random(f"clip {step}")
            scenes = [random_scene(rng) for _ in range(batch_size)]
            pictures = [render(scene, JUDGE_SIZE, rng.randrange(2**31)) for scene in scenes]
            pixels = torch.stack([preprocess(picture, JUDGE_SIZE) for picture in pictures])
            yield pixels, self.module.tokenize([_wording(scene, rng) for scene in scenes])
            step += 1

    def losses(self, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
        """InfoNCE both ways, and the share of pictures whose own words are the nearest."""
        seen, read = self.module(*batch)
        logits = seen.float() @ read.float().T / TEMPERATURE
        own = torch.arange(len(logits), device=logits.device)
        loss = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
        return {"loss": loss, "accuracy": (logits.argmax(1) == own).float().mean()}


def _wording(scene: Scene, rng: random.Random) -> str:
    return caption(scene) if rng.random() < 0.2 else phrase(scene, rng)


def train_clip(
    judge: AttributeJudge, tokenizer: PreTrainedTokenizerFast, run: Path, steps: int = 600
) -> StorybookClip:
    """Train the text tower and the projections; the judge is frozen."""
    clip = StorybookClip(judge, tokenizer)
    fit(ClipTask(clip), Schedule(steps=steps, batch_size=128, lr=2e-3, muon_lr=5e-3, save_every=100), run)
    return clip.eval()


def save_clip(clip: StorybookClip, path: Path) -> None:
    """Write all weights but the judge's, in half precision."""
    own = {n: t for n, t in clip.state_dict().items() if not n.startswith("judge.")}
    write_tensors(path, {n: t.half().contiguous() if t.is_floating_point() else t for n, t in own.items()})


def load_clip(path: Path, judge: AttributeJudge, tokenizer: PreTrainedTokenizerFast) -> StorybookClip:
    """Read what `save_clip` wrote."""
    clip = StorybookClip(judge, tokenizer)
    own = {n: t.float() if t.is_floating_point() else t for n, t in load_file(path).items()}
    judged = {f"judge.{n}": t for n, t in judge.state_dict().items()}
    clip.load_state_dict({**own, **judged})
    return clip.eval()
