"""Distances of two sets of pictures by their features, FID and KID, and the Inception Score of one.

Sources: torchmetrics (FID, Inception Score), and Binkowski et al., "Demystifying MMD GANs", 2018 (KID).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore

from minigpt5.evaluation.bootstrap import NAN, Figure, Groups, mean_figure

MAX_RESAMPLED = 1000  # pictures: of more, FID has no interval, and KID is that of this many
KID_UNIT = 1000  # KID is told in thousandths


@dataclass(frozen=True)
class Shown:
    """All first pictures of the pairs that have a true one and one of the system: their groups and features."""

    groups: list[str]
    truth: Tensor  # (N,D) of `Networks.inception`
    answer: Tensor  # (N,D)
    logits: Tensor  # (N,K) of the system's


def joined(parts: list[Shown]) -> Shown:
    """Several as one."""
    return Shown(
        [group for part in parts for group in part.groups],
        torch.cat([part.truth for part in parts]),
        torch.cat([part.answer for part in parts]),
        torch.cat([part.logits for part in parts]),
    )


def fid(truth: Tensor, answer: Tensor) -> float:
    """Frechet distance of features (N,D) and (M,D); NaN of fewer than two."""
    if min(len(truth), len(answer)) < 2:
        return NAN
    if max(len(truth), len(answer)) <= truth.shape[1]:
        return _fid_of_few(truth.double(), answer.double())
    features = nn.Identity()
    features.num_features = truth.shape[1]  # type: ignore[assignment]  # where torchmetrics looks for it
    metric = FrechetInceptionDistance(feature=features)
    metric.update(truth.float(), real=True)
    metric.update(answer.float(), real=False)
    return float(metric.compute())


def _fid_of_few(truth: Tensor, answer: Tensor) -> float:
    """The same with fewer pictures than features: the root of the product of two covariances has the trace of the
    singular values of the pictures' products, a matrix (N,M) in place of (D,D); a story takes no minutes then."""
    apart = (truth.mean(0) - answer.mean(0)).square().sum()
    one, other = ((side - side.mean(0)) / (len(side) - 1) ** 0.5 for side in (truth, answer))
    shared = torch.linalg.svdvals(one @ other.T).sum()
    return max(0.0, float(apart + one.square().sum() + other.square().sum() - 2 * shared))


def kid(truth: Tensor, answer: Tensor) -> Callable[[Tensor], float]:
    """Features (N,D) of true pictures and of a system's -> KID by how often each pair counts (N,), in thousandths.

    The squared maximum mean discrepancy with the usual kernel (x . y / D + 1)^3, as the unbiased statistic over two
    different pairs at a time (Gretton et al., "A kernel two-sample test", 2012, lemma 6): the two pictures of a pair
    show the same scene, so they are never compared with each other, nor in a draw with their copies. Unlike FID it is
    not higher for fewer pictures; of true pictures against themselves it is 0.
    """
    x, y = truth.double(), answer.double()

    def kernel(one: Tensor, other: Tensor) -> Tensor:
        return (one @ other.T / x.shape[1] + 1) ** 3

    between = kernel(x, y)
    table = kernel(x, x) + kernel(y, y) - between - between.T
    table.fill_diagonal_(0)

    def value(weights: Tensor) -> float:
        w = weights.double()
        pairs = float(w.sum() ** 2 - w.square().sum())
        return KID_UNIT * float(w @ table @ w) / pairs if pairs else NAN

    return value


def inception_score(logits: Tensor) -> float:
    """exp of the mean KL from each picture's classes (N,K) to those of all; one split."""
    if not len(logits):
        return NAN
    with warnings.catch_warnings():  # that it keeps all features, and that one split has no deviation
        warnings.simplefilter("ignore")
        metric = InceptionScore(feature=nn.Identity(), splits=1)
        metric.update(logits.float())
        return float(metric.compute()[0])


def set_metrics(shown: Shown, groups: Groups) -> dict[str, Figure]:
    """Instance FID (all pictures at once), KID, FID per story (the mean over the stories, as the official script
    prints), and the Inception Score."""
    names, count = shown.groups, len(shown.groups)
    every = torch.arange(count)

    def counted(weights: Tensor) -> Tensor:
        return every.repeat_interleave(weights)

    def frechet(weights: Tensor) -> float:
        rows = counted(weights)
        return fid(shown.truth[rows], shown.answer[rows])

    figures = {
        "instance FID": groups.figure(names, frechet, count, centred=True, drawn=count <= MAX_RESAMPLED),
        "KID, thousandths": _kid_figure(shown, groups),
        "Inception Score": groups.figure(
            names, lambda weights: inception_score(shown.logits[counted(weights)]), count, centred=True
        ),
    }
    stories: dict[str, list[int]] = {}
    for row, group in enumerate(names):
        stories.setdefault(group, []).append(row)
    told = {group: rows for group, rows in stories.items() if len(rows) > 1}
    if told:
        values = [fid(shown.truth[rows], shown.answer[rows]) for rows in told.values()]
        figures["FID per story"] = mean_figure(values, list(told), groups)
    return figures


def _kid_figure(shown: Shown, groups: Groups) -> Figure:
    """Of at most `MAX_RESAMPLED` pairs, evenly taken from all."""
    count = min(len(shown.groups), MAX_RESAMPLED)
    rows = torch.linspace(0, len(shown.groups) - 1, count).long()
    names = [shown.groups[row] for row in rows.tolist()]
    return groups.figure(names, kid(shown.truth[rows], shown.answer[rows]), count, centred=True)
