"""Values with 95 % intervals, and differences of two systems' values, by bootstrap over whole stories or dialogues.

Pairs of one story are not independent, so whole groups are drawn. All systems of a setting answer the same groups and
the draws are the same for all (one seed), so the difference of two systems in a draw is of the same stories: a paired
bootstrap (Efron and Tibshirani, 1993).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

RESAMPLES = 1000
NAN = math.nan

# how often each pair counts, (N,) whole numbers -> the value
Statistic = Callable[[Tensor], float]


@dataclass(frozen=True)
class Figure:
    """A value, its 95 % interval, of how many pairs it is, and its values in the draws (R,), NaN where there is none."""

    value: float
    low: float
    high: float
    count: int
    draws: Tensor = field(default_factory=lambda: torch.empty(0), compare=False, repr=False)

    @property
    def told(self) -> dict[str, float | int]:
        """For a file: without the draws."""
        return {"value": self.value, "low": self.low, "high": self.high, "count": self.count}


class Groups:
    """The stories or dialogues of all pairs of a setting, by name, and the draws of them."""

    def __init__(self, names: Sequence[str], resamples: int | None = None, seed: int = 0) -> None:
        self.index = {name: i for i, name in enumerate(dict.fromkeys(names))}
        self.resamples = RESAMPLES if resamples is None else resamples
        self.seed = seed

    def rows(self, names: Sequence[str]) -> Tensor:
        """Of which group each pair is, (N,)."""
        return torch.tensor([self.index[name] for name in names], dtype=torch.long)

    def figure(
        self,
        names: Sequence[str],
        statistic: Statistic,
        count: int,
        *,
        centred: bool = False,
        drawn: bool = True,
    ) -> Figure:
        """`statistic` of pairs of the groups `names`, and its percentiles over draws of all groups.

        `centred` moves them to the value: FID of a draw is above that of the whole, as duplicates narrow the spread.
        Without `drawn` there is no interval.
        """
        rows, size = self.rows(names), len(self.index)
        value = statistic(torch.ones(len(names), dtype=torch.long))
        generator = torch.Generator().manual_seed(self.seed)
        draws = []
        for _ in range(self.resamples if drawn else 0):
            picks = torch.randint(size, (size,), generator=generator)
            draws.append(statistic(picks.bincount(minlength=size)[rows]))
        table = torch.tensor(draws, dtype=torch.double)
        if centred:
            table = table + (value - table.nanmean())
        return interval(value, table, count)


def interval(value: float, draws: Tensor, count: int) -> Figure:
    """The percentiles of those draws that are numbers."""
    kept = draws[~draws.isnan()]
    if not len(kept) or math.isnan(value):
        return Figure(value, NAN, NAN, count, draws)
    low, high = (float(kept.quantile(q)) for q in (0.025, 0.975))
    return Figure(value, low, high, count, draws)


def mean_figure(values: list[float], names: Sequence[str], groups: Groups | None = None) -> Figure:
    """The mean of those that are numbers, pairs of the groups `names`."""
    table = torch.tensor(values, dtype=torch.double)
    there = ~table.isnan()
    kept = table.nan_to_num()

    def mean(weights: Tensor) -> float:
        total = float((weights * there).sum())
        return float((weights * kept).sum()) / total if total else NAN

    return (groups or Groups(names)).figure(names, mean, int(there.sum()))


def difference(one: Figure, other: Figure) -> Figure | None:
    """`one` minus `other`, draw by draw; None where they have no draws of the same groups."""
    if not len(one.draws) or len(one.draws) != len(other.draws):
        return None
    return interval(one.value - other.value, one.draws - other.draws, min(one.count, other.count))
