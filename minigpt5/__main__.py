"""The command line: `python -m minigpt5 train|evaluate`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from minigpt5.evaluation.judge import load_judge, save_judge, train_judge
from minigpt5.evaluation.obedience import contact_sheet, judge_accuracy, measures, shares
from minigpt5.loading import load
from minigpt5.training.storybook import STEPS, train_storybook

WEIGHTS = Path("weights/storybook")
JUDGE = Path("weights/judge.safetensors")
REQUESTS = Path("tests/data/unseen_requests.json")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their flags."""
    parser = argparse.ArgumentParser(prog="python -m minigpt5", description="Train and measure MiniGPT-5.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = commands.add_parser(
        "train", help="train a model", description="Train a model; resumes where it stopped."
    )
    train.add_argument("model", choices=("storybook", "judge"), help="what to train")
    train.add_argument(
        "--runs", type=Path, default=Path("runs"), help="checkpoints and curves (default: runs)"
    )
    train.add_argument("--out", type=Path, help="where the weights go (default: under weights/)")
    train.add_argument("--only", nargs="+", choices=tuple(STEPS), help="run these steps alone")
    train.add_argument("--start", type=Path, help="begin from this model folder, not from random weights")
    train.set_defaults(command=run_train)
    evaluate = commands.add_parser(
        "evaluate", help="measure a model", description="Measure the storybook bars."
    )
    evaluate.add_argument("model", type=Path, nargs="?", default=WEIGHTS, help="model folder")
    evaluate.add_argument("--count", type=int, default=500, help="trials of each measure (default: 500)")
    evaluate.add_argument("--only", help="run the measures whose title contains this")
    evaluate.add_argument(
        "--out", type=Path, default=Path("runs/evaluation"), help="report and contact sheets"
    )
    evaluate.set_defaults(command=run_evaluate)
    return parser


def run_train(arguments: argparse.Namespace) -> None:
    """`train storybook` or `train judge`."""
    if arguments.model == "judge":
        path = arguments.out or JUDGE
        path.parent.mkdir(parents=True, exist_ok=True)
        save_judge(train_judge(arguments.runs / "judge"), path)
    else:
        train_storybook(arguments.runs, arguments.out or WEIGHTS, arguments.only, arguments.start)


def run_evaluate(arguments: argparse.Namespace) -> None:
    """Print every measure as it is done, and write `report.json` and a contact sheet for each."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    engine, judge = load(arguments.model), load_judge(JUDGE)
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


if __name__ == "__main__":
    arguments = build_parser().parse_args()
    arguments.command(arguments)
