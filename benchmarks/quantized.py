"""Loading in 4 and 8 bits, from a whole folder and from a quantized one: `python -m benchmarks.quantized FOLDER`.

A model of the paper's sizes with `--layers` of the LLM's 32 blocks and random weights is written under FOLDER (2 GB and
0.4 GB a block), quantized by the command that users call, and loaded each way in a process of its own. Reported are
seconds, the peak of what is resident as the system counts it, the time to read a prompt and that of each further token.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

import minigpt5
from benchmarks.full_size import full_size_config
from minigpt5.checkpoint.build import build_empty, parts_of
from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.checkpoint.weight_files import Entry
from minigpt5.checkpoint.writing import Planned, write_model
from minigpt5.config import ModelConfig

TOKENIZER = Path("weights/storybook")
WAYS = {  # name: folder, how it is loaded
    "bfloat16": ("whole", None),
    "4bit from the whole folder": ("whole", "4bit"),
    "8bit from the whole folder": ("whole", "8bit"),
    "4bit from its own folder": ("4bit", None),
    "8bit from its own folder": ("8bit", None),
}
STD = 0.02
TOKENS = 8


def reduced_config(layers: int) -> ModelConfig:
    """The full-size configuration with fewer blocks in the LLM."""
    config = full_size_config()
    return replace(config, language={**config.language, "num_hidden_layers": layers})


def make_folder(out: Path, config: ModelConfig) -> None:
    """A model folder of random weights in float16, written tensor by tensor."""
    planned = list(_planned(config))
    tokenizer = load_tokenizer(TOKENIZER)
    write_model(out, config, tokenizer, planned, dtype=torch.float16, report=lambda line: None)


def _planned(config: ModelConfig) -> Iterator[Planned]:
    for part, module in parts_of(build_empty(config)).items():
        for key, tensor in module.state_dict().items():
            shape = tuple(tensor.shape)
            yield Planned(
                part, key, Entry(Path(__file__), key, shape, torch.float16, partial(_random, shape))
            )


def _random(shape: tuple[int, ...]) -> Tensor:
    values = torch.empty(shape, dtype=torch.float16)
    return values.normal_(std=STD) if len(shape) > 1 else values.fill_(1)


def measure(folder: Path, quantize: str | None, prompt: int) -> dict[str, float]:
    """Load a folder in this process and let its LLM read and write."""
    start = time.perf_counter()
    engine = minigpt5.load(folder, quantize=quantize, device="cpu")  # type: ignore[arg-type]
    loaded = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    language = engine.model.language
    cache = DynamicCache(config=language.llama.config)
    seconds = []
    with torch.inference_mode():
        for count in (prompt, *[1] * TOKENS):
            start = time.perf_counter()
            states, _ = language(
                language.embed(torch.ones(1, count, dtype=torch.long)), past_key_values=cache, use_cache=True
            )
            language.logits(states[:, -1])  # a slice [:, -1:] takes 40 times as long in bfloat16
            seconds.append(time.perf_counter() - start)
    return {
        "load, s": round(loaded, 1),
        "peak of loading, GB": round(peak, 2),
        f"{prompt} tokens read, s": round(seconds[0], 2),
        "a token, s": round(sorted(seconds[1:])[TOKENS // 2], 3),
    }


def main() -> None:
    """Make the folders, measure each way in a process of its own, remove them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--prompt", type=int, default=64)
    parser.add_argument("--way", choices=tuple(WAYS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        name, quantize = WAYS[arguments.way]
        print(json.dumps(measure(arguments.folder / name, quantize, arguments.prompt)))
        return
    arguments.folder.mkdir(parents=True)
    try:
        make_folder(arguments.folder / "whole", reduced_config(arguments.layers))
        for bits in (4, 8):
            print(f"quantize --bits {bits}: {_quantized(arguments.folder, bits)}", flush=True)
        for way in WAYS:
            words = (
                "benchmarks.quantized",
                str(arguments.folder),
                "--way",
                way,
                "--prompt",
                str(arguments.prompt),
            )
            told = subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True, text=True)
            print(f"{way}: {told.stdout.splitlines()[-1]}", flush=True)
    finally:
        shutil.rmtree(arguments.folder)


def _quantized(folder: Path, bits: int) -> str:
    out = folder / f"{bits}bit"
    command = [
        sys.executable,
        "-m",
        "minigpt5",
        "quantize",
        str(folder / "whole"),
        "--bits",
        str(bits),
        "--out",
        str(out),
    ]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    subprocess.run(command, check=True, capture_output=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    size = sum(path.stat().st_size for path in out.iterdir()) / 1e9
    most = f"{'peak' if peak > before else 'at most'} {peak / 1e6:.2f} GB"
    return f"{time.perf_counter() - start:.1f} s, {most}, folder {size:.2f} GB"


if __name__ == "__main__":
    main()
