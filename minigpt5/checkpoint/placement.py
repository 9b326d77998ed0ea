"""Where a model runs and in which precision: what "auto" means on this machine."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from minigpt5.errors import OptionError

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
FAST_BFLOAT16 = {"amx_bf16", "avx512_bf16"}  # CPU flags; without one bfloat16 is far slower than float32


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and in which precision a model, or a part of it, runs."""

    device: torch.device
    dtype: torch.dtype


def place(device: str = "auto", dtype: str = "auto") -> Placement:
    """What "auto" means on this machine; raises `OptionError` for names that torch does not know or have."""
    where = _device(device)
    if dtype == "auto":
        return Placement(where, _best_dtype(where))
    if dtype not in DTYPES:
        raise OptionError(f"dtype: got {dtype!r}, expected 'auto' or one of {', '.join(map(repr, DTYPES))}")
    return Placement(where, DTYPES[dtype])


def place_vision(placement: Placement, offload: bool) -> Placement:
    """The eyes beside the rest of the model, or `offload`ed to the CPU in the precision that is fast there."""
    cpu = torch.device("cpu")
    return Placement(cpu, _best_dtype(cpu)) if offload and placement.device != cpu else placement


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


def has_fast_bfloat16() -> bool:
    """Whether this machine's CPU multiplies bfloat16 faster than float32."""
    return bool(FAST_BFLOAT16 & _cpu_flags())


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise OptionError(
            f"device: got {name!r}, expected 'auto' or a device of this machine ({reason})"
        ) from error
    return device


def _best_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if device.type == "cpu" and has_fast_bfloat16() else torch.float32


@cache
def _cpu_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}
