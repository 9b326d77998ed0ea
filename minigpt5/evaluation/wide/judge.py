"""The judge of storybook pictures: a small CNN, trained on rendered scenes alone, that names their attributes.

It never sees a picture of the model in training, and shares no weights with it. What the pictures have several of is
looked at by the same layers: the three figures, and the things in all five slots.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image, ImageFilter
from torch import nn

from minigpt5.data.storybook.world.attributes import (
    ATTRIBUTES,
    COUNTS,
    OTHERS,
    PAINTED_SLOTS,
    TRAITS,
    labels_of,
)
from minigpt5.data.storybook.world.drawing import render
from minigpt5.data.storybook.world.scene import (
    PLACES,
    POSITIONS,
    TIMES,
    TOY_COLOURS,
    WEATHERS,
    random_scene,
)
from minigpt5.data.storybook.world.things import IN_SLOT, SLOTS, THINGS
from minigpt5.evaluation.judge import fill_judge
from minigpt5.images import preprocess
from minigpt5.training.losses import attribute_losses
from minigpt5.training.trainer import Schedule, fit

PICTURE_SIZE = 256  # pixels of the rendered pictures
JUDGE_SIZE = 128  # pixels that the judge sees of them
WIDTHS = (32, 64, 96, 160)
CELLS = 8  # the last features are CELLS x CELLS
LOOKS = 4  # how many places are looked at for each of `SUBJECTS`
MIXED = 160  # width of what is known of one subject
BLURRED_SHARE, BLUR = (
    0.5,
    1.2,
)  # of the training pictures, at most that many pixels: drawn pictures are softer

FIGURE_SUBJECTS = ("first", *OTHERS)
SUBJECTS = (*FIGURE_SUBJECTS, *SLOTS, "surroundings")
SURROUNDINGS = {
    "count": COUNTS,
    "position": POSITIONS,
    "place": PLACES,
    "time": TIMES,
    "weather": WEATHERS,
}


class Residual(nn.Module):
    """A 3 x 3 convolution whose result is added to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.GroupNorm(8, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N,C,h,w) -> the same shape."""
        return x + nn.functional.silu(self.norm(self.conv(x)))


class AttributeJudge(nn.Module):
    """pixel_values (N,3,128,128) -> logits (N,classes), one for each of `ATTRIBUTES`."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before, last = 3, widths[-1]
        for level, width in enumerate(widths):
            layers += [nn.Conv2d(before, width, 4, 2, 1), nn.GroupNorm(8, width), nn.SiLU()]
            layers += [Residual(width) for _ in range((0, 0, 1, 2)[level])]
            before = width
        self.features = nn.Sequential(*layers)  # (N,C,8,8)
        looks = len(SUBJECTS) * LOOKS
        self.position = nn.Parameter(torch.zeros(last, CELLS * CELLS))
        self.head_look = nn.Conv1d(last, looks, 1)
        self.head_layout = nn.Linear(last, looks * CELLS * CELLS)
        self.mix = nn.Linear(LOOKS * last, MIXED)
        sizes = {**{name: len(values) for name, values in TRAITS.items()}, "thing": len(THINGS)}
        sizes |= {"toy_colour": len(TOY_COLOURS), "absent": len(TRAITS), "empty": 2}
        sizes |= {name: len(values) for name, values in SURROUNDINGS.items()}
        self.heads = nn.ModuleDict({name: nn.Linear(MIXED, size) for name, size in sizes.items()})
        kinds = list(THINGS)
        self.kinds = {slot: [kinds.index(kind) for kind in IN_SLOT[slot]] for slot in SLOTS}

    def describe(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """pixel_values (N,3,128,128) -> the mean features (N,C), and what is known of each subject (N,S,MIXED)."""
        cells = self.features(pixel_values).flatten(2)  # (N,C,64)
        average = cells.mean(2)
        cells = cells + self.position
        layout = self.head_layout(average).view(len(cells), -1, cells.shape[2])
        looks = (self.head_look(cells) + layout).softmax(2)  # (N, S x LOOKS, 64)
        seen = (looks @ cells.transpose(1, 2)).view(len(cells), len(SUBJECTS), -1)
        return average, nn.functional.silu(self.mix(seen))

    def forward(self, pixel_values: torch.Tensor) -> list[torch.Tensor]:
        """Logits by attribute."""
        return self.logits(self.describe(pixel_values)[1])

    def logits(self, known: torch.Tensor) -> list[torch.Tensor]:
        """What is known of the subjects (N,S,MIXED) -> logits (N,classes) by attribute."""
        of = dict(zip(SUBJECTS, known.unbind(1), strict=True))
        found = {name: self.heads[name](of["surroundings"]) for name in SURROUNDINGS}
        for subject in FIGURE_SUBJECTS:
            prefix = "" if subject == "first" else f"{subject}_"
            missing = self.heads["absent"](of[subject]).split(1, 1)
            for trait, absent in zip(TRAITS, missing, strict=True):
                values = self.heads[trait](of[subject])
                found[prefix + trait] = torch.cat([values, absent], 1) if prefix else values
        for slot in SLOTS:
            empty, plain = self.heads["empty"](of[slot]).split(1, 1)
            found[slot] = torch.cat([self.heads["thing"](of[slot])[:, self.kinds[slot]], empty], 1)
            if slot in PAINTED_SLOTS:
                found[f"{slot}_colour"] = torch.cat([self.heads["toy_colour"](of[slot]), plain], 1)
        return [found[name] for name in ATTRIBUTES]

    @torch.inference_mode()
    def name(self, pictures: list[Image.Image]) -> list[dict[str, str]]:
        """The value of every attribute of each picture."""
        logits = self(torch.stack([preprocess(p, JUDGE_SIZE) for p in pictures]))
        rows = torch.stack([x.argmax(1) for x in logits], dim=1).tolist()
        return [{n: c[i] for (n, c), i in zip(ATTRIBUTES.items(), row, strict=True)} for row in rows]


class JudgeTask:
    """Name every attribute of rendered scenes of both halves of the split; each number of figures is as frequent."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def batches(self, batch_size: int, first_step: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(pixel_values (B,3,128,128), labels (B,attributes))."""
        step = first_step
        while True:
            rng = random.Random(f"judge {step}")
            scenes = [random_scene(rng, rng.choice((1, 2, 3))) for _ in range(batch_size)]
            pictures = [_softened(render(s, PICTURE_SIZE, rng.randrange(2**31)), rng) for s in scenes]
            pixels = torch.stack([preprocess(picture, JUDGE_SIZE) for picture in pictures])
            yield pixels, torch.tensor([labels_of(scene) for scene in scenes])
            step += 1

    def losses(self, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Mean cross-entropy over the attributes, and the share of all of them that is right."""
        pixels, labels = batch
        return attribute_losses(self.module(pixels), labels)


def _softened(picture: Image.Image, rng: random.Random) -> Image.Image:
    if rng.random() >= BLURRED_SHARE:
        return picture
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, BLUR)))


def train_judge(run: Path, steps: int = 900) -> AttributeJudge:
    """Train on scenes of both halves of the split, so that it is no worse on what the model never saw."""
    judge = AttributeJudge()
    schedule = Schedule(steps=steps, batch_size=64, lr=2e-3, muon_lr=1e-2, average=0.99, save_every=100)
    fit(JudgeTask(judge), schedule, run)
    return judge.eval()


def load_judge(path: Path) -> AttributeJudge:
    """Read what `evaluation.judge.save_judge` wrote."""
    return fill_judge(AttributeJudge(), path)
