"""The paper's model at full size on a GPU: memory, words and pictures, beside the plan and the physical limits.

    python -m benchmarks.gpu_full_size --out runs/gpu            about ten minutes, a GPU of 24 GB or more
    python -m benchmarks.gpu_full_size --reduced --no-compile    the embedded model's size, on any machine

The weights are random, so that nothing need be downloaded; time and memory do not depend on their values. Such a
model neither ends a reply nor draws of its own will: replies are greedy, as long as they may be, and end with a
picture that is forced. The figures are saved after each section, so that a run that is cut off keeps what it has.
"""

import argparse
import gc
import json
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.device_limits import allocated, bandwidth, forget_peak, matmul_rate, peak
from benchmarks.full_size import full_size_config
from benchmarks.gpu_report import markdown
from benchmarks.random_model import random_engine
from minigpt5 import Conversation, Engine, GenerationOptions
from minigpt5.checkpoint.build import Quantization, build_empty
from minigpt5.checkpoint.memory import memory_plan
from minigpt5.checkpoint.placement import Placement, place
from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.config import ModelConfig
from minigpt5.generation.reader import Reader

STORYBOOK = Path(__file__).parents[1] / "weights/storybook"
MODES: dict[str, Quantization | None] = {"bf16": None, "8bit": "8bit", "4bit": "4bit"}
OFFICIAL = ("pndm", 50)
GUIDANCE = 7.5
QUESTION = Conversation().user("What happens next?", Image.new("RGB", (224, 224), "teal"))
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured, and how. `backend` is torch.compile's, None where nothing is compiled."""

    config: ModelConfig
    placement: Placement
    backend: str | None
    steps: tuple[int, ...]  # of DPM-Solver++
    tokens: int  # of a reply
    times: int  # each picture is drawn; the median counts


class PartMeter:
    """The bytes that each part added to what is allocated; None on a device that does not tell."""

    def __init__(self, device: torch.device) -> None:
        self.bytes: dict[str, int | None] = {}
        self._device, self._before = device, allocated(device)

    def __call__(self, part: str) -> None:
        now = allocated(self._device)
        self.bytes[part] = None if now is None or self._before is None else now - self._before
        self._before = now


def measure_mode(setting: Setting, mode: str, *, draw: bool) -> Iterator[tuple[str, Figures]]:
    """The sections of one mode as they are done. Pictures do not depend on it: they are drawn if `draw` says so."""
    device, config = setting.placement.device, setting.config
    lines = memory_plan(
        build_empty(config), config, setting.placement.dtype, MODES[mode], str(setting.placement.device)
    )
    plan = {line.part: line.bytes for line in lines}
    meter, start = PartMeter(device), time.perf_counter()
    forget_peak(device)
    engine = random_engine(config, load_tokenizer(STORYBOOK), MODES[mode], setting.placement, meter)
    yield "load", {"seconds": time.perf_counter() - start, "peak bytes": peak(device)}
    reply_timings(engine, setting, 2)  # what is made once, such as the libraries' work spaces, is made here
    yield "memory", compared(plan, fill_context(engine, setting, meter), peak(device))
    weights = plan["LLM: blocks"] + engine.model.language.llama.lm_head.weight.nbytes
    yield "words", words(engine, setting, weights)
    if setting.backend:
        start = time.perf_counter()
        engine.model.language.compile_decoding(config.context_length, setting.backend)
        yield (
            "words, compiled",
            {
                "compile seconds": time.perf_counter() - start,
                **words(engine, setting, weights),
            },
        )
    if draw:
        yield "pictures", {"rows": list(pictures(engine, setting))}


