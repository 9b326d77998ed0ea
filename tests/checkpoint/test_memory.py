"""How much room a model needs is known, and said, before it is loaded."""

from pathlib import Path

import pytest
import torch
from test_full_size_keys import MODELS, config_of, opened
from transformers import PreTrainedTokenizerFast

from minigpt5.__main__ import main
from minigpt5.checkpoint import build as building
from minigpt5.checkpoint.build import build_empty, load_model, save_model
from minigpt5.checkpoint.memory import PlanLine, memory_plan, verify_fits
from minigpt5.config import ModelConfig
from minigpt5.errors import CheckpointError, OptionError
from minigpt5.model.minigpt5 import MiniGPT5


def test_the_papers_model_fits_the_cards_it_is_meant_for() -> None:
    config = config_of(opened(*MODELS["stage 2"]))
    model = build_empty(config)
    for quantize, limit in (("4bit", 10.5), ("8bit", 13.5), (None, 20.0)):
        lines = memory_plan(model, config, torch.bfloat16, quantize, "cuda")
        total = sum(line.bytes for line in lines) / 1e9
        assert 0.6 * limit < total <= limit, (quantize, total)


def test_the_weights_of_the_plan_are_those_of_the_model(model: MiniGPT5, config: ModelConfig) -> None:
    lines = memory_plan(model, config, torch.float32, None, "cpu")
    weights = sum(line.bytes for line in lines if "estimate" not in line.part)
    assert weights == 4 * sum(parameter.numel() for parameter in model.parameters())


def test_too_little_room_is_refused_with_advice_before_anything_is_loaded(
    tmp_path: Path,
    model: MiniGPT5,
    config: ModelConfig,
    tokenizer: PreTrainedTokenizerFast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_model(tmp_path, model, config, tokenizer)
    monkeypatch.setattr(building, "free_bytes", lambda device: 1000)
    monkeypatch.setattr(building, "load_part", lambda *arguments: pytest.fail("loaded"))
    with pytest.raises(
        OptionError, match=r"got 0\.0 GB free on 'cpu', expected .* try quantize='8bit' or '4bit'"
    ):
        load_model(tmp_path, device="cpu", dtype="float32")


def test_the_advice_never_repeats_what_was_tried() -> None:
    with pytest.raises(OptionError, match="try quantize='4bit'"):
        verify_fits([PlanLine("all", "8bit", 10**9, "cuda")], 10**8, "8bit")
    verify_fits([PlanLine("all", "8bit", 10**9, "mps")], None, "8bit")


def test_the_command_prints_the_plan(
    tmp_path: Path, config: ModelConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    config.save(tmp_path)
    main(["plan", str(tmp_path), "--quantize", "4bit", "--device", "cpu", "--dtype", "float32"])
    printed = capsys.readouterr().out
    assert "LLM: blocks" in printed and "4bit" in printed and "in all" in printed and "free:" in printed


def test_a_model_with_nan_where_vokens_are_is_not_handed_out(
    tmp_path: Path, model: MiniGPT5, config: ModelConfig, tokenizer: PreTrainedTokenizerFast
) -> None:
    model.mapper.queries.data[0, 0, 0] = torch.nan
    save_model(tmp_path, model, config, tokenizer)
    with pytest.raises(CheckpointError, match="got NaN in the queries of the mapper"):
        load_model(tmp_path, device="cpu", dtype="float32")
