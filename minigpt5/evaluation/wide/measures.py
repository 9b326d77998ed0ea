"""All that `python -m minigpt5 evaluate` measures of the embedded model, and the bars that it has to reach.

A measure makes cases (`trials`), the engine answers, the rules count. Seeds are fixed, so a run repeats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tqdm import tqdm

from minigpt5.data.storybook.world.attributes import values_of
from minigpt5.data.storybook.worlds import WIDE
from minigpt5.evaluation.rendered import fresh_renders
from minigpt5.evaluation.wide.capabilities import ABILITIES, ability
from minigpt5.evaluation.wide.conversations import drawn_or_not, late_requests, unknown_nouns
from minigpt5.evaluation.wide.edits import edits
from minigpt5.evaluation.wide.scenes import next_scenes, told_scenes, who_is_this
from minigpt5.evaluation.wide.stories import guided_scenes, whole_stories, wordings
from minigpt5.evaluation.wide.trials import Case, Judge, Records, Share, Trial, answer, shares
from minigpt5.evaluation.wide.visitors import Visitors
from minigpt5.generation.engine import DEFAULTS, Engine
from minigpt5.options import GenerationOptions
from minigpt5.training.trainer import save_grid

JUDGED = "the judge on fresh renders"


@dataclass(frozen=True)
class Measure:
    """`cases(count)` makes at most `most` cases; `bars` are the shares that are wanted, by name."""

    title: str
    cases: Callable[[int], Iterator[Case]]
    most: int | None = None
    bars: dict[str, float] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The title as part of a file's name."""
        return "".join(c for c in self.title.replace(" ", "-") if c.isalnum() or c == "-")


MEASURES = (
    Measure(
        "scenes drawn as told",
        told_scenes,
        bars={
            **dict.fromkeys(("figure", "colour", "action", "place", "time", "weather", "mood"), 0.97),
            "first thing": 0.95,
            "second thing": 0.88,
            "number of figures": 0.95,
            "both figures": 0.93,
            "everything, one figure and one thing": 0.88,
        },
    ),
    Measure(
        "stories asked for in free words",
        wordings,
        most=100,
        bars={
            "draws": 0.98,
            **dict.fromkeys(("hero", "colour", "place", "time", "weather"), 0.96),
            "thing": 0.92,
            "all": 0.85,
        },
    ),
    Measure(
        "guided next scene",
        guided_scenes,
        bars={"place": 0.97, "time": 0.95, "hero kept": 0.96, "new thing": 0.9},
    ),
    Measure("one change asked for", edits, bars={"change made": 0.95, "nothing else changed": 0.93}),
    Measure(
        "stories of six scenes",
        whole_stories,
        most=100,
        bars={"names kept": 0.97, "one pronoun each": 0.97, "thing": 0.95, "no sentence twice": 0.98},
    ),
    Measure("unknown nouns", unknown_nouns, bars={"said back": 0.95, "drawn as named": 0.85}),
    Measure("visitors' requests", lambda count: Visitors.read().cases(count), most=300, bars={"all": 0.9}),
    Measure("visitors' requests at turn 1 and turn 20", late_requests, most=100),
    Measure("asked for a picture, draws", partial(drawn_or_not, wanted=True), bars={"right": 0.99}),
    Measure("needs no picture, draws none", partial(drawn_or_not, wanted=False), bars={"right": 0.98}),
    Measure("who is in a picture", who_is_this),
    Measure("next scene from pictures and words", partial(next_scenes, pictures_only=False), most=250),
    Measure("next scene from pictures alone", partial(next_scenes, pictures_only=True), most=250),
    *(Measure(f"ability: {name}", partial(ability, name), most=100) for name in ABILITIES),
)


def trials_of(
    measure: Measure,
    count: int,
    engine: Engine,
    judge: Judge,
    folder: Path,
    options: GenerationOptions = DEFAULTS,
) -> list[Trial]:
    """Every trial of a measure; its records are in `folder`, and so is a contact sheet of its first pictures."""
    records = Records(folder, measure.slug)
    cases = list(measure.cases(min(count, measure.most or count)))
    trials = [
        records.trial(number, case, partial(answer, engine, judge, case, options))
        for number, case in enumerate(tqdm(cases, desc=measure.title, mininterval=5))
    ]
    records.tidy()
    if pictures := records.sheet():
        save_grid(pictures, folder / f"{measure.slug}.png")
    return trials


def figures_of(trials: list[Trial]) -> dict[str, dict[str, float | int]]:
    """The shares of a measure as they are kept in `report.json`."""
    return {name: share.told for name, share in shares(trials).items()}


def judge_accuracy(judge: Judge, count: int, size: int) -> dict[str, Share]:
    """The judge's own share of right answers on fresh held-out renders, the ceiling of every figure above; of a figure
    or thing that is not always there also over the renders that have it, by "<attribute>, where there is one"."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for scene, shown in fresh_renders(WIDE, "judge", count, size):
        seen = judge.name([shown])[0]
        for name, value in values_of(scene).items():
            names = [name, *([f"{name}, where there is one"] if value not in ("none", "absent") else [])]
            total.update(names)
            right.update(names if seen[name] == value else [])
    often = {name: n for name, n in total.items() if n < count or ", where" not in name}
    return {name: Share(right[name], n) for name, n in often.items()}


def table(report: dict[str, dict[str, dict[str, float]]]) -> str:
    """The report in markdown: share, interval, number of trials and bar of every row."""
    bars = {measure.title: measure.bars for measure in MEASURES}
    lines = ["| measure | | right | 95 % | trials | bar |", "|---|---|---|---|---|---|"]
    for title, figures in report.items():
        for name, row in figures.items():
            if "share" not in row:
                lines.append(f"| {title} | {name} | {row['value']:.2f} | | {row['trials']} | |")
                continue
            bar = bars.get(title, {}).get(name)
            reached = "" if bar is None else f"{bar:g} {'reached' if row['share'] >= bar else 'missed'}"
            interval = f"{row['low']:.3f} - {row['high']:.3f}"
            lines.append(
                f"| {title} | {name} | {row['share']:.3f} | {interval} | {row['trials']} | {reached} |"
            )
    return "\n".join([*lines, ""])
