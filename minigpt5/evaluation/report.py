"""From replies to tables: `results.json`, `results.md` and a contact sheet for each setting.

Every table says of how many replies it is, and which networks its figures come from.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from PIL import Image

from minigpt5.evaluation.answers import StoredPairs, answer_all, slug
from minigpt5.evaluation.bootstrap import RESAMPLES, Figure, difference
from minigpt5.evaluation.features import Networks
from minigpt5.evaluation.metrics import Pair, measure
from minigpt5.evaluation.origins import Origins, facts_of, origins_of
from minigpt5.evaluation.samples import DRAWN_ANEW, OTHER_SCENES, storybook_samples, true_pictures
from minigpt5.evaluation.settings import SETTINGS, Sample, Setting
from minigpt5.evaluation.systems import System, systems_of
from minigpt5.generation.engine import DEFAULTS, Engine
from minigpt5.options import GenerationOptions
from minigpt5.training.trainer import save_grid

Answers = Mapping[str, StoredPairs]  # by system, read as often as they are wanted
Run = tuple[Setting, Iterable[Sample], dict[str, System], Origins]
TruePictures = Callable[[Setting], Mapping[str, Iterable[Sample]]]
Figures = dict[str, dict[str, Figure]]  # system -> metric -> figure
TRUTH = "truth"
NOT_SYSTEMS = (TRUTH, DRAWN_ANEW, OTHER_SCENES)
LOWER_IS_BETTER = ("instance FID", "KID, thousandths", "FID per story")
NETWORK_OF = {
    "CLIP image-image": "CLIP",
    "CLIP text-image": "CLIP",
    "MM-Relevance": "CLIP",
    "instance FID": "Inception",
    "KID, thousandths": "Inception",
    "FID per story": "Inception",
    "Inception Score": "Inception",
    "S-BERT": "S-BERT",
    "BERTScore F1": "BERTScore",
}


def score(
    answers: Answers, networks: Networks, setting: Setting, true: Mapping[str, Iterable[Sample]] | None = None
) -> Figures:
    """The figures of every system, and of the true replies themselves: the best that a system could have.

    `true` are other samples whose pictures are put beside the true ones, by what to call them.
    """
    (some, *_) = answers.values()
    truth = (Pair(pair.group, pair.truth, pair.truth) for pair in some)
    words = not setting.narration
    scored = {name: measure(pairs, networks, words) for name, pairs in answers.items()}
    scored[TRUTH] = measure(truth, networks, words)
    for name, samples in (true or {}).items():
        scored[name] = measure(some.beside(setting, samples), networks, words=False)
    return scored


def differences(figures: Figures) -> Figures:
    """The first system minus each of the others, paired: by the other's name, every metric that both have."""
    (first, *others) = [name for name in figures if name not in NOT_SYSTEMS]
    found: Figures = {}
    for name in others:
        shared = [metric for metric in figures[first] if metric in figures[name]]
        told = {metric: difference(figures[first][metric], figures[name][metric]) for metric in shared}
        found[name] = {metric: figure for metric, figure in told.items() if figure}
    return found


def write_report(
    results: Path, scored: dict[Setting, Figures], networks: Networks, name: str = "results"
) -> None:
    """`results.json` and `results.md`, or others of that `name`, in the folder."""
    data = {
        "networks": networks.names,
        "settings": {
            setting.name: {
                "title": setting.title,
                "systems": _told(figures),
                "differences": _told(differences(figures)),
            }
            for setting, figures in scored.items()
        },
    }
    (results / f"{name}.json").write_text(json.dumps(data, indent=2) + "\n")
    tables = [table(setting, figures, networks) for setting, figures in scored.items()]
    (results / f"{name}.md").write_text("\n".join([f"# {name.capitalize()}", "", *tables]))


def _told(figures: Figures) -> dict[str, dict[str, dict[str, float | int]]]:
    return {name: {metric: figure.told for metric, figure in row.items()} for name, row in figures.items()}


