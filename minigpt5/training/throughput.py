"""How fast a training goes, and how much of its time it waits for data."""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass
class Throughput:
    """Sums over the steps of a run since it was started; `images` and `tokens` over all processes."""

    steps: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    images: int = 0
    tokens: int = 0

    @property
    def figures(self) -> dict[str, float]:
        """The rates, and the share of the time that was spent waiting for data."""
        seconds = max(self.seconds, 1e-9)
        return {
            "steps": self.steps,
            "seconds": round(self.seconds, 2),
            "images_per_second": round(self.images / seconds, 3),
            "tokens_per_second": round(self.tokens / seconds, 1),
            "waiting_for_data": round(self.waited / seconds, 4),
        }

    def save(self, run: Path) -> str:
        """Write `throughput.json` into the run; the same in a line for people."""
        (run / "throughput.json").write_text(json.dumps(self.figures, indent=2) + "\n")
        return (
            f"{self.steps} steps in {self.seconds:.0f} s: {self.figures['images_per_second']:.1f} images/s, "
            f"{self.figures['tokens_per_second']:.0f} tokens/s, "
            f"{self.figures['waiting_for_data']:.1%} of the time waiting for data"
        )


def memory(device: torch.device) -> str:
    """The most that this process has held so far: on its GPU, or of the machine's memory."""
    if device.type == "cuda":
        return f"{torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB"
    unit = 1 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30:.1f} GiB"
