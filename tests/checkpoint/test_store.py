"""Weights on disk: exact, strict, in small files."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint import store
from minigpt5.checkpoint.store import load_part, load_tokenizer, save_part, save_tokenizer
from minigpt5.errors import CheckpointError
from minigpt5.vokens import control_tokens


def layers() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2))


def test_a_part_comes_back_as_it_was_in_half_precision(tmp_path: Path) -> None:
    saved, loaded = layers(), layers()
    save_part(tmp_path, "mapper", saved)
    load_part(tmp_path, "mapper", loaded)
    assert all(
        torch.equal(b, a.half().float()) for a, b in zip(saved.parameters(), loaded.parameters(), strict=True)
    )
    assert all(
        tensor.dtype == torch.float16 for tensor in load_file(tmp_path / "mapper.safetensors").values()
    )


def test_values_that_half_precision_cannot_hold_stay_whole(tmp_path: Path) -> None:
    saved, loaded = nn.Linear(2, 2), nn.Linear(2, 2)
    saved.bias.data.fill_(1e6)
    save_part(tmp_path, "part", saved)
    load_part(tmp_path, "part", loaded)
    assert loaded.bias.tolist() == [1e6, 1e6]


def test_a_large_part_is_cut_into_numbered_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_FILE_BYTES", 100)
    saved, loaded = layers(), layers()
    save_part(tmp_path, "unet", saved)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) > 1
    assert names[0] == f"unet-1-of-{len(names)}.safetensors"
    load_part(tmp_path, "unet", loaded)
    assert torch.equal(loaded[2].weight, saved[2].weight.half().float())
    (tmp_path / names[0]).unlink()
    with pytest.raises(CheckpointError, match=r"expected .*unet-1-of"):
        load_part(tmp_path, "unet", loaded)


def test_saving_again_leaves_no_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_part(tmp_path, "unet_extra", nn.Linear(1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(store, "MAX_FILE_BYTES", 100)
        save_part(tmp_path, "unet", layers())
    save_part(tmp_path, "unet", layers())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["unet.safetensors", "unet_extra.safetensors"]


def test_a_shared_tensor_is_stored_once(tmp_path: Path) -> None:
    def tied() -> nn.ModuleDict:
        module = nn.ModuleDict({"a": nn.Linear(3, 3, bias=False), "b": nn.Linear(3, 3, bias=False)})
        module["b"].weight = module["a"].weight
        return module

    saved, loaded = tied(), tied()
    save_part(tmp_path, "part", saved)
    load_part(tmp_path, "part", loaded)
    assert len(load_file(tmp_path / "part.safetensors")) == 1
    assert torch.equal(loaded["b"].weight, saved["a"].weight.half().float())


def test_wrong_keys_are_listed_by_kind(tmp_path: Path) -> None:
    save_file(
        {
            "0.weight": torch.zeros(8, 5),
            "extra": torch.zeros(1),
            "1.weight": torch.zeros(8),
            "1.bias": torch.zeros(8),
        },
        tmp_path / "mapper.safetensors",
    )
    with pytest.raises(CheckpointError) as error:
        load_part(tmp_path, "mapper", layers())
    message = str(error.value)
    assert "mapper.safetensors" in message
    assert "3 missing: 0.bias, 2.weight, 2.bias" in message
    assert "1 unexpected: extra" in message
    assert "0.weight (got (8, 5), expected (8, 4))" in message


def test_a_missing_or_damaged_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_part(tmp_path, "vae", layers())
    (tmp_path / "vae.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(CheckpointError, match="damaged"):
        load_part(tmp_path, "vae", layers())


def test_a_tokenizer_comes_back_with_its_ids(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    save_tokenizer(tmp_path, tokenizer)
    loaded = load_tokenizer(tmp_path)
    assert loaded.convert_tokens_to_ids(list(control_tokens())) == tokenizer.convert_tokens_to_ids(
        list(control_tokens())
    )
    assert loaded.encode("Draw it. é", add_special_tokens=False) == tokenizer.encode(
        "Draw it. é", add_special_tokens=False
    )
    assert (loaded.bos_token_id, loaded.eos_token_id) == (1, 2)


def test_a_tokenizer_without_vokens_or_file_is_refused(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast
) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_tokenizer(tmp_path)
    text = tokenizer.backend_tokenizer.to_str().replace("[IMG5]", "[PIC5]")
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"\[IMG5\]"):
        load_tokenizer(tmp_path)
