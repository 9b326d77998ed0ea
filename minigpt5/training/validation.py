"""The loss on data that is never trained on: measured now and then, the best weights kept, an end when it no longer falls.

Every measurement sees the same samples with the same noise, timesteps and dropped vokens, so that two differ by the
weights alone. All parts are means over the tokens and pictures of the whole data, however it is divided into batches and
among processes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device
from torch import nn

from minigpt5.training.batches import Example, StageBatch
from minigpt5.training.curves import Curve

VALID = "valid.csv"


class ExaminedTask(Protocol):
    """A task whose losses are parts with weights."""

    @property
    def weights(self) -> Mapping[str, float]:
        """What each part counts in the loss."""
        ...

    def batch_of(self, examples: list[Example]) -> StageBatch:
        """`examples` as one batch."""
        ...


class FiniteSource(Protocol):
    """Samples once through."""

    def once(self, batch_size: int, first: int, stride: int) -> Iterator[list[Example]]:
        """Batches number `first`, `first + stride`, ... of one walk through the data, the last of all shorter."""
        ...

    def __len__(self) -> int: ...


class HeldOut:
    """Data to measure a task on."""

    def __init__(self, task: ExaminedTask, source: FiniteSource, batch_size: int) -> None:
        self.task, self.source, self.batch_size = task, source, batch_size

    @torch.no_grad()
    def losses(self, learner: nn.Module, accelerator: Accelerator) -> dict[str, float]:
        """`loss` and its parts, the same on every process; `learner` is in evaluation mode afterwards.

        Every process calls `learner` equally often, with a batch that does not count where it has none left: FSDP
        gathers weights in every call.
        """
        learner.eval()
        sums: dict[str, float] = defaultdict(float)
        counts: dict[str, float] = defaultdict(float)
        for batch, counted in self._batches(accelerator.process_index, accelerator.num_processes):
            values = learner(send_to_device(batch, accelerator.device))
            for name in self.task.weights:
                count = batch.counts[name] * counted
                sums[name] += float(values[name]) * count
                counts[name] += count
        names = list(self.task.weights)
        mine = torch.tensor([[sums[n] for n in names], [counts[n] for n in names]], dtype=torch.float64)
        total, number = accelerator.reduce(mine.to(accelerator.device, torch.float32), "sum").tolist()
        parts = {n: s / max(c, 1.0) for n, s, c in zip(names, total, number, strict=True)}
        return {"loss": sum(self.task.weights[n] * value for n, value in parts.items()), **parts}

    def _batches(self, rank: int, stride: int) -> Iterator[tuple[StageBatch, bool]]:
        """This process's batches, and whether each counts."""
        total = -(-len(self.source) // self.batch_size)
        mine = self.source.once(self.batch_size, rank, stride)
        for number in range(rank, -(-total // stride) * stride, stride):
            if number < total:
                batch = self.task.batch_of(next(mine))
            else:  # the first one again
                batch = self.task.batch_of(next(self.source.once(self.batch_size, 0, total)))
            yield batch, number < total


class Progress:
    """What has been measured so far: `valid.csv` of a run, on every process, written by the main one."""

    def __init__(self, run: Path, first_step: int, *, writes: bool) -> None:
        """Rows behind `first_step`, left by a run that was cut off after its checkpoint, are dropped."""
        rows = Curve.rows(run / VALID)
        self.losses: dict[int, float] = {}
        for row in rows:
            if int(row["step"]) <= first_step:
                self._remember(int(row["step"]), float(row["loss"]))
        self._curve = Curve(run, first_step + 1, VALID) if writes else None

    def add(self, step: int, seconds: float, losses: dict[str, float]) -> None:
        """Remember a measurement after `step` steps."""
        self._remember(step, losses["loss"])
        if self._curve:
            self._curve.add(step, seconds, losses)

    def is_best(self, loss: float) -> bool:
        """Whether `loss` is lower than all before."""
        return loss < min(self.losses.values(), default=math.inf)

    @property
    def since_best(self) -> int:
        """How many measurements have come since the lowest loss."""
        if not self.losses:
            return 0
        values = [loss for _, loss in sorted(self.losses.items())]
        return len(values) - 1 - values.index(min(values))

    def _remember(self, step: int, loss: float) -> None:
        self.losses[step] = loss if math.isfinite(loss) else math.inf
