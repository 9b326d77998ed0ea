"""A trained stage as a model folder: the folder it began with, and what was learned in its place.

The LLM is never needed whole: its files are copied, and only those that hold rows of the control tokens or get a
prefix are written again, so a model whose base is quantized in memory is exported as exactly as any other.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.build import LORA
from minigpt5.checkpoint.manifest import write_manifest
from minigpt5.checkpoint.store import files_of, halved, has_part, read_part, save_tokenizer, write_tensors
from minigpt5.config import LoraConfig, ModelConfig
from minigpt5.errors import TrainingError
from minigpt5.model.connector import build_connector
from minigpt5.training.beginnings import control_ids
from minigpt5.training.distil_stage import STUDENT

ROWS = {
    "language.llama.model.embed_tokens.rows": "llama.model.embed_tokens.weight",
    "language.llama.lm_head.rows": "llama.lm_head.weight",
}
PARTS = {
    "mapper": "mapper.",
    "vision": "vision.",
    "unet": "diffusion.unet.",
}  # and where they are in the model
PREFIX = {"language.prefix_keys": "prefix_keys", "language.prefix_values": "prefix_values"}


def export(
    base: Path,
    out: Path,
    weights: dict[str, Tensor],
    *,
    config: ModelConfig,
    tokenizer: PreTrainedTokenizerFast,
    lora: LoraConfig,
) -> None:
    """Write the folder `out`: that of `base` with the trained `weights` (by parameter name) in it, `config` and
    `tokenizer` being those of `base`, but for the number of vokens and the connector, and `lora` the numbers of the
    trained adapters.

    All is written, or nothing; an older `out` is replaced. Raises `TrainingError`.
    """
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(base, partial, copy_function=_link)
        for part, prefix in PARTS.items():
            _write_part(partial, part, prefix, weights, _kept(part, config))
        _write_student(partial, weights)
        _write_language(partial, weights, config, control_ids(tokenizer, config.mapper.num_vokens))
        save_tokenizer(partial, tokenizer)
        config = replace(config, lora=_write_lora(partial, weights, config.lora, lora))
        if (keys := weights.get("language.prefix_keys")) is not None:
            length = keys.shape[2]
            room = config.context_length - length
            config = replace(config, prefix_length=length, context_length=room)
        if any(name.startswith(PARTS["unet"]) for name in weights):
            config = _without_student(partial, config)
        config.save(partial)
        write_manifest(partial)
        shutil.rmtree(out, ignore_errors=True)
        partial.rename(out)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise TrainingError(f"{out}: got {error}, expected to be able to write the model there") from error


def _link(source: str, place: str) -> None:
    """A copy; of weights a second name for the same file where the file system can, for they may have 20 GB."""
    if source.endswith(".safetensors"):
        with suppress(OSError):
            os.link(source, place)
            return
    shutil.copy2(source, place)


def _replace(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a file anew; one that is linked to the base's is never written into."""
    path.unlink(missing_ok=True)
    write_tensors(path, {name: tensor.contiguous() for name, tensor in tensors.items()})


def _kept(part: str, config: ModelConfig) -> set[str] | None:
    """The names of the tensors that a part has, where the base may have had others; None where it has all."""
    if part != "mapper":
        return None
    with torch.device("meta"):
        return set(build_connector(config.mapper).state_dict())


def _write_part(
    folder: Path, part: str, prefix: str, weights: dict[str, Tensor], kept: set[str] | None
) -> None:
    trained = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
    if not trained:
        return
    whole = {**read_part(folder, part), **trained}
    if kept is not None:
        whole = {name: whole[name] for name in whole if name in kept}
    for old in files_of(folder, part):
        old.unlink()
    _replace(folder / f"{part}.safetensors", whole)


def _write_student(folder: Path, weights: dict[str, Tensor]) -> None:
    """The UNet of the few steps whole, in place of an older one."""
    if student := {n.removeprefix(STUDENT): halved(w) for n, w in weights.items() if n.startswith(STUDENT)}:
        for old in files_of(folder, "unet_fast"):
            old.unlink()
        _replace(folder / "unet_fast.safetensors", student)


def _without_student(folder: Path, config: ModelConfig) -> ModelConfig:
    """A UNet that was trained further has no few steps until it is distilled again."""
    for path in files_of(folder, "unet_fast"):
        path.unlink()
    return replace(config, fast=None)


def _write_language(folder: Path, weights: dict[str, Tensor], config: ModelConfig, ids: list[int]) -> None:
    added = {key: weights[name] for name, key in PREFIX.items() if name in weights}
    rows = {key: weights[name] for name, key in ROWS.items() if name in weights}
    for path in sorted(folder.glob("language*.safetensors")):
        tensors = load_file(path)
        found = rows.keys() & tensors.keys()
        for key in found:
            old = tensors[key]
            tensors[key] = old.new_zeros(config.language["vocab_size"], old.shape[1])
            tensors[key][: len(old)] = old
            tensors[key][ids] = rows[key].to(old)
        if found or added:
            _replace(path, {**tensors, **added})
        added = {}


def _write_lora(
    folder: Path, weights: dict[str, Tensor], before: LoraConfig, trained: LoraConfig
) -> LoraConfig:
    """The adapters, with those of the base folder if it has any: two of ranks r and s are one of rank r + s.

    Its scale is 1 (alpha = rank), each one's own scale being part of its B.
    """
    new = {
        name.removeprefix("language.").replace(".default", ""): value.float()
        for name, value in weights.items()
        if ".lora_" in name
    }
    if not new:
        return before
    path = folder / f"{LORA}.safetensors"
    if not has_part(folder, LORA):
        _replace(path, new)
        return trained
    old = read_part(folder, LORA)
    if odd := sorted(new.keys() ^ old.keys()):
        raise TrainingError(f"{folder.name}: got adapters of other layers ({odd[0]}), expected the same ones")
    merged = {}
    for name in new:
        parts = [(old[name].float(), before.alpha / before.rank), (new[name], trained.alpha / trained.rank)]
        is_up = ".lora_B" in name
        merged[name] = torch.cat([p * scale if is_up else p for p, scale in parts], dim=1 if is_up else 0)
    _replace(path, merged)
    rank = before.rank + trained.rank
    return replace(trained, rank=rank, alpha=rank)
