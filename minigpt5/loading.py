"""From a folder to an engine: the one place where files (`checkpoint`) and talk (`generation`) meet."""

from collections.abc import Callable
from pathlib import Path

from minigpt5.checkpoint.build import Quantization, load_model
from minigpt5.generation.engine import Engine


def load(
    path: str | Path,
    *,
    quantize: Quantization | None = None,
    device: str = "auto",
    dtype: str = "auto",
    offload_vision: bool = False,
    painter: str | Path | None = None,
    report: Callable[[str], None] | None = None,
) -> Engine:
    """The engine of the model folder `path`.

    `quantize`: None, "8bit" or "4bit" (NF4). `device`: "auto" or a torch device. `dtype`: "auto" (the fastest
    that is safe on that device), "float32", "float16" or "bfloat16". `offload_vision`: the ViT and the Q-Former
    stay on the CPU, and only what they saw goes to the device. `painter`: a folder in
    diffusers' layout whose UNet (and VAE) draws in place of the model's. `report` is told the memory plan, a table of
    text, before anything is loaded. Raises `CheckpointError` and `OptionError`.
    """
    loaded = load_model(
        path,
        quantize=quantize,
        device=device,
        dtype=dtype,
        offload_vision=offload_vision,
        painter=painter,
        report=report,
    )
    facts = {**loaded.facts, "folder": str(path)}
    return Engine(loaded.model, loaded.tokenizer, loaded.config, facts)
