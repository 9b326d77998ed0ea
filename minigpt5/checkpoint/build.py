"""A folder made into a model that runs: built from its configuration, filled, quantized, put on a device.

    load_model = build_empty (sizes without numbers) -> each part: load_part, LoRA merged, quantized, placed

The mapper is in float32 always: it is small, and every picture is what it says. The LLM comes first, while there is
the most room: its layers are quantized one by one as they are read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.manifest import verify_manifest, write_manifest
from minigpt5.checkpoint.memory import free_on, memory_plan, table, verify_fits
from minigpt5.checkpoint.painter import load_painted, paints, with_painter
from minigpt5.checkpoint.placement import Placement, place, place_vision
from minigpt5.checkpoint.presets import advice
from minigpt5.checkpoint.progress import Counted, Progress
from minigpt5.checkpoint.quantize import Quantization, stored_quantization
from minigpt5.checkpoint.quantized_part import load_quantized
from minigpt5.checkpoint.store import (
    Change,
    files_of,
    has_part,
    load_part,
    load_tokenizer,
    read_part,
    save_part,
    save_tokenizer,
)
from minigpt5.config import ModelConfig
from minigpt5.errors import CheckpointError, OptionError
from minigpt5.model.connector import build_connector
from minigpt5.model.diffusion import LatentDiffusion
from minigpt5.model.language import LanguageModel
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.model.vision import VisionTower
from minigpt5.vokens import control_tokens

LORA = "lora"  # the part of adapters that are kept as trained


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """All that an engine is made of; `facts` are for people."""

    model: MiniGPT5
    tokenizer: PreTrainedTokenizerFast
    config: ModelConfig
    facts: dict[str, str]


def build(config: ModelConfig) -> MiniGPT5:
    """The model of `config` with random weights, in float32 on the CPU."""
    return MiniGPT5(
        VisionTower(config.vision, config.qformer, config.num_query_tokens, config.mapper.llm_width),
        LanguageModel(config.language, config.prefix_length),
        build_connector(config.mapper),
        LatentDiffusion(
            config.unet, config.vae, config.scheduler, config.image_size, config.preview, config.fast
        ),
    )


def build_empty(
    config: ModelConfig, dtype: torch.dtype = torch.float32, vision_dtype: torch.dtype | None = None
) -> MiniGPT5:
    """The model of `config` without numbers: parameters of `dtype` on the meta device, for `load_part` to fill.

    Those of the eyes are of `vision_dtype` if it is given, those of the mapper of float32. What is computed
    rather than stored (rotary tables, the preview's map) is real, and float32.
    """
    with torch.device("meta"):
        model = build(config)
    dtypes = {"vision": vision_dtype or dtype, "mapper": torch.float32}
    for part, module in model.named_children():
        for parameter in module.parameters():
            parameter.data = parameter.data.to(dtypes.get(part, dtype))
    return model.requires_grad_(False).eval()


def parts_of(model: MiniGPT5) -> dict[str, nn.Module]:
    """The name of each part in a model folder, and its module."""
    fast = model.diffusion.unet_fast
    return {
        "vision": model.vision,
        "language": model.language,
        "mapper": model.mapper,
        "unet": model.diffusion.unet,
        **({} if fast is None else {"unet_fast": fast}),
        "vae": model.diffusion.vae,
    }


def save_model(
    folder: str | Path, model: MiniGPT5, config: ModelConfig, tokenizer: PreTrainedTokenizerFast
) -> None:
    """Write a whole model folder. Adapters of the LLM must have been merged."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config.save(folder)
    save_tokenizer(folder, tokenizer)
    for part, module in parts_of(model).items():
        save_part(folder, part, module)
    write_manifest(folder)


def load_model(
    folder: str | Path,
    *,
    quantize: Quantization | None = None,
    device: str = "auto",
    dtype: str = "auto",
    offload_vision: bool = False,
    painter: str | Path | None = None,
    report: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> LoadedModel:
    """The model in `folder`, ready to run.

    `quantize` is None (as it is stored), "8bit" or "4bit" (NF4); `device` "auto" or a torch device; `dtype` "auto",
    "float32", "float16" or "bfloat16"; `offload_vision` keeps the eyes on the CPU; `painter` is a folder with
    another UNet and VAE, see `painter`; `report` is told the memory plan before anything is loaded, and `progress` the
    bytes of weights that have come. Raises `OptionError` for other values and, with advice, for a device without room for
    the model; `CheckpointError` for what the folder lacks and for settings of another model.
    """
    folder = Path(folder)
    if quantize is not None and quantize not in get_args(Quantization):
        raise OptionError(f"quantize: got {quantize!r}, expected None, '8bit' or '4bit'")
    placement = place(device, dtype)
    vision = place_vision(placement, offload_vision)
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder}: got no such folder, expected one with config.json and the weights{advice(folder.name)}"
        )
    config, painter = ModelConfig.load(folder), Path(painter) if painter else None
    if painter:
        config = with_painter(config, painter)
    verify_manifest(folder)
    quantize = _mode(folder, quantize)
    tokenizer = load_tokenizer(folder, config.mapper.num_vokens)
    model = build_empty(config, placement.dtype, vision.dtype)
    plan = memory_plan(model, config, placement.dtype, quantize, str(placement.device), vision)
    free = free_on(plan)
    if report:
        report(table(plan, free))
    verify_fits(plan, free, quantize)
    fill(folder, model, config, quantize, placement, vision, painter, progress)
    verify_loaded(folder, model, tokenizer)
    return LoadedModel(model, tokenizer, config, _facts(placement, vision, quantize, painter))


