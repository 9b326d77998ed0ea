"""`python -m minigpt5 train`: the embedded model from nothing, or a stage of any model folder on data of yours."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image

from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.config import LoraConfig
from minigpt5.data.readers import KINDS
from minigpt5.errors import OptionError, TrainingError
from minigpt5.evaluation.clip import load_clip, save_clip, train_clip
from minigpt5.evaluation.features import published_clip, storybook_networks
from minigpt5.evaluation.judge import load_judge, save_judge, train_judge
from minigpt5.train_flags import add_distil, add_losses, add_schedule, add_stage, add_watching
from minigpt5.training.ablations import train_ablations
from minigpt5.training.beginnings import ConnectorChoice
from minigpt5.training.distil import Distillation
from minigpt5.training.finetune import Score, finetune
from minigpt5.training.recipe import Recipe, Weights
from minigpt5.training.seeds import each_seed
from minigpt5.training.stages import DISTIL, STAGES, UNET, Stage, with_unet
from minigpt5.training.storybook import train_storybook
from minigpt5.training.storybook_recipes import SHIPPED_RECIPE
from minigpt5.training.trainer import Schedule, processes

WEIGHTS = Path("weights/storybook")
JUDGE = Path("weights/judge.safetensors")
CLIP = Path("weights/clip.safetensors")
AVERAGE = 0.95  # of a student's weights, which makes its targets (Luo et al., 2023)
COUNTS = (
    *("batch_size", "accumulate", "save_every", "validate_every", "log_every"),
    *("rank", "alpha", "patience", "connector_layers"),
)
WEIGHTS_OF = ("text_weight", "image_weight", "caption_weight", "weight_decay", "train_unet")
DESCRIPTION = "Train a model; resumes where it stopped."
EXAMPLE = """
examples:
  python -m minigpt5 train storybook
  python -m minigpt5 train ablations
  python -m minigpt5 train --model weights/storybook --stage mls --data jsonl:mine.jsonl --out weights/mine
  accelerate launch -m minigpt5 train --model weights/minigpt5-7b-cc3m --stage mls --quantize 4bit \\
      --data vist:VIST/train_cleaned.json --out weights/mine
"""


def add_train(parser: argparse.ArgumentParser) -> None:
    """The flags of `train`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = DESCRIPTION, EXAMPLE
    parser.add_argument(
        "recipe",
        nargs="?",
        choices=("storybook", "judge", "clip", "ablations"),
        help="a recipe of the embedded model",
    )
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), help="checkpoints and curves (default: runs)"
    )
    parser.add_argument("--out", type=Path, help="where the weights go (default: under weights/)")
    parser.add_argument(
        "--only", nargs="+", help="storybook: these steps alone; ablations: these variants alone"
    )
    parser.add_argument(
        "--start",
        type=Path,
        help=f"the folder to begin with (default: storybook: nothing; ablations: {WEIGHTS})",
    )
    add_stage(parser.add_argument_group("a stage of a model folder"))
    add_losses(parser.add_argument_group("what of a stage may differ"))
    add_distil(parser.add_argument_group("few-step drawing, the stage distil"))
    add_schedule(parser.add_argument_group("how a stage is trained"))
    add_watching(parser.add_argument_group("how a training is watched"))
    parser.set_defaults(command=run_train)


def run_train(arguments: argparse.Namespace) -> None:
    """A recipe of the embedded model and its judges, or `train --model`."""
    match arguments.recipe:
        case "judge":
            path = arguments.out or JUDGE
            path.parent.mkdir(parents=True, exist_ok=True)
            save_judge(train_judge(arguments.runs / "judge"), path)
        case "clip":
            clip = train_clip(load_judge(JUDGE), load_tokenizer(WEIGHTS), arguments.runs / "clip")
            save_clip(clip, arguments.out or CLIP)
        case "storybook":
            out = arguments.out or WEIGHTS
            train_storybook(SHIPPED_RECIPE, arguments.runs, out, arguments.only, arguments.start)
        case "ablations":
            train_ablations(arguments.start or WEIGHTS, arguments.runs / "ablations", arguments.only)
        case _:
            recipe, score = recipe_of(arguments), score_of(arguments.clip)
            if arguments.seeds:
                each_seed(recipe, arguments.seeds, score)
            else:
                finetune(recipe, score)
            processes().destroy_process_group()


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """The flags as a recipe; raises `OptionError`."""
    if arguments.model is None:
        raise OptionError("train: got neither a recipe nor --model, expected one of them")
    if not arguments.data:
        raise OptionError("train: got no --data, expected at least one KIND:PATH")
    stage = STAGES[arguments.stage]
    out = arguments.out or Path("weights") / f"{arguments.model.name}-{stage.name}"
    trackers = {"tensorboard": arguments.tensorboard, "wandb": arguments.wandb is not None}
    return Recipe(
        model=arguments.model,
        stage=stage if arguments.train_unet is None else with_unet(stage),
        data=tuple(data_set(value) for value in arguments.data),
        out=out,
        run=arguments.runs / out.name,
        schedule=_schedule(arguments, stage),
        weights=Weights(arguments.text_weight, arguments.image_weight, arguments.caption_weight),
        epochs=arguments.epochs,
        warmup=arguments.warmup,
        num_vokens=arguments.vokens,
        connector=_connector(arguments),
        quantize=arguments.quantize,
        precision=arguments.precision,
        lora=_lora(arguments),
        diffusion=arguments.diffusion,
        prompts=_prompts(arguments.prompts),
        checkpointing=arguments.checkpointing,
        flipped_share=arguments.flip,
        workers=arguments.workers,
        cache=arguments.cache,
        valid=tuple(data_set(value) for value in arguments.valid),
        patience=arguments.patience,
        exported=arguments.export,
        trackers=tuple(name for name, wanted in trackers.items() if wanted),
        project=arguments.wandb or "minigpt5",
        distillation=_distillation(arguments) if stage is DISTIL else None,
    )


