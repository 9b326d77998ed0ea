"""The paper's ablations on the storybook world, as data: each variant is one training that differs in one thing.

All share one frozen base, data, steps, batches and, but for one, seed. Those of the first stage begin with a mapper
and voken rows that nothing has trained; those of the second with what the whole first stage has learned, or with
nothing as well.
A run keeps what is trained, `<runs>/<variant>/step-*`, and goes on where it was stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from minigpt5.checkpoint.build import LoadedModel, load_model
from minigpt5.errors import OptionError, TrainingError
from minigpt5.training.beginnings import add_adapters, control_ids, forget_vokens, resize, with_vokens
from minigpt5.training.checkpoints import load_trained, newest
from minigpt5.training.multimodal import StageTask
from minigpt5.training.pictures import EARLY_SHARE
from minigpt5.training.rows import fold_rows, train_rows
from minigpt5.training.scenes import Sampler, SceneSource
from minigpt5.training.stages import STAGES, Stage
from minigpt5.training.storybook import captions_to_vokens, dialogues
from minigpt5.training.storybook_recipes import SHIPPED_RECIPE
from minigpt5.training.teachers import load_teacher
from minigpt5.training.trainer import Schedule, fit, processes
from minigpt5.training.workshop import Workshop
from minigpt5.vokens import NUM_VOKENS

BASE = "base.json"  # which model the runs of a folder began with
Data = Literal["captions", "dialogues"]


@dataclass(frozen=True)
class Variant:
    """`stage` on `data`, with `num_vokens`; it begins with what the variant `after` has learned, or anew, by `seed`."""

    name: str
    title: str
    stage: Stage
    data: Data = "captions"
    after: str | None = None
    num_vokens: int = NUM_VOKENS
    seed: int = 0


def _first(stage: str) -> Stage:
    """A first stage as here: few pictures go through the UNet, and the caption loss, where there is one, weighs ten
    times what it does in the paper, since it teaches the most in the shortest time."""
    paper = STAGES[stage]
    return replace(
        paper,
        caption_weight=10 * paper.caption_weight,
        drawn_limit=2,
        early_share=EARLY_SHARE,
        sampled_latents=False,
    )


def _second(stage: str) -> Stage:
    return replace(STAGES[stage], drawn_limit=4, early_share=EARLY_SHARE, sampled_latents=False)


VARIANTS = (
    Variant("uas", "UAS", _first("uas")),
    Variant("uas-again", "UAS again", _first("uas"), seed=1),  # how far two runs of one recipe differ
    Variant("uas-no-cfg", "no CFG dropping", _first("uas-no-cfg")),
    Variant("uas-no-caption-loss", "no caption loss", _first("uas-no-caption-loss")),
    Variant("uas-no-image-loss", "no LDM loss", _first("uas-no-image-loss")),
    Variant("uas-4-vokens", "4 vokens", _first("uas"), num_vokens=4),
    Variant("uas-16-vokens", "16 vokens", _first("uas"), num_vokens=16),
    Variant("mls", "UAS, LoRA", _second("mls"), "dialogues", after="uas"),
    Variant("mls-prefix", "UAS, prefix", _second("mls-prefix"), "dialogues", after="uas"),
    Variant("mls-no-uas", "no UAS, LoRA", _second("mls-no-uas"), "dialogues"),
    Variant("mls-captions", "UAS, LoRA, captions", _second("mls-captions"), "dialogues", after="uas"),
)

SAMPLERS: dict[Data, Callable[[Workshop], Sampler]] = {
    "captions": lambda shop: captions_to_vokens(shop, requests=0.0),
    "dialogues": dialogues,
}
SCHEDULES: dict[Data, Schedule] = {
    "captions": Schedule(
        steps=500,
        batch_size=16,
        lr=3e-3,
        muon_lr=2e-2,
        warmup=15,
        average=0.98,
        save_every=50,
        # the rows: at the mapper's rate they lag behind, and with them all that it reads
        faster=("language.",),
    ),
    "dialogues": Schedule(steps=200, batch_size=6, lr=2e-4, warmup=10, average=0.98, save_every=50),
}


def chosen(names: Sequence[str] | None) -> list[Variant]:
    """The variants of these names, in the order in which they can be trained; all without. Raises `OptionError`."""
    known = [variant.name for variant in VARIANTS]
    if unknown := [name for name in names or () if name not in known]:
        raise OptionError(f"only: got {unknown[0]!r}, expected some of {', '.join(known)}")
    return [variant for variant in VARIANTS if names is None or variant.name in names]


def train_ablations(base: Path, runs: Path, only: Sequence[str] | None = None) -> None:
    """Train the variants (those named in `only`) on top of the model folder `base`, or go on with them.

    Raises `OptionError`, `CheckpointError` and `TrainingError`, the last also where a variant's first stage is missing.
    """
    variants = chosen(only)
    _remember(base, runs)
    for variant in variants:
        loaded = begin(base, runs, variant)
        stage, model, config = variant.stage, loaded.model, loaded.config
        add_adapters(model.language, stage, config.lora)
        teacher = load_teacher(base, config, loaded.tokenizer, None)
        shop = Workshop(SHIPPED_RECIPE, runs, config, model, teacher.text_encoder, loaded.tokenizer)
        source = SceneSource(
            SAMPLERS[variant.data](shop),
            variant.data,
            config.image_size,
            config.vision["image_size"],
            shop.world,
            stage.drawn_limit,
        )
        task = StageTask(model, stage, loaded.tokenizer, source, teacher)
        fit(task, SCHEDULES[variant.data], runs / variant.name)


def begin(base: Path, runs: Path, variant: Variant) -> LoadedModel:
    """`base` with the vokens and the mapper that the variant begins with, in float32."""
    loaded = load_model(base, device=str(processes().device), dtype="float32")
    config = with_vokens(loaded.config, loaded.tokenizer, variant.num_vokens)
    loaded = resize(loaded, config, loaded.tokenizer)
    torch.manual_seed(variant.seed)
    forget_vokens(loaded)
    if variant.after:
        (before,) = chosen([variant.after])
        if not finished(runs, before):
            raise TrainingError(f"{runs}: got no finished {before.name}, expected it before {variant.name}")
        _put(loaded, before.stage, runs / before.name)
    loaded.model.to(processes().device)
    return loaded


def trained(runs: Path, variant: Variant) -> LoadedModel:
    """The model that the variant has made, adapters merged; raises as `train_ablations`."""
    base = base_of(runs)
    loaded = begin(base, runs, variant)
    _put(loaded, variant.stage, runs / variant.name)
    loaded.model.requires_grad_(False)
    return loaded


def finished(runs: Path, variant: Variant) -> bool:
    """Whether the variant has been trained to the end."""
    folder = newest(runs / variant.name)
    return folder is not None and folder.name == f"step-{SCHEDULES[variant.data].steps:06d}"


def base_of(runs: Path) -> Path:
    """The model folder that the runs began with; raises `TrainingError` if there are none or it has changed."""
    path = runs / BASE
    if not path.is_file():
        raise TrainingError(f"{runs}: got no trained ablations, expected those of `train ablations`")
    known = json.loads(path.read_text())
    base = Path(known["folder"])
    if _digest(base) != known["weights"]:
        raise TrainingError(f"{base}: got other weights than {runs} began with, expected the same ones")
    return base


def _remember(base: Path, runs: Path) -> None:
    """Runs of different bases are never mixed."""
    if (runs / BASE).exists():
        if base_of(runs).resolve() != base.resolve():
            raise TrainingError(f"{runs}: got runs on {base_of(runs)}, expected another folder for {base}")
        return
    runs.mkdir(parents=True, exist_ok=True)
    (runs / BASE).write_text(json.dumps({"folder": str(base), "weights": _digest(base)}) + "\n")


def _digest(base: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(base.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _put(loaded: LoadedModel, stage: Stage, run: Path) -> None:
    """What a run has learned, into the model."""
    language = loaded.model.language
    add_adapters(language, stage, loaded.config.lora)
    train_rows(language, control_ids(loaded.tokenizer, loaded.config.mapper.num_vokens))
    load_trained(loaded.model, run)
    fold_rows(language)
    language.merge_lora()
