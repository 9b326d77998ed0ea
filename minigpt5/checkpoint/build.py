"""A folder made into a model that runs: built from its configuration, filled, quantized, put on a device.

    load_model = build_empty (sizes without numbers) -> each part: load_part, LoRA merged, quantized, placed

Only the linear layers of the LLM's blocks are quantized (the official parts around it are small); its
embeddings and output layer keep their precision, because the voken rows live there. The mapper is in float32
always: it is small, and every picture is what it says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import bitsandbytes as bnb
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.manifest import verify_manifest, write_manifest
from minigpt5.checkpoint.memory import free_on, memory_plan, table, verify_fits
from minigpt5.checkpoint.painter import load_painted, paints, with_painter
from minigpt5.checkpoint.placement import Placement, place, place_vision
from minigpt5.checkpoint.presets import advice
from minigpt5.checkpoint.store import (
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

Quantization = Literal["8bit", "4bit"]

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
) -> LoadedModel:
    """The model in `folder`, ready to run.

    `quantize` is None, "8bit" or "4bit" (NF4); `device` "auto" or a torch device; `dtype` "auto", "float32",
    "float16" or "bfloat16"; `offload_vision` keeps the eyes on the CPU; `painter` is a folder with
    another UNet and VAE, see `painter`; `report` is told the memory plan before
    anything is loaded. Raises `OptionError` for other values and, with advice, for a device without room for
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
    tokenizer = load_tokenizer(folder, config.mapper.num_vokens)
    model = build_empty(config, placement.dtype, vision.dtype)
    plan = memory_plan(model, config, placement.dtype, quantize, str(placement.device), vision)
    free = free_on(plan)
    if report:
        report(table(plan, free))
    verify_fits(plan, free, quantize)
    fill(folder, model, config, quantize, placement, vision, painter)
    verify_loaded(folder, model, tokenizer)
    return LoadedModel(model, tokenizer, config, _facts(placement, vision, quantize, painter))


def fill(
    folder: Path,
    model: MiniGPT5,
    config: ModelConfig,
    quantize: Quantization | None,
    placement: Placement,
    vision: Placement,
    painter: Path | None = None,
) -> None:
    """Give an empty model its numbers, part by part, each moved to its device as soon as it is whole."""
    changes = lora_changes(folder, config) if has_part(folder, LORA) else None
    for part, module in parts_of(model).items():
        if painter and paints(painter, part):
            load_painted(painter, part, module)
        elif part == "language":
            after_file = (
                partial(quantize_language, model.language, quantize, placement) if quantize else _nothing
            )
            load_part(folder, part, module, changes, after_file)
        else:
            load_part(folder, part, module)
        module.to((vision if part == "vision" else placement).device)
    model.diffusion.to(placement.device)  # the map of the preview is of no part


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


def lora_changes(folder: Path, config: ModelConfig) -> dict[str, Callable[[Tensor], Tensor]]:
    """How the adapters of the folder change weights of the LLM, by name: W -> W + alpha / rank * B A.

    The sum is taken in float32 and rounded once. Raises `CheckpointError` for half an adapter.
    """
    tensors = read_part(folder, LORA)
    changes: dict[str, Callable[[Tensor], Tensor]] = {}
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


def quantize_language(language: LanguageModel, mode: Quantization, placement: Placement) -> None:
    """Swap the linear layers of the LLM's blocks for bitsandbytes' ones on the device, in place.

    Layers that have not come from their file yet, or are swapped already, are left alone: called after each
    file, no more than one file is ever held whole.
    """
    blocks = language.llama.model.layers
    for name, module in list(blocks.named_modules()):
        if type(module) is nn.Linear and not any(tensor.is_meta for tensor in module.parameters()):
            parent, _, child = name.rpartition(".")
            layer = _quantized(module, mode, placement.dtype).to(placement.device)
            setattr(blocks.get_submodule(parent), child, layer)


def _nothing() -> None:
    pass


def _quantized(linear: nn.Linear, mode: Quantization, dtype: torch.dtype) -> nn.Module:
    bias = linear.bias is not None
    sizes = (linear.in_features, linear.out_features, bias)
    weight = linear.weight.data
    layer: nn.Module
    match mode:
        case "4bit":
            layer = bnb.nn.Linear4bit(*sizes, compute_dtype=dtype, quant_type="nf4")
            layer.weight = bnb.nn.Params4bit(weight, requires_grad=False, quant_type="nf4", module=layer)
            if (
                linear.out_features % 32 or linear.in_features % 64
            ):  # the CPU's fast kernel fails on such sizes
                vars(layer)["support_avx512bf16_for_cpu"] = False
        case "8bit":
            layer = bnb.nn.Linear8bitLt(*sizes, has_fp16_weights=False)
            layer.weight = bnb.nn.Int8Params(weight, requires_grad=False, has_fp16_weights=False)
    if bias:
        layer.bias = nn.Parameter(linear.bias.data, requires_grad=False)
    return layer
