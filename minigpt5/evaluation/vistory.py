"""ViStoryBench (ViStoryBench/vistorybench; arXiv 2505.24862) as an export: a picture for each shot of its stories.

    DATA/01/story.json  image/CHARACTER/00.png ...     "Shots": [{"index", "Plot Correspondence": {"en"}, ...}]
    OUT/MODEL/ViStory_en/01/TIMESTAMP/shot_01.png ...

The timestamp is that of the first export; it goes on in the same folders. A shot is asked for with its plot, description and
characters in words, after the words and pictures of the shots before it; the reference pictures of characters are not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigpt5.errors import DataError
from minigpt5.evaluation.benchmarks import Item, Piece, Step, read_json

DATA_SET = "ViStory_en"
LANGUAGE = "en"
SHOWN_BEFORE = 3  # shots in the prompt: the benchmark's own baselines take as many


@dataclass(frozen=True)
class ViStoryBench:
    """A shot is an item; those before it in its story are what is on disk."""

    data: Path
    out: Path
    model: str
    timestamp: str

    @property
    def options(self) -> dict[str, Any]:
        return {"pictures": "always"}

    def items(self) -> Iterator[Item]:
        """All shots of all stories, in order."""
        stories = sorted(path.parent for path in self.data.glob("*/story.json"))
        if not stories:
            raise DataError(f"{self.data}: got no STORY/story.json, expected the stories of ViStoryBench")
        for story in stories:
            yield from _shots(story)

    def is_answered(self, item: Item) -> bool:
        return self._place(item.record["story"], item.record["number"]).exists()

    def next_turn(self, item: Item, steps: Sequence[Step], replies: int) -> tuple[Piece, ...] | None:
        if replies:
            return None
        story, number, told = (item.record[name] for name in ("story", "number", "told"))
        before: list[Piece] = []
        for shot in range(max(1, number - SHOWN_BEFORE), number):
            if (path := self._place(story, shot)).exists():
                before += [told[shot - 1], path]
        return (*before, *item.asked)

    def save(self, item: Item, steps: Sequence[Step]) -> None:
        pictures = [step.picture for step in steps if step.picture is not None]
        path = self._place(item.record["story"], item.record["number"])
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}")
        pictures[0].save(partial, format="PNG")
        partial.replace(path)

    def finish(self) -> None:
        """Nothing: a picture is a file."""

    def _place(self, story: str, number: int) -> Path:
        return self.out / self.model / DATA_SET / story / self.timestamp / f"shot_{number:02d}.png"


def timestamp_of(out: Path, model: str, now: str) -> str:
    """That of the export which is there, or `now`."""
    there = sorted(path.name for path in (out / model / DATA_SET).glob("*/*") if path.is_dir())
    return there[0] if there else now


def _shots(story: Path) -> Iterator[Item]:
    path = story / "story.json"
    values = read_json(path)
    try:
        looks = {name: str(one.get(f"prompt_{LANGUAGE}", "")) for name, one in values["Characters"].items()}
        shots = [_told(shot, looks) for shot in values["Shots"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: got a story without {error}, expected one of ViStoryBench") from error
    told = [words for words, _ in shots]
    for number, (_, asked) in enumerate(shots, start=1):
        record = {"story": story.name, "number": number, "told": told}
        yield Item(f"{story.name}-{number:02d}", (asked,), record)


def _told(shot: dict[str, Any], looks: dict[str, str]) -> tuple[str, str]:
    """What happens in a shot, and all that is to be seen in its picture."""
    names = (
        "Plot Correspondence",
        "Static Shot Description",
        "Setting Description",
        "Shot Perspective Design",
    )
    plot, seen, setting, perspective = (str(shot[name][LANGUAGE]) for name in names)
    who = [f"{name}: {looks[name]}" for name in shot["Characters Appearing"][LANGUAGE] if looks.get(name)]
    return plot, " ".join([plot, seen, *who, setting, perspective])
