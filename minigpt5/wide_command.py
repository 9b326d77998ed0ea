"""`python -m minigpt5 wide train|judge|evaluate`: the next embedded model, over the wide world, while it is trained.

The shipped model is still `train storybook`'s and `evaluate`'s; when this one replaces it, these take its recipe and measures.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minigpt5.checkpoint.fingerprint import weights_digest
from minigpt5.data.storybook.worlds import WIDE
from minigpt5.errors import OptionError
from minigpt5.evaluation.judge import save_judge
from minigpt5.evaluation.origins import facts_of, keep_apart
from minigpt5.evaluation.rendered import reconstruction
from minigpt5.evaluation.wide.judge import load_judge, train_judge
from minigpt5.evaluation.wide.measures import (
    JUDGED,
    MEASURES,
    figures_of,
    judge_accuracy,
    table,
    trials_of,
)
from minigpt5.generation.engine import DEFAULTS
from minigpt5.loading import load
from minigpt5.training.storybook import train_storybook
from minigpt5.training.storybook_recipes import WIDE_RECIPE

FOLDER = Path("weights/wide")
JUDGE = Path("weights/wide-judge.safetensors")
RECONSTRUCTION = "the VAE on fresh renders"
HELP = "the next embedded model, which is not finished"


def add_wide(parser: argparse.ArgumentParser) -> None:
    """The three commands and their flags."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = commands.add_parser("train", help="go on with the recipe, step by step")
    train.add_argument("--runs", type=Path, default=Path("runs/wide"), help="checkpoints and curves")
    train.add_argument("--out", type=Path, default=FOLDER, help=f"the model folder (default: {FOLDER})")
    train.add_argument("--only", nargs="+", help=f"some of {', '.join(WIDE_RECIPE.schedules)}")
    train.add_argument("--start", type=Path, help=f"the weights to begin with, such as {FOLDER}")
    train.set_defaults(command=run_train)
    judge = commands.add_parser("judge", help="train the judge of its pictures")
    judge.add_argument("--runs", type=Path, default=Path("runs/wide"), help="checkpoints and curve")
    judge.add_argument("--out", type=Path, default=JUDGE, help=f"(default: {JUDGE})")
    judge.set_defaults(command=run_judge)
    evaluate = commands.add_parser("evaluate", help="its measures")
    evaluate.add_argument("model", nargs="?", type=Path, default=WIDE)
    evaluate.add_argument("--count", type=int, default=500, help="trials of each measure (default: 500)")
    evaluate.add_argument("--only", default="", help="run the measures whose title contains this")
    evaluate.add_argument("--out", type=Path, default=Path("runs/wide/evaluation"), help="report and replies")
    evaluate.set_defaults(command=run_evaluate)


def run_train(arguments: argparse.Namespace) -> None:
    """The steps of the recipe that are not finished, then the folder."""
    train_storybook(WIDE_RECIPE, arguments.runs, arguments.out, arguments.only, arguments.start)


def run_judge(arguments: argparse.Namespace) -> None:
    """The judge, on scenes of both halves of the split."""
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    save_judge(train_judge(arguments.runs / "judge"), arguments.out)


def run_evaluate(arguments: argparse.Namespace) -> None:
    """The measures whose title contains `--only`, each kept as it is done; raises `OptionError` where there is none."""
    only, count, out = arguments.only, arguments.count, arguments.out
    titles = [JUDGED, RECONSTRUCTION, *(measure.title for measure in MEASURES)]
    if not any(only in title for title in titles):
        raise OptionError(f"only: got {only!r}, expected a part of one of: {'; '.join(titles)}")
    out.mkdir(parents=True, exist_ok=True)
    engine, judge = load(arguments.model), load_judge(JUDGE)
    facts = {**facts_of(engine, arguments.model), "judge": weights_digest(JUDGE), **asdict(DEFAULTS)}
    path = out / "report.json"
    keep_apart(out, path.name, facts, path.exists())
    report: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def add(title: str, figures: dict[str, Any]) -> None:
        report[title] = figures
        print(table({title: figures}), flush=True)
        path.write_text(json.dumps(report, indent=2) + "\n")
        (out / "report.md").write_text(table(report))

    if only in JUDGED:
        shares = judge_accuracy(judge, count, engine.config.image_size)
        add(JUDGED, {name: share.told for name, share in shares.items()})
    if only in RECONSTRUCTION:
        add(RECONSTRUCTION, {"PSNR, dB": {"value": reconstruction(engine, WIDE, count), "trials": count}})
    for measure in MEASURES:
        if only in measure.title:
            add(measure.title, figures_of(trials_of(measure, count, engine, judge, out, DEFAULTS)))
