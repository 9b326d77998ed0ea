"""The tiny official files in `tests/data/official`, and the outputs of the official code for them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from minigpt5.checkpoint.convert import Sources
from minigpt5.options import OFFICIAL, GenerationOptions

OFFICIAL_FILES = Path(__file__).parent / "data/official"
TOLERANCE = 1e-4  # of the tensor's own scale


def sources(stage: str, root: Path = OFFICIAL_FILES) -> Sources:
    first = "prefix" if stage == "prefix" else "stage1"
    return Sources(
        llm=root / "vicuna-7b",
        vit=root / "eva_vit_g.pth",
        qformer=root / "blip2_pretrained_flant5xxl.pth",
        minigpt4=root / "prerained_minigpt4_7b.pth",
        diffusion=root / "stable-diffusion-2-1-base",
        stage1=root / first / "checkpoint.ckpt",
        stage2=root / "stage2/checkpoint.ckpt" if stage == "stage2" else None,
    )


class Expected:
    """`expected["case/tensor"]` and `expected.cases["case"]` of one stage."""

    def __init__(self, stage: str) -> None:
        self.cases: dict[str, Any] = json.loads((OFFICIAL_FILES / stage / "expected.json").read_text())
        self._aliases = self.cases.pop("_aliases")
        self._file = safe_open(OFFICIAL_FILES / stage / "expected.safetensors", "pt")
        self._keys = set(self._file.keys())

    def __getitem__(self, name: str) -> Tensor:
        return self._file.get_tensor(self._aliases.get(name, name))

    def __contains__(self, name: str) -> bool:
        return name in self._keys or name in self._aliases

    def generations(self) -> dict[str, Any]:
        return {name: case for name, case in self.cases.items() if name.startswith("gen_")}


def options_of(case: dict[str, Any]) -> GenerationOptions:
    return replace(
        OFFICIAL,
        temperature=0.0 if case["greedy"] else 1.0,
        max_new_tokens=case["max_new_tokens"],
        seed=case["seed"] or 0,
        pictures="always" if case["force_generation"] else "auto",
    )


def difference(got: Tensor, expected: Tensor) -> float:
    """The largest difference relative to the largest expected value."""
    assert got.numel() == expected.numel(), (got.shape, expected.shape)
    got, expected = got.detach().float().flatten(), expected.float().flatten()
    return float((got - expected).abs().max() / expected.abs().max())


def assert_equal(got: Tensor, expected: Tensor) -> None:
    assert difference(got, expected) <= TOLERANCE


def last(values: Any) -> Tensor:
    *_, value = values
    assert isinstance(value, torch.Tensor)
    return value
