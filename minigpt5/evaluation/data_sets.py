"""The paper's settings on real data sets: their records as samples, opened story by story, and who answers them.

CC3M, VIST and MMDialog are asked in the official way (`official`), one's own chats as the demo asks them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from minigpt5.checkpoint.fingerprint import Facts, weights_digest
from minigpt5.checkpoint.unets import load_unet
from minigpt5.conversation import Conversation, ImagePart, Message, Role, TextPart
from minigpt5.data.cc3m import read_pairs
from minigpt5.data.jsonl import read_chats
from minigpt5.data.mmdialog import read_conversations
from minigpt5.data.samples import Findings, PictureFile
from minigpt5.data.vist import GEN, MULTIMODAL, SEED, Step, Story, read_stories
from minigpt5.errors import CheckpointError, DataError, OptionError
from minigpt5.evaluation.features import Networks
from minigpt5.evaluation.official import (
    OfficialSystem,
    OfficialTwoStage,
    Write,
    write_caption,
    write_dialogue,
    write_story,
)
from minigpt5.evaluation.origins import facts_of, origins_of
from minigpt5.evaluation.report import evaluate_settings
from minigpt5.evaluation.settings import (
    FINE_TUNED,
    GUIDANCE_SCALES,
    MINIGPT5,
    SETTINGS,
    TWO_STAGE,
    ZERO_SHOT,
    Sample,
    Setting,
    guided,
)
from minigpt5.evaluation.systems import MiniGPT5System, Painter, System, TwoStageSystem, ZeroShotSystem
from minigpt5.generation.engine import DEFAULTS, Engine
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.options import OFFICIAL

SOURCES = {
    "cc3m": ("captions",),
    "vist": ("scenes", "stories", "told"),
    "mmdialog": ("dialogues",),
    "jsonl": ("dialogues",),
}
SIDES: tuple[Role, Role] = ("user", "assistant")
WRITE: dict[str, Write] = {"cc3m": write_caption, "vist": write_story, "mmdialog": write_dialogue}

Record = tuple[str, list[Message]]  # where it stands, and its messages with `PictureFile`s


@dataclass(frozen=True)
class DataSet:
    """One `--data KIND:PATH`."""

    kind: str
    path: Path

    def samples(self, source: str, count: int) -> Iterator[Sample]:
        """The first `count` samples (0: all), pictures opened; what was left out is told at the end.

        Raises `DataError` when the data set cannot be read at all or nothing of it can be used.
        """
        findings, kept = Findings(self.path.name), 0
        for record, messages in _records(self, source, findings):
            try:
                *history, truth = [_opened(message) for message in messages]
            except DataError as error:
                reason, _, detail = str(error).partition(" (")
                findings.skip(record, reason, detail.removesuffix(")"))
                continue
            yield Conversation(tuple(history)), truth
            kept += 1
            if kept == count:
                break
        if not kept:
            raise DataError(f"{findings.report(0)}\nexpected at least one sample")
        print(findings.report(kept), flush=True)


def _opened(message: Message) -> Message:
    return replace(
        message,
        parts=tuple(
            ImagePart(part.image.open()) if isinstance(part, ImagePart) else part for part in message.parts
        ),
    )


def _records(data: DataSet, source: str, findings: Findings) -> Iterator[Record]:
    rng = random.Random(SEED)
    match data.kind:
        case "cc3m":
            for record, caption, picture in read_pairs(data.path, findings):
                yield (
                    record,
                    [Message("user", (TextPart(caption),)), Message("assistant", _said("", picture))],
                )
        case "vist":
            for story in read_stories(data.path, findings):
                yield from _story(story, source, findings, rng)
        case "mmdialog":
            for record, turns in read_conversations(data.path, findings, test=True):
                if len(turns) > 1:
                    yield record, [Message(SIDES[n % 2], _said(*turn)) for n, turn in enumerate(turns)]
        case _:
            for chat in read_chats(data.path, findings):
                yield chat.record, list(chat.messages)


def _said(text: str, picture: PictureFile | None) -> tuple[Any, ...]:
    words = (TextPart(text),) if text else ()
    return (*words, ImagePart(picture)) if picture else words


def _story(story: Story, source: str, findings: Findings, rng: random.Random) -> Iterator[Record]:
    """A story as "scenes" (each asked for, its words given), "stories" (the last one) or "told" (from the second on)."""
    if len(story.steps) < 2:
        findings.skip(story.record, "fewer than two scenes")
        return
    first, *others = story.steps
    match source:
        case "scenes":
            messages = [m for step in story.steps for m in (_asked(GEN, rng), _scene(step))]
        case "stories":
            *shown, last = story.steps
            before = tuple(part for step in shown for part in _said(step.text, step.picture))
            messages = [_asked(GEN, rng, before), _scene(last)]
        case _:
            messages = [_asked(MULTIMODAL, rng, _said(first.text, first.picture)), _scene(others[0])]
            messages += [m for step in others[1:] for m in (_asked(MULTIMODAL, rng), _scene(step))]
    yield story.record, messages


def _asked(wordings: tuple[str, ...], rng: random.Random, before: tuple[Any, ...] = ()) -> Message:
    return Message("user", (*before, TextPart(rng.choice(wordings))))


def _scene(step: Step) -> Message:
    return Message("assistant", _said(step.text, step.picture))


@dataclass(frozen=True)
class Answering:
    """Who answers and how: `diffusion` is Stable Diffusion's folder for its text encoder, where the model folder has
    none, `finetuned` that of a UNet trained further; `changes` are options other than the official ones."""

    engine: Engine
    folder: Path
    diffusion: Path | None = None
    finetuned: Path | None = None
    changes: dict[str, Any] | None = None

    def painters(self) -> dict[str, Painter]:
        """The baselines' painters by name; those that lack their weights are told and left out."""
        try:
            painter = Painter(self.engine, self.folder, self.diffusion)
        except CheckpointError as error:
            if self.finetuned:
                raise
            print(f"left out: {ZERO_SHOT}, {FINE_TUNED}, {TWO_STAGE} ({error}: --diffusion)", flush=True)
            return {}
        if not self.finetuned:
            print(f"left out: {FINE_TUNED} (no --finetuned with its UNet)", flush=True)
            return {ZERO_SHOT: painter}
        model = self.engine.model
        unet = load_unet(self.finetuned, model.diffusion.unet)
        parts = (model.vision, model.language, model.mapper, model.diffusion.with_unet(unet))
        tuned = copy(painter)
        tuned.engine = Engine(MiniGPT5(*parts), self.engine.tokenizer, self.engine.config)
        return {ZERO_SHOT: painter, FINE_TUNED: tuned}

    def systems(self, kind: str, painters: dict[str, Painter]) -> dict[str, System]:
        """All systems that can answer a data set of this kind, by name."""
        official = kind in WRITE
        options = replace(OFFICIAL if official else DEFAULTS, **(self.changes or {}))
        systems: dict[str, System] = {n: ZeroShotSystem(p, options) for n, p in painters.items()}
        if not official:
            systems[MINIGPT5] = MiniGPT5System(self.engine, options)
            if painters:
                systems[TWO_STAGE] = TwoStageSystem(painters[ZERO_SHOT], options)
            return systems
        systems[MINIGPT5] = writer = OfficialSystem(self.engine, WRITE[kind], options)
        for scale in GUIDANCE_SCALES:
            systems[guided(scale)] = replace(writer, options=replace(options, guidance_scale=scale))
        if painters:
            systems[TWO_STAGE] = OfficialTwoStage(writer, painters[ZERO_SHOT])
        return systems

    def origins(self, systems: dict[str, System], shared: Facts) -> dict[str, Facts]:
        """What makes the replies of each system; `shared` are those of `facts_of`."""
        origins = origins_of(systems, shared)
        for name in {ZERO_SHOT, FINE_TUNED, TWO_STAGE} & origins.keys():
            folders = {"diffusion": self.diffusion, "UNet": self.finetuned if name == FINE_TUNED else None}
            origins[name] |= {
                what: path and f"{path.name} {weights_digest(path)}" for what, path in folders.items()
            }
        return origins


