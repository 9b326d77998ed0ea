"""What the loop of `trainer` asks of a stage: its trainable module, its batches, its losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, Self, runtime_checkable

import torch
from torch import nn

from minigpt5.training.optim import WeightAverage


class Task(Protocol):
    """What a stage learns: the trainable module, its data and its losses."""

    module: Any  # nn.Module

    def batches(self, batch_size: int, first_step: int) -> Iterator[Any]:
        """Endless batches; batch number `n` depends on `n` alone, so that a resumed run sees the same data."""
        ...

    def losses(self, batch: Any) -> dict[str, torch.Tensor]:
        """Scalars by name, always the same ones; `loss` is the one to minimise, the others are for the curve."""
        ...


@runtime_checkable
class StridedTask(Protocol):
    """A task that makes the share of one process without making the others'."""

    def strided_batches(self, batch_size: int, first: int, stride: int) -> Iterator[Any]:
        """Batches number `first`, `first + stride`, ..."""
        ...


@runtime_checkable
class FollowingTask(Protocol):
    """A task whose targets are made by the running average of what it trains."""

    def follow(self, average: WeightAverage) -> None:
        """Called once, before the first step; the average goes on changing with each."""
        ...


@runtime_checkable
class Counted(Protocol):
    """A batch whose losses are means over counts of its own, which differ from batch to batch."""

    records: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Over how many things each loss is a mean."""

    @property
    def sizes(self) -> dict[str, int]:
        """`images` and `tokens` in it."""

    def weighted(self, shares: Mapping[str, float]) -> Self:
        """The same, each loss to be multiplied by its share."""


class Learner(nn.Module):
    """A task as a module: what DDP and FSDP wrap must be called to synchronise."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.module = task.module
        self.task = task

    def forward(self, batch: Any) -> dict[str, torch.Tensor]:
        """The task's losses."""
        return self.task.losses(batch)


def logged(losses: dict[str, torch.Tensor], batch: Any) -> dict[str, torch.Tensor]:
    """What goes into the curve: each part by its share, so that the mean over batches is that over their things."""
    shares = getattr(batch, "shares", {})
    return {name: value.detach() * shares.get(name, 1.0) for name, value in losses.items()}
