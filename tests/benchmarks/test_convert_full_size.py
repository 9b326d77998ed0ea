"""What the benchmark of the conversion is made of, on small files."""

from pathlib import Path

import torch
from official_files import sources

from benchmarks.convert_full_size import convert_measured
from benchmarks.full_size_files import _add_pieces, _make_pickle
from minigpt5.checkpoint.vicuna_tokenizer import convert_tokenizer


def test_a_conversion_is_watched_from_outside(tmp_path: Path) -> None:
    peaks, seconds = convert_measured(sources("stage2"), tmp_path / "made")
    assert (tmp_path / "made/config.json").is_file()
    assert seconds > 0
    assert 0 < peaks.own < peaks.resident
    assert 0 < peaks.mapped < peaks.resident


def test_a_pickle_reserved_first_and_filled_then_is_one_of_torchs(tmp_path: Path) -> None:
    shapes = {"a": (3, 4), "b": (50, 70), "x.position_ids": (1, 7)}
    _make_pickle(tmp_path / "made.ckpt", shapes, torch.float16, lambda tensors: {"state_dict": tensors})
    values = torch.load(tmp_path / "made.ckpt", weights_only=True)["state_dict"]
    assert {key: tuple(value.shape) for key, value in values.items()} == shapes
    assert values["a"].dtype == torch.float16 and values["x.position_ids"].dtype == torch.int64
    assert 0.01 < float(values["b"].float().std()) < 0.03


def test_a_tokenizer_grows_to_vicunas_size(tmp_path: Path) -> None:
    folder = sources("stage1").llm
    (tmp_path / "tokenizer.model").write_bytes((folder / "tokenizer.model").read_bytes())
    _add_pieces(tmp_path / "tokenizer.model", 32000)
    tokenizer = convert_tokenizer(tmp_path)
    assert len(tokenizer) == 32009
    assert tokenizer.encode("a rabbit") == convert_tokenizer(folder).encode("a rabbit")