def evaluate_data(
    answering: Answering,
    data: list[DataSet],
    networks: Networks,
    results: Path,
    count: int,
    only: str | None,
) -> None:
    """Every setting that `data` has samples for (or those whose name begins with `only`), `count` of each, 0 for all.

    Raises `DataError`, `OptionError` and `CheckpointError`.
    """
    painters = answering.painters()
    systems = {one.kind: answering.systems(one.kind, painters) for one in data}
    shared = facts_of(answering.engine, answering.folder)
    origins = {kind: answering.origins(found, shared) for kind, found in systems.items()}
    runs = (
        (setting, one.samples(setting.source, count), systems[one.kind], origins[one.kind])
        for setting, one in settings_of(data, only)
    )
    evaluate_settings(runs, networks, results, answering.engine.config.image_size)


def settings_of(data: list[DataSet], only: str | None) -> list[tuple[Setting, DataSet]]:
    """The settings with their data, and a line for each that has none; raises `OptionError` where two would do.

    Pictures by guidance scale are no table of the paper and seven times the work: only when they are asked for.
    """
    found = []
    for setting in SETTINGS:
        if not setting.name.startswith(only or "") or (setting.name == "guidance" and not only):
            continue
        fitting = [one for one in data if setting.source in SOURCES[one.kind]]
        if len(fitting) > 1:
            names = " and ".join(f"{one.kind}:{one.path}" for one in fitting)
            raise OptionError(f"data: got {names}, expected one of them for {setting.source}")
        if not fitting:
            kinds = " or ".join(kind for kind, sources in SOURCES.items() if setting.source in sources)
            print(f"left out: {setting.name} (no --data {kinds}:PATH)", flush=True)
            continue
        found.append((_fitted(setting, fitting[0]), fitting[0]))
    return found


def _fitted(setting: Setting, data: DataSet) -> Setting:
    """In MMDialog both sides are learned and asked for; chats of one's own are not the paper's."""
    match data.kind:
        case "mmdialog":
            return replace(setting, steps="every turn")
        case "jsonl":
            return replace(setting, title=setting.title.replace("MMDialog", data.path.name))
    return setting
