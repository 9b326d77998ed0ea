"""The loop: a resumed run is the uninterrupted one, and bad losses stop it."""

import csv
import math
import signal
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pytest
import torch
from torch import nn

from minigpt5.errors import TrainingError
from minigpt5.training.curves import Curve
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


def schedule(steps, **changes):
    return Schedule(
        **{
            "steps": steps,
            "batch_size": 8,
            "lr": 1e-2,
            "muon_lr": 1e-2,
            "warmup": 2,
            "save_every": 10,
            **changes,
        }
    )


def test_a_resumed_run_has_the_curve_of_an_uninterrupted_one(tmp_path):
    fit(Regression(), schedule(40), tmp_path / "whole")
    interrupted = Regression(poison_at=25)
    with pytest.raises(TrainingError, match="loss nan at step 25, expected a number"):
        fit(interrupted, schedule(40), tmp_path / "halves")
    fit(Regression(), schedule(40), tmp_path / "halves")
    assert curve(tmp_path / "halves") == curve(tmp_path / "whole")


class Interrupted(Regression):
    """Ctrl-C is pressed while step `at` is computed."""

    def __init__(self, at):
        super().__init__()
        self.at, self.step = at, 0

    def losses(self, batch):
        if self.step == self.at:
            signal.raise_signal(signal.SIGINT)
        self.step += 1
        return super().losses(batch)


def test_ctrl_c_ends_the_step_saves_and_the_run_goes_on(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingError, match="stopped after step 13 as asked, saved"):
        fit(Interrupted(13), schedule(40), tmp_path / "halves")
    assert signal.getsignal(signal.SIGINT) == before
    assert [path.name for path in (tmp_path / "halves").glob("step-*")] == ["step-000014"]
    fit(Regression(), schedule(40), tmp_path / "halves")
    fit(Regression(), schedule(40), tmp_path / "whole")
    assert curve(tmp_path / "halves") == curve(tmp_path / "whole")


@dataclass(frozen=True)
class Told:
    """A batch that knows its records."""

    records: tuple[str, ...]
    values: torch.Tensor
    shares: dict[str, float] = field(default_factory=dict)
    counts: ClassVar = {"loss": 1}
    sizes: ClassVar = {"images": 0, "tokens": 0}

    def weighted(self, shares):
        return self

    def to(self, device):
        return self


class Exploding(Regression):
    """From step 30 on the loss is a thousand times too large."""

    def batches(self, batch_size, first_step):
        for step, batch in enumerate(super().batches(batch_size, first_step)):
            yield Told((f"line {step}",), batch * (1000 if step >= 30 else 1))

    def losses(self, batch):
        return super().losses(batch.values)


def test_an_exploding_loss_stops_with_the_records_of_its_batch(tmp_path):
    with pytest.raises(
        TrainingError, match=r"at step 30, expected less than 20 times .*; its records: line 30"
    ):
        fit(Exploding(), schedule(40), tmp_path / "run")


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    fit(Regression(), schedule(2), tmp_path / "run")
    other = Regression()
    other.module[2] = nn.Linear(16, 11)
    with pytest.raises(
        TrainingError, match=r"differs in \['2.bias', '2.weight'\], expected one of this stage"
    ):
        fit(other, schedule(4), tmp_path / "run")


def test_the_official_schedule_is_linear_and_the_mapper_learns_faster():
    assert [learning_rate_factor(step, 4, 2, "linear") for step in range(4)] == [0.0, 0.5, 1.0, 0.5]
    (optimizer,) = build_optimizers(Regression().module, 1e-3, None, faster=("2.",))
    assert [(group["lr"], len(group["params"])) for group in optimizer.param_groups] == [(1e-3, 2), (1e-2, 2)]


def test_parameters_with_a_rate_of_their_own_learn_at_it():
    first, second = build_optimizers(Regression().module, 1e-3, 1e-2, own_lr=(("2.", 1e-5),))
    assert isinstance(first, Muon) and len(first.param_groups[0]["params"]) == 1
    assert [(group["lr"], len(group["params"])) for group in second.param_groups] == [(1e-3, 1), (1e-5, 2)]


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


def test_the_curve_holds_the_learning_rate_and_the_norm_of_the_gradient(tmp_path):
    fit(Regression(), replace(schedule(40), clip=None), tmp_path / "run")
    with (tmp_path / "run/curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx(
        [1e-2 * learning_rate_factor(int(row["step"]), 40, 2) for row in rows], rel=1e-3
    )
    first = Regression()
    first.losses(next(first.batches(8, 0)))["loss"].backward()
    norm = torch.stack([p.grad.norm() for p in first.module.parameters()]).norm()
    assert float(rows[0]["gradient_norm"]) == pytest.approx(float(norm), rel=1e-3)


def test_a_curve_without_these_columns_goes_on(tmp_path):
    (tmp_path / "curve.csv").write_text("step,seconds,loss\n0,1.0,0.50000\n10,2.0,0.40000\n20,3.0,0.30000\n")
    one = Curve(tmp_path, 20)
    one.add(20, 1.0, {"loss": 0.25, "learning_rate": 2e-5})
    one.add(30, 2.0, {"loss": 0.2, "learning_rate": 1e-5})
    assert (tmp_path / "curve.csv").read_text().split() == [
        "step,seconds,loss,learning_rate",
        "0,1.0,0.50000,",
        "10,2.0,0.40000,",
        "20,1.0,0.25000,2e-05",
        "30,2.0,0.20000,1e-05",
    ]
