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
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import parse_flag_from_env, send_to_device
from PIL import Image
from torch.distributed.tensor import DTensor
from tqdm import tqdm

from minigpt5.checkpoint.placement import has_fast_bfloat16
from minigpt5.errors import TrainingError
from minigpt5.training.accelerators import verify_sharding, verify_trackers
from minigpt5.training.checkpoints import Checkpoints, load_trained
from minigpt5.training.curves import Curve, plot_curve, save_grid
from minigpt5.training.loss_guard import LossGuard
from minigpt5.training.optim import WeightAverage, build_optimizers, learning_rate_factor
from minigpt5.training.tasks import Counted, FollowingTask, Learner, StridedTask, Task, logged
from minigpt5.training.throughput import Throughput, memory
from minigpt5.training.validation import HeldOut, Progress

Validation = Callable[[], tuple[list[Image.Image], dict[str, float]]]


@dataclass(frozen=True)
class Schedule:
    """How one stage is trained.

    `batch_size` is that of one process; `accumulate` batches make one step. `muon_lr` None trains with AdamW
    alone; parameters whose name begins with one of `faster` learn at ten times `lr`, those with a prefix in
    `own_lr` at the rate beside it. `decay` is "cosine" or "linear" (the official one). `average` is the EMA
    decay, None for none; `clip` bounds the gradient's norm.
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
    own_lr: tuple[tuple[str, float], ...] = ()
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    log_every: int = 10
    validate_every: int = 500
    seed: int = 0


@dataclass(frozen=True)
class Watching:
    """How a run is watched, every `Schedule.validate_every` steps and at the end.

    `draw` makes pictures and figures of them. Of `held_out` the loss is measured and the weights with the lowest
    one are kept; the run ends when `patience` measurements in a row were no lower. `trackers` are those of
    accelerate, "tensorboard" or "wandb"; `project` is their project, `facts` what they are told of the run.
    """

    draw: Validation | None = None
    held_out: HeldOut | None = None
    patience: int | None = None
    trackers: tuple[str, ...] = ()
    project: str = "minigpt5"
    facts: Mapping[str, str] = field(default_factory=dict)


UNWATCHED = Watching()


def fit(
    task: Task, schedule: Schedule, run: Path, *, precision: str = "auto", watching: Watching = UNWATCHED
) -> Throughput:
    """Train `task.module` for `schedule.steps`, leaving it with its averaged weights, or the last where none are kept.

    `precision` is "auto" (bfloat16 where that is fast), "no", "bf16" or "fp16". Writes checkpoints, `run/curve.csv`
    (losses, learning rate of AdamW, norm of the gradient before it is clipped), `run/curve.png`,
    `run/throughput.json`; with pictures `run/samples/*.png` and `scores.jsonl`; with held-out data `run/valid.csv`
    and `run/best`. Raises `TrainingError` when it is stopped (the checkpoint is written then), when the loss is no
    number or has exploded, with the records of the batch, and for what the run cannot have (`verify_sharding`).
    """
    run.mkdir(parents=True, exist_ok=True)
    loop = _Loop(task, schedule, run, precision, watching)
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
    def __init__(self, task: Task, schedule: Schedule, run: Path, precision: str, watching: Watching) -> None:
        self.task, self.schedule, self.run, self.watching = task, schedule, run, watching
        self.accelerator = _accelerator(run, schedule, precision, watching)
        optimizers = build_optimizers(
            task.module,
            schedule.lr,
            schedule.muon_lr,
            schedule.weight_decay,
            schedule.betas,
            schedule.faster,
            schedule.own_lr,
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
        self.guard = LossGuard(run.name)
        self.started = time.monotonic()

    def train(self, stop: Event) -> None:
        """All steps that are left."""
        first = self.checkpoints.resume()
        main = self.accelerator.is_main_process
        curve = Curve(self.run, first) if main else None
        self.measured = Progress(self.run, first, writes=main and self.watching.held_out is not None)
        self.accelerator.wait_for_everyone()  # all have read what the main process is about to write anew
        if first and self._is_due(first) and first not in self.measured.losses:
            self._measure_held_out(first)  # cut off between its checkpoint and this
        batches = self._batches(first)
        self._training_mode()
        progress = tqdm(
            range(first, self.schedule.steps),
            initial=first,
            total=self.schedule.steps,
            desc=self.run.name,
            mininterval=5,
            disable=not main,
        )
        for step in progress:
            if self._is_over():
                break
            values, stopped = self._step(step, batches, stop)
            if main and curve and step % self.schedule.log_every == 0:
                curve.add(step, time.monotonic() - self.started, values)
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
            if self._is_due(done):
                self._draw(done)
                self._measure_held_out(done)
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
            each.append(logged(losses, batch))
        values, stopped = self._reduced(each, stop)
        self.guard.verify(values["loss"], step, weighted)
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

    def _save(self, step: int) -> None:
        self.checkpoints.save(step)
        if self.accelerator.is_main_process:
            plot_curve(self.run)

    def _is_due(self, done: int) -> bool:
        return done % self.schedule.validate_every == 0 or done == self.schedule.steps

    def _is_over(self) -> bool:
        """Whether the loss on held-out data has not fallen for too long."""
        patience = self.watching.patience
        return patience is not None and self.measured.since_best >= patience

    def _draw(self, step: int) -> None:
        """The main process draws; the others wait."""
        if self.watching.draw is None:
            return
        if self.accelerator.is_main_process:
            pictures, scores = self.watching.draw()
            save_grid(pictures, self.run / "samples" / f"step-{step:06d}.png")
            if scores:
                with (self.run / "samples" / "scores.jsonl").open("a") as file:
                    file.write(json.dumps({"step": step, **scores}) + "\n")
            self.accelerator.log({f"validation/{name}": score for name, score in scores.items()}, step=step)
            tqdm.write(f"{self.run.name}: step {step}: {len(pictures)} pictures drawn {scores or ''}")
        self._training_mode()
        self.accelerator.wait_for_everyone()

    def _measure_held_out(self, step: int) -> None:
        """Measure the weights after `step` steps, averaged where an average is kept, and keep the best ones before it is
        written that they are."""
        if self.watching.held_out is None:
            return
        with self.average.applied(self.task.module) if self.average else nullcontext():
            losses = self.watching.held_out.losses(self.learner, self.accelerator)
            best = self.measured.is_best(losses["loss"])
            if best:
                self.checkpoints.keep_best(step, losses)
        self.measured.add(step, time.monotonic() - self.started, losses)
        self.accelerator.log({f"valid/{name}": value for name, value in losses.items()}, step=step)
        if self._is_over():
            self._save(step)
        if self.accelerator.is_main_process:
            told = "the best so far" if best else f"no better for {self.measured.since_best}"
            tqdm.write(f"{self.run.name}: step {step}: held-out loss {losses['loss']:.5g}, {told}")
        self._training_mode()

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


def _accelerator(run: Path, schedule: Schedule, precision: str, watching: Watching) -> Accelerator:
    if precision == "auto":
        fast = torch.cuda.is_bf16_supported() if torch.cuda.is_available() else has_fast_bfloat16()
        precision = "bf16" if fast else "no"
    verify_sharding()
    verify_trackers(watching.trackers)
    AcceleratorState._reset_state()  # a precision is one run's, not the process's
    try:
        accelerator = Accelerator(
            cpu=processes().device.type == "cpu",
            mixed_precision=precision,
            gradient_accumulation_steps=schedule.accumulate,
            log_with=list(watching.trackers) or None,
            project_dir=run,
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
        names = {"wandb": {"name": run.name, "dir": str(run)}}
        accelerator.init_trackers(watching.project, dict(watching.facts) or None, names)
    except (ImportError, ValueError) as error:
        raise TrainingError(f"the run cannot begin: {error}") from error
    return accelerator
