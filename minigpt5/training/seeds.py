"""One recipe with several seeds: how far its result is chance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from minigpt5.errors import OptionError
from minigpt5.training.finetune import RESULT, Score, finetune
from minigpt5.training.recipe import Recipe
from minigpt5.training.trainer import processes


def of_seed(recipe: Recipe, seed: int) -> Recipe:
    """The recipe with this seed, its result and its run under names of their own."""
    return replace(
        recipe,
        out=_named(recipe.out, seed),
        run=_named(recipe.run, seed),
        schedule=replace(recipe.schedule, seed=seed),
    )


def each_seed(recipe: Recipe, seeds: Sequence[int], score: Score | None = None) -> None:
    """Train with each seed, or go on where this was stopped; raises as `finetune`, and `OptionError` for a seed twice.

    Writes `RUN-seeds.json`: the result of each, and of the losses on held-out data mean and standard deviation.
    """
    if len(set(seeds)) < len(seeds):
        raise OptionError(f"seeds: got {' '.join(map(str, seeds))}, expected each once")
    recipes = [of_seed(recipe, seed) for seed in seeds]
    for each in recipes:
        finetune(each, score)
    if processes().is_main_process:
        results = {str(each.schedule.seed): json.loads((each.run / RESULT).read_text()) for each in recipes}
        path = recipe.run.with_name(f"{recipe.run.name}-seeds.json")
        path.write_text(json.dumps({"seeds": results, **_spread(list(results.values()))}, indent=2) + "\n")


def _spread(results: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation of each loss, where all results have it and there are two or more."""
    if len(results) < 2 or not all("losses" in result for result in results):
        return {}
    columns = {name: [result["losses"][name] for result in results] for name in results[0]["losses"]}
    return {
        "mean": {name: mean(values) for name, values in columns.items()},
        "standard deviation": {name: stdev(values) for name, values in columns.items()},
    }


def _named(path: Path, seed: int) -> Path:
    return path.with_name(f"{path.name}-seed-{seed}")
