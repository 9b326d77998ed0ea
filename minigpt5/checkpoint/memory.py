"""What a model needs before any of it is loaded: one line a part, and whether the device has room for them.

Weights are counted exactly, from the sizes of the model on the meta device. Two lines are estimates: the cache
of keys and values for a full context, and the work space of one picture, which is the decoder's at full size.
What the driver and the allocator take for themselves is not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from minigpt5.checkpoint.placement import Placement, free_bytes
from minigpt5.checkpoint.quantize import Quantization, has_cpu_kernel
from minigpt5.config import ModelConfig
from minigpt5.errors import OptionError
from minigpt5.model.minigpt5 import MiniGPT5

# bytes a number, its share of the scales included: NF4 in blocks of 64 with double quantization; one scale a row
QUANTIZED_BYTES = {"4bit": 0.5 + (1 + 4 / 256) / 64, "8bit": 1.0}
WORK_TENSORS = 4  # the decoder's largest tensors that live at one time
ADVICE = {None: ["quantize='8bit' or '4bit'"], "8bit": ["quantize='4bit'"], "4bit": []}
VISION = "eyes: ViT, Q-Former, projection"
WIDE = 2048  # numbers a state: in wider LLMs reading the weights takes most of a token's time

Mode = Quantization | None
# fastest first. GPU: Lightning AI's LitGPT on an A100, 47.7, 37.6 and 12.7 tokens a second. CPU: `benchmarks.quantized` at
# 4096, with the kernel of AVX-512 bf16, .039, .059 and .11 s a token; without it each token dequantizes every layer
BY_SPEED: dict[str, tuple[Mode, ...]] = {
    "whole first": (None, "4bit", "8bit"),
    "kernel": ("4bit", "8bit", None),
    "no kernel": (None, "8bit", "4bit"),
}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One part of the plan; `device` is where it lies."""

    part: str
    dtype: str
    bytes: int
    device: str


def memory_plan(
    model: MiniGPT5,
    config: ModelConfig,
    dtype: torch.dtype,
    quantize: str | None,
    device: str,
    vision: Placement | None = None,
) -> list[PlanLine]:
    """The lines for `model` (which may be empty) in `dtype` on `device`, the LLM's blocks in `quantize`.

    `vision` is where the eyes are if that is elsewhere. The mapper is in float32 always, see `build`.
    """
    name, fast = _name(dtype), model.diffusion.unet_fast
    blocks = sum(
        module.weight.numel()
        for module in model.language.llama.model.layers.modules()
        if isinstance(module, nn.Linear)
    )
    around = _numbers(model.language) - blocks
    block_bytes = QUANTIZED_BYTES.get(quantize or "", dtype.itemsize)
    seen = (
        (_name(vision.dtype), vision.dtype.itemsize, str(vision.device))
        if vision
        else (name, dtype.itemsize, device)
    )
    parts = {
        "LLM: blocks": (quantize or name, blocks * block_bytes),
        "LLM: embeddings, output layer, norms": (name, around * dtype.itemsize),
        "mapper": ("float32", _numbers(model.mapper) * torch.float32.itemsize),
        "brush: UNet": (name, _numbers(model.diffusion.unet) * dtype.itemsize),
        **({"brush: UNet of the few steps": (name, _numbers(fast) * dtype.itemsize)} if fast else {}),
        "brush: VAE": (name, _numbers(model.diffusion.vae) * dtype.itemsize),
        "cache of a full context (estimate)": (name, _cache_numbers(config) * dtype.itemsize),
        "work space of a picture (estimate)": (name, _work_numbers(config) * dtype.itemsize),
    }
    eyes = PlanLine(VISION, seen[0], _numbers(model.vision) * seen[1], seen[2])
    return [eyes, *(PlanLine(part, kind, round(size), device) for part, (kind, size) in parts.items())]


def free_on(lines: list[PlanLine]) -> dict[str, int | None]:
    """What is free now on each device of the plan, None where nobody tells."""
    return {line.device: free_bytes(torch.device(line.device)) for line in lines}


def verify_fits(lines: list[PlanLine], free: Mapping[str, int | None], quantize: str | None) -> None:
    """Raise `OptionError` with advice when the plan needs more than is free on a device."""
    for device, needed in _sums(lines).items():
        room = free.get(device)
        if room is not None and needed > room:
            raise OptionError(
                f"device: got {room / 1e9:.1f} GB free on {device!r}, expected {needed / 1e9:.1f} GB for this"
                f" model; try {_advice(lines, device, quantize)}"
            )


def fastest(
    model: MiniGPT5, config: ModelConfig, placement: Placement, vision: Placement | None = None
) -> str:
    """A sentence for people: in which mode a token is made soonest among those that fit into what is free now."""
    if placement.device.type == "cpu" and config.language["hidden_size"] >= WIDE:
        order = BY_SPEED["kernel" if has_cpu_kernel() else "no kernel"]
    else:
        order = BY_SPEED["whole first"]
    for mode in order:
        lines = memory_plan(model, config, placement.dtype, mode, str(placement.device), vision)
        try:
            verify_fits(lines, free_on(lines), mode)
        except OptionError:
            continue
        return f"fastest of what fits: {f'--quantize {mode}' if mode else 'without --quantize'}"
    return "nothing fits into what is free"


def table(lines: list[PlanLine], free: Mapping[str, int | None]) -> str:
    """The plan for people, one line a part and the sum on each device."""
    rows = [_row(line.part, line.dtype, line.bytes, line.device) for line in lines]
    for device, needed in _sums(lines).items():
        room = free.get(device)
        known = "unknown" if room is None else f"{room / 1e9:.2f} GB"
        rows.append(_row("in all", "", needed, f"{device}  (free: {known})"))
    return "\n".join(rows)


def _row(part: str, dtype: str, size: int, device: str) -> str:
    return f"{part:40} {dtype:10} {size / 1e9:8.2f} GB  {device}"


def _sums(lines: list[PlanLine]) -> dict[str, int]:
    devices = dict.fromkeys(line.device for line in reversed(lines))  # the one that draws comes first
    return {device: sum(line.bytes for line in lines if line.device == device) for device in devices}


def _advice(lines: list[PlanLine], device: str, quantize: str | None) -> str:
    """What has not been tried yet and would take something off `device`."""
    advice = list(ADVICE[quantize])
    eyes = next((line for line in lines if line.part == VISION), None)
    if eyes and eyes.device == device != "cpu":
        advice.append(f"offload_vision=True ({eyes.bytes / 1e9:.1f} GB less)")
    return ", or ".join(advice or ["a smaller dtype or another device"])


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


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
