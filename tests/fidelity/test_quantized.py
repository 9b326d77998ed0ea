"""How far real 4-bit and 8-bit layers drift from float32, part by part, on the official files and on storybook."""

from pathlib import Path

import bitsandbytes as bnb
import pytest
import torch
from official_files import Expected
from torch import Tensor

import minigpt5
from minigpt5.checkpoint.build import LORA, build_empty, parts_of
from minigpt5.checkpoint.placement import place
from minigpt5.checkpoint.quantize import quantize_language
from minigpt5.checkpoint.store import load_part, load_tokenizer, read_part
from minigpt5.config import ModelConfig
from minigpt5.generation.engine import Engine
from minigpt5.generation.official import OfficialEngine

STORYBOOK = Path(__file__).parents[2] / "weights/storybook"
LAYERS = {"4bit": bnb.nn.Linear4bit, "8bit": bnb.nn.Linear8bitLt}
# relative norm of the difference: one and a half times what was measured, see docs/fidelity.md
LIMITS = {
    ("stage2", "8bit"): {"states": 0.04, "prompt_embeds": 0.04, "latents": 0.012},
    ("stage2", "4bit"): {"states": 0.48, "prompt_embeds": 0.54, "latents": 0.21},
    ("storybook", "8bit"): {"states": 0.046, "prompt_embeds": 0.0194, "latents": 0.0018},
    ("storybook", "4bit"): {"states": 0.27, "prompt_embeds": 0.055, "latents": 0.0039},
}


def official(engine: Engine) -> OfficialEngine:
    return OfficialEngine(engine.model, engine.tokenizer, engine.config)


@torch.inference_mode()
def outputs(engine: Engine) -> dict[str, Tensor]:
    """States of a prompt and a voken group, prompt embeddings, and latents after one step of the brush."""
    text = Expected("stage2").cases["gen_force_0img"]["prompt"]
    language, vokens = engine.model.language, torch.tensor([engine._vocabulary.vokens])
    embeds = torch.cat([official(engine).embed_raw(text), language.embed(vokens)], dim=1)
    states, _ = language(embeds)  # (1,T,D)
    prompt_embeds = engine.model.mapper(states[:, -9:-1])
    latents = engine.model.diffusion.initial_latents(torch.Generator().manual_seed(0))
    drawn = next(
        engine.model.diffusion.denoise(
            prompt_embeds,
            engine.model.mapper.null_embeds(),
            guidance_scale=7.5,
            num_inference_steps=50,
            scheduler="pndm",
            latents=latents,
        )
    )
    return {"states": states, "prompt_embeds": prompt_embeds, "latents": drawn}


@pytest.mark.parametrize("name", ["stage2", "storybook"])
def test_quantized_outputs_stay_near(name: str, converted: Path) -> None:
    folder = STORYBOOK if name == "storybook" else converted / name
    whole = outputs(minigpt5.load(folder, device="cpu", dtype="float32"))
    drifts = {}
    for mode, kind in LAYERS.items():
        engine = minigpt5.load(folder, quantize=mode, device="cpu", dtype="float32")  # type: ignore[arg-type]
        assert isinstance(engine.model.language.llama.model.layers[0].mlp.up_proj, kind)
        assert type(engine.model.language.llama.lm_head) is torch.nn.Linear
        quantized = outputs(engine)
        drifts[mode] = {
            part: float((quantized[part] - value).norm() / value.norm()) for part, value in whole.items()
        }
    for mode, parts in drifts.items():
        for part, drift in parts.items():
            assert 0 < drift < LIMITS[name, mode][part], (mode, part, drift)
    assert all(drifts["8bit"][part] < drifts["4bit"][part] for part in whole), drifts


def merged_or_apart(folder: Path, mode: str | None, merge: bool) -> Engine:
    """The model of `folder` with its adapters put in anew: summed before the layers are quantized, or beside."""
    config, tokenizer = ModelConfig.load(folder), load_tokenizer(folder)
    model = build_empty(config)
    for part, module in parts_of(model).items():
        load_part(folder, part, module)
    if mode and not merge:
        quantize_language(model.language, mode, place("cpu", "float32"))  # type: ignore[arg-type]
    model.language.add_lora(config.lora)
    adapters = read_part(folder, LORA)
    for name, parameter in model.language.named_parameters():
        if ".lora_" in name:
            parameter.data = adapters[name.replace(".default", "")].float()
    if merge:
        model.language.merge_lora()
        if mode:
            quantize_language(model.language, mode, place("cpu", "float32"))  # type: ignore[arg-type]
    return Engine(model, tokenizer, config)


@torch.inference_mode()
def mapped(engine: Engine) -> list[Tensor]:
    """prompt_embeds of a voken group behind every prompt of the official runs."""
    expected, images = Expected("stage2"), Expected("stage1")["encode_img/images"]
    vokens = engine.model.language.embed(torch.tensor([engine._vocabulary.vokens]))
    embeds = [
        official(engine).embed_raw(case["prompt"], images[: case["n_images"]])
        for case in expected.generations().values()
    ]
    states = [engine.model.language(torch.cat([prompt, vokens], dim=1))[0] for prompt in embeds]
    return [engine.model.mapper(state[:, -9:-1]) for state in states]


@pytest.mark.parametrize("mode", LAYERS)
def test_adapters_merged_before_quantization_drift_no_more_than_those_kept_apart(
    mode: str, converted: Path
) -> None:
    whole = mapped(merged_or_apart(converted / "stage2", None, merge=True))
    drifts = []
    for merge in (True, False):
        quantized = mapped(merged_or_apart(converted / "stage2", mode, merge))
        pairs = zip(quantized, whole, strict=True)
        drifts.append(sum(float((got - value).norm() / value.norm()) for got, value in pairs) / len(whole))
    assert 0 < drifts[0] < drifts[1]
