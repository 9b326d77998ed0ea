"""Distillation: the jumps that are learned are the steps that are drawn with, and the student comes to where the teacher does."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from tiny_model import make_config

from minigpt5.config import FastConfig
from minigpt5.errors import OptionError
from minigpt5.model.diffusion import LatentDiffusion, make_scheduler
from minigpt5.training.distil import (
    Distillation,
    Distiller,
    DrawingsTask,
    Jumps,
    precompute_drawings,
)
from minigpt5.training.optim import WeightAverage
from minigpt5.training.trainer import Schedule, fit

SHAPE = (4, 8, 8)
CAPTIONS = [f"{colour} {animal}" for colour in ("a red", "a blue") for animal in ("cat", "owl", "hen")]
CONFIG = make_config(400)


class Reader:
    """Stands for the text encoder: features (B,77,16) that differ from caption to caption."""

    def features(self, captions: list[str], device: torch.device) -> torch.Tensor:
        rows = [
            torch.randn(77, 16, generator=torch.Generator().manual_seed(len(c) + sum(map(ord, c))))
            for c in captions
        ]
        return torch.stack(rows).to(device)


def make_distiller(**how: float) -> Distiller:
    torch.manual_seed(1)
    teacher = UNet2DConditionModel(**CONFIG.unet)
    return Distiller(
        UNet2DConditionModel(**CONFIG.unet),
        teacher,
        CONFIG.scheduler,
        Distillation(**{"times": 8, "guidance_scale": 2.0, **how}),
    )


def make_jumps(distiller: Distiller, count: int = 4, *, first: bool = True) -> Jumps:
    generator = torch.Generator().manual_seed(5)
    latents, noise = torch.randn((2, count, *SHAPE), generator=generator)
    nodes = distiller.draw_nodes(count, random.Random(3), first=first)
    features = Reader().features(["", *CAPTIONS[:count]], torch.device("cpu"))
    return Jumps(distiller.noisy(latents, noise, nodes), nodes, features[1:], features[:1])


def test_the_steps_that_are_drawn_with_are_the_jumps_that_are_learned():
    distiller = make_distiller()
    diffusion = LatentDiffusion(CONFIG.unet, CONFIG.vae, CONFIG.scheduler, 32, fast=distiller.how.fast)
    diffusion.unet_fast = distiller.student
    noise = torch.randn(1, *SHAPE, generator=torch.Generator().manual_seed(2))
    embeds = Reader().features(CAPTIONS[:1], noise.device)
    *_, drawn = diffusion.denoise(
        embeds, embeds, guidance_scale=1.0, num_inference_steps=4, scheduler="fast", latents=noise
    )
    jumped = noise * distiller.spread[-1]  # Euler's steps begin with what noise is left at the last timestep
    with torch.no_grad():
        for node in (8, 6, 4, 2):
            nodes = torch.tensor([node])
            predicted = distiller._predict(distiller.student, jumped, nodes, embeds)
            jumped = distiller._move(jumped, predicted, nodes, nodes - 2)
    torch.testing.assert_close(drawn, jumped, rtol=1e-3, atol=1e-3)


def test_the_teacher_goes_the_guided_way_of_ddim():
    distiller = make_distiller()
    jumps = make_jumps(distiller, 1)
    start = torch.full_like(jumps.nodes, 8)
    got, nodes = distiller.lead(Jumps(jumps.latents, start, jumps.embeds, jumps.negative), 8, start * 0)
    ddim = DDIMScheduler.from_config(CONFIG.scheduler, timestep_spacing="trailing", set_alpha_to_one=True)
    ddim.set_timesteps(8)
    latents = jumps.latents
    with torch.no_grad():
        for time in ddim.timesteps:
            guided, unguided = (
                distiller.teacher(latents, time, encoder_hidden_states=e).sample
                for e in (jumps.embeds, jumps.negative)
            )
            latents = ddim.step(unguided + 2.0 * (guided - unguided), time, latents).prev_sample
    assert nodes.tolist() == [0]
    torch.testing.assert_close(got, latents, rtol=1e-3, atol=1e-3)


def test_with_all_hops_of_a_phase_the_target_is_where_the_teacher_comes():
    distiller = make_distiller(hops=2)
    jumps = make_jumps(distiller)
    ends = jumps.nodes - 2
    led, _ = distiller.lead(jumps, 2, ends)
    told = Jumps(jumps.latents, jumps.nodes, jumps.embeds, jumps.negative, led)
    torch.testing.assert_close(distiller.loss(jumps), distiller.loss(told))


def test_with_fewer_hops_the_average_of_the_student_goes_the_rest():
    distiller = make_distiller(times=16)
    jumps = make_jumps(distiller)
    average = WeightAverage(distiller.student, 0.9)
    before = distiller.loss(jumps)
    distiller.follow(average)
    torch.testing.assert_close(distiller.loss(jumps), before)
    for weights in average.shadow.values():
        weights.mul_(0.5)
    assert not torch.allclose(distiller.loss(jumps), before)


def test_every_jump_starts_with_a_time_of_its_phase():
    distiller = make_distiller(times=16, last_share=0.5)
    any_time = distiller.draw_nodes(400, random.Random(0), first=False)
    assert set(any_time.tolist()) == set(range(1, 17))
    firsts = distiller.draw_nodes(400, random.Random(0), first=True)
    assert set(firsts.tolist()) == {4, 8, 12, 16}
    assert (firsts == 4).float().mean() > 0.5


def test_drawings_are_kept_and_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setattr("minigpt5.training.distil.CHUNK", 4)
    distiller = make_distiller()
    whole = precompute_drawings(distiller, Reader(), CAPTIONS, tmp_path, SHAPE)
    assert whole.latents.shape == (6, 5, *SHAPE)
    (tmp_path / "000004.pt").unlink()
    again = precompute_drawings(distiller, Reader(), CAPTIONS, tmp_path, SHAPE)
    assert torch.equal(again.latents, whole.latents)


def test_the_student_learns_its_teachers_drawings_and_the_teacher_learns_nothing(tmp_path):
    distiller = make_distiller()
    drawings = precompute_drawings(distiller, Reader(), CAPTIONS, tmp_path / "drawings", SHAPE)
    before = {name: weight.clone() for name, weight in distiller.teacher.state_dict().items()}
    torch.nn.init.zeros_(distiller.student.conv_out.weight)
    task = DrawingsTask(distiller, drawings, Reader())
    batch = next(task.batches(12, 10**6))
    start = distiller.loss(batch).item()
    schedule = Schedule(steps=20, batch_size=4, lr=5e-3, warmup=2, average=0.8)
    fit(task, schedule, tmp_path / "run", precision="no")
    assert distiller.loss(batch).item() < 0.8 * start
    assert all(torch.equal(weight, before[name]) for name, weight in distiller.teacher.state_dict().items())


class EndingTask:
    """Jumps whose targets the running average makes; asked to stop after `ends` batches, by a fault."""

    def __init__(self, ends: int) -> None:
        self.ends = ends
        self.distiller = make_distiller(times=16)
        self.module: Any = self.distiller.student

    def follow(self, average: WeightAverage) -> None:
        self.distiller.follow(average)

    def batches(self, batch_size: int, first_step: int) -> Iterator[Jumps]:
        for _ in range(first_step, self.ends):
            yield make_jumps(self.distiller, batch_size, first=False)
        raise KeyboardInterrupt

    def losses(self, batch: Jumps) -> dict[str, torch.Tensor]:
        return {"loss": self.distiller.loss(batch)}


def test_an_interrupted_run_has_the_targets_of_an_uninterrupted_one(tmp_path):
    schedule = Schedule(steps=4, batch_size=2, lr=1e-2, warmup=0, average=0.5, save_every=2)
    whole, cut, rest = EndingTask(9), EndingTask(2), EndingTask(9)
    fit(whole, schedule, tmp_path / "whole", precision="no")
    with pytest.raises(KeyboardInterrupt):
        fit(cut, schedule, tmp_path / "cut", precision="no")
    fit(rest, schedule, tmp_path / "cut", precision="no")
    expected = whole.module.state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in rest.module.state_dict().items())


@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"times": 10}, "times: got 10"), ({"phases": 0}, "phases: got 0"), ({"hops": 3}, "hops: got 3")],
)
def test_numbers_that_do_not_fit_are_refused(numbers, message):
    with pytest.raises(OptionError, match=message):
        make_distiller(**numbers)


def test_one_phase_draws_with_the_latent_consistency_models_own_scheduler():
    assert Distillation(phases=1).fast == FastConfig("lcm", 4)
    lcm = make_scheduler("lcm", CONFIG.scheduler)
    lcm.set_timesteps(4)
    skip, out = lcm.get_scalings_for_boundary_condition_discrete(lcm.timesteps[-1])
    assert skip < 1e-6
    assert out == pytest.approx(1)
