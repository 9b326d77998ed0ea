"""`python -m minigpt5 evaluate`: the bars of the embedded model, or the paper's tables on any model and data."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from minigpt5.bar import Bar
from minigpt5.bench_command import add_bench, run_bench
from minigpt5.checkpoint.fingerprint import weights_digest
from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.data.storybook.worlds import SHIPPED
from minigpt5.errors import DataError, OptionError
from minigpt5.evaluation.ablations import evaluate_ablations
from minigpt5.evaluation.clip import load_clip
from minigpt5.evaluation.data_sets import SOURCES, Answering, DataSet, evaluate_data
from minigpt5.evaluation.features import Networks, published_networks, storybook_networks
from minigpt5.evaluation.judge import load_judge
from minigpt5.evaluation.obedience import (
    contact_sheet,
    judge_accuracy,
    measures,
    shares,
    told,
)
from minigpt5.evaluation.origins import facts_of, keep_apart
from minigpt5.evaluation.rendered import reconstruction
from minigpt5.evaluation.report import evaluate_paper
from minigpt5.generation.engine import DEFAULTS
from minigpt5.loading import load
from minigpt5.options import SCHEDULERS
from minigpt5.train_command import CLIP, JUDGE, WEIGHTS, data_set

RECONSTRUCTION = "the VAE on fresh renders"
REQUESTS = Path("tests/data/unseen_requests.json")
DESCRIPTION = "Measure the storybook bars, or with --paper the paper's tables; goes on where it stopped."
EXAMPLE = """
examples:
  python -m minigpt5 evaluate
  python -m minigpt5 evaluate --paper --count 30 --out runs/paper
  python -m minigpt5 evaluate weights/minigpt5-7b-vist --paper --data vist:VIST/val_cleaned.json --count 0 \\
      --diffusion stable-diffusion-2-1-base --clip clip-vit-large-patch14 --classifier resnet-50 \\
      --sentences all-MiniLM-L6-v2 --out runs/vist
  python -m minigpt5 evaluate weights/minigpt5-7b-vist --bench opening:OpenING/OpenING-benchmark --count 0 \\
      --out OpenING/gen_outputs
"""


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """The flags of `evaluate`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = DESCRIPTION, EXAMPLE
    parser.add_argument("model", type=Path, nargs="?", default=WEIGHTS, help="model folder")
    parser.add_argument(
        "--count",
        type=int,
        default=500,
        help="trials of each measure, with --data and --bench 0 for all (default: 500)",
    )
    parser.add_argument("--only", help="run the measures whose title contains this")
    parser.add_argument("--out", type=Path, default=Path("runs/evaluation"), help="report and contact sheets")
    parser.add_argument("--quantize", choices=("4bit", "8bit"), help="the LLM's blocks")
    _add_paper(parser.add_argument_group("the paper's tables"))
    add_bench(parser.add_argument_group("public benchmarks"))
    parser.set_defaults(command=run_evaluate)


def _add_paper(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--paper", action="store_true", help="the paper's settings beside its baselines")
    group.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="KIND:PATH",
        help=f"{', '.join(SOURCES)}; may be repeated (default: the storybook world)",
    )
    group.add_argument("--guidance", type=float, help="guidance scale (default: 7.5 on data, else 3)")
    group.add_argument("--steps", type=int, help="denoising steps (default: 50 on data, else 20)")
    group.add_argument("--scheduler", choices=SCHEDULERS, help="how pictures are drawn, `fast` for few steps")
    group.add_argument(
        "--diffusion", type=Path, help="Stable Diffusion folder, for the baselines' text encoder"
    )
    group.add_argument("--finetuned", type=Path, help="folder of a UNet trained further, for that baseline")
    group.add_argument("--ablations", type=Path, metavar="RUNS", help="the runs of `train ablations` instead")
    folders = {"clip": "CLIP", "classifier": "an image classifier", "sentences": "a sentence encoder"}
    for name, what in folders.items():
        group.add_argument(f"--{name}", type=Path, help=f"folder of {what} to measure with")


