"""`python -m minigpt5 train`: the embedded model from nothing, or a stage of any model folder on data of yours."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.config import LoraConfig
from minigpt5.data.readers import KINDS
from minigpt5.errors import OptionError, TrainingError
from minigpt5.evaluation.clip import load_clip, save_clip, train_clip
from minigpt5.evaluation.features import published_clip, storybook_networks
from minigpt5.evaluation.judge import load_judge, save_judge, train_judge
from minigpt5.training.ablations import train_ablations
from minigpt5.training.distil import Distillation
from minigpt5.training.finetune import WARMUP, Recipe, Score, finetune
from minigpt5.training.stages import DISTIL, STAGES, Stage
from minigpt5.training.storybook import STEPS, train_storybook
from minigpt5.training.trainer import Schedule

WEIGHTS = Path("weights/storybook")
JUDGE = Path("weights/judge.safetensors")
CLIP = Path("weights/clip.safetensors")
AVERAGE = 0.95  # of a student's weights, which makes its targets (Luo et al., 2023)
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
    _add_stage(parser.add_argument_group("a stage of a model folder"))
    _add_schedule(parser.add_argument_group("how a stage is trained"))
    parser.set_defaults(command=run_train)


def _add_stage(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--model", type=Path, help="the model folder to begin with")
    group.add_argument("--stage", choices=tuple(STAGES), default="mls", help="what is trained (default: mls)")
    group.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="KIND:PATH",
        help=f"{', '.join(KINDS)}; may be repeated",
    )
    group.add_argument(
        "--vokens", type=int, help="vokens a picture (default: as the model has, the paper's 8)"
    )
    group.add_argument("--quantize", choices=("4bit", "8bit"), help="the frozen LLM's blocks (QLoRA)")
    group.add_argument("--rank", type=int, default=8, help="of LoRA; its alpha is twice that (default: 8)")
    group.add_argument("--diffusion", type=Path, help="Stable Diffusion folder, for the caption loss")
    group.add_argument("--prompts", type=Path, help="a file of prompts to draw from now and then, one a line")
    group.add_argument(
        "--clip", help="folder of CLIP to score those pictures with, or `storybook` for its stand-in"
    )
    group.add_argument(
        "--teacher-guidance", type=float, default=7.5, help="distil: folded into the result (default: 7.5)"
    )
    group.add_argument(
        "--phases", type=int, default=4, help="distil: steps of the result; 1 is for LCM (default: 4)"
    )
    group.add_argument("--times", type=int, default=40, help="distil: the teacher's steps (default: 40)")
    group.add_argument(
        "--hops", type=int, default=1, help="distil: of them, before the average goes on (default: 1)"
    )
    group.add_argument(
        "--unet-rank", type=int, default=0, help="distil: LoRA's; 0 trains the whole UNet (default: 0)"
    )
    group.add_argument("--flip", type=float, default=0.0, help="share of pictures mirrored (official: 0.5)")


def _add_schedule(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--steps", type=int, default=0, help="optimizer steps (default: by --epochs)")
    group.add_argument("--epochs", type=float, default=2.0, help="times through the data (default: 2)")
    group.add_argument("--batch-size", type=int, default=2, help="samples a process and batch (default: 2)")
    group.add_argument("--accumulate", type=int, default=1, help="batches that make a step (default: 1)")
    group.add_argument("--lr", type=float, default=2e-5, help="learning rate (default: 2e-5)")
    group.add_argument("--warmup", type=int, help=f"steps (default: {WARMUP}, at most a tenth of all)")
    group.add_argument("--save-every", type=int, default=500, help="steps between checkpoints (default: 500)")
    group.add_argument(
        "--validate-every", type=int, default=500, help="steps between pictures (default: 500)"
    )
    group.add_argument(
        "--log-every", type=int, default=10, help="steps between rows of the curve (default: 10)"
    )
    group.add_argument("--seed", type=int, default=42, help="of order and noise (default: 42)")
    group.add_argument("--precision", choices=("auto", "no", "bf16", "fp16"), default="auto")
    group.add_argument("--checkpointing", action="store_true", help="less memory for more time")
    group.add_argument("--workers", type=int, default=2, help="processes that read data (default: 2)")
    group.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="keep there what the frozen eyes and VAE make of each picture",
    )
    group.add_argument("--tensorboard", action="store_true", help="write logs for TensorBoard, too")


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
            if unknown := [name for name in arguments.only or () if name not in STEPS]:
                raise OptionError(f"only: got {unknown[0]!r}, expected some of {', '.join(STEPS)}")
            train_storybook(arguments.runs, arguments.out or WEIGHTS, arguments.only, arguments.start)
        case "ablations":
            train_ablations(arguments.start or WEIGHTS, arguments.runs / "ablations", arguments.only)
        case _:
            finetune(recipe_of(arguments), score_of(arguments.clip))


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """The flags as a recipe; raises `OptionError`."""
    if arguments.model is None:
        raise OptionError("train: got neither a recipe nor --model, expected one of them")
    if not arguments.data:
        raise OptionError("train: got no --data, expected at least one KIND:PATH")
    stage = STAGES[arguments.stage]
    out = arguments.out or Path("weights") / f"{arguments.model.name}-{stage.name}"
    return Recipe(
        model=arguments.model,
        stage=stage,
        data=tuple(data_set(value) for value in arguments.data),
        out=out,
        run=arguments.runs / out.name,
        schedule=_schedule(arguments, stage),
        epochs=arguments.epochs,
        warmup=arguments.warmup,
        num_vokens=arguments.vokens,
        quantize=arguments.quantize,
        precision=arguments.precision,
        lora=LoraConfig(rank=arguments.rank, alpha=2 * arguments.rank),
        diffusion=arguments.diffusion,
        prompts=_prompts(arguments.prompts),
        checkpointing=arguments.checkpointing,
        flipped_share=arguments.flip,
        workers=arguments.workers,
        cache=arguments.cache,
        tensorboard=arguments.tensorboard,
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


def _schedule(arguments: argparse.Namespace, stage: Stage) -> Schedule:
    for name in ("batch_size", "accumulate", "save_every", "validate_every", "log_every", "rank"):
        if (value := getattr(arguments, name)) < 1:
            raise OptionError(f"{name}: got {value}, expected 1 or more")
    if not arguments.lr > 0:
        raise OptionError(f"lr: got {arguments.lr}, expected more than 0")
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
