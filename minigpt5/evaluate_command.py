"""`python -m minigpt5 evaluate`: the bars of the embedded model, or the paper's tables."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.errors import OptionError
from minigpt5.evaluation.clip import load_clip
from minigpt5.evaluation.features import Networks, published_networks, storybook_networks
from minigpt5.evaluation.judge import load_judge
from minigpt5.evaluation.obedience import contact_sheet, judge_accuracy, measures, shares
from minigpt5.evaluation.report import evaluate_paper
from minigpt5.loading import load
from minigpt5.train_command import CLIP, JUDGE, WEIGHTS

REQUESTS = Path("tests/data/unseen_requests.json")
DESCRIPTION = "Measure the storybook bars."


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """The flags of `evaluate`."""
    parser.description = DESCRIPTION
    parser.add_argument("model", type=Path, nargs="?", default=WEIGHTS, help="model folder")
    parser.add_argument("--count", type=int, default=500, help="trials of each measure (default: 500)")
    parser.add_argument("--only", help="run the measures whose title contains this")
    parser.add_argument("--out", type=Path, default=Path("runs/evaluation"), help="report and contact sheets")
    add_paper(parser)
    parser.set_defaults(command=run_evaluate)


def add_paper(parser: argparse.ArgumentParser) -> None:
    """The flags of the paper's tables."""
    parser.add_argument(
        "--paper", action="store_true", help="the paper's settings beside its baselines, not the bars"
    )
    folders = {"clip": "CLIP", "classifier": "an image classifier", "sentences": "a sentence encoder"}
    for name, what in folders.items():
        parser.add_argument(f"--{name}", type=Path, help=f"folder of {what} to measure with, for --paper")


def run_evaluate(arguments: argparse.Namespace) -> None:
    """Print every measure as it is done, and write `report.json` and a contact sheet for each."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    engine, judge = load(arguments.model), load_judge(JUDGE)
    if arguments.paper:
        networks = networks_of(arguments)
        evaluate_paper(engine, arguments.model, networks, arguments.out, arguments.count, arguments.only)
        return
    path = arguments.out / "report.json"
    report = json.loads(path.read_text()) if path.exists() else {}
    report["the judge on fresh renders"] = judge_accuracy(judge, arguments.count, engine.config.image_size)
    for title, measure in measures(engine, judge, arguments.count, REQUESTS).items():
        if arguments.only and arguments.only not in title:
            continue
        trials = list(measure())
        report[title] = {**shares(trials), "trials": len(trials)}
        print(title, json.dumps(report[title]), flush=True)
        contact_sheet(trials[:64], arguments.out / f"{title.replace(' ', '-').replace(',', '')}.png")
        path.write_text(json.dumps(report, indent=2) + "\n")


def networks_of(arguments: argparse.Namespace) -> Networks:
    """The folders that are named, all three; else the stand-ins of the storybook world."""
    folders = {name: getattr(arguments, name) for name in ("clip", "classifier", "sentences")}
    if all(folders.values()):
        return published_networks(**folders)
    if missing := [f"--{name}" for name, folder in folders.items() if any(folders.values()) and not folder]:
        raise OptionError(f"{', '.join(missing)}: got nothing, expected a folder beside the others")
    return storybook_networks(load_clip(CLIP, load_judge(JUDGE), load_tokenizer(WEIGHTS)))