def run_evaluate(arguments: argparse.Namespace) -> None:
    """The bars, each printed as it is done with `report.json`, its replies and a contact sheet, or the paper's tables."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.bench:
        run_bench(arguments, replace(DEFAULTS, **_changes(arguments)))
        return
    if arguments.ablations:
        evaluate_ablations(arguments.ablations, networks_of(arguments), arguments.out, arguments.count)
        return
    if arguments.paper or arguments.data:
        run_paper(arguments)
        return
    run_bars(arguments)


def run_bars(arguments: argparse.Namespace) -> None:
    """The storybook bars, those whose title contains `--only`."""
    engine, judge = load(arguments.model, quantize=arguments.quantize, progress=Bar()), load_judge(JUDGE)
    path = arguments.out / "report.json"
    facts = {**facts_of(engine, arguments.model), "judge": weights_digest(JUDGE)}
    keep_apart(arguments.out, "report.json", facts, path.exists())
    report = json.loads(path.read_text()) if path.exists() else {}

    def add(title: str, figures: dict[str, Any]) -> None:
        report[title] = figures
        print(title, json.dumps(figures), flush=True)
        path.write_text(json.dumps(report, indent=2) + "\n")

    size = engine.config.image_size
    checks: dict[str, Callable[[], dict[str, float]]] = {
        "the judge on fresh renders": lambda: judge_accuracy(judge, arguments.count, size),
        RECONSTRUCTION: lambda: {"PSNR, dB": reconstruction(engine, SHIPPED, arguments.count)},
    }
    only = arguments.only or ""
    for title in filter(lambda title: only in title, checks):
        add(title, checks[title]())
    for title, measure in measures(engine, judge, arguments.count, REQUESTS).items():
        if only in title:
            trials = list(tqdm(measure(), title, arguments.count, leave=False, disable=None))
            add(title, {**shares(trials), "trials": len(trials)})
            name = title.replace(" ", "-").replace(",", "")
            (arguments.out / f"{name}.jsonl").write_text(told(trials))
            contact_sheet(trials[:64], arguments.out / f"{name}.png")


def run_paper(arguments: argparse.Namespace) -> None:
    """The paper's tables on the data that is named, otherwise on the storybook world; raises `OptionError`."""
    data = [DataSet(*data_set(value, SOURCES)) for value in arguments.data]
    changes = _changes(arguments)
    if missing := [one.path for one in data if not one.path.exists()]:
        raise DataError(f"{missing[0]}: got no such file or folder, expected a data set")
    if arguments.count < (0 if data else 1):
        raise OptionError(f"count: got {arguments.count}, expected {'0 or more' if data else '1 or more'}")
    engine = load(arguments.model, quantize=arguments.quantize, progress=Bar())
    networks = networks_of(arguments, str(engine.model.diffusion.unet.device))
    if not data:
        options = replace(DEFAULTS, **changes)
        evaluate_paper(
            engine, arguments.model, networks, arguments.out, arguments.count, arguments.only, options
        )
        return
    answering = Answering(engine, arguments.model, arguments.diffusion, arguments.finetuned, changes)
    evaluate_data(answering, data, networks, arguments.out, arguments.count, arguments.only)


def _changes(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options that are named, verified."""
    named = {
        "guidance_scale": arguments.guidance,
        "num_inference_steps": arguments.steps,
        "scheduler": arguments.scheduler,
    }
    changes = {name: value for name, value in named.items() if value is not None}
    replace(DEFAULTS, **changes)
    return changes


def networks_of(arguments: argparse.Namespace, device: str = "cpu") -> Networks:
    """The folders that are named, all three, on `device`; else the stand-ins of the storybook world."""
    folders = {name: getattr(arguments, name) for name in ("clip", "classifier", "sentences")}
    if all(folders.values()):
        return published_networks(**folders, device=device)
    if missing := [f"--{name}" for name, folder in folders.items() if any(folders.values()) and not folder]:
        raise OptionError(f"{', '.join(missing)}: got nothing, expected a folder beside the others")
    return storybook_networks(load_clip(CLIP, load_judge(JUDGE), load_tokenizer(WEIGHTS)))
