"""One loop for every stage: a `Task` says what is learned, a `Schedule` how long; the loop saves, resumes and plots.

Built on accelerate: `accelerate launch` or `torchrun` spread a run over devices and machines, with DDP or FSDP.
Step `n` depends on `n` alone, its data and its random numbers, so a run that was interrupted, by Ctrl-C or by
a power cut, goes on from its last checkpoint as if nothing had happened; and a batch of 4 on one process is the same
step as a batch of 2 on two, or as two accumulated batches of 2.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any, Protocol, Self, runtime_checkable

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import gather_object, parse_flag_from_env, send_to_device
from PIL import Image
from torch import nn
from torch.distributed.tensor import DTensor
from tqdm import tqdm

from minigpt5.checkpoint.placement import has_fast_bfloat16
from minigpt5.errors import TrainingError
from minigpt5.training.checkpoints import Checkpoints, load_trained
from minigpt5.training.curves import Curve, plot_curve, save_grid
from minigpt5.training.optim import WeightAverage, build_optimizers, learning_rate_factor
from minigpt5.training.throughput import Throughput, memory

EXPLODED = 20.0  # times its running mean: a loss that will not come back
SETTLED = 20  # steps before that mean is trusted

Validation = Callable[[], tuple[list[Image.Image], dict[str, float]]]


@dataclass(frozen=True)
class Schedule:
    """How one stage is trained.

    `batch_size` is that of one process; `accumulate` batches make one step. `muon_lr` None trains with AdamW
    alone; parameters whose name begins with one of `faster` learn at ten times `lr`. `decay` is "cosine" or
    "linear" (the official one). `average` is the EMA decay, None for none; `clip` bounds the gradient's norm.
    """

    steps: int
    batch_size: int
    lr: float
    muon_lr: float | None = None
    warmup: int = 50
    average: float | None = 0.99
    clip: float | None = 1.0
    save_every: int = 200
    accumulate: int = 1
    decay: str = "cosine"
    faster: tuple[str, ...] = ()
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    log_every: int = 10
    validate_every: int = 500
    seed: int = 0


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


def fit(
    task: Task,
    schedule: Schedule,
    run: Path,
    *,
    precision: str = "auto",
    tensorboard: bool = False,
    validate: Validation | None = None,
) -> Throughput:
    """Train `task.module` for `schedule.steps`, leaving it with its averaged weights, or the last where none are kept.

    `precision` is "auto" (bfloat16 where that is fast), "no", "bf16" or "fp16". Writes checkpoints,
    `run/curve.csv` (losses, learning rate of AdamW, norm of the gradient before it is clipped), `run/curve.png`, `run/throughput.json` and, of `validate`, `run/samples/*.png` and `scores.jsonl`.
    Raises `TrainingError` when it is stopped (the checkpoint is written then), and when the loss is no number
    or has exploded, with the records of the batch.
    """
    run.mkdir(parents=True, exist_ok=True)
    loop = _Loop(task, schedule, run, precision, tensorboard, validate)
    with interruptible() as stop:
        loop.train(stop)
    if not loop.checkpoints.sharded:
        load_trained(task.module, run)
    return loop.throughput


@contextmanager
def interruptible() -> Iterator[Event]:
    """An event that Ctrl-C and SIGTERM set, instead of ending the process in the middle of a step."""
    stop = Event()
    if current_thread() is not main_thread():  # only there can signals be caught
        yield stop
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


class _Loop:
    def __init__(
        self,
        task: Task,
        schedule: Schedule,
        run: Path,
        precision: str,
        tensorboard: bool,
        validate: Validation | None,
    ) -> None:
        self.task, self.schedule, self.run, self.validate = task, schedule, run, validate
        self.accelerator = _accelerator(run, schedule, precision, tensorboard)
        optimizers = build_optimizers(
            task.module,
            schedule.lr,
            schedule.muon_lr,
            schedule.weight_decay,
            schedule.betas,
            schedule.faster,
        )
        self.rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
        self.learner, *self.optimizers = self.accelerator.prepare(Learner(task), *optimizers)
        self.average = WeightAverage(task.module, schedule.average) if schedule.average else None
        if self.average and isinstance(task, FollowingTask):
            task.follow(self.average)
        self.checkpoints = Checkpoints(
            run, self.accelerator, self.learner, task.module, self.optimizers, self.average
        )
        self.throughput = Throughput()
        self.typical = 0.0  # running mean of the loss
        self.seen = 0

    def train(self, stop: Event) -> None:
        """All steps that are left."""
        first = self.checkpoints.resume()
        main = self.accelerator.is_main_process
        curve = Curve(self.run, first) if main else None
        batches = self._batches(first)
        self._training_mode()
        started = time.monotonic()
        progress = tqdm(
            range(first, self.schedule.steps),
            initial=first,
            total=self.schedule.steps,
            desc=self.run.name,
            mininterval=5,
            disable=not main,
        )
        for step in progress:
            values, stopped = self._step(step, batches, stop)
            if main and curve and step % self.schedule.log_every == 0:
                curve.add(step, time.monotonic() - started, values)
                shown = {name: f"{value:.4g}" for name, value in values.items()}
                progress.set_postfix({**shown, "memory": memory(self.accelerator.device)})
                self.accelerator.log(values, step=step)
            done = step + 1
            if stopped or done % self.schedule.save_every == 0 or done == self.schedule.steps:
                self._save(done)
            if stopped:
                raise TrainingError(
                    f"{self.run}: stopped after step {step} as asked, saved; the same command goes on from there"
                )
            if self.validate and (done % self.schedule.validate_every == 0 or done == self.schedule.steps):
                self._validate(done)
        if main and self.throughput.steps:
            tqdm.write(f"{self.run.name}: {self.throughput.save(self.run)}")
        for tracker in self.accelerator.trackers:
            tracker.finish()

    def _batches(self, first: int) -> Iterator[Any]:
        """This process's batches: of every `stride` one, its own."""
        stride, rank = self.accelerator.num_processes, self.accelerator.process_index
        number, size = first * self.schedule.accumulate * stride, self.schedule.batch_size
        if isinstance(self.task, StridedTask):
            return self.task.strided_batches(size, number + rank, stride)
        return islice(self.task.batches(size, number), rank, None, stride)

    def _step(self, step: int, batches: Iterator[Any], stop: Event) -> tuple[dict[str, float], bool]:
        started = time.monotonic()
        parts = list(islice(batches, self.schedule.accumulate))
        waited = time.monotonic() - started
        torch.manual_seed((self.schedule.seed * 10**6 + step) * 1009 + self.accelerator.process_index)
        factor = self._set_rates(step)
        each: list[dict[str, torch.Tensor]] = []
        for batch in (weighted := self._weighted(parts)):
            with self.accelerator.accumulate(self.learner):
                losses = self.learner(send_to_device(batch, self.accelerator.device))
                self.accelerator.backward(losses["loss"])
            each.append(_logged(losses, batch))
        values, stopped = self._reduced(each, stop)
        self._verify_loss(values["loss"], step, weighted)
        if step % self.schedule.log_every == 0 or self.schedule.clip is not None:
            values |= {"learning_rate": self.schedule.lr * factor, "gradient_norm": self._clip()}
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        if self.average:
            self.average.update(self.task.module, step)
        self._measure(parts, time.monotonic() - started, waited)
        return values, stopped

    def _clip(self) -> float:
        """Bound the norm of all gradients, if it is to be; what it was before. Every process calls it."""
        trainable = [p for p in self.learner.parameters() if p.requires_grad]
        norm = self.accelerator.clip_grad_norm_(trainable, self.schedule.clip or float("inf"))
        return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)

    def _set_rates(self, step: int) -> float:
        """Give every group its rate of this step; the factor that all have in common."""
        factor = learning_rate_factor(step, self.schedule.steps, self.schedule.warmup, self.schedule.decay)
        for optimizer, rates in zip(self.optimizers, self.rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
        return factor

    def _weighted(self, batches: list[Any]) -> list[Any]:
        """Batches whose losses are means over different counts, weighted to make one mean over all of them."""
        if not isinstance(batches[0], Counted):
            return batches
        names = list(batches[0].counts)
        mine = torch.tensor([[batch.counts[name] for name in names] for batch in batches], dtype=torch.float)
        total = self.accelerator.reduce(mine.sum(0).to(self.accelerator.device), "sum").cpu()
        parts = len(batches) * self.accelerator.num_processes
        shares = mine * parts / total.clamp(min=1)
        return [
            batch.weighted(dict(zip(names, row.tolist(), strict=True)))
            for batch, row in zip(batches, shares, strict=True)
        ]

    def _reduced(self, each: list[dict[str, torch.Tensor]], stop: Event) -> tuple[dict[str, float], bool]:
        """Means over the step's batches of all processes, and whether any of them was asked to stop."""
        names = list(each[0])
        mine = torch.stack([torch.stack([losses[name].float() for name in names]) for losses in each]).mean(0)
        flag = mine.new_tensor([float(stop.is_set())])
        *means, stopped = self.accelerator.reduce(torch.cat([mine, flag]), "mean").tolist()
        return dict(zip(names, means, strict=True)), stopped > 0

    def _verify_loss(self, loss: float, step: int, batches: list[Any]) -> None:
        wrong = loss != loss or loss == float("inf")
        exploded = self.seen >= SETTLED and loss > EXPLODED * self.typical > 0
        if wrong or exploded:
            mine = [record for batch in batches for record in getattr(batch, "records", ())]
            records = gather_object(mine)
            expected = f"less than {EXPLODED:.0f} times {self.typical:.4f}" if exploded else "a number"
            told = f"; its records: {', '.join(records)}" if records else ""
            raise TrainingError(f"{self.run.name}: got loss {loss} at step {step}, expected {expected}{told}")
        self.seen += 1
        self.typical += (loss - self.typical) / min(self.seen, 100)

    def _save(self, step: int) -> None:
        self.checkpoints.save(step)
        if self.accelerator.is_main_process:
            plot_curve(self.run)

    def _validate(self, step: int) -> None:
        """The main process draws; the others wait."""
        if self.accelerator.is_main_process and self.validate:
            pictures, scores = self.validate()
            save_grid(pictures, self.run / "samples" / f"step-{step:06d}.png")
            if scores:
                with (self.run / "samples" / "scores.jsonl").open("a") as file:
                    file.write(json.dumps({"step": step, **scores}) + "\n")
            self.accelerator.log({f"validation/{name}": score for name, score in scores.items()}, step=step)
            tqdm.write(f"{self.run.name}: step {step}: {len(pictures)} pictures drawn {scores or ''}")
        self._training_mode()
        self.accelerator.wait_for_everyone()

    def _training_mode(self) -> None:
        """Parts that are wholly frozen stay as they are used: without dropout."""
        self.learner.train()
        for part in self.task.module.children():
            if not any(parameter.requires_grad for parameter in part.parameters()):
                part.eval()

    def _measure(self, batches: list[Any], seconds: float, waited: float) -> None:
        self.throughput.steps += 1
        self.throughput.seconds += seconds
        self.throughput.waited += waited
        for batch in batches:
            if isinstance(batch, Counted):
                self.throughput.images += batch.sizes["images"] * self.accelerator.num_processes
                self.throughput.tokens += batch.sizes["tokens"] * self.accelerator.num_processes


def processes() -> PartialState:
    """All processes of this training, this one among them; they compute on the CPU where there is nothing else, or
    where accelerate is told to (`ACCELERATE_USE_CPU`)."""
    cpu = not torch.accelerator.is_available() or parse_flag_from_env("ACCELERATE_USE_CPU")
    return PartialState(cpu=cpu)


def _accelerator(run: Path, schedule: Schedule, precision: str, tensorboard: bool) -> Accelerator:
    if precision == "auto":
        fast = torch.cuda.is_bf16_supported() if torch.cuda.is_available() else has_fast_bfloat16()
        precision = "bf16" if fast else "no"
    AcceleratorState._reset_state()  # a precision is one run's, not the process's
    try:
        accelerator = Accelerator(
            cpu=processes().device.type == "cpu",
            mixed_precision=precision,
            gradient_accumulation_steps=schedule.accumulate,
            log_with="tensorboard" if tensorboard else None,
            project_dir=run,
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
        accelerator.init_trackers("tensorboard")
    except (ImportError, ValueError) as error:
        raise TrainingError(f"the run cannot begin: {error}") from error
    return accelerator


def _logged(losses: dict[str, torch.Tensor], batch: Any) -> dict[str, torch.Tensor]:
    """What goes into the curve: each part by its share, so that the mean over batches is that over their things."""
    shares = getattr(batch, "shares", {})
    return {name: value.detach() * shares.get(name, 1.0) for name, value in losses.items()}