def reply_timings(engine: Engine, setting: Setting, tokens: int, **choices: Any) -> dict[str, float]:
    """The timings of a reply of so many tokens, the last of them a picture; raises RuntimeError for another."""
    values = {"num_inference_steps": setting.steps[0], "guidance_scale": GUIDANCE, "seed": 0, **choices}
    options = GenerationOptions(temperature=0, pictures="always", max_new_tokens=tokens, **values)
    reply = engine.reply(QUESTION, options)
    if len(reply.token_ids) != tokens or len(reply.images) != 1:
        raise RuntimeError(
            f"got a reply of {len(reply.token_ids)} tokens, expected {tokens}, the last a picture"
        )
    return reply.timings


@torch.inference_mode()
def fill_context(engine: Engine, setting: Setting, meter: PartMeter) -> dict[str, int | None]:
    """The bytes of each part, with a cache of a full context, and a picture decoded while it is held."""
    device, diffusion = setting.placement.device, engine.model.diffusion
    meter("engine")  # what it holds beside the parts
    forget_peak(device)
    reader = Reader(engine.model.language)
    width, dtype = engine.model.language.width, setting.placement.dtype
    reader.read(torch.zeros(1, setting.config.context_length, width, device=device, dtype=dtype))
    meter("cache")
    full, before = peak(device), allocated(device)
    forget_peak(device)
    diffusion.decode(diffusion.initial_latents(torch.Generator().manual_seed(0)))
    decoding = peak(device)
    work = None if decoding is None or before is None else decoding - before
    known = {"full context": full, "decoding a picture": decoding}
    return {
        **{part: size for part, size in meter.bytes.items() if part != "engine"},
        "work space": work,
    } | known


def compared(plan: dict[str, int], measured: dict[str, int | None], now: int | None) -> Figures:
    """Rows (part, planned, measured) in bytes, the peak last: with a full context, or while a picture is drawn."""
    rows = []
    for part, planned in plan.items():
        found = next((size for name, size in measured.items() if part.startswith(name)), None)
        rows.append({"part": part, "planned": planned, "measured": found})
    peaks = [measured[name] for name in ("full context", "decoding a picture")]
    highest = max((size for size in [*peaks, now] if size is not None), default=None)
    return {
        "rows": [*rows, {"part": "in all, at the peak", "planned": sum(plan.values()), "measured": highest}]
    }


def words(engine: Engine, setting: Setting, weights: int) -> Figures:
    """A turn's words, and the bytes of the weights that each token reads."""
    forget_peak(setting.placement.device)
    timings = reply_timings(engine, setting, setting.tokens)
    return {
        "time to first token": timings["prefill"],
        "tokens per second": timings["tokens_per_second"],
        "tokens": setting.tokens,
        "weights read per token, bytes": weights,
        "peak bytes": peak(setting.placement.device),
    }


def pictures(engine: Engine, setting: Setting) -> Iterator[Figures]:
    """Seconds of one picture, each row with all that was switched on in those before it."""
    diffusion = engine.model.diffusion
    step, decoder = picture_flops(engine)

    def row(how: str, scheduler: str, steps: int) -> Figures:
        taken = [
            reply_timings(engine, setting, 1, scheduler=scheduler, num_inference_steps=steps)["pictures"]
            for _ in range(setting.times + 1)
        ]
        calls = steps + (scheduler == "pndm")
        seconds = statistics.median(taken[1:])
        return {
            "how": how,
            "scheduler": scheduler,
            "steps": steps,
            "seconds": seconds,
            "flops": calls * step + decoder,
        }

    fast = ("dpmsolver++", setting.steps[-1])
    yield row("eager", *OFFICIAL)
    yield from (row("eager", "dpmsolver++", steps) for steps in setting.steps)
    diffusion.unet.to(memory_format=torch.channels_last)
    diffusion.vae.to(memory_format=torch.channels_last)
    yield row("+ channels last", *fast)
    if setting.backend:
        diffusion.compile_drawing(setting.config.mapper.length, setting.backend)
        yield from (row("+ compiled", "dpmsolver++", steps) for steps in setting.steps)
        yield row("+ compiled", *OFFICIAL)
    with torch.no_grad():
        diffusion.unet.fuse_qkv_projections()
    yield row("+ fused qkv", *fast)


