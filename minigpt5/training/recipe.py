"""One training of a stage as data, what may not be together in it, and the record by which a run knows its training again."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from minigpt5.checkpoint.build import LORA, Quantization
from minigpt5.checkpoint.fingerprint import (
    Facts,
    data_digest,
    differences,
    model_digest,
    plain,
    weights_digest,
)
from minigpt5.checkpoint.store import has_part
from minigpt5.config import ConnectorConfig, LoraConfig, ModelConfig
from minigpt5.errors import OptionError, TrainingError
from minigpt5.training.beginnings import ConnectorChoice
from minigpt5.training.checkpoints import newest
from minigpt5.training.distil import Distillation
from minigpt5.training.stages import UNET, Stage
from minigpt5.training.trainer import Schedule

FACTS = "recipe.json"  # in a run: what is trained there
WARMUP = 1000  # steps, the official ones; of short trainings a tenth
WATCHING = ("batch_size", "accumulate", "save_every", "log_every", "validate_every", "faster", "own_lr")

DataSets = tuple[tuple[str, Path], ...]  # kinds and paths
Exported = Literal["best", "last"]


@dataclass(frozen=True)
class Weights:
    """Weights of the losses in the place of the stage's; None leaves that."""

    text: float | None = None
    image: float | None = None
    caption: float | None = None


@dataclass(frozen=True)
class Recipe:
    """One training. `data` are kinds (`data.readers.READERS`) and paths; `epochs` counts when `schedule.steps` is 0, and
    `warmup` instead of the schedule's: None is `WARMUP` steps, at most a tenth of all. `num_vokens` and `connector` None
    leave the model's. On `valid` the loss is measured and the best weights are kept; `exported` None takes those where
    there are any, the last ones otherwise."""

    model: Path
    stage: Stage
    data: DataSets
    out: Path
    run: Path
    schedule: Schedule
    weights: Weights = Weights()
    epochs: float = 2.0
    warmup: int | None = None
    num_vokens: int | None = None
    connector: ConnectorChoice | None = None
    quantize: Quantization | None = None
    precision: str = "auto"
    lora: LoraConfig = field(default_factory=LoraConfig)
    diffusion: Path | None = None  # Stable Diffusion's folder, for the caption loss
    prompts: tuple[str, ...] = ()  # drawn from now and then
    checkpointing: bool = False
    flipped_share: float = 0.0
    workers: int = 0
    cache: Path | None = None  # a folder that keeps what the frozen eyes and VAE make of a picture
    valid: DataSets = ()
    patience: int | None = None
    exported: Exported | None = None
    trackers: tuple[str, ...] = ()
    project: str = "minigpt5"  # of the trackers
    distillation: Distillation | None = None  # of the stage `distil`

    @property
    def exports(self) -> Exported:
        """Which weights go into the result."""
        return self.exported or ("best" if self.valid else "last")


def stage_of(recipe: Recipe, config: ModelConfig) -> Stage:
    """The stage with the recipe's weights of the losses; `config` is that of the model as the training begins.

    The caption loss compares with the text encoder's vectors one by one, and an encoder may have another number of them:
    unless the recipe names the weight, an encoder is trained without it, by the image loss alone (arXiv 2504.06256).
    """
    named = {f"{name}_weight": value for name, value in asdict(recipe.weights).items() if value is not None}
    default = {"caption_weight": 0.0} if isinstance(config.mapper, ConnectorConfig) else {}
    return replace(recipe.stage, **{**default, **named})


def verify_recipe(recipe: Recipe, config: ModelConfig) -> None:
    """Raise `OptionError` or `TrainingError` for what cannot be together; `config` is the model's."""
    stage = recipe.stage
    if stage.prefix_length and config.prefix_length:
        raise TrainingError(
            f"{recipe.model}: got a model with a prefix, expected one without for {stage.name}"
        )
    if recipe.checkpointing and (stage.prefix_length or config.prefix_length):
        raise TrainingError(
            "got gradient checkpointing with a prefix, expected one of the two: it forgets the prefix"
        )
    if recipe.out.resolve() == recipe.model.resolve():
        raise TrainingError(f"{recipe.out}: got the model's own folder, expected another one for the result")
    if not recipe.valid and (recipe.patience or recipe.exported == "best"):
        named = "patience" if recipe.patience else "export"
        raise OptionError(f"{named}: got no --valid, expected data to measure the loss on")
    if UNET in stage.trainable and recipe.distillation:
        raise OptionError("train-unet: got the stage distil, expected another: there the UNet is the teacher")
    if UNET in stage.trainable and not stage.image_weight:
        raise OptionError(
            "train-unet: got a stage without an image loss, expected one: nothing else trains it"
        )
    if not (stage.text_weight or stage.image_weight or stage.caption_weight):
        raise OptionError("got a weight of 0 for every loss, expected one that counts")
    _verify_adapters(recipe, config)


