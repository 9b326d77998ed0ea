"""A planned model written to disk: part by part, shard by shard, all or nothing.

Everything goes into a hidden folder beside the place it is for, which is renamed when the last byte is
written; so the place is never half filled. An interrupted run leaves that hidden folder, and the next one with
the same files goes on behind the last whole part. A run that fails for a reason that waiting does not mend
removes it.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.manifest import write_manifest
from minigpt5.checkpoint.progress import Counted, Progress
from minigpt5.checkpoint.store import is_finite, save_tokenizer, write_tensors
from minigpt5.checkpoint.weight_files import Entry
from minigpt5.config import ModelConfig
from minigpt5.errors import CheckpointError

SHARD_BYTES = 2**30  # what is held in memory at a time
PROGRESS_NAME = "progress.json"
SPARE_BYTES = 2**24  # the configuration, the tokenizer and the headers of the files


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """One tensor of ours and where it comes from."""

    part: str
    key: str
    entry: Entry


def write_model(
    out: Path,
    config: ModelConfig,
    tokenizer: PreTrainedTokenizerFast,
    planned: Sequence[Planned],
    *,
    dtype: torch.dtype | None,
    report: Callable[[str], None],
    progress: Progress | None = None,
) -> None:
    """Make the model folder `out`; `dtype` None keeps each tensor's own. Raises `CheckpointError`."""
    counted = Counted(progress, sum(_bytes(item, dtype) for item in planned), "converting")
    verify_place(out, counted.total)
    partial = out.with_name(f".{out.name}.partial")
    with removed_on_error(partial, out):
        written = _resume(partial, _fingerprint(config, planned, dtype))
        for part in dict.fromkeys(item.part for item in planned):
            items = [item for item in planned if item.part == part]
            if part in written["parts"]:
                report(f"{part}: already written")
                counted.add(sum(_bytes(item, dtype) for item in items))
                continue
            report(f"{part}: writing")
            _write_part(partial, part, items, dtype, counted)
            written["parts"].append(part)
            (partial / PROGRESS_NAME).write_text(json.dumps(written))
        config.save(partial)
        save_tokenizer(partial, tokenizer)
        write_manifest(partial)
        (partial / PROGRESS_NAME).unlink()
        partial.rename(out)


@contextmanager
def removed_on_error(partial: Path, out: Path) -> Iterator[None]:
    """What is written to `partial`, to become `out`, goes when the writing fails, with a `CheckpointError`."""
    try:
        yield
    except CheckpointError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise CheckpointError(f"{out}: got {error}, expected to be able to write the model there") from error


def verify_place(out: Path, needed: int) -> None:
    """Raise `CheckpointError` unless `out` is free, its parent can be written and has `needed` bytes left."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CheckpointError(
            f"{out}: got something that is already there, expected the name of a new folder"
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(out.parent).free
    except OSError as error:
        raise CheckpointError(f"{out}: got {error.strerror}, expected a place to write to") from error
    if free < needed + SPARE_BYTES:
        raise CheckpointError(
            f"{out}: got {free / 1e9:.2f} GB of free disk space, expected at least {needed / 1e9:.2f} GB"
        )


def _resume(partial: Path, fingerprint: str) -> dict:
    """What an earlier run of the same job left, or an empty folder."""
    try:
        written = json.loads((partial / PROGRESS_NAME).read_text())
        if written["fingerprint"] == fingerprint:
            return written
    except (OSError, ValueError, KeyError):
        pass
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    return {"fingerprint": fingerprint, "parts": []}


def _fingerprint(config: ModelConfig, planned: Sequence[Planned], dtype: torch.dtype | None) -> str:
    files = {str(item.entry.file): item.entry.file.stat() for item in planned}
    facts = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in sorted(files.items())]
    return hashlib.sha256(json.dumps([facts, str(dtype), asdict(config)]).encode()).hexdigest()


def _write_part(
    folder: Path, part: str, items: list[Planned], dtype: torch.dtype | None, counted: Counted
) -> None:
    for old in folder.glob(f"{part}*.safetensors"):  # of a run that was cut off in this part
        old.unlink()
    shards = list(_shards(items, dtype))
    for number, shard in enumerate(shards, start=1):
        name = part if len(shards) == 1 else f"{part}-{number}-of-{len(shards)}"
        tensors = {}
        for item in shard:
            tensors[item.key] = _value(item, dtype)
            counted.add(_bytes(item, dtype))
        write_tensors(folder / f"{name}.safetensors", tensors)


def _shards(items: list[Planned], dtype: torch.dtype | None) -> Iterator[list[Planned]]:
    shard: list[Planned] = []
    size = 0
    for item in items:
        if shard and size + _bytes(item, dtype) > SHARD_BYTES:
            yield shard
            shard, size = [], 0
        shard.append(item)
        size += _bytes(item, dtype)
    yield shard


def _bytes(item: Planned, dtype: torch.dtype | None) -> int:
    stored = dtype or item.entry.dtype
    return torch.Size(item.entry.shape).numel() * stored.itemsize


def _value(item: Planned, dtype: torch.dtype | None) -> Tensor:
    """The tensor as it is stored; raises `CheckpointError` if it is damaged."""
    entry = item.entry
    try:
        tensor = entry.read()
    except (SafetensorError, RuntimeError, OSError) as error:
        raise CheckpointError(
            f"{entry.file}: got a damaged {entry.key} ({error}), expected its numbers"
        ) from error
    if not is_finite(tensor):
        raise CheckpointError(
            f"{entry.file}: got {entry.key} with NaN or infinite numbers, expected finite ones"
        )
    stored = tensor.to(dtype) if dtype else tensor
    if not is_finite(stored):  # larger than float16 can hold
        stored = tensor.float()
    return stored.contiguous().clone()
