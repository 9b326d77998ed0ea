"""The memory that a conversion at full size takes: `python -m benchmarks.convert_full_size FOLDER`.

Official-format files with random weights (about 25 GB, one shard of them 10 GB) are made under FOLDER, converted
by the command that users call, in a process of its own, and removed. Reported is the peak of that process as the
system counts it, against the bar of 1.3 times the largest shard plus 2 GB. The count has two halves: memory of
its own, and pages of the mapped files, which the system takes back whenever it needs them.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.full_size_files import make_official_files
from minigpt5.checkpoint.convert import Sources

NEEDED_BYTES = 50e9  # the files and the model made of them
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Peaks:
    """GB of one process: all that is resident (`VmHWM`, exact), and the two halves of it, as sampled."""

    resident: float
    own: float
    mapped: float


def convert_measured(sources: Sources, out: Path) -> tuple[Peaks, float]:
    """Convert in a child process; its peaks and the seconds it took. Raises CalledProcessError if it fails."""
    flags = [word for name, path in asdict(sources).items() for word in (f"--{name}", str(path))]
    command = [sys.executable, "-m", "minigpt5", "convert", *flags, "--out", str(out)]
    start = time.perf_counter()
    with subprocess.Popen(command) as process:
        peaks = Peaks(0, 0, 0)
        while process.poll() is None:
            peaks = _highest(peaks, _memory(process.pid))
            time.sleep(SAMPLE_SECONDS)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peaks, time.perf_counter() - start


def _memory(pid: int) -> Peaks:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = {
        name: int(rest.split()[0])
        for name, _, rest in (line.partition(":") for line in lines)
        if " kB" in rest
    }
    return Peaks(*(kilobytes.get(name, 0) * 1024 / 1e9 for name in ("VmHWM", "RssAnon", "RssFile")))


def _highest(before: Peaks, now: Peaks) -> Peaks:
    return Peaks(max(before.resident, now.resident), max(before.own, now.own), max(before.mapped, now.mapped))


def _bytes(root: Path) -> list[int]:
    return [path.stat().st_size for path in root.rglob("*") if path.is_file()]


def measure(folder: Path) -> dict[str, float]:
    """Make, convert and remove the files; the figures in GB and seconds."""
    official, out = folder / "official", folder / "made"
    try:
        sources = make_official_files(official, lambda line: print(f"making: {line}", flush=True))
        sizes = _bytes(official)
        peaks, seconds = convert_measured(sources, out)
        bar = 1.3 * max(sizes) / 1e9 + 2
        return {
            "official files, GB": sum(sizes) / 1e9,
            "largest shard, GB": max(sizes) / 1e9,
            "model folder, GB": sum(_bytes(out)) / 1e9,
            "peak, GB": peaks.resident,
            "peak of memory of its own, GB": peaks.own,
            "peak of mapped pages, GB": peaks.mapped,
            "bar, GB": bar,
            "seconds": seconds,
        }
    finally:
        shutil.rmtree(official, ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder with 50 GB free")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        parser.error(f"{folder}: got {free / 1e9:.0f} GB free, expected {NEEDED_BYTES / 1e9:.0f} GB")
    print(json.dumps({name: round(value, 2) for name, value in measure(folder).items()}, indent=2))


if __name__ == "__main__":
    main()
