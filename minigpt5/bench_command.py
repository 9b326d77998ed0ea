"""`python -m minigpt5 evaluate MODEL --bench NAME:DATA`: a public benchmark answered in its own layout, and judged."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from minigpt5.errors import DataError, OptionError
from minigpt5.evaluation.benchmark_judge import Judge, judge_opening, prompt_of
from minigpt5.evaluation.benchmark_layouts import MMIE, ISGBench, OpenING
from minigpt5.evaluation.benchmarks import Benchmark, answer
from minigpt5.evaluation.origins import facts_of, keep_apart
from minigpt5.evaluation.vistory import ViStoryBench, timestamp_of
from minigpt5.loading import load
from minigpt5.options import GenerationOptions

BENCHMARKS: dict[str, Callable[[Path, Path, str], Benchmark]] = {
    "opening": OpenING,
    "mmie": MMIE,
    "isg": ISGBench,
    "vistory": lambda data, out, model: ViStoryBench(
        data, out, model, timestamp_of(out, model, f"{datetime.now():%Y%m%d-%H%M%S}")
    ),
}


def add_bench(group: argparse._ArgumentGroup) -> None:
    """The flags of a benchmark."""
    group.add_argument(
        "--bench",
        metavar="NAME:DATA",
        help=f"{', '.join(BENCHMARKS)}, and where its data lie; writes its layout",
    )
    group.add_argument("--name", help="of the model in that layout (default: its folder's)")
    group.add_argument(
        "--judge",
        metavar="ADDRESS",
        help="score what was answered to OpenING, by an OpenAI-compatible address (http://.../v1), instead",
    )
    group.add_argument("--judge-model", metavar="MODEL", help="what the judge is called there")
    group.add_argument(
        "--judge-key", metavar="VARIABLE", help="environment variable with its key (default: none is sent)"
    )


def run_bench(arguments: argparse.Namespace, options: GenerationOptions) -> None:
    """Answer a benchmark, or go on with it, or have its answers judged; raises `OptionError` and `DataError`."""
    name, data = _named(arguments.bench)
    if not data.exists():
        raise DataError(f"{data}: got no such file or folder, expected the data of {name}")
    model = arguments.name or arguments.model.resolve().name
    if arguments.judge:
        _judge(arguments, name, data, model)
        return
    benchmark = BENCHMARKS[name](data, arguments.out, model)
    engine = load(arguments.model, quantize=arguments.quantize)
    begun = any(benchmark.is_answered(item) for item in benchmark.items())
    keep_apart(
        arguments.out, f"{name} {model}", {**facts_of(engine, arguments.model), **asdict(options)}, begun
    )
    tally = answer(engine, benchmark, arguments.out, options, arguments.count)
    print(f"{arguments.out}: {tally.answered} answered, {tally.before} before, {tally.failed} not or in part")


def _judge(arguments: argparse.Namespace, name: str, data: Path, model: str) -> None:
    if name != "opening":
        raise OptionError(f"judge: got {name}, expected opening; the others bring scorers of their own")
    if not arguments.judge_model:
        raise OptionError("judge: got no --judge-model, expected what it is called at its address")
    key = ""
    if arguments.judge_key and not (key := os.environ.get(arguments.judge_key, "")):
        raise OptionError(f"judge: got no value in {arguments.judge_key}, expected the key in it")
    judge = Judge(arguments.judge, arguments.judge_model, prompt_of(data), key)
    summary = judge_opening(judge, arguments.out / f"{model}_output", data, arguments.out)
    print(json.dumps({"judge": judge.model, **summary}, indent=2))


def _named(value: str) -> tuple[str, Path]:
    name, colon, data = value.partition(":")
    if not colon or name not in BENCHMARKS:
        raise OptionError(f"bench: got {value!r}, expected NAME:DATA with one of {', '.join(BENCHMARKS)}")
    return name, Path(data)
