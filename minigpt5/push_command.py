"""`python -m minigpt5 push`: a model folder to a hub, with a card of what its training recorded. Shown first, sent when asked."""

from __future__ import annotations

import argparse
from pathlib import Path

from minigpt5.checkpoint.model_hub import prepare_push, push

PUSH = "Put a model folder on a hub. Without --upload it only shows what would be sent."


def add_push(parser: argparse.ArgumentParser) -> None:
    """The flags of `push`."""
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("repo", metavar="OWNER/NAME", help="the repository; made where it is not there")
    parser.add_argument(
        "--record", type=Path, help="recipe.json of its training, or the run's folder, for the card"
    )
    parser.add_argument("--upload", action="store_true", help="send it (default: show what would be sent)")
    parser.add_argument(
        "--public", action="store_true", help="make a new repository public (default: private)"
    )
    parser.add_argument(
        "--endpoint", help="another hub (default: the HF_ENDPOINT variable, else huggingface.co)"
    )
    parser.set_defaults(command=run_push)


def run_push(arguments: argparse.Namespace) -> None:
    """`push`: nothing is sent without --upload."""
    prepared = prepare_push(arguments.model, arguments.repo, arguments.record)
    print(prepared.summary)
    if not arguments.upload:
        print("nothing was sent; --upload sends it")
        return
    print(f"done: {push(prepared, private=not arguments.public, endpoint=arguments.endpoint)}")
