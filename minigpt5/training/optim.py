"""Muon for the matrices, AdamW for the rest, one learning-rate curve for both, and an average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from minigpt5.checkpoint.placement import has_fast_bfloat16

NEWTON_SCHULZ = (
    3.4445,
    -4.7750,
    2.0315,
)  # Jordan et al., "Muon", 2024: the quintic that flattens the spectrum
FASTER = 10.0  # the official rate of the mapper in the first stage


def orthogonalise(matrix: torch.Tensor, steps: int = 4) -> torch.Tensor:
    """The nearest semi-orthogonal matrix to a 2-D `matrix`, approximately (Newton-Schulz).

    In bfloat16 where that is fast, as its author does: the result need not be exact.
    """
    a, b, c = NEWTON_SCHULZ
    x = matrix / (matrix.norm() + 1e-7)
    if matrix.is_cuda or has_fast_bfloat16():
        x = x.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if tall else x).to(matrix)


class Muon(torch.optim.Optimizer):
    """Momentum whose update is orthogonalised; convolutions count as matrices (out, in x kh x kw).

    `torch.optim.Muon` takes matrices alone, and most of a UNet is convolutions.
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no closure is ever given
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                grad = parameter.grad
                buffer = self.state[parameter].setdefault("momentum", torch.zeros_like(grad))
                buffer.lerp_(grad, 1 - group["momentum"])
                update = grad.lerp(buffer, group["momentum"]).flatten(1)
                scale = max(1, update.shape[0] / update.shape[1]) ** 0.5
                parameter.add_(orthogonalise(update).view_as(parameter), alpha=-group["lr"] * scale)


def build_optimizers(
    module: nn.Module,
    lr: float,
    muon_lr: float | None,
    weight_decay: float = 0.01,
    betas: tuple[float, float] = (0.9, 0.98),
    faster: tuple[str, ...] = (),
    own_lr: tuple[tuple[str, float], ...] = (),
) -> list[torch.optim.Optimizer]:
    """AdamW at `lr`, and Muon at `muon_lr` for what is a matrix between two hidden layers (None: AdamW alone).

    Of AdamW's, parameters whose name begins with one of `faster` learn at `FASTER` times `lr`. Those whose name begins
    with a prefix in `own_lr` are AdamW's and learn at the rate beside it.
    """
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    fast: list[nn.Parameter] = []
    own: dict[float, list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        hidden = parameter.ndim in (2, 4) and min(parameter.shape[:2]) > 8
        outer = any(
            word in name
            for word in ("embed", "lm_head", "position", "conv_in", "conv_out", "head", "queries")
        )
        rates = [rate for prefix, rate in own_lr if name.startswith(prefix)]
        if rates:
            own.setdefault(rates[0], []).append(parameter)
        elif muon_lr and hidden and not outer:
            matrices.append(parameter)
        else:
            (fast if faster and name.startswith(faster) else rest).append(parameter)
    optimizers: list[torch.optim.Optimizer] = []
    if matrices:
        optimizers.append(Muon(matrices, muon_lr or 0.0))
    groups = [
        {"params": p, "lr": r}
        for p, r in ((rest, lr), (fast, FASTER * lr), *((p, r) for r, p in own.items()))
        if p
    ]
    if groups:
        optimizers.append(torch.optim.AdamW(groups, betas=betas, weight_decay=weight_decay))
    return optimizers


def learning_rate_factor(step: int, steps: int, warmup: int, decay: str = "cosine") -> float:
    """Linear warm-up, then a cosine down to 2 %; or "linear": both straight, from 0 and to 0 (the official one)."""
    progress = min(1.0, (step - warmup) / max(1, steps - warmup))
    if decay == "linear":
        return step / warmup if step < warmup else 1 - progress
    if step < warmup:
        return (step + 1) / warmup
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress))


class WeightAverage:
    """Exponential moving average of a module's trainable weights, with a warm start."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.shadow = {n: p.detach().clone() for n, p in module.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move the average towards the weights."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, parameter in module.named_parameters():
            if name in self.shadow:
                self.shadow[name].lerp_(parameter, 1 - decay)

    @contextmanager
    def applied(self, module: nn.Module) -> Iterator[None]:
        """The averaged weights in `module`, its own again afterwards."""
        own = {n: p.detach().clone() for n, p in module.named_parameters() if n in self.shadow}
        self._put(module, self.shadow)
        try:
            yield
        finally:
            self._put(module, own)

    @staticmethod
    @torch.no_grad()
    def _put(module: nn.Module, values: dict[str, torch.Tensor]) -> None:
        for name, parameter in module.named_parameters():
            if name in values:
                parameter.copy_(values[name])

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The averaged weights by parameter name."""
        return self.shadow

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Take the averaged weights of a checkpoint."""
        self.shadow = dict(state)