@torch.inference_mode()
def picture_flops(engine: Engine) -> tuple[int, int]:
    """Floating-point operations of one guided step, and of the decoder."""
    diffusion = engine.model.diffusion
    negative = engine.model.mapper.null_embeds()
    noise = diffusion.initial_latents(torch.Generator().manual_seed(0))
    how = {"guidance_scale": GUIDANCE, "num_inference_steps": 1, "scheduler": "ddim", "latents": noise}
    with FlopCounterMode(display=False) as step:
        next(diffusion.denoise(negative, negative, **how))
    with FlopCounterMode(display=False) as decoder:
        diffusion.decode(noise)
    return step.get_total_flops(), decoder.get_total_flops()


def device_facts(placement: Placement, *, reduced: bool) -> Figures:
    """The device, and its limits as measured now."""
    device = placement.device
    cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if cuda else f"CPU ({platform.machine()})",
        "torch": torch.__version__,
        "reduced": reduced,
        "bytes per second": bandwidth(device),
        "flops per second": matmul_rate(device, placement.dtype),
    }


def measure(setting: Setting, modes: Sequence[str], out: Path, *, reduced: bool) -> Figures:
    """All figures; `figures.json` and `figures.md` in `out` are written anew after each section.

    A mode that fails leaves its error there, and the next one goes on.
    """
    out.mkdir(parents=True, exist_ok=True)
    report: Figures = {"facts": device_facts(setting.placement, reduced=reduced), "modes": {}}
    for mode in modes:
        figures = report["modes"].setdefault(mode, {})
        try:
            for section, values in measure_mode(setting, mode, draw=mode == modes[0]):
                figures[section] = values
                save(report, out)
                print(f"{mode}: {section}", flush=True)
        except RuntimeError as error:
            figures["error"] = str(error).strip().splitlines()[0]
            save(report, out)
        torch.compiler.reset()
        gc.collect()
        torch.cuda.empty_cache()
    return report


def save(report: Figures, out: Path) -> None:
    """Write the figures for programs and for people."""
    (out / "figures.json").write_text(json.dumps(report, indent=2) + "\n")
    (out / "figures.md").write_text(markdown(report))


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/gpu"), help="folder of the figures (default: runs/gpu)"
    )
    parser.add_argument(
        "--modes", nargs="+", choices=tuple(MODES), default=list(MODES), help="of the LLM's blocks"
    )
    parser.add_argument(
        "--compile", action=argparse.BooleanOptionalAction, default=True, help="measure that as well"
    )
    parser.add_argument("--backend", default="inductor", help="of torch.compile (default: inductor)")
    parser.add_argument(
        "--steps", type=int, nargs="+", default=[20, 25], help="of DPM-Solver++ (default: 20 25)"
    )
    parser.add_argument("--tokens", type=int, default=128, help="of a reply (default: 128)")
    parser.add_argument("--times", type=int, default=3, help="each picture is drawn (default: 3)")
    parser.add_argument(
        "--reduced", action="store_true", help="the embedded model's size, for machines without a GPU"
    )
    return parser


def main(words: Sequence[str] | None = None) -> None:
    """Measure, save, and print the report."""
    parser = build_parser()
    flags = parser.parse_args(words)
    placement = place("auto", "bfloat16")
    if placement.device.type != "cuda" and not flags.reduced:
        parser.error("got no CUDA device, expected one, or --reduced")
    config = ModelConfig.load(STORYBOOK) if flags.reduced else full_size_config()
    backend = flags.backend if flags.compile else None
    setting = Setting(config, placement, backend, tuple(flags.steps), flags.tokens, flags.times)
    print(markdown(measure(setting, flags.modes, flags.out, reduced=flags.reduced)))


if __name__ == "__main__":
    main()
