"""Few-step drawing: a UNet learns to jump where its teacher takes many guided steps.

Consistency distillation in latent space (Luo et al., 2023, "Latent Consistency Models", section 4): the student's jump
from a time of a DDIM solver has to end where its own jump from the teacher's next time ends, the teacher's guidance
being folded into the target. In phases (Wang et al., 2024, "Phased Consistency Model", section 3): the solver's times
are cut into as many runs as the student shall take steps, and a jump ends where its run ends. One phase ends at the
clean picture and is the former paper's (its skip scalings are 0 and 1 at all of the solver's times); such a student
draws with `LCMScheduler`. With more phases drawing is deterministic, Euler's steps over trailing times, and a seed
means the same picture as it does with the teacher.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize

from minigpt5.checkpoint.placement import has_fast_bfloat16
from minigpt5.config import FastConfig
from minigpt5.errors import OptionError
from minigpt5.training.multimodal import Teacher
from minigpt5.training.optim import WeightAverage

HUBER = 0.001  # of the pseudo-Huber loss, for latents of variance 1; the latent consistency models' own
LCM_STEPS = 4  # that a student of one phase is drawn with
CHUNK = 64  # drawings made at a time


@dataclass(frozen=True)
class Distillation:
    """How a student is made. Raises `OptionError` for numbers that do not fit each other.

    `guidance_scale` is the teacher's. `times` of a DDIM solver are spread over `phases`; the teacher goes `hops` of
    them before the student's average takes over. With `hops` as many as a phase has times it never does: only the
    jumps that are drawn with are learned, each with the teacher's own end as its target. `last_share` of the
    examples are of the last phase, whose faults no later step mends, the others of all alike. `rank` is that of LoRA
    on all layers of the student; 0 trains its own weights.
    """

    guidance_scale: float = 7.5
    phases: int = 4
    times: int = 40
    hops: int = 1
    last_share: float = 0.25
    rank: int = 0

    def __post_init__(self) -> None:
        if self.phases < 1:
            raise OptionError(f"phases: got {self.phases}, expected 1 or more")
        if self.times % self.phases:
            raise OptionError(f"times: got {self.times}, expected a multiple of the {self.phases} phases")
        if not 1 <= self.hops <= self.run:
            raise OptionError(f"hops: got {self.hops}, expected 1 to {self.run}, the times of a phase")

    @property
    def run(self) -> int:
        """The solver's times in a phase."""
        return self.times // self.phases

    @property
    def fast(self) -> FastConfig:
        """How the result draws."""
        return FastConfig("lcm", LCM_STEPS) if self.phases == 1 else FastConfig("euler-trailing", self.phases)


@dataclass(frozen=True)
class Jumps:
    """What a student learns from: noisy latents (B,c,h,w) at the solver's times number `nodes` (B,), from 1 on.

    `targets` (B,c,h,w), where their phases end, are None where the teacher is yet to be asked.
    """

    latents: Tensor
    nodes: Tensor
    embeds: Tensor  # (B,L,C)
    negative: Tensor  # (1,L,C)
    targets: Tensor | None = None


