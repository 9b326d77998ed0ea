"""Where a run can go on: only what is trained, the optimizers, and the number of the next step.

    RUN/step-000200/trainable.safetensors  average.safetensors  optimizers.pt  step.json
    RUN/best/trainable.safetensors  step.json       the lowest loss on held-out data, see `validation`

A checkpoint is written beside its place and renamed when it is whole, so that one that exists can be loaded,
whenever the process dies. The newest one stays. With FSDP the shares of all processes are gathered into the
same files.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from minigpt5.errors import TrainingError
from minigpt5.training.optim import WeightAverage

WEIGHTS, AVERAGE, OPTIMIZERS, STEP = (
    "trainable.safetensors",
    "average.safetensors",
    "optimizers.pt",
    "step.json",
)
BEST = "best"
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)


def newest(run: Path) -> Path | None:
    """The last whole checkpoint of a run, if there is one."""
    return max(run.glob("step-*[0-9]"), default=None)


def best(run: Path) -> Path | None:
    """The checkpoint with the lowest loss on held-out data, if one was kept."""
    return run / BEST if (run / BEST / STEP).exists() else None


def load_trained(module: nn.Module, run: Path) -> None:
    """Put what a run has learned into `module`: its averaged weights, or its last ones where none are kept.

    Raises `TrainingError` where there is no checkpoint, or one of another module.
    """
    folder = newest(run)
    if folder is None:
        raise TrainingError(f"{run}: got no checkpoint, expected one of a finished or interrupted training")
    name = AVERAGE if (folder / AVERAGE).exists() else WEIGHTS
    unexpected = module.load_state_dict(load_file(folder / name), strict=False).unexpected_keys
    if unexpected:
        raise TrainingError(f"{folder}: got weights {unexpected[:3]}, expected those of this model")


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A place to write what becomes `folder`, in the place of an older one, when all is written."""
    unfinished = folder.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    yield unfinished
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


class Checkpoints:
    """Saves and restores one run. `learner` is the prepared module around `module`."""

    def __init__(
        self,
        run: Path,
        accelerator: Accelerator,
        learner: nn.Module,
        module: nn.Module,
        optimizers: list[Any],
        average: WeightAverage | None,
    ) -> None:
        self.run = run
        self.accelerator = accelerator
        self.learner = learner
        self.module = module
        self.optimizers = optimizers
        self.average = average
        self.sharded = "FSDP" in str(accelerator.distributed_type)

    def save(self, step: int) -> None:
        """Write the checkpoint after which step `step` comes; every process calls it."""
        weights, states = self._weights(), self._states()
        if self.accelerator.is_main_process:
            folder = self.run / f"step-{step:06d}"
            with _whole(folder) as unfinished:
                save_file(weights, unfinished / WEIGHTS)
                if self.average:
                    save_file(self.average.state_dict(), unfinished / AVERAGE)
                torch.save(states, unfinished / OPTIMIZERS)
                (unfinished / STEP).write_text(json.dumps({"step": step}))
            for old in set(self.run.glob("step-*")) - {folder}:
                shutil.rmtree(old)
        self.accelerator.wait_for_everyone()

    def keep_best(self, step: int, losses: dict[str, float]) -> None:
        """Write the weights of the module, which after `step` steps have the lowest `losses` so far; every process calls
        it."""
        weights = self._weights()
        if self.accelerator.is_main_process:
            with _whole(self.run / BEST) as unfinished:
                save_file(weights, unfinished / WEIGHTS)
                (unfinished / STEP).write_text(json.dumps({"step": step, "losses": losses}))
        self.accelerator.wait_for_everyone()

    def resume(self) -> int:
        """Restore the newest checkpoint, if any; the number of the next step."""
        folder = newest(self.run)
        if folder is None:
            return 0
        weights = load_file(folder / WEIGHTS)
        states = torch.load(folder / OPTIMIZERS, weights_only=True, map_location="cpu")
        if self.sharded:
            named: dict[str, Any] = {f"module.{name}": value for name, value in weights.items()}
            set_model_state_dict(
                self.learner, named, options=StateDictOptions(full_state_dict=True, strict=False)
            )
            set_optimizer_state_dict(self.learner, self._plain(), states, options=WHOLE)
        else:
            self._verify(weights, folder)
            self.module.load_state_dict(weights, strict=False)  # frozen weights are not in the checkpoint
            for optimizer, state in zip(self.optimizers, states, strict=True):
                optimizer.load_state_dict(state)
        if self.average:
            self.average.load_state_dict(load_file(folder / AVERAGE))
        return int(json.loads((folder / STEP).read_text())["step"])

    def _weights(self) -> dict[str, Tensor]:
        if self.sharded:
            weights: dict[str, Any] = get_model_state_dict(self.learner, options=WHOLE)
            return {name.removeprefix("module."): value for name, value in weights.items()}
        return {n: p.detach().contiguous() for n, p in self.module.named_parameters() if p.requires_grad}

    def _states(self) -> Any:
        if self.sharded:
            return get_optimizer_state_dict(self.learner, self._plain(), options=WHOLE)
        return [optimizer.state_dict() for optimizer in self.optimizers]

    def _plain(self) -> list[torch.optim.Optimizer]:
        return [optimizer.optimizer for optimizer in self.optimizers]

    def _verify(self, weights: dict[str, Tensor], folder: Path) -> None:
        trained = {n: tuple(p.shape) for n, p in self.module.named_parameters() if p.requires_grad}
        stored = {name: tuple(value.shape) for name, value in weights.items()}
        if trained != stored:
            odd = sorted(n for n in trained.keys() | stored.keys() if trained.get(n) != stored.get(n))
            raise TrainingError(
                f"{folder}: got a checkpoint that differs in {odd[:3]}, expected one of this stage and model; "
                "name another folder for this run"
            )
