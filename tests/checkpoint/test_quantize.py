"""Layers in 4 and 8 bits: as bitsandbytes makes them, stored in a folder of their own, and read layer by layer."""

import gc
import json
import stat
from pathlib import Path
from typing import Any

import bitsandbytes as bnb
import pytest
import torch
from bitsandbytes import functional
from safetensors.torch import load_file, save_file

import minigpt5
from minigpt5.__main__ import main
from minigpt5.checkpoint import quantized_folder, quantized_part
from minigpt5.checkpoint.build import LORA, load_model, save_model
from minigpt5.checkpoint.manifest import MANIFEST_NAME, write_manifest
from minigpt5.checkpoint.placement import Placement, place
from minigpt5.checkpoint.quantize import (
    Quantization,
    arrange_for_cpu,
    block_layers,
    dequantized,
    kernel_order,
    quantize_nf4,
    stored_quantization,
)
from minigpt5.checkpoint.quantized_folder import quantize_folder
from minigpt5.conversation import Conversation
from minigpt5.errors import CheckpointError, OptionError
from minigpt5.options import GenerationOptions

MODES: tuple[Quantization, ...] = ("4bit", "8bit")
CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture
def folder(tmp_path: Path, model: Any, config: Any, tokenizer: Any) -> Path:
    save_model(tmp_path / "tiny", model, config, tokenizer)
    return tmp_path / "tiny"


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> Quantization:
    return request.param


def with_lora(folder: Path) -> Path:
    generator = torch.Generator().manual_seed(0)
    name = "llama.model.layers.0.self_attn.q_proj"
    down, up = torch.randn(2, 64, generator=generator), torch.randn(64, 2, generator=generator)
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, folder / f"{LORA}.safetensors")
    write_manifest(folder)
    return folder


