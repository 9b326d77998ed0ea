"""The official files -> a model folder of ours: `python -m minigpt5 convert`.

The names of tensors stand in `official_names`. A key that no line of its table speaks of is refused, and so is
a key of ours that no file fills. BLIP-2 is taken in the layout of its authors or in that of transformers, which
may hold the ViT too.

Which stage a checkpoint is of, LoRA or prefix tuning is read from its keys. LoRA stays apart, exactly as
trained (part `lora`), and is merged when the model is loaded; the prefix encoder is a constant once trained,
so that its keys and values are computed here and stored in its stead.

Sources: official `model.py` (`MiniGPT5_Model.on_save_checkpoint`), MiniGPT-4 `eva_vit.py`, `Qformer.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub.errors import StrictDataclassError

from minigpt5.checkpoint.build import build_empty, parts_of
from minigpt5.checkpoint.derived_tensors import eva_tensors, prefix_tensors
from minigpt5.checkpoint.official_config import (
    Settings,
    official_config,
    read_settings,
    verify_diffusion,
)
from minigpt5.checkpoint.official_names import (
    BLIP2,
    BLIP2_VIT,
    LLM,
    MINIGPT4,
    QFORMER,
    STAGE1,
    STAGE2,
    TEXT_ENCODER,
    UNET,
    VAE,
    VIT,
    Names,
    foreign_name,
    translate,
)
from minigpt5.checkpoint.progress import Progress
from minigpt5.checkpoint.store import listed
from minigpt5.checkpoint.vicuna_tokenizer import convert_tokenizer
from minigpt5.checkpoint.weight_files import (
    Entries,
    close_files,
    entries_of,
    entries_of_file,
    entries_of_folder,
)
from minigpt5.checkpoint.writing import Planned, write_model
from minigpt5.config import ModelConfig
from minigpt5.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the official files lie; `vit` None where `qformer` (a file, or a folder of shards) holds it."""

    llm: Path
    qformer: Path
    minigpt4: Path
    diffusion: Path
    stage1: Path
    stage2: Path | None = None
    vit: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One of the files (or folders) opened, with the table for its names."""

    path: Path
    names: Names
    entries: Entries


def convert(
    sources: Sources,
    out: Path,
    *,
    dtype: torch.dtype | None = None,
    vit_heads: int | None = None,
    qformer_heads: int | None = None,
    report: Callable[[str], None] = lambda line: None,
    progress: Progress | None = None,
) -> ModelConfig:
    """Write the model of `sources` into the new folder `out`; `dtype` None keeps each tensor's stored precision.

    The numbers of heads of the ViT and the Q-Former are in no weight file: see `official_config`. Nothing
    appears at `out` before all of it is there; an interrupted run goes on where it stopped, part by part.
    Raises `CheckpointError`, one sentence, naming the file, what was got and what was expected.
    """
    try:
        return _convert(sources, out, dtype, (vit_heads, qformer_heads), report, progress)
    finally:
        close_files()


def _convert(
    sources: Sources,
    out: Path,
    dtype: torch.dtype | None,
    heads: tuple[int | None, int | None],
    report: Callable[[str], None],
    progress: Progress | None,
) -> ModelConfig:
    settings = read_settings(sources.llm, sources.diffusion, sources.qformer, *heads)
    opened = open_sources(sources, settings)
    planned = plan(opened)
    tokenizer = convert_tokenizer(sources.llm)
    shapes = {name: item.entry.shape for name, item in planned.items()}
    try:
        config = official_config(out.name, shapes, settings)
    except KeyError as missing:
        raise CheckpointError(_lacking(opened, [str(missing.args[0])])) from missing
    verify_vocabulary(planned, config, sources.llm, len(tokenizer))
    verify_diffusion(config, sources.diffusion)
    verify_plan(planned, opened, config)
    write_model(out, config, tokenizer, list(planned.values()), dtype=dtype, report=report, progress=progress)
    return config


def open_sources(sources: Sources, settings: Settings) -> list[Source]:
    """All files opened, none read; raises `CheckpointError` for what cannot be opened or is of another kind."""
    first = entries_of_file(sources.stage1)
    _verify_stage(sources.stage1, first, stage=1)
    opened = [
        *_eyes(sources),
        Source(sources.minigpt4, MINIGPT4, entries_of_file(sources.minigpt4)),
        Source(sources.llm, LLM, entries_of_folder(sources.llm)),
        Source(sources.diffusion / "unet", UNET, entries_of_folder(sources.diffusion / "unet")),
        Source(sources.diffusion / "vae", VAE, entries_of_folder(sources.diffusion / "vae")),
        Source(sources.stage1, STAGE1, prefix_tensors(sources.stage1, first, settings)),
    ]
    text_encoder = sources.diffusion / "text_encoder"
    if settings.text_encoder:
        opened.append(Source(text_encoder, TEXT_ENCODER, entries_of_folder(text_encoder)))
    if sources.stage2:
        second = entries_of_file(sources.stage2)
        _verify_stage(sources.stage2, second, stage=2)
        opened.append(Source(sources.stage2, STAGE2, prefix_tensors(sources.stage2, second, settings)))
    return opened


def _eyes(sources: Sources) -> list[Source]:
    """The Q-Former and the ViT, each from BLIP-2 or from a file of its own; a ViT that is given holds."""
    qformer = entries_of(sources.qformer)
    seen = Source(sources.qformer, BLIP2 if is_blip2(qformer) else QFORMER, qformer)
    if sources.vit is not None:
        vit = entries_of(sources.vit)
        known = is_blip2(vit)
        return [seen, Source(sources.vit, BLIP2 if known else VIT, vit if known else eva_tensors(vit))]
    if not any(key.startswith(BLIP2_VIT) for key in qformer):
        raise CheckpointError(
            f"{sources.qformer}: got no {BLIP2_VIT}* in it, expected the ViT there or eva_vit_g.pth besides"
        )
    return [seen]


def is_blip2(entries: Entries) -> bool:
    """Whether the names are those of transformers' `Blip2ForConditionalGeneration`."""
    return any(key.startswith((BLIP2_VIT, "qformer.")) for key in entries)


