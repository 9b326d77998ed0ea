"""How much room a model needs is known, and said, before it is loaded."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_full_size_keys import MODELS, config_of, opened
from transformers import PreTrainedTokenizerFast

from minigpt5.__main__ import main
from minigpt5.checkpoint import build as building
from minigpt5.checkpoint import memory
from minigpt5.checkpoint.build import build_empty, load_model, save_model
from minigpt5.checkpoint.memory import VISION, PlanLine, fastest, memory_plan, table, verify_fits
from minigpt5.checkpoint.placement import Placement
from minigpt5.config import FastConfig, ModelConfig
from minigpt5.errors import OptionError
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


def test_the_unet_of_the_few_steps_is_counted(config: ModelConfig) -> None:
    plain, fast = build_empty(config), build_empty(replace(config, fast=FastConfig()))
    lines = {line.part: line.bytes for line in memory_plan(fast, config, torch.float32, None, "cpu")}
    assert lines["brush: UNet of the few steps"] == lines["brush: UNet"]
    assert len(lines) == len(memory_plan(plain, config, torch.float32, None, "cpu")) + 1


@pytest.mark.parametrize(
    ("kernel", "room", "device", "expected"),
    [
        (True, 100e9, "cpu", "--quantize 4bit"),
        (False, 100e9, "cpu", "without --quantize"),
        (False, 14e9, "cpu", "--quantize 8bit"),
        (True, 100e9, "meta", "without --quantize"),
        (True, 12e9, "meta", "--quantize 4bit"),
        (True, 5e9, "cpu", "nothing fits"),
    ],
)
def test_the_fastest_mode_that_fits_is_recommended(
    kernel: bool, room: float, device: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "has_cpu_kernel", lambda: kernel)
    monkeypatch.setattr(memory, "free_bytes", lambda device: room)
    config = config_of(opened(*MODELS["stage 2"]))
    placement = Placement(torch.device(device), torch.bfloat16)
    assert expected in fastest(build_empty(config), config, placement)


def test_a_small_llm_is_fastest_as_it_is(config: ModelConfig) -> None:
    told = fastest(build_empty(config), config, Placement(torch.device("cpu"), torch.float32))
    assert told == "fastest of what fits: without --quantize"


def test_too_little_room_is_refused_with_advice_before_anything_is_loaded(
    tmp_path: Path,
    model: MiniGPT5,
    config: ModelConfig,
    tokenizer: PreTrainedTokenizerFast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_model(tmp_path, model, config, tokenizer)
    monkeypatch.setattr(building, "free_on", lambda lines: {"cpu": 1000})
    monkeypatch.setattr(building, "load_part", lambda *arguments: pytest.fail("loaded"))
    told: list[str] = []
    with pytest.raises(
        OptionError, match=r"got 0\.0 GB free on 'cpu', expected .* try quantize='8bit' or '4bit'"
    ):
        load_model(tmp_path, device="cpu", dtype="float32", report=told.append)
    assert len(told) == 1 and "mapper" in told[0] and "(free: 0.00 GB)" in told[0]


def test_the_advice_never_repeats_what_was_tried() -> None:
    with pytest.raises(OptionError, match=r"on 'cuda', .* try quantize='4bit'$"):
        verify_fits([PlanLine("all", "8bit", 10**9, "cuda")], {"cuda": 10**8}, "8bit")
    eyes = PlanLine(VISION, "bfloat16", 2 * 10**9, "cuda")
    with pytest.raises(OptionError, match=r"try offload_vision=True \(2\.0 GB less\)$"):
        verify_fits([eyes], {"cuda": 10**8}, "4bit")
    with pytest.raises(OptionError, match=r"on 'cpu', .* try a smaller dtype or another device"):
        verify_fits([replace(eyes, device="cpu")], {"cuda": 10**8, "cpu": 10**8}, "4bit")
    verify_fits([PlanLine("all", "8bit", 10**9, "mps")], {"mps": None}, "8bit")


def test_offloaded_eyes_are_counted_on_the_cpu_and_the_mapper_in_float32() -> None:
    config = config_of(opened(*MODELS["stage 2"]))
    model = build_empty(config)
    whole, less = (
        memory_plan(model, config, torch.bfloat16, "4bit", "cuda", vision)
        for vision in (None, Placement(torch.device("cpu"), torch.float32))
    )
    eyes = next(line for line in less if line.part == VISION)
    assert (eyes.device, eyes.dtype) == ("cpu", "float32")
    assert eyes.bytes == 4 * sum(parameter.numel() for parameter in model.vision.parameters())
    assert sum(line.bytes for line in less if line.device == "cuda") == sum(
        line.bytes for line in whole if line.part != VISION
    )
    assert [line.dtype for line in whole if line.part == "mapper"] == ["float32"]
    assert table(less, {"cuda": 12 * 10**9, "cpu": None}).count("in all") == 2


def test_the_command_prints_the_plan(
    tmp_path: Path, config: ModelConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    config.save(tmp_path)
    main(["plan", str(tmp_path), "--quantize", "4bit", "--device", "cpu", "--dtype", "float32"])
    printed = capsys.readouterr().out
    assert "LLM: blocks" in printed and "4bit" in printed and "in all" in printed and "free:" in printed
