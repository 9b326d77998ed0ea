"""The paper's model at its real size, as numbers alone: the official keys with their shapes, and the settings.

The shapes are those of `tests/data/official/full_size_keys.json`, which the official constructors gave; the
settings are those in the `config.json` of Vicuna-7B and of Stable Diffusion 2.1-base.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from minigpt5.checkpoint import convert
from minigpt5.checkpoint.official_config import Settings, official_config
from minigpt5.checkpoint.weight_files import Entries, Entry
from minigpt5.config import ModelConfig

Shape = tuple[int, ...]

OFFICIAL_FILES = Path(__file__).parents[1] / "tests/data/official"  # the same files at a tiny size
VOCABULARY = 32000  # of Vicuna, before the nine new tokens
VICUNA = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-6,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
UNET = {
    "sample_size": 64,
    "cross_attention_dim": 1024,
    "attention_head_dim": [5, 10, 20, 20],
    "block_out_channels": [320, 640, 1280, 1280],
    "use_linear_projection": True,
}
VAE = {
    "latent_channels": 4,
    "sample_size": 768,
    "layers_per_block": 2,
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}
SCHEDULER = OFFICIAL_FILES / "stable-diffusion-2-1-base/scheduler/scheduler_config.json"
# our files: table of keys, what precedes the keys in it, table of names
FILES = {
    "vit": ("eva_vit_g", "", convert.VIT),
    "qformer": ("blip2_qformer", "", convert.QFORMER),
    "minigpt4": ("minigpt4", "", convert.MINIGPT4),
    "llm": ("llm", "", convert.LLM),
    "unet": ("stage1_full_model", "unet.", convert.UNET),
    "vae": ("stage1_full_model", "vae.", convert.VAE),
    "text_encoder": ("stage1_full_model", "sd_text_encoder.", convert.TEXT_ENCODER),
    "stage1": ("stage1_checkpoint", "", convert.STAGE1),
    "stage2": ("stage2_checkpoint", "", convert.STAGE2),
}


def official_shapes(file: str) -> dict[str, Shape]:
    """The shape of every tensor of one of `FILES`, by its official key."""
    table, prefix, _ = FILES[file]
    rows = json.loads((OFFICIAL_FILES / "full_size_keys.json").read_text())[table]
    return {key.removeprefix(prefix): shape for key, shape in _expanded(rows) if key.startswith(prefix)}


def full_size_config() -> ModelConfig:
    """The configuration that a conversion of the official files of both stages writes."""
    settings = Settings(
        Path("vicuna"),
        VICUNA,
        UNET,
        VAE,
        json.loads(SCHEDULER.read_text()),
        {},
        vit_heads=None,
        qformer_heads=None,
    )
    sources = [convert.Source(Path(file), names, _entries(file)) for file, (_, _, names) in FILES.items()]
    planned = convert.plan(sources)
    return official_config("full size", {name: item.entry.shape for name, item in planned.items()}, settings)


def _entries(file: str) -> Entries:
    return {
        key: Entry(Path(file), key, shape, torch.float16, lambda: torch.zeros(0))
        for key, shape in official_shapes(file).items()
        if not key.endswith(
            (".q_bias", ".v_bias")
        )  # joined to one before the names are looked up, and of no effect
    }


def _expanded(rows: list[list[Any]]) -> Iterator[tuple[str, Shape]]:
    """A row is a key, a shape, and the range of the layer's number in it."""
    for key, shape, numbers in rows:
        for number in range(*numbers) if numbers else [0]:
            yield key.replace("{n}", str(number)), tuple(shape)
