"""Where a run can go on: only what is trained, the optimizers, and the number of the next step.

    RUN/step-000200/trainable.safetensors  average.safetensors  optimizers.pt  step.json

A checkpoint is written beside its place and renamed when it is whole, so that one that exists can be loaded,
whenever the process dies. The newest one stays. With FSDP the shares of all processes are gathered into the
same files.
"""

from __future__ import annotations

import json
import shutil
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
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)


def newest(run: Path) -> Path | None:
    """The last whole checkpoint of a run, if there is one."""
    return max(run.glob("step-*[0-9]"), default=None)


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
        weights, states = self._states()
        if self.accelerator.is_main_process:
            folder = self.run / f"step-{step:06d}"
            unfinished = self.run / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            save_file(weights, unfinished / WEIGHTS)
            if self.average:
                save_file(self.average.state_dict(), unfinished / AVERAGE)
            torch.save(states, unfinished / OPTIMIZERS)
            (unfinished / STEP).write_text(json.dumps({"step": step}))
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
            for old in set(self.run.glob("step-*")) - {folder}:
                shutil.rmtree(old)
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

    def _states(self) -> tuple[dict[str, Tensor], Any]:
        if self.sharded:
            weights: dict[str, Any] = get_model_state_dict(self.learner, options=WHOLE)
            named = {name.removeprefix("module."): value for name, value in weights.items()}
            return named, get_optimizer_state_dict(self.learner, self._plain(), options=WHOLE)
        trained = {n: p.detach().contiguous() for n, p in self.module.named_parameters() if p.requires_grad}
        return trained, [optimizer.state_dict() for optimizer in self.optimizers]

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