class Distiller:
    """The loss of `student` against the frozen `teacher`, a UNet of the same shape whose weights it begins with.

    `config` is that of the noise schedule; it must predict the noise.
    """

    def __init__(
        self,
        student: UNet2DConditionModel,
        teacher: UNet2DConditionModel,
        config: dict[str, Any],
        how: Distillation,
    ) -> None:
        student.load_state_dict(teacher.state_dict())
        student.requires_grad_(True)
        if how.rank:
            add_low_rank(student, how.rank)
        self.student, self.teacher, self.how = student, teacher.requires_grad_(False).eval(), how
        alphas = DDIMScheduler.from_config(config).alphas_cumprod.double()
        spaced = torch.arange(how.times + 1).double() * len(alphas) / how.times
        self.timesteps = (
            spaced.round().long() - 1
        )  # trailing, as they are drawn with; of node 0, the clean picture, none
        kept = torch.cat([torch.ones(1).double(), alphas[self.timesteps[1:]]])
        self.signal, self.spread = kept.sqrt().float(), (1 - kept).sqrt().float()
        self.average: Callable[[], dict[str, Tensor]] = lambda: dict(student.named_parameters())

    def follow(self, average: WeightAverage) -> None:
        """The running average of the student that makes the targets of jumps without them."""
        self.average = average.state_dict

    def draw_nodes(self, count: int, rng: random.Random, *, first: bool) -> Tensor:
        """(count,) the solver's times to jump from: any, or (`first`) those with which the phases begin."""
        how = self.how
        phases = [0 if rng.random() < how.last_share else rng.randrange(how.phases) for _ in range(count)]
        return torch.tensor([p * how.run + (how.run if first else rng.randint(1, how.run)) for p in phases])

    def noisy(self, latents: Tensor, noise: Tensor, nodes: Tensor) -> Tensor:
        """Latents noised to `nodes`, all (B,...). Drawing begins with noise alone, so the first jump does."""
        mixed = self._of(self.signal, nodes) * latents + self._of(self.spread, nodes) * noise
        return torch.where((nodes == self.how.times)[:, None, None, None], noise, mixed)

    def loss(self, jumps: Jumps) -> Tensor:
        """Pseudo-Huber distance between the student's jumps and their targets, a scalar."""
        ends = (jumps.nodes - 1) // self.how.run * self.how.run
        noise = self._predict(self.student, jumps.latents, jumps.nodes, jumps.embeds)
        jumped = self._move(jumps.latents, noise, jumps.nodes, ends)
        targets = self._targets(jumps, ends) if jumps.targets is None else jumps.targets
        return (((jumped - targets).square() + HUBER**2).sqrt() - HUBER).mean()

    @torch.no_grad()
    def lead(self, jumps: Jumps, hops: int, ends: Tensor) -> tuple[Tensor, Tensor]:
        """The teacher's guided way of `hops` times, none beyond `ends` (B,): where it comes to, latents and nodes."""
        latents, nodes = jumps.latents, jumps.nodes
        both = torch.cat([jumps.negative.expand_as(jumps.embeds), jumps.embeds])
        for _ in range(hops):
            twice = torch.cat([latents, latents]).to(self.teacher.dtype)
            unguided, guided = self._predict(self.teacher, twice, nodes.repeat(2), both).chunk(2)
            noise = unguided + self.how.guidance_scale * (guided - unguided)
            after = torch.maximum(nodes - 1, ends)
            latents, nodes = self._move(latents, noise, nodes, after), after
        return latents, nodes

    @torch.no_grad()
    def _targets(self, jumps: Jumps, ends: Tensor) -> Tensor:
        """Where the teacher comes to in `hops`, and the average's jump from there to the end of the phase."""
        latents, nodes = self.lead(jumps, self.how.hops, ends)
        if bool((nodes == ends).all()):
            return latents
        jumped = self._move(latents, self._predict(self._averaged, latents, nodes, jumps.embeds), nodes, ends)
        return torch.where((nodes == ends)[:, None, None, None], latents, jumped)

    def _averaged(self, *inputs: Tensor, **named: Tensor) -> Any:
        return functional_call(self.student, self.average(), inputs, named)

    def _predict(self, unet: Callable[..., Any], latents: Tensor, nodes: Tensor, embeds: Tensor) -> Tensor:
        timesteps = self.timesteps.to(nodes.device)[nodes].clamp(min=0)
        return unet(latents, timesteps, encoder_hidden_states=embeds).sample.float()

    def _move(self, latents: Tensor, noise: Tensor, nodes: Tensor, ends: Tensor) -> Tensor:
        """DDIM's step (Song et al., 2021, eq. 12 without noise) of each of the latents between two of the times."""
        clean = (latents - self._of(self.spread, nodes) * noise) / self._of(self.signal, nodes)
        return self._of(self.signal, ends) * clean + self._of(self.spread, ends) * noise

    def _of(self, table: Tensor, nodes: Tensor) -> Tensor:
        return table.to(nodes.device)[nodes][:, None, None, None]


