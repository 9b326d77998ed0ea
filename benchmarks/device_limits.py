"""What the device itself can do: bytes a second out of its memory, and operations a second in a matrix product."""

import time
from collections.abc import Callable

import torch

BYTES = {"cuda": 2**31, "cpu": 2**26}
SIDE = {"cuda": 8192, "cpu": 512}  # of the matrices
TIMES = 10


def bandwidth(device: torch.device) -> float:
    """Bytes read and written a second by a large copy."""
    source = torch.ones(BYTES[device.type] // 2, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / fastest(lambda: target.copy_(source), device)


def matmul_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Floating-point operations a second of one large product."""
    side = SIDE[device.type]
    left, right = (torch.randn(side, side, dtype=dtype, device=device) for _ in range(2))
    return 2 * side**3 / fastest(lambda: left @ right, device)


def fastest(function: Callable[[], object], device: torch.device) -> float:
    """Seconds of the fastest of several calls, the first not counted."""
    function()
    durations = []
    for _ in range(TIMES):
        synchronize(device)
        start = time.perf_counter()
        function()
        synchronize(device)
        durations.append(time.perf_counter() - start)
    return min(durations)


def synchronize(device: torch.device) -> None:
    """Wait for the work that was handed to the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def allocated(device: torch.device) -> int | None:
    """Bytes in tensors on the device; None on a CPU, which does not tell."""
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else None


def peak(device: torch.device) -> int | None:
    """The most bytes in tensors since `forget_peak`; None on a CPU."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None


def forget_peak(device: torch.device) -> None:
    """Begin to watch for a new peak."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
