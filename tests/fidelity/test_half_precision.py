"""What bfloat16 costs, and where float32 is worth its memory: the figures of docs/fidelity.md."""

import copy
from pathlib import Path

import pytest
import torch
from official_files import Expected
from torch import Tensor

import minigpt5
from minigpt5.generation.engine import Engine
from minigpt5.generation.official import OfficialEngine

STORYBOOK = Path(__file__).parents[2] / "weights/storybook"
REQUESTS = (
    "Draw a blue rabbit on the beach.",
    "a green frog in the forest at night",
    "Show me two cats playing ball in the snow",
    "Draw a red bear sleeping in the village",
    "a yellow dog running in the meadow in rain",
    "Paint a pink elephant reading in the desert",
    "an orange mouse with an umbrella",
    "Draw a white owl in the mountains and a brown cat",
)


def prompts(name: str) -> list[tuple[str, Tensor | tuple[()]]]:
    if name == "storybook":
        return [(f"###Human: {request} ###Assistant:", ()) for request in REQUESTS]
    images = Expected("stage1")["encode_img/images"]
    cases = Expected("stage2").generations().values()
    return [(case["prompt"], images[: case["n_images"]]) for case in cases]


def official(engine: Engine) -> OfficialEngine:
    return OfficialEngine(engine.model, engine.tokenizer, engine.config)


def voken_states(engine: Engine, name: str) -> list[Tensor]:
    vokens = engine.model.language.embed(torch.tensor([engine._vocabulary.vokens]))
    embeds = [torch.cat([official(engine).embed_raw(*prompt), vokens], dim=1) for prompt in prompts(name)]
    return [engine.model.language(row)[0][:, -9:-1] for row in embeds]


def drift(got: list[Tensor], expected: list[Tensor]) -> float:
    pairs = list(zip(got, expected, strict=True))
    return sum(float((a.float() - b).norm() / b.norm()) for a, b in pairs) / len(pairs)


@pytest.mark.parametrize("name", ["stage2", "storybook"])
@torch.inference_mode()
def test_a_mapper_in_float32_brings_pictures_nearer_and_voken_rows_would_not(
    name: str, converted: Path
) -> None:
    folder = STORYBOOK if name == "storybook" else converted / name
    whole = minigpt5.load(folder, device="cpu", dtype="float32")
    loaded = minigpt5.load(folder, device="cpu", dtype="bfloat16")
    expected = [whole.model.mapper(state) for state in voken_states(whole, name)]
    states, rounded = voken_states(loaded, name), copy.deepcopy(loaded.model.mapper).bfloat16()
    as_loaded = drift([loaded.model.mapper(state) for state in states], expected)
    assert as_loaded < 0.015
    assert as_loaded < drift([rounded(state) for state in states], expected)
    assert torch.equal(loaded.model.mapper.null_embeds(), whole.model.mapper.null_embeds())

    vokens = list(whole._vocabulary.vokens)
    for rows in (whole.model.language.llama.get_input_embeddings(), whole.model.language.llama.lm_head):
        rows.weight[vokens] = rows.weight[vokens].bfloat16().float()
    alone = [whole.model.mapper(state) for state in voken_states(whole, name)]
    assert drift(alone, expected) < as_loaded / 5
