"""What a model needs before any of it is loaded: one line a part, and whether the device has room for them.

Weights are counted exactly, from the sizes of the model on the meta device. Two lines are estimates: the cache
of keys and values for a full context, and the work space of one picture, which is the decoder's at full size.
What the driver and the allocator take for themselves is not in it.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from minigpt5.config import ModelConfig
from minigpt5.errors import OptionError
from minigpt5.model.minigpt5 import MiniGPT5

# bytes a number, its share of the scales included: NF4 in blocks of 64 with double quantization; one scale a row
QUANTIZED_BYTES = {"4bit": 0.5 + (1 + 4 / 256) / 64, "8bit": 1.0}
WORK_TENSORS = 4  # the decoder's largest tensors that live at one time
ADVICE = {
    None: "quantize='8bit' or '4bit'",
    "8bit": "quantize='4bit'",
    "4bit": "a smaller dtype or another device",
}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One part of the plan; `device` is where it lies."""

    part: str
    dtype: str
    bytes: int
    device: str


def memory_plan(
    model: MiniGPT5, config: ModelConfig, dtype: torch.dtype, quantize: str | None, device: str
) -> list[PlanLine]:
    """The lines for `model` (which may be empty) in `dtype`, the LLM's blocks in `quantize`."""
    name = str(dtype).removeprefix("torch.")
    blocks = sum(
        module.weight.numel()
        for module in model.language.llama.model.layers.modules()
        if isinstance(module, nn.Linear)
    )
    around = _numbers(model.language) - blocks
    block_bytes = QUANTIZED_BYTES.get(quantize or "", dtype.itemsize)
    parts = {
        "eyes: ViT, Q-Former, projection": (name, _numbers(model.vision) * dtype.itemsize),
        "LLM: blocks": (quantize or name, blocks * block_bytes),
        "LLM: embeddings, output layer, norms": (name, around * dtype.itemsize),
        "mapper": (name, _numbers(model.mapper) * dtype.itemsize),
        "brush: UNet": (name, _numbers(model.diffusion.unet) * dtype.itemsize),
        "brush: VAE": (name, _numbers(model.diffusion.vae) * dtype.itemsize),
        "cache of a full context (estimate)": (name, _cache_numbers(config) * dtype.itemsize),
        "work space of a picture (estimate)": (name, _work_numbers(config) * dtype.itemsize),
    }
    return [PlanLine(part, kind, round(size), device) for part, (kind, size) in parts.items()]


def free_bytes(device: torch.device) -> int | None:
    """What is free on `device`, None where nobody tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return None
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), None)


def verify_fits(lines: list[PlanLine], free: int | None, quantize: str | None) -> None:
    """Raise `OptionError` with advice when the plan needs more than is free."""
    needed = sum(line.bytes for line in lines)
    if free is not None and needed > free:
        raise OptionError(
            f"device: got {free / 1e9:.1f} GB free on {lines[0].device!r}, expected {needed / 1e9:.1f} GB for this"
            f" model; try {ADVICE[quantize]}"
        )


def table(lines: list[PlanLine], free: int | None) -> str:
    """The plan for people, one line a part and the sum."""
    rows = [f"{line.part:40} {line.dtype:10} {line.bytes / 1e9:8.2f} GB  {line.device}" for line in lines]
    total = sum(line.bytes for line in lines) / 1e9
    known = "unknown" if free is None else f"{free / 1e9:.2f} GB"
    return "\n".join([*rows, f"{'in all':40} {'':10} {total:8.2f} GB  (free: {known})"])


def _numbers(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _cache_numbers(config: ModelConfig) -> int:
    language = config.language
    heads = language["num_attention_heads"]
    width = language["hidden_size"] // heads * language.get("num_key_value_heads", heads)
    return 2 * language["num_hidden_layers"] * width * config.context_length


def _work_numbers(config: ModelConfig) -> int:
    channels = config.vae["block_out_channels"]
    return WORK_TENSORS * int(channels[min(1, len(channels) - 1)]) * config.image_size**2
