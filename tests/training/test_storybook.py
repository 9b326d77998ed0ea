"""The recipe of the embedded model: where it begins, and where it goes on."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from minigpt5.training.stages import MLS
from minigpt5.training.storybook import SCHEDULES, STEPS, STORYBOOK_MLS, Workshop, train_details

SHIPPED = Path(__file__).parents[2] / "weights" / "storybook"


def test_every_step_has_a_schedule():
    assert set(STEPS) == set(SCHEDULES)


def test_training_goes_on_from_a_model_folder(tmp_path):
    shop = Workshop.open(tmp_path, SHIPPED)
    for part, module in (("mapper", shop.model.mapper), ("text_encoder", shop.text_encoder)):
        for name, stored in load_file(SHIPPED / f"{part}.safetensors").items():
            torch.testing.assert_close(module.state_dict()[name], stored.float())
    assert shop.config.preview
    assert shop.tokenizer.get_vocab() == Workshop.open(tmp_path).tokenizer.get_vocab()


@pytest.mark.parametrize("name", ["trainable", "frozen", "lora", "dropped_share", "image_weight"])
def test_the_second_stage_of_the_storybook_trains_what_the_papers_does(name):
    assert getattr(STORYBOOK_MLS, name) == getattr(MLS, name)


def test_the_details_are_held_to_the_latents_from_before_them_also_by_a_run_that_goes_on(
    tmp_path, monkeypatch
):
    one = replace(SCHEDULES["details"], steps=1, batch_size=1, average=None)
    monkeypatch.setitem(SCHEDULES, "details", one)
    train_details(Workshop.open(tmp_path, SHIPPED))
    monkeypatch.setitem(SCHEDULES, "details", replace(one, steps=2))
    train_details(shop := Workshop.open(tmp_path, SHIPPED))
    assert shop.anchor
    shipped, ours = load_file(SHIPPED / "vae.safetensors"), shop.model.diffusion.vae.state_dict()
    for name, tensor in shop.anchor.state_dict().items():
        torch.testing.assert_close(tensor, shipped[name].float())
    assert any(not torch.equal(ours[name], shipped[name].float()) for name in shipped)
    steps = (tmp_path / "details" / "curve.csv").read_text().splitlines()
    assert steps[0] == "step,seconds,loss,psnr,kl,moved,learning_rate,gradient_norm"
    assert float(steps[1].split(",")[5]) < 1e-3
