"""Held-out data: measured alike every time, the best weights kept, a run without progress ended."""

import csv
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from test_trainer import Interrupted, Regression, schedule
from tiny_folder import words, write_chats, write_model

from minigpt5.__main__ import main
from minigpt5.checkpoint.store import read_part
from minigpt5.errors import TrainingError
from minigpt5.training.tasks import Learner
from minigpt5.training.trainer import Watching, fit
from minigpt5.training.validation import Progress


class Scripted:
    """Held-out data whose losses are known beforehand."""

    def __init__(self, *losses):
        self.rest = list(losses)

    def losses(self, learner, accelerator):
        return {"loss": self.rest.pop(0)}


class Fixed:
    """Held-out data of one batch."""

    @torch.no_grad()
    def losses(self, learner, accelerator):
        learner.eval()
        batch = torch.randn(8, 12, generator=torch.Generator().manual_seed(99))
        return {"loss": float(learner(batch)["loss"])}


def every_five(steps):
    return schedule(steps, validate_every=5, average=None)


def losses_of(run):
    with (run / "valid.csv").open() as file:
        return {int(row["step"]): float(row["loss"]) for row in csv.DictReader(file)}


def test_a_run_whose_loss_no_longer_falls_ends_and_keeps_its_best_weights(tmp_path):
    watching = Watching(held_out=Scripted(3.0, 1.0, 2.0, 1.5, 0.1), patience=2)
    throughput = fit(Regression(), every_five(40), tmp_path, watching=watching)
    assert throughput.steps == 20
    assert losses_of(tmp_path) == {5: 3.0, 10: 1.0, 15: 2.0, 20: 1.5}
    kept = json.loads((tmp_path / "best/step.json").read_text())
    assert kept == {"step": 10, "losses": {"loss": 1.0}}
    assert [path.name for path in tmp_path.glob("step-*")] == ["step-000020"]
    again = fit(Regression(), every_five(40), tmp_path, watching=Watching(held_out=Scripted(), patience=2))
    assert again.steps == 0


def test_a_resumed_run_measures_what_an_uninterrupted_one_does(tmp_path):
    watching = Watching(held_out=Fixed())
    fit(Regression(), every_five(40), tmp_path / "whole", watching=watching)
    with pytest.raises(TrainingError, match="stopped after step 13"):
        # its losses are asked for 13 times in steps before, and twice of held-out data
        fit(Interrupted(15), every_five(40), tmp_path / "halves", watching=watching)
    fit(Regression(), every_five(40), tmp_path / "halves", watching=watching)
    assert losses_of(tmp_path / "halves") == losses_of(tmp_path / "whole")
    ours, whole = (load_file(tmp_path / run / "best/trainable.safetensors") for run in ("halves", "whole"))
    assert all(torch.equal(ours[name], whole[name]) for name in whole)


def test_the_average_is_measured_where_one_is_kept(tmp_path):
    with_average = schedule(10, validate_every=5, average=0.9)
    task = Regression()
    fit(
        task, with_average, tmp_path, watching=Watching(held_out=Fixed())
    )  # which leaves the average in the task
    assert losses_of(tmp_path)[10] == pytest.approx(Fixed().losses(Learner(task), None)["loss"], rel=1e-4)
    best = load_file(tmp_path / "best/trainable.safetensors")
    average = load_file(tmp_path / "step-000010/average.safetensors")
    assert all(torch.equal(best[name], average[name]) for name in best)


def test_a_run_cut_off_between_its_checkpoint_and_the_measurement_makes_up_for_it(tmp_path):
    watching = Watching(held_out=Fixed())
    fit(Regression(), every_five(10), tmp_path, watching=watching)
    before = losses_of(tmp_path)
    lines = (tmp_path / "valid.csv").read_text().splitlines(keepends=True)
    (tmp_path / "valid.csv").write_text("".join(lines[:-1]))
    fit(Regression(), every_five(10), tmp_path, watching=watching)
    assert losses_of(tmp_path) == before and len(before) == 2


def test_a_loss_that_is_no_number_is_never_the_best(tmp_path):
    progress = Progress(tmp_path, 0, writes=False)
    progress.add(1, 0.0, {"loss": float("nan")})
    assert progress.is_best(5.0)
    progress.add(2, 0.0, {"loss": 5.0})
    assert not progress.is_best(float("nan")) and progress.since_best == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("valid")
    write_model(place / "model")
    write_chats(place)
    write_chats(place / "held", count=5)
    main(words(place, place / "whole", *valid_words(place), steps=6))
    return place


def valid_words(place):
    held = ["--valid", f"jsonl:{place / 'held/chats.jsonl'}", "--validate-every", "2"]
    return [*held, "--lr", "1", "--weight-decay", "0.5"]


def test_held_out_losses_do_not_depend_on_how_the_data_is_divided(folder):
    gently = [*valid_words(folder), "--lr", "1e-3"]
    main(words(folder, folder / "four", *gently, steps=2))
    main(words(folder, folder / "twice-two", *gently, "--batch-size", "2", "--accumulate", "2", steps=2))
    four, two = losses_of(folder / "runs/four"), losses_of(folder / "runs/twice-two")
    assert list(four) == [2]
    assert two[2] == pytest.approx(four[2], rel=1e-3)


def test_the_best_weights_are_exported_and_the_record_says_so(folder):
    losses, result = (
        losses_of(folder / "runs/whole"),
        json.loads((folder / "runs/whole/result.json").read_text()),
    )
    assert result["exported"] == "best" and result["step"] == min(losses, key=losses.__getitem__)
    assert result["losses"]["loss"] == pytest.approx(min(losses.values()), rel=1e-4)
    assert result["last step"] == 6
    kept = load_file(folder / "runs/whole/best/trainable.safetensors")
    assert torch.equal(read_part(folder / "whole", "mapper")["queries"], kept["mapper.queries"])


def test_the_last_weights_are_exported_where_they_are_asked_for(folder):
    shutil.copytree(folder / "runs/whole", folder / "runs/last")
    main(words(folder, folder / "last", *valid_words(folder), "--export", "last", steps=6))
    result = json.loads((folder / "runs/last/result.json").read_text())
    assert (result["exported"], result["step"]) == ("last", 6)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--patience", "3"], "patience: got 3, expected None"),
        (["--validate-every", "3"], "validate_every: got 3, expected 2"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_run_with_other_held_out_data_is_refused(more, named, folder):
    with pytest.raises(SystemExit, match="differs from what is there") as error:
        main(words(folder, folder / "whole", *valid_words(folder), *more, steps=6))
    assert named in str(error.value)


def test_data_that_is_trained_on_is_no_held_out_data(folder):
    with pytest.raises(SystemExit, match=r"chats\.jsonl, which is trained on, expected data that is not"):
        main(words(folder, folder / "leak", "--valid", f"jsonl:{folder / 'chats.jsonl'}"))


def test_each_seed_is_a_training_of_its_own_and_their_spread_is_told(folder):
    main(words(folder, folder / "seeds", *valid_words(folder), "--seeds", "1", "2", steps=2))
    result = json.loads((folder / "runs/seeds-seeds.json").read_text())
    losses = [result["seeds"][seed]["losses"]["loss"] for seed in ("1", "2")]
    assert losses[0] != losses[1]
    assert result["mean"]["loss"] == pytest.approx(sum(losses) / 2)
    assert {path.name for path in folder.glob("seeds-seed-*")} == {"seeds-seed-1", "seeds-seed-2"}
