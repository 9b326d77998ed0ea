"""The recipe of the embedded model: where it begins, and where it goes on."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from minigpt5.errors import OptionError
from minigpt5.training.stages import MLS
from minigpt5.training.storybook import STEPS, train_details, train_storybook
from minigpt5.training.storybook_recipes import SHIPPED_RECIPE, STORYBOOK_MLS, WIDE_RECIPE, StorybookRecipe
from minigpt5.training.workshop import Workshop

SHIPPED = Path(__file__).parents[2] / "weights" / "storybook"


def details_of(steps: int) -> StorybookRecipe:
    """The shipped recipe with so many steps of `details`."""
    one = replace(SHIPPED_RECIPE.schedules["details"], steps=steps, batch_size=1, average=None)
    return replace(SHIPPED_RECIPE, schedules={**SHIPPED_RECIPE.schedules, "details": one})


@pytest.mark.parametrize("recipe", [SHIPPED_RECIPE, WIDE_RECIPE])
def test_a_recipe_has_known_steps_in_their_order(recipe):
    assert list(recipe.schedules) == [name for name in STEPS if name in recipe.schedules]


def test_a_step_that_the_recipe_has_not_is_refused(tmp_path):
    with pytest.raises(OptionError, match="got 'distil', expected some of vae, grow"):
        train_storybook(SHIPPED_RECIPE, tmp_path, tmp_path / "out", ["distil"])


@pytest.mark.parametrize("recipe", [SHIPPED_RECIPE, WIDE_RECIPE])
def test_the_eyes_of_a_recipe_have_a_query_for_every_attribute_of_its_world(recipe):
    assert recipe.config.num_query_tokens == len(recipe.world.attributes)


def test_training_goes_on_from_a_model_folder(tmp_path):
    shop = Workshop.open(SHIPPED_RECIPE, tmp_path, SHIPPED)
    for part, module in (("mapper", shop.model.mapper), ("text_encoder", shop.text_encoder)):
        for name, stored in load_file(SHIPPED / f"{part}.safetensors").items():
            torch.testing.assert_close(module.state_dict()[name], stored.float())
    assert shop.config.preview
    assert shop.tokenizer.get_vocab() == Workshop.open(SHIPPED_RECIPE, tmp_path).tokenizer.get_vocab()


@pytest.mark.parametrize("name", ["trainable", "frozen", "lora", "dropped_share", "image_weight"])
def test_the_second_stage_of_the_storybook_trains_what_the_papers_does(name):
    assert getattr(STORYBOOK_MLS, name) == getattr(MLS, name)


def test_the_details_are_held_to_the_latents_from_before_them_also_by_a_run_that_goes_on(tmp_path):
    train_details(Workshop.open(details_of(1), tmp_path, SHIPPED))
    train_details(shop := Workshop.open(details_of(2), tmp_path, SHIPPED))
    assert shop.anchor
    shipped, ours = load_file(SHIPPED / "vae.safetensors"), shop.model.diffusion.vae.state_dict()
    for name, tensor in shop.anchor.state_dict().items():
        torch.testing.assert_close(tensor, shipped[name].float())
    assert any(not torch.equal(ours[name], shipped[name].float()) for name in shipped)
    steps = (tmp_path / "details" / "curve.csv").read_text().splitlines()
    assert steps[0] == "step,seconds,loss,psnr,kl,moved,learning_rate,gradient_norm"
    assert float(steps[1].split(",")[5]) < 1e-3