def plan(opened: list[Source]) -> dict[str, Planned]:
    """What becomes of every tensor, by part and name; of two sources of one tensor the later holds.

    Raises `CheckpointError` that lists the keys no table speaks of.
    """
    planned: dict[str, Planned] = {}
    for source in opened:
        unexpected = []
        for key, entry in source.entries.items():
            known, name = translate(source.names, key)
            if not known:
                unexpected.append(key)
            elif name:
                part, _, ours = name.partition("/")
                planned[name] = Planned(part, ours, entry)
        if unexpected:
            raise CheckpointError(
                f"{source.path}: got {len(unexpected)} unknown keys ({listed(unexpected)}), expected only"
                " those of the official files"
            )
    return planned


def verify_plan(planned: dict[str, Planned], opened: list[Source], config: ModelConfig) -> None:
    """Raise `CheckpointError` unless every tensor of the model is there, of its shape, and no other."""
    expected = _expected_shapes(config)
    ours = {name: item for name, item in planned.items() if name.partition("/")[0] in FILLED}
    if missing := [name for name in expected if name not in ours]:
        raise CheckpointError(_lacking(opened, missing))
    if unexpected := [item.entry for name, item in ours.items() if name not in expected]:
        keys = listed([entry.key for entry in unexpected])
        raise CheckpointError(f"{unexpected[0].file}: got {keys}, expected no such layer in this model")
    for name, item in ours.items():
        if item.entry.shape != expected[name]:
            raise CheckpointError(
                f"{item.entry.file}: got {item.entry.key} of shape {item.entry.shape},"
                f" expected {expected[name]}"
            )


def _expected_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """The shapes of all tensors of the model by part and name; raises `CheckpointError` for sizes at odds."""
    try:
        parts = parts_of(build_empty(config))
    except (ValueError, TypeError, KeyError, RuntimeError, ArithmeticError, StrictDataclassError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"the official files: got settings that make no model ({reason}), expected those of their weights"
        ) from error
    return {
        f"{part}/{key}": tuple(tensor.shape)
        for part, module in parts.items()
        for key, tensor in module.state_dict().items()
    }


FILLED = ("vision", "language", "mapper", "unet", "vae")


def verify_vocabulary(planned: dict[str, Planned], config: ModelConfig, llm: Path, tokens: int) -> None:
    """Raise `CheckpointError` unless the LLM folder is the one on which the checkpoint was trained."""
    embeddings = planned["language/llama.model.embed_tokens.weight"].entry
    rows, width = embeddings.shape
    if width != config.language["hidden_size"]:
        got = config.language["hidden_size"]
        raise CheckpointError(f"{llm}: got an LLM {got} wide, expected {width} as in {embeddings.file.name}")
    if rows != tokens:
        raise CheckpointError(
            f"{llm}: got a tokenizer of {tokens} tokens with the nine new ones, expected {rows} as in"
            f" {embeddings.file.name}"
        )


def _lacking(opened: list[Source], names: list[str]) -> str:
    """One sentence for the names of ours that nothing fills, under the names they have in their file."""
    for source in opened:
        keys = [key for name in names if (key := foreign_name(source.names, name))]
        if keys:
            return f"{source.path}: got no {listed(keys)}, expected all keys of the official file"
    return f"the official files: got nothing for {listed(names)}, expected all of the model"


def _verify_stage(path: Path, entries: Entries, *, stage: int) -> None:
    lora = any(".lora_" in key for key in entries)
    first = any(key.startswith("fc.") for key in entries)
    got = "of stage 2 (LoRA)" if lora else "of stage 1 (fc)" if first else "without fc and without LoRA"
    if (stage == 1 and (lora or not first)) or (stage == 2 and not lora):
        expected = "stage 1 with fc.*" if stage == 1 else "stage 2 with LoRA"
        raise CheckpointError(f"{path}: got a checkpoint {got}, expected one of {expected}")
