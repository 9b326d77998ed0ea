"""The official files at their real size with random weights, in the layouts in which users have them.

Pickles are reserved on disk first and filled through a mapping, so that making a shard of 10 GB takes no 10 GB
of memory.
"""

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.serialization import set_default_mmap_options, skip_data

from benchmarks.full_size import (
    OFFICIAL_FILES,
    SCHEDULER,
    UNET,
    VAE,
    VICUNA,
    VOCABULARY,
    Shape,
    official_shapes,
)
from minigpt5.checkpoint.convert import Sources

SHARD_BYTES = 9.98e9  # of Vicuna's first file; the second has the rest
NOISE_LENGTH = 2**22
MAP_SHARED = 1  # what is put into a mapped tensor reaches the file
Wrap = Callable[[dict[str, Tensor]], dict[str, Any]]


def make_official_files(root: Path, report: Callable[[str], None] = lambda line: None) -> Sources:
    """Write about 25 GB under `root`: float16 for Vicuna and the ViT, float32 for all else."""
    root.mkdir(parents=True)
    shutil.copytree(OFFICIAL_FILES / "vicuna-7b", root / "vicuna-7b", ignore=shutil.ignore_patterns("*.bin"))
    _make_llm(root / "vicuna-7b", report)
    half, single = torch.float16, torch.float32
    report("eyes")
    _make_pickle(root / "eva_vit_g.pth", official_shapes("vit"), half)
    _make_pickle(root / "blip2.pth", official_shapes("qformer"), single, lambda tensors: {"model": tensors})
    _make_pickle(
        root / "minigpt4.pth", official_shapes("minigpt4"), single, lambda tensors: {"model": tensors}
    )
    report("checkpoints")
    for stage in ("stage1", "stage2"):
        _make_pickle(
            root / f"{stage}.ckpt", official_shapes(stage), single, lambda tensors: {"state_dict": tensors}
        )
    report("Stable Diffusion")
    _make_diffusion(root / "diffusion")
    return Sources(
        llm=root / "vicuna-7b",
        vit=root / "eva_vit_g.pth",
        qformer=root / "blip2.pth",
        minigpt4=root / "minigpt4.pth",
        diffusion=root / "diffusion",
        stage1=root / "stage1.ckpt",
        stage2=root / "stage2.ckpt",
    )


def _make_llm(folder: Path, report: Callable[[str], None]) -> None:
    (folder / "config.json").write_text(json.dumps(VICUNA))
    _add_pieces(folder / "tokenizer.model", VOCABULARY)
    shapes = official_shapes("llm")
    for key in ("model.embed_tokens.weight", "lm_head.weight"):
        shapes[key] = (VOCABULARY, *shapes[key][1:])
    shards: list[dict[str, Shape]] = [{}]
    size = 0
    for key, shape in shapes.items():
        size += 2 * torch.Size(shape).numel()
        if size > SHARD_BYTES and len(shards) == 1:
            shards.append({})
        shards[-1][key] = shape
    for number, shard in enumerate(shards, start=1):
        report(f"LLM, file {number} of {len(shards)}")
        _make_pickle(folder / f"pytorch_model-{number:05}-of-{len(shards):05}.bin", shard, torch.float16)


def _make_diffusion(folder: Path) -> None:
    settings: dict[str, dict[str, Any]] = {
        "unet": UNET,
        "vae": VAE,
        "text_encoder": {"model_type": "clip_text_model"},
    }
    for part, values in settings.items():
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text(json.dumps(values))
        name = "model" if part == "text_encoder" else "diffusion_pytorch_model"
        tensors = {
            key: _filled(_empty(key, shape, torch.float32)) for key, shape in official_shapes(part).items()
        }
        save_file(tensors, folder / part / f"{name}.safetensors")
    (folder / "scheduler").mkdir()
    shutil.copy(SCHEDULER, folder / "scheduler")


def _make_pickle(
    path: Path, shapes: dict[str, Shape], dtype: torch.dtype, wrap: Wrap = lambda tensors: tensors
) -> None:
    with FakeTensorMode():
        reserved = wrap({key: _empty(key, shape, dtype) for key, shape in shapes.items()})
    with skip_data(materialize_fake_tensors=True):
        torch.save(reserved, path)
    with set_default_mmap_options(MAP_SHARED):
        values = torch.load(path, weights_only=True, mmap=True)
    for tensor in values.get("state_dict", values.get("model", values)).values():
        _filled(tensor)


def _empty(key: str, shape: Shape, dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=torch.int64 if key.endswith("position_ids") else dtype)


def _filled(tensor: Tensor) -> Tensor:
    """The tensor with noise in it, the same stretch of it over and over: nobody looks at the values."""
    noise = torch.randn(min(NOISE_LENGTH, tensor.numel()), generator=torch.Generator().manual_seed(0)) * 0.02
    noise = noise.to(tensor.dtype)
    for piece in tensor.view(-1).split(NOISE_LENGTH):
        piece.copy_(noise[: len(piece)])
    return tensor


def _add_pieces(path: Path, count: int) -> None:
    """Make a small sentencepiece model one of `count` pieces, with words that no text has."""
    known = json.loads((OFFICIAL_FILES / "vicuna-7b/config.json").read_text())["vocab_size"]
    with path.open("ab") as file:
        for number in range(known, count):
            text = f"\ue000{number}".encode()
            piece = b"\x0a" + bytes([len(text)]) + text + b"\x15" + struct.pack("<f", -float(number))
            file.write(b"\x0a" + bytes([len(piece)]) + piece)