def _mode(folder: Path, wanted: Quantization | None) -> Quantization | None:
    """How the LLM will be; raises `OptionError` for another mode than that in which it is stored."""
    stored = stored_quantization(folder)
    if stored and wanted not in (None, stored):
        raise OptionError(
            f"quantize: got {wanted!r}, expected None or {stored!r}, as which {folder} is stored"
        )
    return stored or wanted


def fill(
    folder: Path,
    model: MiniGPT5,
    config: ModelConfig,
    quantize: Quantization | None,
    placement: Placement,
    vision: Placement,
    painter: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Give an empty model its numbers, part by part, each moved to its device as soon as it is whole."""
    changes = lora_changes(folder, config) if has_part(folder, LORA) else None
    parts = parts_of(model)
    own = [part for part in parts if not paints(painter, part)]
    total = sum(path.stat().st_size for part in own for path in files_of(folder, part))
    counted = Counted(progress, total, "loading")
    for part in ("language", *(name for name in parts if name != "language")):
        if painter and part not in own:
            load_painted(painter, part, parts[part])
        elif part == "language" and quantize:
            load_quantized(folder, model.language, quantize, placement, changes, counted)
        else:
            load_part(folder, part, parts[part], changes if part == "language" else None, counted)
        parts[part].to((vision if part == "vision" else placement).device)
    model.diffusion.to(placement.device)  # the map of the preview is of no part
    counted.add(total)  # headers too


def _facts(
    placement: Placement, vision: Placement, quantize: Quantization | None, painter: Path | None
) -> dict[str, str]:
    facts = {
        "device": str(placement.device),
        "dtype": str(placement.dtype).removeprefix("torch."),
        "quantization": quantize or "none",
    }
    if painter:
        facts["painter"] = painter.name
    return facts if vision.device == placement.device else {**facts, "eyes": f"on {vision.device}"}


def lora_changes(folder: Path, config: ModelConfig) -> dict[str, Change]:
    """How the adapters of the folder change weights of the LLM, by name: W -> W + alpha / rank * B A.

    The sum is taken in float32 and rounded once. Raises `CheckpointError` for half an adapter.
    """
    tensors = read_part(folder, LORA)
    changes: dict[str, Change] = {}
    for name, down in tensors.items():
        if not name.endswith(".lora_A.weight"):
            continue
        up = tensors.get(name.replace("lora_A", "lora_B"))
        if up is None or len(down) != up.shape[1]:
            raise CheckpointError(
                f"{folder.name}/{LORA}.safetensors: got {name} without its lora_B, expected both"
            )
        delta = config.lora.alpha / len(down) * up.float() @ down.float()
        changes[name.replace(".lora_A", "")] = partial(_add, delta)
    if 2 * len(changes) != len(tensors):
        raise CheckpointError(
            f"{folder.name}/{LORA}.safetensors: got {len(tensors)} tensors, expected pairs A and B"
        )
    return changes


def _add(delta: Tensor, weight: Tensor) -> Tensor:
    return weight.float() + delta


def verify_loaded(folder: Path, model: MiniGPT5, tokenizer: PreTrainedTokenizerFast) -> None:
    """A model that has just been filled, asked the cheap questions; raises `CheckpointError`."""
    control = list(control_tokens(model.mapper.num_vokens))
    ids = tokenizer.convert_tokens_to_ids(control)
    rows = model.language.llama.config.vocab_size
    if max(ids) >= rows:
        raise CheckpointError(
            f"{folder}: got embeddings for {rows} tokens, expected more than {max(ids)}, the id of a voken"
        )
    if tokenizer.convert_ids_to_tokens(ids) != control:
        raise CheckpointError(f"{folder}: got ids {ids} for several vokens, expected one each")