def table(setting: Setting, figures: Figures, networks: Networks) -> str:
    """A table in markdown: a row for each metric, a column for each system; value and 95 % interval."""
    lines = [f"## {setting.title}", "", f"`{setting.name}`: {_about(figures)}.", "", *_rows(figures)]
    apart = differences(figures)
    if any(apart.values()):
        (first, *_) = figures
        lines += [
            "",
            f"{first} minus the others, over the same stories; * where the interval leaves out 0:",
            "",
        ]
        lines += _rows(apart, "*")
    metrics = dict.fromkeys(metric for row in figures.values() for metric in row)
    used = [NETWORK_OF[metric] for metric in metrics if metric in NETWORK_OF]
    notes = [f"{name}: {networks.names[name]}" for name in dict.fromkeys(used)]
    return "\n".join([*lines, "", f"Networks: {'; '.join(notes)}.", ""])


def _rows(figures: Figures, mark: str = "") -> list[str]:
    """The lines of a table; with `mark` the cells whose interval leaves out 0 end with it."""
    metrics = list(dict.fromkeys(metric for row in figures.values() for metric in row))
    lines = [f"| | {' | '.join(figures)} |", f"|---|{'---|' * len(figures)}"]
    for metric in metrics:
        arrow = " (less is better)" if metric in LOWER_IS_BETTER else ""
        cells = (_cell(row.get(metric), mark) for row in figures.values())
        lines.append(f"| {metric}{arrow} | {' | '.join(cells)} |")
    return lines


def _about(figures: Figures) -> str:
    (row, *_) = figures.values()
    most = max(figure.count for figure in row.values())
    return f"{most} replies a system, 95 % intervals by bootstrap over stories, {RESAMPLES:,} draws"


def _cell(figure: Figure | None, mark: str = "") -> str:
    if figure is None or math.isnan(figure.value):
        return ""
    interval = "" if math.isnan(figure.low) else f" ({figure.low:.3f} to {figure.high:.3f})"
    clear = mark if figure.low > 0 or figure.high < 0 else ""
    return f"{figure.value:.3f}{interval}{clear}"


def contact_sheets(results: Path, setting: Setting, answers: Answers, columns: int = 10) -> None:
    """`<setting>.png`: the first true pictures in the top row, each system's below; grey where none was drawn."""
    shown = [
        list(islice((pair for pair in pairs if pair.truth.images), columns)) for pairs in answers.values()
    ]
    if not shown[0]:
        return
    size = shown[0][0].truth.images[0].size
    rows = [[pair.truth.images for pair in shown[0]]]
    rows += [[pair.answer.images for pair in pairs] for pairs in shown]
    pictures = [
        images[0].resize(size) if images else Image.new("RGB", size, "#bbb") for row in rows for images in row
    ]
    save_grid(pictures, results / f"{slug(setting.name)}.png", len(shown[0]))


def evaluate_settings(
    runs: Iterable[Run],
    networks: Networks,
    results: Path,
    size: int | None = None,
    true: TruePictures | None = None,
) -> None:
    """Answer and measure each setting with its samples and systems; a system that is not there is left out.

    Seeds are the same for all systems; it goes on where it stopped. `size`: see `answer_all`, `true`:
    see `score`.
    """
    scored: dict[Setting, Figures] = {}
    for setting, samples, systems, origins in runs:
        there = tuple(name for name in setting.systems if name in systems)
        answers = answer_all(replace(setting, systems=there), samples, systems, origins, results, size)
        contact_sheets(results, setting, answers)
        scored[setting] = score(answers, networks, setting, true(setting) if true else None)
        print(table(setting, scored[setting], networks), flush=True)
        write_report(results, scored, networks)


def evaluate_paper(
    engine: Engine,
    folder: Path,
    networks: Networks,
    results: Path,
    count: int,
    only: str | None,
    options: GenerationOptions = DEFAULTS,
) -> None:
    """Every setting (or those whose name begins with `only`) on `count` storybook samples each."""
    systems = systems_of(engine, folder, options)
    origins = origins_of(systems, facts_of(engine, folder))
    size = engine.config.image_size
    runs = (
        (setting, storybook_samples(setting.source, count, size), systems, origins)
        for setting in SETTINGS
        if setting.name.startswith(only or "")
    )
    evaluate_settings(
        runs, networks, results, true=lambda setting: true_pictures(setting.source, count, size)
    )
