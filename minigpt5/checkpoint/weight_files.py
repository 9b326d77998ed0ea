"""Weights in other people's files, read one tensor at a time.

safetensors are opened lazily; pickles (`.bin`, `.pth`, `.ckpt`) with `weights_only=True` alone, so that no
code in them ever runs, and mapped into memory where their format allows it. One file at a time is open, so that
what the system counts as ours stays below the largest of them. Every failure is a `CheckpointError` of one
sentence that names the file.
"""

import argparse
import json
import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from minigpt5.errors import CheckpointError

LLM_INDEX = "pytorch_model.bin.index.json"
PICKLED_SHARD = re.compile(r"pytorch_model(-\d+-of-\d+)?\.bin")
SAFE_SHARD = re.compile(r"(model|diffusion_pytorch_model)(-\d+-of-\d+)?\.safetensors")

HALF_FILE = re.compile(r"(model|diffusion_pytorch_model)\.fp16\.safetensors")
HARMLESS: list[Any] = [argparse.Namespace]  # Lightning stores a run's flags in one


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One tensor that is still in its file. `bytes_per_number` is that of the stored precision."""

    file: Path
    key: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    read: Callable[[], Tensor]


Entries = dict[str, Entry]


def entries_of_file(path: Path) -> Entries:
    """The tensors of one file by key; raises `CheckpointError`."""
    _verify_readable(path)
    return _safe_entries(path) if path.suffix == ".safetensors" else _pickled_entries(path)


def entries_of(path: Path) -> Entries:
    """The tensors of a file, or of all shards of a folder."""
    return entries_of_folder(path) if path.is_dir() else entries_of_file(path)


def close_files() -> None:
    """Let go of the file that was read last."""
    _unpickled_tensors.cache_clear()
    _opened_safetensors.cache_clear()


def entries_of_folder(folder: Path) -> Entries:
    """The tensors of all shards of a Hugging Face folder; safetensors are preferred to pickles."""
    entries: Entries = {}
    for path in shards_of(folder):
        for key, entry in entries_of_file(path).items():
            if key in entries:
                raise CheckpointError(f"{path}: got {key} a second time, expected each tensor in one shard")
            entries[key] = entry
    return entries


def shards_of(folder: Path) -> list[Path]:
    """The weight files of a Hugging Face folder; raises `CheckpointError` unless the run of shards is whole."""
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: got no such folder, expected a Hugging Face model folder")
    if names := weights_among([path.name for path in folder.iterdir()]):
        found = [folder / name for name in names]
        _verify_run(folder, found)
        return found
    raise CheckpointError(f"{folder}: got no weights, expected *.safetensors or pytorch_model*.bin")


def weights_among(names: list[str]) -> list[str]:
    """Of a folder's file names those that hold its weights, of the kind that is read first; none if none do."""
    for kind in (SAFE_SHARD, HALF_FILE, PICKLED_SHARD, re.compile(r"diffusion_pytorch_model\.bin")):
        if found := sorted(name for name in names if kind.fullmatch(name)):
            return found
    return []


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; raises `CheckpointError`."""
    _verify_readable(path)
    try:
        values = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        raise CheckpointError(f"{path}: got text that is not JSON ({error}), expected JSON") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path}: got a {type(values).__name__}, expected a JSON object")
    return values


def _verify_run(folder: Path, found: list[Path]) -> None:
    counts = {match[1] for path in found if (match := re.search(r"-of-(\d+)\.", path.name))}
    if not counts and len(found) == 1:
        return
    total = max(int(count) for count in counts) if counts else 1
    if len(counts) != 1 or len(found) != total:
        names = ", ".join(path.name for path in found)
        raise CheckpointError(f"{folder}: got the shards {names}, expected one whole run of {total}")


def _verify_readable(path: Path) -> None:
    if not path.is_file():
        raise CheckpointError(f"{path}: got no such file, expected the weights or settings of this part")
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise CheckpointError(f"{path}: got {error.strerror}, expected a readable file") from error


def _safe_entries(path: Path) -> Entries:
    stamp = _stamp(path)
    try:
        handle = _opened_safetensors(path, stamp)
        views = {key: handle.get_slice(key) for key in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: got a damaged file ({error}), expected safetensors") from error
    return {
        key: Entry(
            path,
            key,
            tuple(view.get_shape()),
            DTYPE_OF.get(view.get_dtype(), torch.float32),
            partial(_read_safetensors, path, stamp, key),
        )
        for key, view in views.items()
    }


def _pickled_entries(path: Path) -> Entries:
    """The tensors of a pickle lie at the top, under `state_dict` or under `model`."""
    stamp = _stamp(path)
    tensors = _unpickled_tensors(path, stamp)
    if not tensors:
        raise CheckpointError(f"{path}: got a file without weights, expected a dictionary of tensors")
    return {
        key: Entry(path, key, tuple(tensor.shape), tensor.dtype, partial(_read_pickled, path, stamp, key))
        for key, tensor in tensors.items()
    }


def _read_safetensors(path: Path, stamp: tuple[int, int], key: str) -> Tensor:
    return _opened_safetensors(path, stamp).get_tensor(key)


def _read_pickled(path: Path, stamp: tuple[int, int], key: str) -> Tensor:
    return _unpickled_tensors(path, stamp)[key]


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when another file takes this one's place."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=1)
def _opened_safetensors(path: Path, stamp: tuple[int, int]) -> Any:
    return safe_open(path, "pt")


@lru_cache(maxsize=1)
def _unpickled_tensors(path: Path, stamp: tuple[int, int]) -> dict[str, Tensor]:
    values = _unpickled(path)
    for wrapper in ("state_dict", "model"):
        if isinstance(values, dict) and isinstance(values.get(wrapper), dict):
            values = values[wrapper]
    return _tensors(values)


DTYPE_OF = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
}


def _unpickled(path: Path) -> Any:
    """What is in a pickle of plain values and tensors; anything else in it is refused unread."""
    try:
        with torch.serialization.safe_globals(HARMLESS):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except pickle.UnpicklingError as error:
        if re.search("unsupported (global|class)", str(error), re.IGNORECASE):
            refused = "got a pickle that holds more than plain values and tensors"
            raise CheckpointError(
                f"{path}: {refused}, expected weights alone; nothing of it was run"
            ) from error
        raise CheckpointError(f"{path}: got a damaged file, expected weights saved by torch") from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path}: got a damaged file ({reason}), expected weights saved by torch"
        ) from error


def _is_zip(path: Path) -> bool:
    """torch's format since 1.6; older files cannot be mapped."""
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _tensors(values: Any) -> dict[str, Tensor]:
    if not isinstance(values, dict):
        return {}
    return {key: value for key, value in values.items() if isinstance(value, Tensor)}
