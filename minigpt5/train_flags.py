"""The flags of `python -m minigpt5 train --model`, group by group."""

from __future__ import annotations

import argparse
from pathlib import Path

from minigpt5.config import LoraConfig
from minigpt5.data.readers import KINDS
from minigpt5.training.beginnings import ENCODER_LAYERS, ENCODER_VOKENS
from minigpt5.training.recipe import WARMUP
from minigpt5.training.stages import STAGES

LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")  # of the LLM's blocks


def add_stage(group: argparse._ArgumentGroup) -> None:
    """Model, data and what of the model begins anew."""
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
        "--vokens",
        type=int,
        help=f"vokens a picture, 2 to 256 (default: as the model has; of a new encoder {ENCODER_VOKENS})",
    )
    group.add_argument(
        "--connector",
        choices=("encoder",),
        help="what lies between LLM and UNet: a transformer encoder in the place of the paper's mapper",
    )
    group.add_argument(
        "--connector-layers", type=int, help=f"of that encoder (default: {ENCODER_LAYERS}, its paper's)"
    )
    group.add_argument("--quantize", choices=("4bit", "8bit"), help="the frozen LLM's blocks (QLoRA)")
    group.add_argument("--diffusion", type=Path, help="Stable Diffusion folder, for the caption loss")
    group.add_argument("--flip", type=float, default=0.0, help="share of pictures mirrored (official: 0.5)")


def add_losses(group: argparse._ArgumentGroup) -> None:
    """LoRA, the weights of the losses, the UNet."""
    lora = LoraConfig()
    group.add_argument("--rank", type=int, default=lora.rank, help=f"of LoRA (default: {lora.rank})")
    group.add_argument("--alpha", type=int, help="of LoRA (default: twice its rank)")
    group.add_argument(
        "--dropout", type=float, default=lora.dropout, help=f"of LoRA (default: {lora.dropout})"
    )
    group.add_argument(
        "--targets",
        nargs="+",
        choices=LAYERS,
        default=lora.target_modules,
        metavar="LAYER",
        help=f"layers with LoRA, of {', '.join(LAYERS)} (default: {' '.join(lora.target_modules)})",
    )
    for name in ("text", "image", "caption"):
        group.add_argument(f"--{name}-weight", type=float, help=f"of the {name} loss (default: the stage's)")
    group.add_argument(
        "--train-unet",
        type=float,
        nargs="?",
        const=0.0,
        metavar="RATE",
        help="train the UNet as well, at this learning rate (default: a tenth of --lr)",
    )


def add_distil(group: argparse._ArgumentGroup) -> None:
    """How a student of few steps is made."""
    group.add_argument(
        "--teacher-guidance", type=float, default=7.5, help="folded into the result (default: 7.5)"
    )
    group.add_argument("--phases", type=int, default=4, help="steps of the result; 1 is for LCM (default: 4)")
    group.add_argument("--times", type=int, default=40, help="the teacher's steps (default: 40)")
    group.add_argument("--hops", type=int, default=1, help="of them, before the average goes on (default: 1)")
    group.add_argument(
        "--unet-rank", type=int, default=0, help="LoRA's; 0 trains the whole UNet (default: 0)"
    )


def add_schedule(group: argparse._ArgumentGroup) -> None:
    """Steps, batches, rates, seeds."""
    group.add_argument("--steps", type=int, default=0, help="optimizer steps (default: by --epochs)")
    group.add_argument("--epochs", type=float, default=2.0, help="times through the data (default: 2)")
    group.add_argument("--batch-size", type=int, default=2, help="samples a process and batch (default: 2)")
    group.add_argument("--accumulate", type=int, default=1, help="batches that make a step (default: 1)")
    group.add_argument("--lr", type=float, default=2e-5, help="learning rate (default: 2e-5)")
    group.add_argument("--warmup", type=int, help=f"steps (default: {WARMUP}, at most a tenth of all)")
    group.add_argument("--weight-decay", type=float, default=0.01, help="of AdamW (default: 0.01)")
    group.add_argument("--seed", type=int, default=42, help="of order and noise (default: 42)")
    group.add_argument(
        "--seeds", type=int, nargs="+", metavar="SEED", help="a training with each of them: OUT-seed-SEED"
    )
    group.add_argument("--precision", choices=("auto", "no", "bf16", "fp16"), default="auto")
    group.add_argument("--checkpointing", action="store_true", help="less memory for more time")
    group.add_argument("--workers", type=int, default=2, help="processes that read data (default: 2)")
    group.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="keep there what the frozen eyes and VAE make of each picture",
    )


def add_watching(group: argparse._ArgumentGroup) -> None:
    """Held-out data, checkpoints, pictures, trackers."""
    group.add_argument(
        "--valid",
        action="append",
        default=[],
        metavar="KIND:PATH",
        help="data never trained on, whose loss is measured and whose best weights are kept; may be repeated",
    )
    group.add_argument(
        "--patience", type=int, metavar="N", help="end when that loss was no lower N times in a row"
    )
    group.add_argument(
        "--export", choices=("best", "last"), help="which weights (default: with --valid the best)"
    )
    for flag, what in (("save", "checkpoints"), ("validate", "pictures and losses on --valid")):
        group.add_argument(
            f"--{flag}-every", type=int, default=500, help=f"steps between {what} (default: 500)"
        )
    group.add_argument(
        "--log-every", type=int, default=10, help="steps between rows of the curve (default: 10)"
    )
    group.add_argument("--prompts", type=Path, help="a file of prompts to draw from now and then, one a line")
    group.add_argument(
        "--clip", help="folder of CLIP to score those pictures with, or `storybook` for its stand-in"
    )
    group.add_argument("--tensorboard", action="store_true", help="write logs for TensorBoard, too")
    group.add_argument(
        "--wandb", nargs="?", const="minigpt5", metavar="PROJECT", help="log to Weights & Biases, too"
    )
