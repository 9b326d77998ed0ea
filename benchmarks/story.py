"""How well and how fast stories are told: `python -m benchmarks.story [MODEL]`.

Ten stories of six scenes from premise to PDF. The judge (`weights/judge.safetensors`) looks for the hero, of the animal
and colour that the premise names, in every picture. As another page does it, the whole way: `demo.story`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch

import minigpt5
from demo.story.export.book import Book, Page
from demo.story.export.pdf import write_pdf
from demo.story.writing.cast import read_cast
from demo.story.writing.premise import Premise
from demo.story.writing.writer import SceneFinished, SceneWords, write_story
from minigpt5 import Engine, GenerationOptions
from minigpt5.evaluation.judge import AttributeJudge, load_judge

SCENES = 6
# premise, cast, the hero's animal and colour
STORIES = (
    ("", "Pip the blue rabbit", "rabbit", "blue"),
    ("a green frog called Luna", "", "frog", "green"),
    ("an orange cat who finds a red kite", "", "cat", "orange"),
    ("a brown bear on the beach", "", "bear", "brown"),
    ("", "a purple elephant named Otto", "elephant", "purple"),
    ("a yellow owl and a pink mouse", "", "owl", "yellow"),
    ("A pink dog is lost in the forest.", "Rosie the pink dog", "dog", "pink"),
    ("a yellow mouse named Dot in the mountains", "", "mouse", "yellow"),
    ("", "a purple cat", "cat", "purple"),
    ("a green elephant who wants to make friends", "", "elephant", "green"),
)


@dataclass(frozen=True)
class Told:
    """One story: whether each picture has the hero's colour, and the hero; seconds to the PDF; drafts given up."""

    coloured: list[bool]
    kept: list[bool]
    seconds: float
    given_up: int


def tell(engine: Engine, judge: AttributeJudge, number: int, seed: int) -> Told:
    """Tell story `number` with `seed`, and look at its pictures."""
    text, cast, animal, colour = STORIES[number]
    premise = Premise(text, cast=read_cast(cast), scenes=SCENES)
    began, given_up, scenes = time.perf_counter(), 0, []
    for event in write_story(engine, premise, options=GenerationOptions(seed=seed)):
        given_up += isinstance(event, SceneWords) and not event.text
        if isinstance(event, SceneFinished):
            scenes.append(event)
    pictures = [scene.picture.image for scene in scenes if scene.picture]
    write_pdf(Book("A story", tuple(Page(s.text, s.told.image) for s in scenes), engine.name))
    seconds = time.perf_counter() - began
    hero = (animal, colour)
    shown = [
        ((seen["animal"], seen["colour"]), (seen["second_animal"], seen["second_colour"]))
        for seen in judge.name(pictures)
    ]
    missing = [False] * (SCENES - len(shown))
    coloured = [colour in (first[1], second[1]) for first, second in shown]
    kept = [hero in both for both in shown]
    return Told(coloured + missing, kept + missing, seconds, given_up)


def measure(engine: Engine, judge: AttributeJudge, seeds: int) -> dict[str, float]:
    """The figures over all stories, each told with `seeds` seeds."""
    told = [tell(engine, judge, n, 100 * n + s) for s in range(seeds) for n in range(len(STORIES))]
    return {
        "stories": len(told),
        "scenes with the hero's colour": statistics.mean(kept for one in told for kept in one.coloured),
        "scenes with the hero, animal and colour": statistics.mean(kept for one in told for kept in one.kept),
        "stories whose hero keeps its colour": statistics.mean(all(one.coloured) for one in told),
        "stories whose hero keeps animal and colour": statistics.mean(all(one.kept) for one in told),
        "seconds from premise to PDF, median": statistics.median(one.seconds for one in told),
        "seconds from premise to PDF, longest": max(one.seconds for one in told),
        "drafts given up a scene": sum(one.given_up for one in told) / len(told) / SCENES,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="weights/storybook")
    parser.add_argument("--judge", type=Path, default=Path("weights/judge.safetensors"))
    parser.add_argument(
        "--seeds", type=int, default=3, help="times each story is told (default: %(default)s)"
    )
    flags = parser.parse_args()
    figures = measure(minigpt5.load(flags.model), load_judge(flags.judge), flags.seeds)
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(json.dumps({"threads": torch.get_num_threads(), "cores": os.cpu_count(), **rounded}, indent=1))


if __name__ == "__main__":
    main()
