"""From a folder to an engine: the one place where files (`checkpoint`) and talk (`generation`) meet."""

from collections.abc import Callable
from pathlib import Path
from typing import overload

from minigpt5.checkpoint.build import load_model
from minigpt5.checkpoint.model_hub import find_model
from minigpt5.checkpoint.placement import place
from minigpt5.checkpoint.progress import Progress
from minigpt5.checkpoint.quantize import Quantization, arrange_for_cpu
from minigpt5.errors import OptionError
from minigpt5.generation.engine import Engine
from minigpt5.serving.engine import ServingEngine

MAX_BATCH = 256


@overload
def load(
    path: str | Path,
    *,
    quantize: Quantization | None = None,
    device: str = "auto",
    dtype: str = "auto",
    offload_vision: bool = False,
    painter: str | Path | None = None,
    report: Callable[[str], None] | None = None,
    progress: Progress | None = None,
    batch: None = None,
) -> Engine: ...


@overload
def load(
    path: str | Path,
    *,
    quantize: Quantization | None = None,
    device: str = "auto",
    dtype: str = "auto",
    offload_vision: bool = False,
    painter: str | Path | None = None,
    report: Callable[[str], None] | None = None,
    progress: Progress | None = None,
    batch: int,
    deterministic: bool = False,
) -> ServingEngine: ...


def load(
    path: str | Path,
    *,
    quantize: Quantization | None = None,
    device: str = "auto",
    dtype: str = "auto",
    offload_vision: bool = False,
    painter: str | Path | None = None,
    report: Callable[[str], None] | None = None,
    progress: Progress | None = None,
    batch: int | None = None,
    deterministic: bool = False,
) -> Engine | ServingEngine:
    """The engine of the model folder `path`, or of the hub repository `owner/name` that holds one.

    `quantize`: None (as it is stored), "8bit" or "4bit" (NF4). `device`: "auto" or a torch device. `dtype`: "auto" (the
    fastest that is safe on that device), "float32", "float16" or "bfloat16". `offload_vision`: the ViT and the Q-Former
    stay on the CPU, and only what they saw goes to the device. `painter`: a folder in
    diffusers' layout whose UNet (and VAE) draws in place of the model's. `report` is told where the model was found, if not
    at `path`, and the memory plan, a table of text, before anything is loaded; `progress` is called again and again with
    the bytes that have come, those of all weights, and what is done ("loading"). `batch`: None for the engine for one, or
    how many requests an engine for many works on at once; `deterministic` gives each of them passes of its own. Raises
    `CheckpointError` and `OptionError`.
    """
    if batch is not None and not 1 <= batch <= MAX_BATCH:
        raise OptionError(f"batch: got {batch!r}, expected None or a whole number from 1 to {MAX_BATCH}")
    folder = find_model(path, report=report or _silent, progress=progress)
    loaded = load_model(
        folder,
        quantize=quantize,
        device=device,
        dtype=dtype,
        offload_vision=offload_vision,
        painter=painter,
        report=report,
        progress=progress,
    )
    arrange_for_cpu(loaded.model.language, place(device, dtype))
    facts = {**loaded.facts, "folder": str(folder)}
    engine = Engine(loaded.model, loaded.tokenizer, loaded.config, facts)
    return engine if batch is None else ServingEngine(engine, batch, deterministic=deterministic)


def _silent(line: str) -> None:
    pass