def _distillation(arguments: argparse.Namespace) -> Distillation:
    return Distillation(
        guidance_scale=arguments.teacher_guidance,
        phases=arguments.phases,
        times=arguments.times,
        hops=arguments.hops,
        rank=arguments.unet_rank,
    )


def _connector(arguments: argparse.Namespace) -> ConnectorChoice | None:
    if arguments.connector is None:
        if arguments.connector_layers is not None:
            raise OptionError("connector_layers: got no --connector encoder, expected it")
        return None
    return ConnectorChoice(arguments.connector, arguments.connector_layers)


def _lora(arguments: argparse.Namespace) -> LoraConfig:
    return LoraConfig(
        rank=arguments.rank,
        alpha=2 * arguments.rank if arguments.alpha is None else arguments.alpha,
        dropout=arguments.dropout,
        target_modules=tuple(dict.fromkeys(arguments.targets)),
    )


def score_of(clip: str | None) -> Score | None:
    """What judges the pictures of `--prompts`: how like each is to its prompt, to the CLIP that is named."""
    if clip is None:
        return None
    if clip == "storybook":
        networks = storybook_networks(load_clip(CLIP, load_judge(JUDGE), load_tokenizer(WEIGHTS)))
        see, read = networks.pictures, networks.texts
    elif Path(clip).is_dir():
        see, read = published_clip(Path(clip))
    else:
        raise OptionError(f"clip: got {clip!r}, expected a folder or `storybook`")

    def score(pictures: list[Image.Image], prompts: list[str]) -> dict[str, float]:
        return {"CLIP text-image": float((see(pictures) * read(prompts)).sum(1).mean())}

    return score


def _verify(arguments: argparse.Namespace) -> None:
    """Raise `OptionError` for a number that cannot be; what was not given is None."""
    ranges: dict[str, tuple[Callable[[float], bool], str]] = {
        **dict.fromkeys(COUNTS, (lambda value: value >= 1, "1 or more")),
        **dict.fromkeys(WEIGHTS_OF, (lambda value: value >= 0, "0 or more")),
        "lr": (lambda value: value > 0, "more than 0"),
        "dropout": (lambda value: 0 <= value < 1, "0 or more and less than 1"),
    }
    for name, (is_right, expected) in ranges.items():
        value = getattr(arguments, name)
        if value is not None and not is_right(value):
            raise OptionError(f"{name}: got {value}, expected {expected}")


def _schedule(arguments: argparse.Namespace, stage: Stage) -> Schedule:
    _verify(arguments)
    own_lr = () if arguments.train_unet is None else ((UNET, arguments.train_unet or arguments.lr / 10),)
    return Schedule(
        steps=arguments.steps,
        batch_size=arguments.batch_size,
        accumulate=arguments.accumulate,
        lr=arguments.lr,
        average=AVERAGE if stage is DISTIL else None,
        clip=1.0 if stage is DISTIL else None,
        decay="linear",
        betas=(0.9, 0.999),
        faster=stage.faster,
        own_lr=own_lr,
        weight_decay=arguments.weight_decay,
        save_every=arguments.save_every,
        validate_every=arguments.validate_every,
        log_every=arguments.log_every,
        seed=arguments.seed,
    )


def data_set(value: str, kinds: Iterable[str] = KINDS) -> tuple[str, Path]:
    """KIND:PATH as both; raises `OptionError`."""
    kind, colon, path = value.partition(":")
    if not colon or kind not in kinds:
        raise OptionError(f"data: got {value!r}, expected KIND:PATH with one of {', '.join(kinds)}")
    return kind, Path(path)


def _prompts(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    try:
        lines = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: got {error}, expected a prompt on every line") from error
    if not lines:
        raise TrainingError(f"{path}: got no prompt, expected one on every line")
    return lines
