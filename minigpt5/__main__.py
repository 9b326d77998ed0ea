"""The command line: `python -m minigpt5 train|evaluate|data|convert|download|quantize|push|wide|plan`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from minigpt5.bar import Bar
from minigpt5.checkpoint.build import build_empty
from minigpt5.checkpoint.convert import Sources, convert
from minigpt5.checkpoint.hub import download
from minigpt5.checkpoint.memory import fastest, free_on, memory_plan, table
from minigpt5.checkpoint.painter import with_painter
from minigpt5.checkpoint.placement import DTYPES, place, place_vision
from minigpt5.checkpoint.presets import PRESETS
from minigpt5.checkpoint.quantize import stored_quantization
from minigpt5.checkpoint.quantized_folder import quantize_folder
from minigpt5.config import ModelConfig
from minigpt5.data_command import add_data
from minigpt5.errors import MiniGPT5Error
from minigpt5.evaluate_command import add_evaluate
from minigpt5.push_command import PUSH, add_push
from minigpt5.train_command import WEIGHTS, add_train
from minigpt5.wide_command import HELP as WIDE_HELP
from minigpt5.wide_command import add_wide

DOWNLOADS = Path("weights/downloads")
SOURCES = ("llm", "vit", "qformer", "minigpt4", "diffusion", "stage1", "stage2")
CONVERT = "Make a model folder of the official files; resumes where it stopped."
DOWNLOAD = "Fetch the official files of a preset and make its model folder; resumes where it stopped."
QUANTIZE = "Make a model folder whose LLM is stored in 4 or 8 bits: smaller, and quicker to load."
PLAN = "Print the memory that a model needs, part by part, before it is loaded."


def build_parser() -> argparse.ArgumentParser:
    """All commands and their flags."""
    parser = argparse.ArgumentParser(prog="python -m minigpt5", description="Train and measure MiniGPT-5.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_train(commands.add_parser("train", help="train a model"))
    add_evaluate(commands.add_parser("evaluate", help="measure a model"))
    add_data(commands.add_parser("data", help="look at a data set"))
    add_convert(commands.add_parser("convert", help="official files to a model folder", description=CONVERT))
    add_download(
        commands.add_parser("download", help="the paper's model from the network", description=DOWNLOAD)
    )
    add_quantize(commands.add_parser("quantize", help="a model folder in 4 or 8 bits", description=QUANTIZE))
    add_push(commands.add_parser("push", help="a model folder to a hub", description=PUSH))
    add_wide(commands.add_parser("wide", help=WIDE_HELP))
    add_plan(commands.add_parser("plan", help="memory that a model needs", description=PLAN))
    return parser


def add_plan(parser: argparse.ArgumentParser) -> None:
    """The flags of `plan`: those with which the model would be loaded."""
    parser.add_argument(
        "model", type=Path, nargs="?", default=WEIGHTS, help="model folder; config.json is enough"
    )
    parser.add_argument(
        "--quantize", choices=("none", "8bit", "4bit"), default="none", help="the LLM's blocks"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    parser.add_argument(
        "--dtype", choices=("auto", *DTYPES), default="auto", help="precision (default: auto)"
    )
    parser.add_argument("--offload-vision", action="store_true", help="keep the eyes on the CPU")
    parser.add_argument("--painter", type=Path, help="another painter's folder in diffusers' layout")
    parser.set_defaults(command=run_plan)


def add_quantize(parser: argparse.ArgumentParser) -> None:
    """The flags of `quantize`."""
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("--bits", type=int, choices=(4, 8), default=4, help="the LLM's blocks (default: 4)")
    parser.add_argument("--out", type=Path, required=True, help="the new model folder")
    parser.set_defaults(command=run_quantize)


def add_convert(parser: argparse.ArgumentParser) -> None:
    """The flags of `convert`: one for each of the official files."""
    files = {
        "llm": "Vicuna folder: config.json, tokenizer.model, *.bin or *.safetensors",
        "qformer": "blip2_pretrained_flant5xxl.pth, or the file or folder of transformers' BLIP-2",
        "minigpt4": "prerained_minigpt4_7b.pth",
        "diffusion": "Stable Diffusion 2.1-base folder",
        "stage1": "stage1_cc3m.ckpt",
    }
    for name, what in files.items():
        parser.add_argument(f"--{name}", type=Path, required=True, help=what)
    parser.add_argument("--vit", type=Path, help="eva_vit_g.pth (default: the ViT of transformers' BLIP-2)")
    parser.add_argument("--stage2", type=Path, help="stage2_vist.ckpt or stage2_mmdialog.ckpt")
    parser.add_argument("--out", type=Path, required=True, help="the new model folder")
    parser.add_argument("--dtype", choices=tuple(DTYPES), help="stored precision (default: as in the files)")
    parser.add_argument("--vit-heads", type=int, help="heads of the ViT (default: by its width)")
    parser.add_argument("--qformer-heads", type=int, help="heads of the Q-Former (default: as BERT's)")
    parser.set_defaults(command=run_convert)


def add_download(parser: argparse.ArgumentParser) -> None:
    """The flags of `download`: a preset, and other places for its sources."""
    parser.add_argument("preset", choices=tuple(PRESETS), help="which model")
    for name in SOURCES:
        parser.add_argument(f"--{name}", help="a path, owner/name, owner/name:file or a URL instead")
    parser.add_argument("--out", type=Path, help="the new model folder (default: weights/PRESET)")
    parser.add_argument(
        "--cache", type=Path, default=DOWNLOADS, help=f"where downloads lie (default: {DOWNLOADS})"
    )
    parser.add_argument("--dtype", choices=tuple(DTYPES), help="stored precision (default: as in the files)")
    parser.add_argument("--vit-heads", type=int, help="heads of the ViT (default: by its width)")
    parser.add_argument("--qformer-heads", type=int, help="heads of the Q-Former (default: as BERT's)")
    parser.add_argument(
        "--endpoint", help="another hub (default: the HF_ENDPOINT variable, else huggingface.co)"
    )
    parser.set_defaults(command=run_download)


def run_plan(arguments: argparse.Namespace) -> None:
    """`plan`: print what each part would need and what is free; nothing is loaded."""
    asked = None if arguments.quantize == "none" else arguments.quantize
    quantize = stored_quantization(arguments.model) or asked
    config, placement = ModelConfig.load(arguments.model), place(arguments.device, arguments.dtype)
    vision = place_vision(placement, arguments.offload_vision)
    if arguments.painter:
        config = with_painter(config, arguments.painter)
    model = build_empty(config)
    lines = memory_plan(model, config, placement.dtype, quantize, str(placement.device), vision)
    print(table(lines, free_on(lines)))
    if not stored_quantization(arguments.model):
        print(fastest(model, config, placement, vision))


def run_quantize(arguments: argparse.Namespace) -> None:
    """`quantize`: layer by layer, so that the memory of a whole LLM is never needed."""
    quantize_folder(arguments.model, arguments.out, "4bit" if arguments.bits == 4 else "8bit", progress=Bar())
    size = sum(path.stat().st_size for path in arguments.out.iterdir())
    print(f"done: {arguments.out} ({size / 1e9:.2f} GB)")


def run_download(arguments: argparse.Namespace) -> None:
    """`download`: nothing is transferred before every source was found and the disk has room."""
    out = arguments.out or WEIGHTS.parent / arguments.preset
    download(
        arguments.preset,
        out,
        cache=arguments.cache,
        given={name: value for name in SOURCES if (value := getattr(arguments, name))},
        dtype=DTYPES[arguments.dtype] if arguments.dtype else None,
        vit_heads=arguments.vit_heads,
        qformer_heads=arguments.qformer_heads,
        endpoint=arguments.endpoint,
        report=lambda line: print(line, flush=True),
        progress=Bar(),
    )
    print(f"done: {out} ({arguments.cache} is needed no more)")


def run_convert(arguments: argparse.Namespace) -> None:
    """`convert`: nothing is written before all keys and shapes have been found right."""
    convert(
        Sources(**{name: getattr(arguments, name) for name in SOURCES}),
        arguments.out,
        dtype=DTYPES[arguments.dtype] if arguments.dtype else None,
        vit_heads=arguments.vit_heads,
        qformer_heads=arguments.qformer_heads,
        report=lambda line: print(line, flush=True),
        progress=Bar(),
    )
    print(f"done: {arguments.out}")


def main(words: list[str] | None = None) -> None:
    """Run one command; a user's mistake ends it with one sentence and exit status 1."""
    arguments = build_parser().parse_args(words)
    try:
        arguments.command(arguments)
    except MiniGPT5Error as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
