"""A folder becomes a model that runs, whole or quantized."""

from pathlib import Path

import bitsandbytes as bnb
import pytest
import torch
from transformers import PreTrainedTokenizerFast

import minigpt5
from minigpt5.checkpoint import build as building
from minigpt5.checkpoint import store
from minigpt5.checkpoint.build import load_model, parts_of, place, save_model
from minigpt5.checkpoint.store import save_part
from minigpt5.config import ModelConfig
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
    monkeypatch.setattr(building, "_cpu_flags", lambda: {"avx2", "amx_bf16"})
    assert place("cpu").dtype == torch.bfloat16
    monkeypatch.setattr(building, "_cpu_flags", lambda: {"avx2"})
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


def test_bfloat16_answers_too(folder: Path) -> None:
    engine = minigpt5.load(folder, device="cpu", dtype="bfloat16")
    options = GenerationOptions(seed=0, max_new_tokens=3, num_inference_steps=2, pictures="always")
    assert len(engine.reply(Conversation().user("Draw."), options).images) == 1


def test_layers_are_quantized_file_by_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = []
    quantize = building.quantize_language

    def watched(language, mode, placement):
        quantize(language, mode, placement)
        modules = language.llama.model.layers.modules()
        kinds.append([type(module) for module in modules if isinstance(module, torch.nn.Linear)])

    monkeypatch.setattr(store, "MAX_FILE_BYTES", 40_000)
    loaded = load_model(folder, device="cpu", dtype="float32").model
    save_part(folder, "language", loaded.language)
    assert len(list(folder.glob("language-*"))) > 2
    monkeypatch.setattr(building, "quantize_language", watched)
    model = load_model(folder, quantize="8bit", device="cpu", dtype="float32").model
    counts = [row.count(bnb.nn.Linear8bitLt) for row in kinds]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == len(kinds[-1])
    embeds = torch.randn(1, 5, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert (model.language(embeds)[0] - loaded.language(embeds)[0]).norm() < 0.05 * embeds.norm()
