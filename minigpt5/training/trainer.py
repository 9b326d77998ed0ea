"""One loop for every stage: a `Task` says what is learned, a `Schedule` how long; the loop saves, resumes and plots.

Built on accelerate, so `accelerate launch` spreads it over devices. A run can be interrupted at any moment
and goes on from its last checkpoint; the weights of the best average are in `<run>/state.pt`.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device
from PIL import Image, ImageDraw
from torch import nn
from tqdm import tqdm

from minigpt5.checkpoint.placement import has_fast_bfloat16
from minigpt5.training.optim import WeightAverage, build_optimizers, learning_rate_factor


@dataclass(frozen=True)
class Schedule:
    """How one stage is trained. `muon_lr` None trains with AdamW alone; `average` is the EMA decay."""

    steps: int
    batch_size: int
    lr: float
    muon_lr: float | None = None
    warmup: int = 50
    average: float = 0.99
    clip: float = 1.0
    save_every: int = 200


class Task(Protocol):
    """What a stage learns: the trainable module, its data and its losses."""

    module: Any  # nn.Module

    def batches(self, batch_size: int, first_step: int) -> Iterator[Any]:
        """Endless batches; batch number `n` depends on `n` alone, so that a resumed run sees the same data."""
        ...

    def losses(self, batch: Any) -> dict[str, torch.Tensor]:
        """Scalars by name; `loss` is the one to minimise, the others are for the curve."""
        ...


def fit(task: Task, schedule: Schedule, run: Path) -> None:
    """Train `task.module` for `schedule.steps`, leaving it with its averaged weights.

    Writes `run/state.pt` (resumable), `run/curve.csv` and `run/curve.png`.
    """
    run.mkdir(parents=True, exist_ok=True)
    accelerator = Accelerator(mixed_precision="bf16" if has_fast_bfloat16() else "no")
    module = accelerator.prepare(task.module)
    optimizers = [
        accelerator.prepare(o) for o in build_optimizers(task.module, schedule.lr, schedule.muon_lr)
    ]
    average = WeightAverage(task.module, schedule.average)
    first = _resume(run, task.module, optimizers, average)
    base_rates = [
        [(schedule.muon_lr or 0.0) if "momentum" in g else schedule.lr for g in o.param_groups]
        for o in optimizers
    ]
    module.train()
    progress = tqdm(
        range(first, schedule.steps), initial=first, total=schedule.steps, desc=run.name, mininterval=5
    )
    started = time.monotonic()
    for step, batch in zip(progress, task.batches(schedule.batch_size, first), strict=False):
        factor = learning_rate_factor(step, schedule.steps, schedule.warmup)
        for optimizer, rates in zip(optimizers, base_rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            optimizer.zero_grad()
        with accelerator.autocast():
            losses = task.losses(send_to_device(batch, accelerator.device))
        _check_finite(losses, step, run)
        accelerator.backward(losses["loss"])
        accelerator.clip_grad_norm_(task.module.parameters(), schedule.clip)
        for optimizer in optimizers:
            optimizer.step()
        average.update(task.module, step)
        if step % 10 == 0:
            _log(run, step, time.monotonic() - started, losses)
            progress.set_postfix({k: f"{v.item():.4f}" for k, v in losses.items()})
        if (step + 1) % schedule.save_every == 0 or step + 1 == schedule.steps:
            _save(run, step + 1, task.module, optimizers, average)
    load_average(task.module, run)
    plot_curve(run)


def _check_finite(losses: dict[str, torch.Tensor], step: int, run: Path) -> None:
    if not torch.isfinite(losses["loss"]):
        raise FloatingPointError(
            f"{run.name}: got loss {losses['loss'].item()} at step {step}, expected a number"
        )


def _save(run: Path, step: int, module: nn.Module, optimizers: list[Any], average: WeightAverage) -> None:
    trainable = {n: p.detach() for n, p in module.named_parameters() if p.requires_grad}
    state = {
        "step": step,
        "module": trainable,
        "optimizers": [o.state_dict() for o in optimizers],
        "average": average.state_dict(),
    }
    torch.save(state, run / "state.tmp")
    (run / "state.tmp").replace(run / "state.pt")
    plot_curve(run)


def _resume(run: Path, module: nn.Module, optimizers: list[Any], average: WeightAverage) -> int:
    if not (run / "state.pt").exists():
        return 0
    state = torch.load(run / "state.pt", weights_only=True)
    module.load_state_dict(state["module"], strict=False)  # frozen weights are not in the checkpoint
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    average.load_state_dict(state["average"])
    return int(state["step"])


def load_average(module: nn.Module, run: Path) -> None:
    """Put the averaged weights of a run's last checkpoint into `module`."""
    state = torch.load(run / "state.pt", weights_only=True)["average"]
    unexpected = module.load_state_dict(state, strict=False).unexpected_keys
    if unexpected:
        raise ValueError(f"{run / 'state.pt'}: got weights {unexpected[:3]} that the module has not")


def _log(run: Path, step: int, seconds: float, losses: dict[str, torch.Tensor]) -> None:
    path = run / "curve.csv"
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["step", "seconds", *losses])
        writer.writerow([step, f"{seconds:.1f}", *(f"{v.item():.5f}" for v in losses.values())])


def plot_curve(run: Path, size: tuple[int, int] = (640, 320)) -> None:
    """Draw `curve.csv` as `curve.png`: the smoothed loss over steps, on a logarithmic scale."""
    with (run / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    values = torch.tensor([float(row["loss"]) for row in rows]).clamp(min=1e-6).log()
    if len(values) < 3:
        return
    width = max(1, len(values) // 100)
    smooth = values.unfold(0, width, 1).mean(-1)
    low, high = smooth.min(), smooth.max()
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    xs = torch.linspace(50, size[0] - 10, len(smooth))
    ys = size[1] - 30 - (smooth - low) / (high - low + 1e-9) * (size[1] - 50)
    draw.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill="#b5472f", width=2)
    draw.text((4, 16), f"{high.exp():.4f}", fill="black")
    draw.text((4, size[1] - 40), f"{low.exp():.4f}", fill="black")
    draw.text((50, size[1] - 20), f"{run.name}: loss over {rows[-1]['step']} steps", fill="black")
    picture.save(run / "curve.png")


def save_grid(pictures: list[Image.Image], path: Path, columns: int = 8) -> None:
    """Lay pictures of one size out in a grid and save it."""
    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    grid = Image.new("RGB", (columns * width, rows * height), "white")
    for index, picture in enumerate(pictures):
        grid.paste(picture, (index % columns * width, index // columns * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    grid.save(path)
