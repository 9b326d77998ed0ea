"""The recipe of the embedded model: where it begins."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from minigpt5.training.stages import MLS
from minigpt5.training.storybook import SCHEDULES, STEPS, STORYBOOK_MLS, Workshop

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