def states(folder: Path, quantize: Quantization | None = None) -> torch.Tensor:
    embeds = torch.randn(1, 5, 64, generator=torch.Generator().manual_seed(0))
    language = load_model(folder, quantize=quantize, device="cpu", dtype="float32").model.language
    with torch.inference_mode():
        return language(embeds)[0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_nf4_is_that_of_bitsandbytes_to_the_bit(dtype: torch.dtype) -> None:
    weight = torch.randn(96, 192, generator=torch.Generator().manual_seed(0)).mul(0.02).to(dtype)
    weight[0, :64] = 0  # a block without a scale
    ours, state = quantize_nf4(weight)
    theirs, expected = functional.quantize_4bit(weight, compress_statistics=True, quant_type="nf4")
    assert torch.equal(ours, theirs)
    for got, wanted in ((state, expected), (state.state2, expected.state2)):
        assert torch.equal(got.absmax, wanted.absmax)
        assert torch.equal(got.code, wanted.code)
    assert torch.equal(state.offset, expected.offset)
    packed, _ = functional._convert_weight_packed_for_cpu(theirs, expected)
    assert torch.equal(kernel_order(ours, 96), packed)


@pytest.mark.skipif(not functional.has_avx512bf16(), reason="the kernel needs AVX-512 bf16")
def test_layers_in_the_order_of_the_kernel_are_those_of_bitsandbytes(folder: Path) -> None:
    language = load_model(folder, quantize="4bit", device="cpu", dtype="bfloat16").model.language
    layer = language.llama.model.layers[0].mlp.up_proj
    inputs = torch.randn(1, 5, 64, generator=torch.Generator().manual_seed(0)).bfloat16()
    with torch.inference_mode():
        plain = layer(inputs)
        assert not getattr(layer.weight.quant_state, "packing_format_for_cpu", False)
        theirs = bnb.nn.Linear4bit(64, 64, False, torch.bfloat16, quant_type="nf4").eval()
        weight = (
            load_model(folder, device="cpu", dtype="float32")
            .model.language.llama.model.layers[0]
            .mlp.up_proj.weight
        )
        theirs.weight = bnb.nn.Params4bit(
            weight.data.half(), requires_grad=False, quant_type="nf4", module=theirs
        )
        theirs = theirs.to("cpu")
        arrange_for_cpu(language, place("cpu", "bfloat16"))
        assert layer.weight.quant_state.packing_format_for_cpu
        assert torch.equal(layer(inputs), theirs(inputs))
        assert (layer(inputs) - plain).norm() < 0.02 * plain.norm()


def test_a_gradient_passes_through_layers_that_are_loaded_for_training(folder: Path) -> None:
    language = load_model(folder, quantize="4bit", device="cpu", dtype="float32").model.language
    embeds = torch.randn(1, 5, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        language(embeds)  # a picture for the curve, in between
    embeds = embeds.clone().requires_grad_()
    language(embeds)[0].sum().backward()
    assert embeds.grad is not None and embeds.grad.abs().sum() > 0


@pytest.mark.parametrize("adapters", [False, True], ids=["plain", "with LoRA"])
def test_a_quantized_folder_answers_as_quantizing_at_load(
    adapters: bool, mode: Quantization, folder: Path, tmp_path: Path
) -> None:
    source = with_lora(folder) if adapters else folder
    out = tmp_path / "small"
    quantize_folder(source, out, mode)
    assert stored_quantization(out) == mode
    assert json.loads((out / MANIFEST_NAME).read_text())["quantization"] == mode
    assert torch.equal(states(out), states(source, mode))
    options = GenerationOptions(seed=3, max_new_tokens=6, num_inference_steps=2, pictures="always")
    chat = Conversation().user("Draw a blue rabbit.")
    replies = []
    for path, quantize in ((source, mode), (out, None)):
        engine = minigpt5.load(path, quantize=quantize, device="cpu")
        assert engine.description["quantization"] == mode
        replies.append(engine.reply(chat, options))
    assert replies[0].message.text == replies[1].message.text
    assert [image.tobytes() for image in replies[0].images] == [
        image.tobytes() for image in replies[1].images
    ]


def test_the_command_makes_a_folder_that_stands_alone(folder: Path, tmp_path: Path, capsys: Any) -> None:
    expected = states(folder, "4bit")
    main(["quantize", str(folder), "--out", str(tmp_path / "small")])
    assert "done" in capsys.readouterr().out
    for path in folder.iterdir():
        path.unlink()
    assert torch.equal(states(tmp_path / "small"), expected)
    main(["plan", str(tmp_path / "small"), "--device", "cpu"])
    assert "4bit" in capsys.readouterr().out


def test_files_in_bitsandbytes_own_layout(mode: Quantization, folder: Path, tmp_path: Path) -> None:
    quantize_folder(folder, tmp_path / "small", mode)
    tensors = load_file(tmp_path / "small/language.safetensors")
    name = "llama.model.layers.0.self_attn.q_proj."
    stored = {key.removeprefix(name): value for key, value in tensors.items() if key.startswith(name)}
    layer = load_model(folder, quantize=mode, device="cpu", dtype="float32").model.language.get_submodule(
        name[:-1]
    )
    expected = layer.state_dict()
    assert stored.keys() == expected.keys()
    assert all(torch.equal(stored[key], expected[key]) for key in stored if "quant_state" not in key)


def test_a_folder_in_many_files_is_the_same(
    mode: Quantization, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantized_folder, "SHARD_BYTES", 5000)
    quantize_folder(folder, tmp_path / "small", mode)
    assert len(list((tmp_path / "small").glob("language-*-of-*.safetensors"))) > 3
    assert not list((tmp_path / "small").glob(".*"))
    assert torch.equal(states(tmp_path / "small"), states(folder, mode))


def test_adapters_on_a_quantized_folder_are_merged(mode: Quantization, folder: Path, tmp_path: Path) -> None:
    quantize_folder(folder, tmp_path / "small", mode)
    name = "llama.model.layers.0.self_attn.q_proj"
    layers = [
        load_model(with_lora(path), device="cpu", dtype="float32").model.language.get_submodule(name)
        for path in (folder, tmp_path / "small")
    ]
    whole, merged = layers[0].weight, dequantized(layers[1])
    assert (merged - whole).norm() < {"4bit": 0.15, "8bit": 0.02}[mode] * whole.norm()


def test_no_more_than_one_layer_is_held_whole(
    mode: Quantization, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    quantized = quantized_part.quantized

    def watched(weight: torch.Tensor, *others: Any) -> Any:
        gc.collect()
        tensors = [item for item in gc.get_objects() if type(item) is torch.Tensor and not item.is_meta]
        stored = [item for item in tensors if item.dtype == torch.float16 and item.shape == weight.shape]
        held.append(len({item.untyped_storage().data_ptr() for item in stored}))
        return quantized(weight, *others)

    monkeypatch.setattr(quantized_part, "quantized", watched)
    language = load_model(folder, quantize=mode, device="cpu", dtype="float32").model.language
    assert len(held) == len(block_layers(language)) == 14
    assert max(held) <= 2  # the one that is mapped, and its copy


def test_progress_is_told_up_to_the_end(folder: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    minigpt5.load(folder, device="cpu", progress=lambda *values: told.append(values))
    quantize_folder(folder, tmp_path / "small", "4bit", progress=lambda *values: told.append(values))
    for what in ("loading", "quantizing"):
        counts = [(done, total) for done, total, name in told if name == what]
        assert counts == sorted(counts)
        assert counts[-1][0] == counts[-1][1] > 0
        assert len(counts) > 10


def test_wrong_wishes_are_refused(folder: Path, tmp_path: Path) -> None:
    quantize_folder(folder, tmp_path / "small", "4bit")
    with pytest.raises(OptionError, match="got '8bit', expected None or '4bit'"):
        load_model(tmp_path / "small", quantize="8bit")
    with pytest.raises(CheckpointError, match="got a model stored in 4bit, expected a whole one"):
        quantize_folder(tmp_path / "small", tmp_path / "smaller", "8bit")
    with pytest.raises(CheckpointError, match="already there"):
        quantize_folder(folder, tmp_path / "small", "4bit")


def test_a_damaged_quantized_folder_is_refused(mode: Quantization, folder: Path, tmp_path: Path) -> None:
    quantize_folder(folder, tmp_path / "small", mode)
    path = tmp_path / "small/language.safetensors"
    tensors = load_file(path)
    lost = next(key for key in tensors if key.endswith(("weight.absmax", ".SCB")))
    save_file({key: value for key, value in tensors.items() if key != lost}, path)
    write_manifest(tmp_path / "small")
    with pytest.raises(CheckpointError, match="1 missing: "):
        load_model(tmp_path / "small", device="cpu")


def test_others_may_read_what_is_written(folder: Path, tmp_path: Path) -> None:
    quantize_folder(folder, tmp_path / "small", "8bit")
    (tmp_path / "ordinary").touch()
    expected = stat.S_IMODE((tmp_path / "ordinary").stat().st_mode)
    for path in [*folder.iterdir(), *(tmp_path / "small").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == expected, path
