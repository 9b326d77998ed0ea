"""A model folder -> one whose LLM is stored in 4 or 8 bits: `python -m minigpt5 quantize`.

The new folder stands alone. Adapters are merged in it; the parts beside the LLM are those of the old folder, second
names of the same files where the file system can.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import torch

from minigpt5.checkpoint.build import LORA, build_empty, lora_changes
from minigpt5.checkpoint.manifest import PARTS, verify_manifest, write_manifest
from minigpt5.checkpoint.memory import QUANTIZED_BYTES
from minigpt5.checkpoint.placement import Placement
from minigpt5.checkpoint.progress import Counted, Progress
from minigpt5.checkpoint.quantize import Quantization, block_layers, stored_quantization
from minigpt5.checkpoint.quantized_part import PART, write_quantized
from minigpt5.checkpoint.store import TOKENIZER_NAME, files_of, has_part
from minigpt5.checkpoint.writing import SHARD_BYTES, removed_on_error, verify_place
from minigpt5.config import CONFIG_NAME, ModelConfig
from minigpt5.errors import CheckpointError


def quantize_folder(folder: Path, out: Path, mode: Quantization, *, progress: Progress | None = None) -> None:
    """Write the new folder `out`: the model in `folder` as it is when it is quantized at loading on a CPU.

    All appears, or nothing. Raises `CheckpointError`, also for a model that is quantized already.
    """
    config = ModelConfig.load(folder)
    verify_manifest(folder)
    if stored := stored_quantization(folder):
        raise CheckpointError(f"{folder}: got a model stored in {stored}, expected a whole one")
    language = build_empty(config).language
    around = [path for part in PARTS if part not in (PART, LORA) for path in files_of(folder, part)]
    size = sum(path.stat().st_size for path in files_of(folder, PART))
    numbers = sum(layer.weight.numel() for layer in block_layers(language).values())
    others = sum(tensor.numel() for tensor in language.parameters()) - numbers
    needed = round(numbers * QUANTIZED_BYTES[mode]) + others * torch.float32.itemsize
    verify_place(out, needed + sum(path.stat().st_size for path in around))
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with removed_on_error(partial, out):
        partial.mkdir()
        for path in (folder / CONFIG_NAME, folder / TOKENIZER_NAME, *around):
            _link(path, partial / path.name)
        changes = lora_changes(folder, config) if has_part(folder, LORA) else None
        placement, counted = (
            Placement(torch.device("cpu"), torch.float32),
            Counted(progress, size, "quantizing"),
        )
        write_quantized(folder, partial, language, mode, placement, changes, counted, SHARD_BYTES)
        write_manifest(partial)
        partial.rename(out)
        counted.add(size)


def _link(source: Path, place: Path) -> None:
    """Weights under a second name where the file system can, else copied; settings always copied."""
    if source.suffix == ".safetensors":
        with suppress(OSError):
            os.link(source, place)
            return
    shutil.copyfile(source, place)
