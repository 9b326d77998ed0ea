"""The loop: a resumed run is the uninterrupted one, and bad losses stop it."""

import csv
import math

import pytest
import torch
from torch import nn

from minigpt5.errors import TrainingError
from minigpt5.training.losses import min_snr_weight
from minigpt5.training.optim import Muon, build_optimizers, learning_rate_factor, orthogonalise
from minigpt5.training.trainer import Schedule, fit


class Regression:
    """Learn a fixed linear map."""

    def __init__(self, poison_at=None):
        torch.manual_seed(0)
        self.module = nn.Sequential(nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, 10))
        self.poison_at = poison_at

    def batches(self, batch_size, first_step):
        step = first_step
        while True:
            generator = torch.Generator().manual_seed(step)
            yield torch.randn(batch_size, 12, generator=generator) * (
                math.nan if step == self.poison_at else 1
            )
            step += 1

    def losses(self, batch):
        return {"loss": (self.module(batch) - batch[:, :10]).square().mean()}


def curve(run):
    with (run / "curve.csv").open() as file:
        return {int(row["step"]): float(row["loss"]) for row in csv.DictReader(file)}


def schedule(steps):
    return Schedule(steps=steps, batch_size=8, lr=1e-2, muon_lr=1e-2, warmup=2, save_every=10)


def test_a_resumed_run_has_the_curve_of_an_uninterrupted_one(tmp_path):
    fit(Regression(), schedule(40), tmp_path / "whole")
    interrupted = Regression(poison_at=25)
    with pytest.raises(TrainingError, match="loss nan at step 25, expected a number"):
        fit(interrupted, schedule(40), tmp_path / "halves")
    fit(Regression(), schedule(40), tmp_path / "halves")
    assert curve(tmp_path / "halves") == curve(tmp_path / "whole")


def test_training_lowers_the_loss_and_draws_its_curve(tmp_path):
    fit(Regression(), schedule(60), tmp_path / "run")
    losses = list(curve(tmp_path / "run").values())
    assert losses[-1] < 0.7 * losses[0]
    assert (tmp_path / "run" / "curve.png").stat().st_size > 500


def test_muon_takes_the_hidden_matrices_and_leaves_the_rest_to_adamw():
    first, second = build_optimizers(Regression().module, 1e-3, 1e-2)
    assert isinstance(first, Muon)
    assert [p.ndim for group in first.param_groups for p in group["params"]] == [2, 2]
    assert [p.ndim for group in second.param_groups for p in group["params"]] == [1, 1]


@pytest.mark.parametrize("shape", [(16, 40), (40, 16)])
def test_an_orthogonalised_matrix_has_singular_values_near_one(shape):
    values = torch.linalg.svdvals(orthogonalise(torch.randn(shape), steps=5))
    assert 0.5 < values.min()
    assert values.max() < 1.4


def test_the_learning_rate_warms_up_and_falls_to_almost_nothing():
    factors = [learning_rate_factor(step, 100, 10) for step in range(100)]
    assert factors[9] == max(factors) == 1.0
    assert factors[-1] < 0.03


def test_min_snr_weights_fall_where_there_is_little_noise():
    alphas = torch.linspace(0.999, 0.001, 1000)
    weights = min_snr_weight(alphas, torch.tensor([0, 999]))
    assert weights[0] == pytest.approx(5 / 999, rel=1e-3)
    assert weights[1] == 1
