"""Every key of the released files, at full size, has its place in our model: no key over, none missing.

The table of keys is the official constructors' on the meta device; no weights are needed here either.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from official_files import OFFICIAL_FILES

from benchmarks.full_size import UNET, VAE, VICUNA
from minigpt5.checkpoint import official_names as names_of
from minigpt5.checkpoint.build import build_empty
from minigpt5.checkpoint.convert import Source, plan, verify_plan
from minigpt5.checkpoint.derived_tensors import eva_tensors, prefix_tensors
from minigpt5.checkpoint.official_config import Settings, official_config
from minigpt5.checkpoint.weight_files import Entries, Entry
from minigpt5.config import ModelConfig
from minigpt5.errors import CheckpointError

TABLE = json.loads((OFFICIAL_FILES / "full_size_keys.json").read_text())
SETTINGS = Settings(Path("vicuna"), VICUNA, UNET, VAE, {}, {}, vit_heads=None, qformer_heads=None)


def rows(table: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    for key, shape, numbers in TABLE[table]:
        for number in range(*numbers) if numbers else [None]:
            yield (key if number is None else key.replace("{n}", str(number))), tuple(shape)


def entries(table: str, prefix: str = "") -> Entries:
    return {
        key.removeprefix(prefix): Entry(Path(table), key, shape, torch.float16, lambda: torch.zeros(0))
        for key, shape in rows(table)
        if key.startswith(prefix)
    }


def opened(*checkpoints: tuple[str, dict[str, Any]]) -> list[Source]:
    whole = "stage1_full_model"
    return [
        Source(Path("vit"), names_of.VIT, eva_tensors(entries("eva_vit_g"))),
        Source(Path("qformer"), names_of.QFORMER, entries("blip2_qformer")),
        Source(Path("minigpt4"), names_of.MINIGPT4, entries("minigpt4")),
        Source(Path("vicuna"), names_of.LLM, entries("llm")),
        Source(Path("unet"), names_of.UNET, entries(whole, "unet.")),
        Source(Path("vae"), names_of.VAE, entries(whole, "vae.")),
        Source(Path("text"), names_of.TEXT_ENCODER, entries(whole, "sd_text_encoder.")),
        *(
            Source(Path(table), names, prefix_tensors(Path(table), entries(table), SETTINGS))
            for table, names in checkpoints
        ),
    ]


FIRST = ("stage1_checkpoint", names_of.STAGE1)
MODELS = {
    "stage 1": (FIRST,),
    "stage 2": (FIRST, ("stage2_checkpoint", names_of.STAGE2)),
    "prefix tuning": (("prefix_checkpoint", names_of.STAGE1),),
}


def config_of(sources: list[Source]) -> ModelConfig:
    shapes = {name: item.entry.shape for name, item in plan(sources).items()}
    return official_config("full", shapes, SETTINGS)


@pytest.mark.parametrize("model", MODELS)
def test_all_keys_map_one_to_one(model: str) -> None:
    sources = opened(*MODELS[model])
    config = config_of(sources)
    verify_plan(plan(sources), sources, config)
    places = [
        name
        for source in sources
        for key in source.entries
        if (name := names_of.translate(source.names, key)[1])
    ]
    again = {
        "mapper/transformer",
        "language/llama.lm_head.weight",
        "language/llama.model.embed_tokens.weight",
    }
    twice = {name for name in places if places.count(name) > 1}
    assert all(name.startswith(tuple(again)) for name in twice), "only stage 2 overrides, and only these"
    assert bool(twice) == (model == "stage 2")


def test_the_full_size_model_has_the_papers_sizes() -> None:
    config = config_of(opened(*MODELS["stage 2"]))
    assert (config.vision["num_attention_heads"], config.vision["num_hidden_layers"]) == (16, 39)
    assert (config.vision["image_size"], config.vision["intermediate_size"]) == (224, 6144)
    assert (config.qformer["num_attention_heads"], config.qformer["cross_attention_frequency"]) == (12, 2)
    assert (config.num_query_tokens, config.image_size) == (32, 512)
    assert config.language["vocab_size"] == 32009
    assert (config.lora.rank, config.lora.alpha, config.lora.target_modules) == (8, 16, ("q_proj", "v_proj"))
    model = build_empty(config, torch.bfloat16)
    parts = {name: sum(p.numel() for p in module.parameters()) for name, module in model.named_children()}
    assert parts["language"] == 6_738_489_344
    assert parts["mapper"] == 5_244_928 + 117_575_680 + 77 * 1024
    assert parts["diffusion"] == 865_910_724 + 83_653_863


def test_keys_too_many_or_of_another_shape_are_refused_by_name() -> None:
    sources = opened(FIRST)
    config = config_of(sources)
    vit = sources[0].entries
    extra = Source(Path("eva.pth"), names_of.VIT, {**vit, "blocks.3.surprise": vit["cls_token"]})
    with pytest.raises(CheckpointError, match=r"eva\.pth: got 1 unknown keys \(blocks\.3\.surprise\)"):
        plan([extra, *sources[1:]])
    fewer = Source(
        Path("eva.pth"), names_of.VIT, {k: v for k, v in vit.items() if k != "blocks.7.mlp.fc1.bias"}
    )
    with pytest.raises(CheckpointError, match=r"eva\.pth: got no blocks\.7\.mlp\.fc1\.bias, expected"):
        verify_plan(plan([fewer, *sources[1:]]), [fewer, *sources[1:]], config)
    norm = Entry(Path("eva.pth"), "blocks.5.norm1.bias", (7,), torch.float16, lambda: torch.zeros(7))
    other = Source(Path("eva.pth"), names_of.VIT, {**vit, "blocks.5.norm1.bias": norm})
    with pytest.raises(CheckpointError, match=r"blocks\.5\.norm1\.bias of shape \(7,\), expected \(1408,\)"):
        verify_plan(plan([other, *sources[1:]]), [other, *sources[1:]], config)
