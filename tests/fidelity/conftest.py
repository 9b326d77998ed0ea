"""Engines of the tiny official files, converted once for all tests of this folder."""

from pathlib import Path

import pytest
import torch
from official_files import Expected, sources

import minigpt5
from minigpt5.checkpoint.convert import convert
from minigpt5.generation.engine import Engine

STAGES = ("stage1", "stage2", "prefix")


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model folder for each stage."""
    folder: Path = tmp_path_factory.mktemp("converted")
    for stage in STAGES:
        convert(sources(stage), folder / stage, dtype=torch.float32)
    return folder


@pytest.fixture(scope="session")
def engines(converted: Path) -> dict[str, Engine]:
    return {stage: minigpt5.load(converted / stage, device="cpu", dtype="float32") for stage in STAGES}


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(stage: str, engines: dict[str, Engine]) -> Engine:
    return engines[stage]


@pytest.fixture
def expected(stage: str) -> Expected:
    return Expected(stage)


@pytest.fixture(scope="session")
def images() -> torch.Tensor:
    return Expected("stage1")["encode_img/images"]
