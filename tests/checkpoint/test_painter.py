"""Another painter under the same vokens, in the layout in which diffusers saves one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    TCDScheduler,
    UNet2DConditionModel,
)
from transformers import PreTrainedTokenizerFast

import minigpt5
from minigpt5 import Conversation, GenerationOptions
from minigpt5.checkpoint.build import load_model, save_model
from minigpt5.checkpoint.painter import with_painter
from minigpt5.config import FastConfig, ModelConfig
from minigpt5.errors import CheckpointError
from minigpt5.model.minigpt5 import MiniGPT5

TRAILING = EulerDiscreteScheduler(timestep_spacing="trailing", beta_start=0.00085, beta_end=0.012)


@pytest.fixture
def model_folder(
    tmp_path: Path, model: MiniGPT5, config: ModelConfig, tokenizer: PreTrainedTokenizerFast
) -> Path:
    save_model(tmp_path / "model", model, config, tokenizer)
    return tmp_path / "model"


@pytest.fixture
def painter(tmp_path: Path, config: ModelConfig) -> Path:
    """One of few steps; its pictures are twice as large as the model's own."""
    torch.manual_seed(9)
    folder = tmp_path / "turbo"
    UNet2DConditionModel(**{**config.unet, "sample_size": 16}).save_pretrained(folder / "unet")
    AutoencoderKL(**config.vae).save_pretrained(folder / "vae")
    TRAILING.save_pretrained(folder / "scheduler")
    return folder


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_it_draws_in_its_few_steps_and_its_own_size(model_folder: Path, painter: Path) -> None:
    engine = minigpt5.load(model_folder, device="cpu", dtype="float32", painter=painter)
    own = UNet2DConditionModel.from_pretrained(painter / "unet").state_dict()
    loaded = engine.model.diffusion.unet.state_dict()
    assert all(torch.equal(loaded[name], weight) for name, weight in own.items())
    assert engine.description["painter"] == "turbo"
    assert engine.config.fast == FastConfig("euler-trailing", 4, own_unet=False)
    options = GenerationOptions(scheduler="fast", seed=1, max_new_tokens=4, pictures="always")
    assert engine.reply(Conversation().user("Draw."), options).images[0].size == (64, 64)


def test_without_a_vae_of_its_own_it_takes_the_models(model_folder: Path, painter: Path) -> None:
    for path in (painter / "vae").iterdir():
        path.unlink()
    (painter / "vae").rmdir()
    loaded = load_model(model_folder, device="cpu", dtype="float32", painter=painter).model
    plain = load_model(model_folder, device="cpu", dtype="float32").model
    assert torch.equal(
        loaded.diffusion.vae.decoder.conv_in.weight, plain.diffusion.vae.decoder.conv_in.weight
    )


@pytest.mark.parametrize(
    ("scheduler", "fast"),
    [
        (DDIMScheduler(), None),
        (LCMScheduler(), FastConfig("lcm", 4, own_unet=False)),
        (TCDScheduler(), FastConfig("tcd", 4, own_unet=False)),
        (TRAILING, FastConfig("euler-trailing", 4, own_unet=False)),
    ],
)
def test_its_scheduler_says_whether_it_is_one_of_few_steps(
    scheduler: Any, fast: FastConfig | None, painter: Path, config: ModelConfig
) -> None:
    scheduler.save_pretrained(painter / "scheduler")
    assert with_painter(replace(config, fast=FastConfig()), painter).fast == fast


@pytest.mark.parametrize(
    ("path", "values", "why"),
    [
        (
            "unet/config.json",
            {"cross_attention_dim": 24},
            "got conditioning 24 wide, expected 16 as the mapper's",
        ),
        ("unet/config.json", {"in_channels": 9}, "got latents of 9 channels, expected 4 as the VAE's"),
        ("unet/config.json", {"block_out_channels": [8, 24]}, "misshapen"),
        ("scheduler/scheduler_config.json", {"prediction_type": "v_prediction"}, "predicts 'v_prediction'"),
    ],
)
def test_a_painter_that_does_not_fit_is_refused_in_a_sentence(
    path: str, values: dict[str, Any], why: str, model_folder: Path, painter: Path
) -> None:
    edit(painter / path, **values)
    with pytest.raises(CheckpointError, match=why):
        load_model(model_folder, device="cpu", dtype="float32", painter=painter)


def test_a_folder_that_is_no_painter_is_refused(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"unet/config\.json: got no such file"):
        load_model(model_folder, device="cpu", dtype="float32", painter=tmp_path / "nothing")
