"""The benchmark of the full size runs at a reduced size where there is no GPU, and says that it does."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks.device_limits import allocated
from benchmarks.full_size import full_size_config
from benchmarks.gpu_full_size import STORYBOOK, main
from benchmarks.gpu_report import markdown
from benchmarks.random_model import random_engine
from minigpt5.checkpoint.build import build_empty
from minigpt5.checkpoint.memory import memory_plan
from minigpt5.checkpoint.placement import Placement
from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.config import ModelConfig

REDUCED = ["--reduced", "--backend", "eager", "--tokens", "4", "--times", "1", "--steps", "2", "--out"]
CPU = torch.device("cpu")


@pytest.mark.filterwarnings(
    "ignore:.*autograd.function.Function.*:DeprecationWarning"
)  # bitsandbytes, traced
@pytest.mark.filterwarnings(
    "ignore:Dynamo detected a call to a .functools.lru_cache:UserWarning"
)  # diffusers
def test_a_reduced_run_measures_what_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.gpu_full_size.OFFICIAL", ("pndm", 4))
    main([*REDUCED, str(tmp_path), "--modes", "bf16", "4bit"])
    report = json.loads((tmp_path / "figures.json").read_text())
    assert list(report["modes"]) == ["bf16", "4bit"]
    for figures in report["modes"].values():
        assert figures.get("error") is None
        assert figures["words"]["tokens per second"] > 0
        assert figures["words, compiled"]["tokens per second"] > 0
    assert [row["steps"] for row in report["modes"]["bf16"]["pictures"]["rows"]] == [4, 2, 2, 2, 4, 2]
    assert "pictures" not in report["modes"]["4bit"]
    text = (tmp_path / "figures.md").read_text()
    assert text in capsys.readouterr().out
    assert "no measurement of the paper's" in text
    assert (allocated(CPU) is None) == ("A CPU does not tell" in text)


def test_a_mode_that_fails_leaves_its_error_and_the_others_their_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*arguments: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory\nand more")

    monkeypatch.setattr("benchmarks.gpu_full_size.random_engine", no_room)
    main([*REDUCED, str(tmp_path), "--modes", "bf16", "4bit"])
    modes = json.loads((tmp_path / "figures.json").read_text())["modes"]
    assert modes == {mode: {"error": "CUDA out of memory"} for mode in ("bf16", "4bit")}


def test_the_full_size_asks_for_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(SystemExit):
        main([])
    assert "got no CUDA device, expected one, or --reduced" in capsys.readouterr().err


@pytest.mark.parametrize("quantize", [None, "4bit", "8bit"])
def test_a_random_model_is_whole_and_never_ends_by_itself(quantize: str | None) -> None:
    config, tokenizer = ModelConfig.load(STORYBOOK), load_tokenizer(STORYBOOK)
    parts: list[str] = []
    engine = random_engine(config, tokenizer, quantize, Placement(CPU, torch.bfloat16), parts.append)
    model = engine.model
    assert not any(tensor.is_meta for tensor in [*model.parameters(), *model.buffers()])
    assert not model.language.llama.lm_head.weight[tokenizer.eos_token_id].any()
    kinds = {type(layer).__name__ for layer in model.language.llama.model.layers[0].self_attn.children()}
    assert kinds == {{None: "Linear", "4bit": "Linear4bit", "8bit": "Linear8bitLt"}[quantize]}
    plan = memory_plan(build_empty(config), config, torch.bfloat16, quantize, "cpu")
    named = [line.part for line in plan if line.part.startswith(tuple(parts))]
    assert len(named) == len(parts) == len(plan) - 2  # the cache and the work space come later


def test_the_bars_are_judged_by_the_figures() -> None:
    words = {"time to first token": 0.1, "tokens per second": 40.0, "weights read per token, bytes": 4e9}
    memory = {"rows": [{"part": "in all, at the peak", "planned": 10e9, "measured": 10.9e9}]}
    picture = {"how": "+ compiled", "scheduler": "dpmsolver++", "steps": 25, "seconds": 0.6, "flops": 4e13}
    mode = {
        "load": {"seconds": 9.0},
        "memory": memory,
        "words": words,
        "words, compiled": {**words, "tokens per second": 100.0, "compile seconds": 60.0},
        "pictures": {"rows": [picture]},
    }
    facts = {
        "device": "a GPU",
        "torch": "2",
        "reduced": False,
        "bytes per second": 1e12,
        "flops per second": 4e14,
    }
    text = markdown({"facts": facts, "modes": {"4bit": mode}})
    assert "| 4bit: plan <= 10.5 GB | 10.00 GB | yes |" in text
    assert "| 4bit: peak within 10% of it | 10.90 GB | yes |" in text
    assert "| 4bit: >= 35 tokens/s eager | 40.0 | yes |" in text
    assert "| 4bit: >= 2x compiled | 2.50x | yes |" in text
    assert "| a picture of 25 steps <= 0.5 s | 0.60 s | no |" in text
    assert "| + compiled | dpmsolver++ | 25 | 0.600 | 0.100 | 17% |" in text


def test_the_full_size_is_the_papers() -> None:
    config = full_size_config()
    assert (config.language["num_hidden_layers"], config.language["vocab_size"]) == (32, 32009)
    assert (config.image_size, config.context_length, config.num_query_tokens) == (512, 2048, 32)
    assert config.vision["num_hidden_layers"] == 39