class LowRank(nn.Module):
    """W + B A as a parametrization of a weight of any shape, outputs first (Hu et al., 2021, "LoRA")."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(rank, weight[0].numel(), device=weight.device))
        self.up = nn.Parameter(torch.zeros(len(weight), rank, device=weight.device))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight as it is used."""
        return weight + (self.up @ self.down).view_as(weight)


def add_low_rank(network: nn.Module, rank: int) -> None:
    """Freeze `network` but for new adapters of its linear and convolutional layers, which begin as nothing."""
    network.requires_grad_(False)
    for module in list(network.modules()):
        if isinstance(module, nn.Linear | nn.Conv2d):
            parametrize.register_parametrization(module, "weight", LowRank(module.weight, rank))


def merge_low_rank(network: nn.Module) -> None:
    """Make the adapters part of the weights, whose names are again what they were."""
    for module in list(network.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


@dataclass(frozen=True)
class Drawings:
    """What the teacher draws of captions: latents (N,P+1,c,h,w) in fp16, noise first, then where each phase ends."""

    captions: list[str]
    latents: Tensor


def precompute_drawings(
    distiller: Distiller, text: Teacher, captions: list[str], folder: Path, shape: tuple[int, int, int]
) -> Drawings:
    """Let the teacher draw `captions` from noise of `shape`; kept in `folder` chunk by chunk, where it goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(captions), CHUNK):
        path = folder / f"{start:06d}.pt"
        if not path.exists():
            unfinished = path.with_suffix(".part")
            torch.save(_draw(distiller, text, captions[start : start + CHUNK], start, shape), unfinished)
            unfinished.rename(path)
        parts.append(torch.load(path, weights_only=True))
    return Drawings(captions, torch.cat(parts))


@torch.no_grad()
def _draw(
    distiller: Distiller, text: Teacher, captions: list[str], seed: int, shape: tuple[int, int, int]
) -> Tensor:
    how, unet = distiller.how, distiller.teacher
    fast = torch.cuda.is_bf16_supported() if unet.device.type == "cuda" else has_fast_bfloat16()
    features = text.features([*captions, ""], unet.device).to(unet.dtype)
    generator = torch.Generator().manual_seed(seed)
    ends = [torch.randn((len(captions), *shape), generator=generator).to(unet.device)]
    for phase in reversed(range(how.phases)):
        nodes = torch.full((len(captions),), (phase + 1) * how.run, device=unet.device)
        jumps = Jumps(ends[-1], nodes, features[:-1], features[-1:])
        with torch.autocast(unet.device.type, torch.bfloat16, enabled=fast):
            ends.append(distiller.lead(jumps, how.run, nodes - how.run)[0])
    return torch.stack(ends, dim=1).half().cpu()


class DrawingsTask:
    """Each phase of the teacher's drawings in one jump, their captions read by the text encoder.

    No picture is needed, and nothing is asked of the teacher any more, so that drawings are learned from repeatedly.
    """

    def __init__(self, distiller: Distiller, drawings: Drawings, text: Teacher) -> None:
        self.module: Any = distiller.student
        self.distiller, self.drawings, self.text = distiller, drawings, text

    def batches(self, batch_size: int, first_step: int) -> Iterator[Jumps]:
        """All batches from number `first_step` on."""
        return self.strided_batches(batch_size, first_step, 1)

    def strided_batches(self, batch_size: int, first: int, stride: int) -> Iterator[Jumps]:
        """Batches number `first`, `first + stride`, ..."""
        how, drawn = self.distiller.how, self.drawings
        for number in itertools.count(first, stride):
            rng = random.Random(f"distil {number}")
            picks = [rng.randrange(len(drawn.captions)) for _ in range(batch_size)]
            nodes = self.distiller.draw_nodes(batch_size, rng, first=True)
            done = how.phases - nodes // how.run  # of the phases
            features = self.text.features([drawn.captions[i] for i in picks] + [""], torch.device("cpu"))
            latents, targets = (drawn.latents[picks, done + k].float() for k in (0, 1))
            yield Jumps(latents, nodes, features[:-1], features[-1:], targets)

    def losses(self, batch: Jumps) -> dict[str, Tensor]:
        """The distance to where the teacher came."""
        return {"loss": self.distiller.loss(batch)}