def _verify_adapters(recipe: Recipe, config: ModelConfig) -> None:
    """Adapters of two trainings can be joined where they are of the same layers."""
    before, ours = config.lora.target_modules, recipe.lora.target_modules
    if recipe.stage.lora and has_part(recipe.model, LORA) and sorted(before) != sorted(ours):
        raise TrainingError(
            f"{recipe.model}: got adapters of {', '.join(before)}, expected the same layers as {', '.join(ours)}"
        )


def verify_held_out(recipe: Recipe) -> None:
    """Raise `OptionError` where the loss is to be measured on data that is trained on; both are there."""
    trained_on = {data_digest(path) for _, path in recipe.data}
    for _, path in recipe.valid:
        if data_digest(path) in trained_on:
            raise OptionError(f"valid: got {path}, which is trained on, expected data that is not")


def schedule_of(recipe: Recipe, samples: int, processes: int) -> Schedule:
    """All steps and the warm-up as numbers; raises `OptionError`."""
    schedule = recipe.schedule
    step = schedule.batch_size * schedule.accumulate * processes
    steps = schedule.steps or math.ceil(recipe.epochs * samples / step)
    warmup = min(WARMUP, steps // 10) if recipe.warmup is None else recipe.warmup
    if not 0 <= warmup <= steps:
        raise OptionError(f"warmup: got {warmup}, expected 0 to {steps}, all steps of the training")
    return replace(schedule, steps=steps, warmup=warmup)


def facts_of(recipe: Recipe, config: ModelConfig, schedule: Schedule, processes: int) -> Facts:
    """All that the trained weights depend on, by name: not how it is saved, watched or divided among processes. Of
    held-out data that is which weights are the best, so how often they are measured counts as well."""
    distilled = asdict(recipe.distillation) if recipe.distillation else {}
    rates = {name: value for name, value in asdict(schedule).items() if name not in WATCHING}
    held_out = {
        "valid": _digests(recipe.valid),
        "validate_every": schedule.validate_every,
        "patience": recipe.patience,
    }
    return plain(
        {
            "model": f"{recipe.model.name} {model_digest(recipe.model)}",
            "data": _digests(recipe.data),
            "stage": recipe.stage.name,
            **rates,
            "samples a step": schedule.batch_size * schedule.accumulate * processes,
            "vokens": config.mapper.num_vokens,
            "connector": asdict(config.mapper) if recipe.connector else None,
            "UNet learning rate": dict(schedule.own_lr).get(UNET),
            "quantize": recipe.quantize,
            "precision": recipe.precision,
            "flip": recipe.flipped_share,
            "diffusion": recipe.diffusion and f"{recipe.diffusion.name} {weights_digest(recipe.diffusion)}",
            **{f"LoRA {name}": value for name, value in asdict(recipe.lora).items()},
            **{f"distil {name}": value for name, value in distilled.items()},
            **{f"stage: {name}": value for name, value in asdict(recipe.stage).items() if name != "name"},
            **(held_out if recipe.valid else {}),
        }
    )


def _digests(data: DataSets) -> list[str]:
    return [f"{kind}:{path.name} {data_digest(path)}" for kind, path in data]


def verify_run(run: Path, facts: Facts) -> None:
    """Raise `TrainingError` where the checkpoints in `run` are those of another training than `facts` tell of."""
    if newest(run) is None:
        return
    hint = "expected the same training, or another folder for this one"
    try:
        before = dict(json.loads((run / FACTS).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"{run}: got checkpoints without a readable {FACTS} ({error}), {hint}") from error
    if other := differences(facts, before):
        raise TrainingError(f"{run}: got a training that differs from what is there ({other}), {hint}")
