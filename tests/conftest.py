"""A MiniGPT-5 of the real classes at a tiny size with random weights, and a tiny tokenizer of the real
kind."""

import os

# before torch is imported; the tests share the machine
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from PIL import Image
from tiny_model import make_config, make_tokenizer
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.build import build
from minigpt5.config import ModelConfig
from minigpt5.generation.engine import Engine
from minigpt5.model.minigpt5 import MiniGPT5


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return make_tokenizer()


@pytest.fixture(scope="session")
def config(tokenizer: PreTrainedTokenizerFast) -> ModelConfig:
    return make_config(len(tokenizer))


@pytest.fixture
def model(config: ModelConfig) -> MiniGPT5:
    torch.manual_seed(0)
    return build(config).eval()


@pytest.fixture
def engine(model: MiniGPT5, tokenizer: PreTrainedTokenizerFast, config: ModelConfig) -> Engine:
    return Engine(model, tokenizer, config)


@pytest.fixture
def picture() -> Image.Image:
    return Image.radial_gradient("L").resize((40, 30)).convert("RGB")
