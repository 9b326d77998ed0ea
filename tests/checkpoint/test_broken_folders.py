"""A model folder in which something is wrong is refused when it is loaded, in one sentence."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from official_files import sources
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerFast

import minigpt5
from minigpt5.checkpoint import store
from minigpt5.checkpoint.build import save_model
from minigpt5.checkpoint.convert import convert
from minigpt5.checkpoint.manifest import MANIFEST_NAME, write_manifest
from minigpt5.config import ModelConfig
from minigpt5.errors import CheckpointError
from minigpt5.model.minigpt5 import MiniGPT5

PARTS = ("vision", "language", "mapper", "unet", "vae")


@pytest.fixture
def folder(tmp_path: Path, model: MiniGPT5, config: ModelConfig, tokenizer: PreTrainedTokenizerFast) -> Path:
    save_model(tmp_path / "tiny", model, config, tokenizer)
    return tmp_path / "tiny"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


def edit_weights(path: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    write_manifest(path.parent)


def set_nan(tensors: dict[str, torch.Tensor]) -> None:
    tensors["queries"][0, 0, 0] = torch.nan


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no settings": (lambda f: (f / "config.json").unlink(), r"config\.json: got no such file"),
    "settings that are no JSON": (
        lambda f: (f / "config.json").write_text("{"),
        r"config\.json: got text that is not JSON",
    ),
    "settings of another model": (
        lambda f: edit(f / "config.json", lambda text: text.replace('"num_heads": 2', '"num_heads": 4')),
        r"config\.json: got SHA-256 [0-9a-f]{12}, expected [0-9a-f]{12}: it does not belong to these weights",
    ),
    "a tokenizer of another model": (
        lambda f: edit(f / "tokenizer.json", lambda text: text.replace("[IMG0]", "[IMG8]")),
        r"tokenizer\.json: got SHA-256 .* does not belong to these weights",
    ),
    "no manifest": (lambda f: (f / MANIFEST_NAME).unlink(), r"manifest\.json: got no such file, expected"),
    "a damaged manifest": (lambda f: truncate(f / MANIFEST_NAME), r"manifest\.json: got a damaged file"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), r"tokenizer\.json: got No such file"),
    "a part that is missing": (
        lambda f: (f / "unet.safetensors").unlink(),
        r"unet\.safetensors: got no such file, expected the weights",
    ),
    "a part that was cut off": (
        lambda f: truncate(f / "vae.safetensors"),
        r"vae\.safetensors: got \d+ bytes, expected \d+",
    ),
    "a part of another model": (
        lambda f: edit_weights(f / "mapper.safetensors", lambda t: t.update(queries=torch.zeros(1, 77, 8))),
        r"mapper\.safetensors: got \d+ tensors, .* 1 misshapen: queries \(got \(1, 77, 8\)",
    ),
    "a key that is missing": (
        lambda f: edit_weights(f / "vision.safetensors", lambda t: t.pop("query_tokens")),
        r"vision\.safetensors: got .* 1 missing: query_tokens",
    ),
    "numbers that are none": (
        lambda f: edit_weights(f / "mapper.safetensors", set_nan),
        r"mapper\.safetensors: got NaN or infinite numbers in queries, expected finite ones",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_folder_is_refused_in_one_sentence(kind: str, folder: Path) -> None:
    breaking, message = BROKEN[kind]
    breaking(folder)
    with pytest.raises(CheckpointError, match=message) as error:
        minigpt5.load(folder, device="cpu", dtype="float32")
    assert "\n" not in str(error.value)
    assert " got " in str(error.value) and "expected" in str(error.value)


def test_half_an_adapter_is_refused(tmp_path: Path) -> None:
    convert(sources("stage2"), tmp_path / "model")
    path = tmp_path / "model/lora.safetensors"
    tensors = load_file(path)
    tensors.pop("llama.model.layers.1.self_attn.v_proj.lora_B.weight")
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match=r"lora\.safetensors: got \d+ bytes"):
        minigpt5.load(tmp_path / "model", device="cpu")
    write_manifest(tmp_path / "model")
    with pytest.raises(CheckpointError, match=r"lora\.safetensors: got .*lora_A.* without its lora_B"):
        minigpt5.load(tmp_path / "model", device="cpu")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", MANIFEST_NAME])
def test_settings_that_may_not_be_read_are_told(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CheckpointError, match=rf"{re.escape(name)}: got Permission denied, expected"):
        minigpt5.load(folder, device="cpu", dtype="float32")


def test_a_file_that_may_not_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, framework: str) -> None:
        raise PermissionError(13, f"Permission denied: {path}")

    monkeypatch.setattr(store, "safe_open", refuse)
    with pytest.raises(CheckpointError, match=r"language\.safetensors: got .*Permission denied"):
        minigpt5.load(folder, device="cpu", dtype="float32")


def test_the_manifest_is_of_what_was_written(folder: Path, config: ModelConfig) -> None:
    values = json.loads((folder / MANIFEST_NAME).read_text())
    assert set(values["sha256"]) == {"config.json", "tokenizer.json"}
    assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in values["sha256"].values())
    assert set(values["bytes"]) == {f"{part}.safetensors" for part in PARTS}
    assert minigpt5.load(folder, device="cpu", dtype="float32").name == config.name
