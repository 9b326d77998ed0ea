"""VIST: picture stories of about five steps, told in three tasks (official `dataloader.py`, `VISTDataset`).

    gen            what comes next is told, its picture is to be drawn
    multimodal     the next step is to be told and drawn
    understanding  the picture of the next step is shown, it is to be told

The first step has the first task alone, and so has an evaluation (`test`). Two layouts are read: the cleaned form
(`NAME_cleaned.json` and `NAME_image_mapping.json`, picture paths relative to them), and the official
annotations (`sis/*.json`), whose pictures are looked for by their id below the folder of the file.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigpt5.data.files import inside, is_file, read_object
from minigpt5.data.samples import Findings, PictureFile, Sample, Samples, Written, WrittenSample
from minigpt5.errors import DataError

SYSTEM = (
    "Give the following images in <Img>ImageContent</Img> format. You will be able to see the images once I "
    "provide it to you. Please understanding images and generate story.###Human:"
)
GEN = (" Generate an image with the scene description: ", " the scene description: ")
MULTIMODAL = (
    " Tell me the next scene with image.",
    " Generate the next scene with image.",
    " What should happen then?",
)
UNDERSTANDING = (
    " Tell me the next scene description by this image: ",
    " What happen in the next scene image: ",
)
ANSWER = " ###Assistant:"
SEED = 42  # of the wordings; the official scripts' own
PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp")


@dataclass(frozen=True)
class Step:
    """One step of a story: its number, what is told and what is shown."""

    number: int
    text: str
    picture: PictureFile


@dataclass(frozen=True)
class Story:
    """The usable steps of one story, in order; `record` tells a person where it stands."""

    record: str
    steps: list[Step]


def read_vist(path: Path, *, test: bool = False, seed: int = SEED) -> Samples:
    """The samples of a cleaned or of an official json; raises `DataError`."""
    findings, rng = Findings(path.name), random.Random(seed)
    samples = [sample for story in read_stories(path, findings) for sample in _samples(story, test, rng)]
    return Samples(samples, findings)


def read_stories(path: Path, findings: Findings) -> Iterator[Story]:
    """The stories of a file one by one, what is left out told to `findings`; raises `DataError`."""
    values = read_object(path, "stories, cleaned or as annotated")
    if "annotations" in values:
        pictures, stories = _pictures_below(path.parent), _annotated(path, values["annotations"])
    else:
        pictures, stories = _mapped(path), values
    for name, steps in stories.items():
        yield Story(f"{path.name} story {name}", _steps(path, name, steps, pictures, findings))


def after(history: tuple[Any, ...], *asked: Any) -> tuple[Any, ...]:
    """The official prompt: `asked` after the words and pictures of the earlier scenes."""
    return (SYSTEM, *history, "\n", *asked) if history else (SYSTEM, *asked)


def _samples(story: Story, test: bool, rng: random.Random) -> Iterator[Sample]:
    history: Written = ()
    for step in story.steps:
        where = f"{story.record} step {step.number}"
        asked = f"{rng.choice(GEN)}{step.text}{ANSWER}"
        yield WrittenSample(f"{where} gen", after(history, asked), (step.picture, "###"))
        if history and not test:
            asked = f"{rng.choice(MULTIMODAL)}{ANSWER}"
            target = (step.text, step.picture, "###")
            yield WrittenSample(f"{where} multimodal", after(history, asked), target)
            shown = (f"{rng.choice(UNDERSTANDING)}<Img>", step.picture, f"</Img>{ANSWER}")
            yield WrittenSample(f"{where} understanding", after(history, *shown), (f"{step.text} ###",))
        history = (*history, f"{step.text}<Img>", step.picture, "</Img>")


def _steps(path: Path, name: str, steps: Any, pictures: dict[str, Path], findings: Findings) -> list[Step]:
    """The steps up to the first that cannot be used: what follows it would lack its history."""
    if not isinstance(steps, list):
        raise DataError(f"{path} story {name}: got a {type(steps).__name__}, expected a list of steps")
    usable: list[Step] = []
    for position, step in enumerate(steps):
        record = f"{path.name} story {name} from step {position} on"
        try:
            text, key, number = (
                str(step["caption"]).strip(),
                str(step["image_id"]),
                int(step["sequence_index"]),
            )
        except (KeyError, TypeError, ValueError):
            findings.skip(record, "no caption, image_id or sequence_index", str(step)[:60])
            break
        picture = pictures.get(key)
        if not text:
            findings.skip(record, "no caption")
        elif picture is None:
            findings.skip(record, "picture unknown", f"id {key}")
        elif not is_file(picture):
            findings.skip(record, "picture missing", picture.name)
        else:
            usable.append(Step(number, text, PictureFile(picture)))
            continue
        break
    return usable


def _mapped(path: Path) -> dict[str, Path]:
    """The picture of each image_id; raises `DataError`, also for one outside the folder."""
    mapping = path.with_name(path.name.replace("cleaned", "image_mapping"))
    if mapping == path:
        raise DataError(f"{path}: got neither annotations nor a name with 'cleaned', expected one of them")
    values = read_object(mapping, "the picture of each image_id")
    return {key: inside(path.parent, str(name)) for key, name in values.items()}


def _pictures_below(folder: Path) -> dict[str, Path]:
    return {p.stem: p for p in sorted(folder.rglob("*")) if p.suffix.lower() in PICTURES}


def _annotated(path: Path, annotations: Any) -> dict[str, list[dict[str, Any]]]:
    """Official annotations as the cleaned form: stories by id, steps in the order that the worker gave them."""
    stories: dict[str, list[dict[str, Any]]] = {}
    for position, entry in enumerate(annotations):
        try:
            step = entry[0] if isinstance(entry, list) else entry
            order, key = int(step["worker_arranged_photo_order"]), str(step["photo_flickr_id"])
            told = {"caption": step["text"], "image_id": key, "sequence_index": order}
            stories.setdefault(str(step["story_id"]), []).append(told)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DataError(
                f"{path} annotation {position}: got no {error}, expected story_id, text, photo_flickr_id, "
                "worker_arranged_photo_order"
            ) from error
    return {name: sorted(steps, key=lambda s: s["sequence_index"]) for name, steps in stories.items()}
