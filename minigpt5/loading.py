"""From a folder to an engine: the one place where files (`checkpoint`) and talk (`generation`) meet."""

from pathlib import Path

from minigpt5.checkpoint.build import Quantization, load_model
from minigpt5.generation.engine import Engine


def load(
    path: str | Path, *, quantize: Quantization | None = None, device: str = "auto", dtype: str = "auto"
) -> Engine:
    """The engine of the model folder `path`.

    `quantize`: None, "8bit" or "4bit" (NF4). `device`: "auto" or a torch device. `dtype`: "auto" (the fastest
    that is safe on that device), "float32", "float16" or "bfloat16". Raises `CheckpointError` and
    `OptionError`.
    """
    loaded = load_model(path, quantize=quantize, device=device, dtype=dtype)
    facts = {**loaded.facts, "folder": str(path)}
    return Engine(loaded.model, loaded.tokenizer, loaded.config, facts)
