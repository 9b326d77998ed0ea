"""The configuration of an official model, read from its files: shapes of tensors and the settings beside them.

What no file holds are constants of the official code, written here with their source, and the numbers of
heads of the two frozen eyes: those of the ViT follow from its width (88 a head, official `create_eva_vit_g`;
narrower ones 16 a head), those of the Q-Former from `bert-base-uncased/config.json` beside its file, or from
its width (64 a head, BERT). The `config.json` of transformers' BLIP-2 tells both. Both can be given instead.
"""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import Blip2QFormerConfig, Blip2VisionConfig

from minigpt5.checkpoint.weight_files import read_json
from minigpt5.config import LoraConfig, MapperConfig, ModelConfig
from minigpt5.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]

LORA_ALPHA = 16  # official `model.py`; in no checkpoint
MAPPER_HEADS = 8  # nn.Transformer's default, which the official code relies on
STOP_SEQUENCES = ((835,), (2277, 29937))  # official `StoppingCriteriaSub`: `###`, whatever the tokenizer
SYSTEM_PROMPT = (
    "Give the following images in <Img>ImageContent</Img> format. You will be able to see the images once I"
    " provide it to you. Please understanding images and generate story."
)
KNOWS = "photographs: stories, captions and dialogues with pictures"
# a latent channel a row, then the offset; near to what the decoder of Stable Diffusion 1 and 2 makes of it
PREVIEW = (
    (0.298, 0.207, 0.208),
    (0.187, 0.286, 0.173),
    (-0.158, 0.189, 0.264),
    (-0.184, -0.271, -0.473),
    (0.0, 0.0, 0.0),
)
LLAMA_KEYS = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "max_position_embeddings",
    "rms_norm_eps",
    "hidden_act",
    "rope_theta",
    "bos_token_id",
    "eos_token_id",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The JSON files beside the weights; `text_encoder` is empty where there is none."""

    llm_folder: Path
    llm: dict[str, Any]
    unet: dict[str, Any]
    vae: dict[str, Any]
    scheduler: dict[str, Any]
    text_encoder: dict[str, Any]
    vit_heads: int | None
    qformer_heads: int | None


def read_settings(
    llm: Path, diffusion: Path, qformer: Path, vit_heads: int | None, qformer_heads: int | None
) -> Settings:
    """Raises `CheckpointError` for what is missing or no JSON."""
    values = read_json(llm / "config.json")
    generation = llm / "generation_config.json"
    if generation.is_file():  # the official code generates with these ids where they are given
        given = read_json(generation)
        values |= {key: given[key] for key in ("bos_token_id", "eos_token_id") if key in given}
    text_encoder = diffusion / "text_encoder" / "config.json"
    known = _known_heads(qformer)
    return Settings(
        llm,
        values,
        read_sizes(diffusion / "unet" / "config.json", ("sample_size", "cross_attention_dim")),
        read_sizes(diffusion / "vae" / "config.json", ("block_out_channels", "latent_channels")),
        read_json(diffusion / "scheduler" / "scheduler_config.json"),
        read_json(text_encoder) if text_encoder.is_file() else {},
        vit_heads or known.get("vit"),
        qformer_heads or known.get("qformer"),
    )


def read_sizes(path: Path, needed: tuple[str, ...]) -> dict[str, Any]:
    """The settings in `path`; raises `CheckpointError` where one of those needed is missing."""
    values = read_json(path)
    if missing := [key for key in needed if values.get(key) is None]:
        raise CheckpointError(f"{path}: got no {', '.join(missing)}, expected the settings of this part")
    return values


def _known_heads(qformer: Path) -> dict[str, int]:
    """The numbers of heads in the settings that lie in the folder `qformer` or beside the file."""
    folder = qformer if qformer.is_dir() else qformer.parent
    bert, blip2 = folder / "bert-base-uncased" / "config.json", folder / "config.json"
    if blip2.is_file() and "qformer_config" in (given := read_json(blip2)):
        return {
            "vit": Blip2VisionConfig(**given.get("vision_config", {})).num_attention_heads,
            "qformer": Blip2QFormerConfig(**given["qformer_config"]).num_attention_heads,
        }
    heads = read_json(bert).get("num_attention_heads") if bert.is_file() else None
    return {"qformer": heads} if heads else {}


def official_config(name: str, shapes: Shapes, settings: Settings) -> ModelConfig:
    """The configuration of the model whose tensors have `shapes` (by part and name, as in `convert`).

    Raises KeyError with the name of a tensor that it needs and does not find, and `CheckpointError`.
    """
    language = language_settings(settings)
    language["vocab_size"] = shapes["language/llama.model.embed_tokens.weight"][0]
    prefix = shapes["language/prefix_keys"][2] if "language/prefix_keys" in shapes else 0
    unet, vae = (
        known_settings(settings.unet, UNet2DConditionModel),
        known_settings(settings.vae, AutoencoderKL),
    )
    scale = 2 ** (len(vae["block_out_channels"]) - 1)
    channels = int(vae["latent_channels"])
    return ModelConfig(
        name=name,
        knows=KNOWS,
        image_size=int(unet["sample_size"]) * scale,
        num_query_tokens=shapes["vision/query_tokens"][1],
        context_length=int(language["max_position_embeddings"]) - prefix,
        vision=_vision(shapes, settings),
        qformer=_qformer(shapes, settings),
        language=language,
        mapper=_mapper(shapes),
        unet=unet,
        vae=vae,
        text_encoder=plain_settings(settings.text_encoder),
        scheduler=plain_settings(settings.scheduler),
        lora=_lora(shapes),
        system_prompt=SYSTEM_PROMPT,
        preview=PREVIEW if channels == 4 else (),
        prefix_length=prefix,
        stop_sequences=STOP_SEQUENCES,
    )


def language_settings(settings: Settings) -> dict[str, Any]:
    """The LLM's `config.json` as far as it shapes the model; raises `CheckpointError` if it is no LLaMA's."""
    path = settings.llm_folder / "config.json"
    values = {key: settings.llm[key] for key in LLAMA_KEYS if settings.llm.get(key) is not None}
    needed = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    if settings.llm.get("model_type") != "llama" or not set(needed) <= set(values):
        kind = settings.llm.get("model_type")
        raise CheckpointError(f"{path}: got settings of {kind!r}, expected those of a 'llama' with its sizes")
    values.setdefault("num_key_value_heads", values["num_attention_heads"])
    values.setdefault("max_position_embeddings", 2048)
    values.setdefault("rms_norm_eps", 1e-6)
    return {**values, "tie_word_embeddings": False, "pad_token_id": None}


def _vision(shapes: Shapes, settings: Settings) -> dict[str, Any]:
    width, _, patch, _ = shapes["vision/vit.embeddings.patch_embedding.weight"]
    positions = shapes["vision/vit.embeddings.position_embedding"][1]
    return {
        "hidden_size": width,
        "intermediate_size": shapes["vision/vit.encoder.layers.0.mlp.fc1.weight"][0],
        "num_hidden_layers": _count(shapes, r"vision/vit\.encoder\.layers\.(\d+)\."),
        "num_attention_heads": settings.vit_heads or _vit_heads(width),
        "image_size": patch * round((positions - 1) ** 0.5),
        "patch_size": patch,
        "qkv_bias": True,
        "hidden_act": "gelu",
        "attention_dropout": 0.0,
        "layer_norm_eps": 1e-6,
        "post_layer_norm_eps": 1e-5,  # BLIP-2's `ln_vision`
    }


def _vit_heads(width: int) -> int:
    for head in (88, 16):
        if width % head == 0:
            return width // head
    raise CheckpointError(
        f"the ViT: got a width of {width}, expected its number of heads to be given as well"
    )


def _qformer(shapes: Shapes, settings: Settings) -> dict[str, Any]:
    layer = "vision/qformer.encoder.layer"
    width = shapes["vision/query_tokens"][2]
    crossing = sorted(_numbers(shapes, rf"{re.escape(layer)}\.(\d+)\.crossattention\."))
    return {
        "vocab_size": 8,  # it reads no text
        "hidden_size": width,
        "intermediate_size": shapes[f"{layer}.0.intermediate_query.dense.weight"][0],
        "num_hidden_layers": _count(shapes, rf"{re.escape(layer)}\.(\d+)\."),
        "num_attention_heads": settings.qformer_heads or max(1, width // 64),
        "encoder_hidden_size": shapes[f"{layer}.0.crossattention.attention.key.weight"][1],
        "cross_attention_frequency": crossing[1] if len(crossing) > 1 else 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "layer_norm_eps": 1e-12,
    }


def _mapper(shapes: Shapes) -> MapperConfig:
    _, length, width = shapes["mapper/queries"]
    return MapperConfig(
        llm_width=shapes["mapper/proj.0.weight"][1],
        width=width,
        length=length,
        num_heads=MAPPER_HEADS,
        num_encoder_layers=_count(shapes, r"mapper/transformer\.encoder\.layers\.(\d+)\."),
        num_decoder_layers=_count(shapes, r"mapper/transformer\.decoder\.layers\.(\d+)\."),
        feedforward_width=shapes["mapper/transformer.encoder.layers.0.linear1.weight"][0],
    )


def _lora(shapes: Shapes) -> LoraConfig:
    """Rank and places as in the checkpoint; without any, what the second stage would begin with."""
    ranks = {shape[0] for name, shape in shapes.items() if name.endswith(".lora_A.weight")}
    places = {name.split(".")[-3] for name in shapes if name.endswith(".lora_A.weight")}
    if not ranks:
        return LoraConfig()
    return LoraConfig(rank=max(ranks), alpha=LORA_ALPHA, target_modules=tuple(sorted(places)))


def _numbers(shapes: Shapes, pattern: str) -> set[int]:
    return {int(found[1]) for name in shapes if (found := re.match(pattern, name))}


def _count(shapes: Shapes, pattern: str) -> int:
    return max(_numbers(shapes, pattern), default=-1) + 1


def verify_diffusion(config: ModelConfig, folder: Path) -> None:
    """Raise `CheckpointError` unless the diffusion model is of the kind for which the mapper was trained."""
    width, expected = config.unet.get("cross_attention_dim"), config.mapper.width
    if width != expected:
        raise CheckpointError(
            f"{folder / 'unet/config.json'}: got conditioning {width} wide, expected {expected} as the mapper's"
        )
    kind = config.scheduler.get("prediction_type", "epsilon")
    if kind != "epsilon":
        raise CheckpointError(
            f"{folder / 'scheduler/scheduler_config.json'}: got a model that predicts {kind!r}, expected"
            " 'epsilon' (Stable Diffusion 2.1-base, not 2.1)"
        )


def known_settings(values: dict[str, Any], kind: type) -> dict[str, Any]:
    """The settings that `kind` takes; the others are notes of the version that wrote them."""
    return {key: value for key, value in values.items() if key in inspect.signature(kind).parameters}


def plain_settings(values: dict[str, Any]) -> dict[str, Any]:
    """Without the notes of the version that wrote them."""
    notes = ("architectures", "model_type", "torch_dtype", "dtype", "transformers_version")
    return {key: value for key, value in values.items() if not key.startswith("_") and key not in notes}
