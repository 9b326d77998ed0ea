"""A folder becomes a model that runs, whole or quantized."""

from dataclasses import replace
from pathlib import Path

import bitsandbytes as bnb
import pytest
import torch
from transformers import PreTrainedTokenizerFast

import minigpt5
from minigpt5.checkpoint import placement
from minigpt5.checkpoint.build import build, build_empty, load_model, parts_of, save_model
from minigpt5.checkpoint.memory import memory_plan
from minigpt5.checkpoint.placement import place, place_vision
from minigpt5.config import FastConfig, ModelConfig
from minigpt5.conversation import Conversation
from minigpt5.errors import CheckpointError, OptionError
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.options import GenerationOptions


@pytest.fixture
def folder(tmp_path: Path, model: MiniGPT5, config: ModelConfig, tokenizer: PreTrainedTokenizerFast) -> Path:
    save_model(tmp_path / "tiny", model, config, tokenizer)
    return tmp_path / "tiny"


def test_a_saved_model_loads_with_every_weight(folder: Path, model: MiniGPT5) -> None:
    loaded = load_model(folder, device="cpu", dtype="float32")
    for part, module in parts_of(model).items():
        other = parts_of(loaded.model)[part].state_dict()
        for key, value in module.state_dict().items():
            assert torch.equal(other[key], value.half().float()), f"{part}: {key}"
    assert loaded.facts == {"device": "cpu", "dtype": "float32", "quantization": "none"}
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


def test_a_second_unet_for_few_steps_is_saved_loaded_and_missed(
    tmp_path: Path, config: ModelConfig, tokenizer: PreTrainedTokenizerFast
) -> None:
    config = replace(config, fast=FastConfig("lcm", 2))
    model = build(config)
    save_model(tmp_path, model, config, tokenizer)
    loaded = load_model(tmp_path, device="cpu", dtype="float32")
    assert loaded.config == ModelConfig.load(tmp_path) == config
    own, other = model.diffusion.unet_fast, loaded.model.diffusion.unet_fast
    assert own is not None and other is not None
    assert torch.equal(other.conv_in.weight, own.conv_in.weight.half().float())
    assert not torch.equal(other.conv_in.weight, loaded.model.diffusion.unet.conv_in.weight)
    (tmp_path / "unet_fast.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"unet_fast\.safetensors: got no such file"):
        load_model(tmp_path, device="cpu", dtype="float32")


@pytest.mark.parametrize(("mode", "kind"), [("4bit", bnb.nn.Linear4bit), ("8bit", bnb.nn.Linear8bitLt)])
def test_a_quantized_model_is_smaller_and_answers(
    mode: str, kind: type, folder: Path, model: MiniGPT5
) -> None:
    engine = minigpt5.load(folder, quantize=mode, device="cpu", dtype="float32")  # type: ignore[arg-type]
    language = engine.model.language
    layer = language.llama.model.layers[0].self_attn.q_proj
    whole = model.language.llama.model.layers[0].self_attn.q_proj.weight
    assert isinstance(layer, kind)
    assert layer.weight.element_size() * layer.weight.numel() <= whole.numel()
    assert layer.weight.dtype in (torch.uint8, torch.int8)
    assert type(language.llama.lm_head) is torch.nn.Linear
    reply = engine.reply(
        Conversation().user("Draw."),
        GenerationOptions(seed=0, max_new_tokens=4, num_inference_steps=2, pictures="always"),
    )
    assert len(reply.images) == 1
    assert engine.description["quantization"] == mode


@pytest.mark.parametrize(("mode", "error"), [("8bit", 0.05), ("4bit", 0.4)])
def test_quantization_keeps_the_logits_near(mode: str, error: float, folder: Path) -> None:
    embeds = torch.randn(1, 5, 64, generator=torch.Generator().manual_seed(0))
    states = []
    for quantize in (None, mode):
        language = load_model(folder, quantize=quantize, device="cpu", dtype="float32").model.language  # type: ignore[arg-type]
        with torch.inference_mode():
            states.append(language(embeds)[0])
    assert (states[1] - states[0]).norm() / states[0].norm() < error


def test_automatic_precision_on_a_cpu_follows_its_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "_cpu_flags", lambda: {"avx2", "amx_bf16"})
    assert place("cpu").dtype == torch.bfloat16
    monkeypatch.setattr(placement, "_cpu_flags", lambda: {"avx2"})
    assert place("cpu").dtype == torch.float32


@pytest.mark.parametrize("wrong", [{"quantize": "2bit"}, {"device": "toaster"}, {"dtype": "float8"}])
def test_wrong_choices_are_refused_with_got_and_expected(wrong: dict[str, str], folder: Path) -> None:
    with pytest.raises(OptionError, match=r"got .* expected"):
        load_model(folder, **wrong)  # type: ignore[arg-type]


def test_a_missing_folder_or_part_is_told(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        load_model(folder / "nowhere")
    (folder / "unet.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"unet\.safetensors: got no such file"):
        load_model(folder)


def test_bfloat16_answers_too_and_its_mapper_is_in_float32(folder: Path) -> None:
    engine = minigpt5.load(folder, device="cpu", dtype="bfloat16")
    dtypes = {name: {p.dtype for p in part.parameters()} for name, part in engine.model.named_children()}
    assert dtypes.pop("mapper") == {torch.float32}
    assert set.union(*dtypes.values()) == {torch.bfloat16}
    options = GenerationOptions(seed=0, max_new_tokens=3, num_inference_steps=2, pictures="always")
    assert len(engine.reply(Conversation().user("Draw."), options).images) == 1


@pytest.mark.parametrize("quantize", [None, "8bit"])
def test_nothing_is_held_twice(quantize: str | None, folder: Path, config: ModelConfig) -> None:
    model = load_model(folder, device="cpu", dtype="float32", quantize=quantize).model  # type: ignore[arg-type]
    storages = {p.untyped_storage().data_ptr(): p.untyped_storage().nbytes() for p in model.parameters()}
    lines = memory_plan(build_empty(config), config, torch.float32, quantize, "cpu")
    assert sum(storages.values()) == sum(line.bytes for line in lines if "estimate" not in line.part)
    rows = [p for p in model.parameters() if p.shape[0] == config.language["vocab_size"]]
    assert len(rows) == 2, "embed_tokens and lm_head, once each"


def test_eyes_may_stay_behind_on_another_device(folder: Path) -> None:
    gpu = place("meta", "float16")  # the one other device that every machine has
    assert place_vision(gpu, offload=False) == gpu
    assert place_vision(gpu, offload=True).device == torch.device("cpu")
    assert place_vision(place("cpu", "float16"), offload=True) == place("cpu", "float16")
    model = load_model(folder, device="meta", dtype="float16", offload_vision=True).model
    side = model.vision.vit.config.image_size
    with torch.inference_mode():
        embeds = model.embed(torch.tensor([[1, 7, 2]]), torch.zeros(1, 3, side, side), placeholder_id=7)
    assert {parameter.device.type for parameter in model.vision.parameters()} == {"cpu"}
    assert (embeds.device.type, embeds.dtype) == ("meta", torch.float16)
    assert embeds.shape == (1, 2 + model.vision.query_tokens.shape[1], model.language.width)
