"""The judge of storybook pictures: a small CNN, trained on rendered scenes alone, that names their attributes.

It never sees a picture of the model in training, and shares no weights with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from minigpt5.checkpoint.store import write_tensors
from minigpt5.data.storybook.attributes import ATTRIBUTES
from minigpt5.data.storybook.worlds import SHIPPED
from minigpt5.images import preprocess
from minigpt5.training.eyes import AttributeTask
from minigpt5.training.trainer import Schedule, fit

Judge = TypeVar("Judge", bound=nn.Module)

JUDGE_SIZE = 128
MIXED = 256  # width of the last features, before the heads


class AttributeJudge(nn.Module):
    """pixel_values (N,3,128,128) -> logits (N,classes), one for each of `ATTRIBUTES`."""

    def __init__(self, widths: tuple[int, ...] = (24, 48, 96, 128)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width in widths:
            layers += [nn.Conv2d(before, width, 4, 2, 1), nn.GroupNorm(8, width), nn.SiLU()]
            before = width
        self.features = nn.Sequential(
            *layers, nn.Conv2d(before, 48, 1), nn.SiLU(), nn.Flatten()
        )  # (N, 48 x 8 x 8)
        self.mix = nn.Sequential(nn.Linear(48 * 64, MIXED), nn.SiLU())
        self.heads = nn.ModuleList(nn.Linear(MIXED, len(classes)) for classes in ATTRIBUTES.values())

    def forward(self, pixel_values: torch.Tensor) -> list[torch.Tensor]:
        """Logits by attribute."""
        mixed = self.mix(self.features(pixel_values))
        return [head(mixed) for head in self.heads]

    @torch.inference_mode()
    def name(self, pictures: list[Image.Image]) -> list[dict[str, str]]:
        """The value of every attribute of each picture."""
        logits = self(torch.stack([preprocess(p, JUDGE_SIZE) for p in pictures]))
        rows = torch.stack([x.argmax(1) for x in logits], dim=1).tolist()
        return [{n: c[i] for (n, c), i in zip(ATTRIBUTES.items(), row, strict=True)} for row in rows]


def train_judge(run: Path, steps: int = 600) -> AttributeJudge:
    """Train on scenes of both halves of the split, so that it is no worse on what the model never saw."""
    judge = AttributeJudge()
    task = AttributeTask(judge, JUDGE_SIZE, SHIPPED, held_out=True, salt="judge")
    fit(task, Schedule(steps=steps, batch_size=64, lr=2e-3, muon_lr=1e-2), run)
    return judge.eval()


def save_judge(judge: nn.Module, path: Path) -> None:
    """Write the weights in half precision."""
    write_tensors(path, {n: t.half().contiguous() for n, t in judge.state_dict().items()})


def load_judge(path: Path) -> AttributeJudge:
    """Read what `save_judge` wrote."""
    return fill_judge(AttributeJudge(), path)


def fill_judge(judge: Judge, path: Path) -> Judge:
    """The judge with the weights that `save_judge` wrote."""
    judge.load_state_dict({n: t.float() for n, t in load_file(path).items()})
    return judge.eval()
