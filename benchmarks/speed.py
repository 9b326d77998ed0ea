"""How fast the embedded model answers on this machine: `python -m benchmarks.speed [MODEL]`.

Absolute times belong to the machine; the ratios beside them (over one UNet call, over one bare forward pass of
the LLM) are measured in the same run and hold elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

import minigpt5
from minigpt5 import Conversation, Engine, GenerationOptions, ImageProgress, TextDelta

DRAW = "Draw a blue rabbit with a red balloon on the beach at sunset"
TELL = "Tell me a story about a green frog"


def seconds(function: Callable[[], object], times: int = 5) -> float:
    """The median time of a call."""
    function()
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations)


def first_token(engine: Engine) -> float:
    """Seconds from the question to the first words."""

    def ask() -> None:
        for event in engine.stream(Conversation().user(TELL), GenerationOptions(seed=1)):
            if isinstance(event, TextDelta):
                return

    return seconds(ask)


def tokens_per_second(engine: Engine) -> float:
    """Of a reply without pictures."""
    options = GenerationOptions(seed=1, pictures="never", max_new_tokens=100)
    return statistics.median(
        engine.reply(Conversation().user(TELL), options).timings["tokens_per_second"] for _ in range(5)
    )


def picture(engine: Engine) -> float:
    """Seconds of one picture at default settings."""
    options = GenerationOptions(seed=1, pictures="always")
    return statistics.median(
        engine.reply(Conversation().user(DRAW), options).timings["pictures"] for _ in range(5)
    )


def stop(engine: Engine, kind: type) -> float:
    """The longest time between two events of a kind, after which a closed stream has stopped at the latest."""
    gaps, last = [], 0.0
    for event in engine.stream(Conversation().user(DRAW), GenerationOptions(seed=1, pictures="always")):
        now = time.perf_counter()
        if isinstance(event, kind) and last:
            gaps.append(now - last)
        last = now
    return max(gaps, default=0.0)


@torch.inference_mode()
def unet_call(engine: Engine) -> float:
    """Seconds of one guided UNet call."""
    diffusion, config = engine.model.diffusion, engine.config.mapper
    latents = torch.randn(2, *diffusion.latent_shape).to(diffusion.unet.dtype)
    embeds = torch.randn(2, config.length, config.width).to(latents)
    return seconds(lambda: diffusion.unet(latents, 500, encoder_hidden_states=embeds))


@torch.inference_mode()
def bare_forward(engine: Engine) -> float:
    """Seconds of one token through the bare LLM, without cache, sampling or text."""
    embeds = torch.randn(1, 1, engine.config.mapper.llm_width).to(engine.model.language.llama.dtype)
    return seconds(lambda: engine.model.language.logits(engine.model.language(embeds)[0]), times=50)


def resident_bytes() -> int:
    """The memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="weights/storybook")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    start = time.perf_counter()
    engine = minigpt5.load(arguments.model)
    loaded = time.perf_counter() - start
    drawing, rate, unet, bare = (
        picture(engine),
        tokens_per_second(engine),
        unet_call(engine),
        bare_forward(engine),
    )
    figures = {
        "load, s": loaded,
        "first token, s": first_token(engine),
        "tokens per second": rate,
        "a token over a bare forward pass": 1 / rate / bare,
        "picture at default settings, s": drawing,
        "picture over one UNet call": drawing / unet,
        "stop in text within, s": stop(engine, TextDelta),
        "stop in a picture within, s": stop(engine, ImageProgress),
        "resident memory, GB": resident_bytes() / 1e9,
    }
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}, indent=2))


if __name__ == "__main__":
    main()
