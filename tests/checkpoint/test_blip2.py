"""BLIP-2 as transformers stores it is as good as the files of its authors, whole or in shards."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from official_files import OFFICIAL_FILES, Expected, assert_equal, sources
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import Blip2Config, Blip2ForConditionalGeneration, T5Config

import minigpt5
from minigpt5.checkpoint.convert import convert
from minigpt5.config import ModelConfig
from minigpt5.errors import CheckpointError

DEPTHS = {"num_layers": 1, "num_decoder_layers": 1}
TEXT = T5Config(vocab_size=32, d_model=16, d_kv=4, d_ff=16, num_heads=2, decoder_start_token_id=0, **DEPTHS)


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of the authors' files."""
    out: Path = tmp_path_factory.mktemp("official") / "model"
    convert(sources("stage1"), out, dtype=torch.float32)
    return out


@pytest.fixture(scope="module")
def blip2(official: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same ViT and Q-Former in transformers' own model, saved by transformers in shards."""
    config = ModelConfig.load(official)
    vision = {key: value for key, value in config.vision.items() if key != "post_layer_norm_eps"}
    model = Blip2ForConditionalGeneration(
        Blip2Config(
            vision_config=vision,
            qformer_config=config.qformer,
            text_config=TEXT.to_dict(),
            num_query_tokens=config.num_query_tokens,
        )
    )
    weights = {
        key.replace("vit.", "vision_model.", 1): value
        for key, value in load_file(official / "vision.safetensors").items()
        if not key.startswith("language_projection")
    }
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(key.startswith(("language_model.", "language_projection.")) for key in missing)
    folder: Path = tmp_path_factory.mktemp("blip2")
    model.save_pretrained(folder, max_shard_size="300KB")
    return folder


def vision_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "vision.safetensors")


def test_a_folder_of_shards_holds_both_eyes_with_their_heads(blip2: Path, tmp_path: Path) -> None:
    assert len(list(blip2.glob("model-*-of-*.safetensors"))) > 1
    config = convert(replace(sources("stage1"), qformer=blip2, vit=None), tmp_path / "model")
    heads = json.loads((blip2 / "config.json").read_text())["qformer_config"]["num_attention_heads"]
    assert (config.vision["num_attention_heads"], config.qformer["num_attention_heads"]) == (4, heads)
    expected = Expected("stage1")
    engine = minigpt5.load(tmp_path / "model", device="cpu", dtype="float32")
    with torch.inference_mode():
        seen = engine.model.vision(expected["encode_img/images"])
    assert_equal(seen, expected["encode_img/image_tokens"])


def test_one_pickled_file_is_read_and_a_vit_that_is_given_holds(blip2: Path, tmp_path: Path) -> None:
    weights = {key: value for path in blip2.glob("*.safetensors") for key, value in load_file(path).items()}
    weights["vision_model.embeddings.class_embedding"] += 1
    torch.save(weights, tmp_path / "blip2.bin")
    given = replace(sources("stage1"), qformer=tmp_path / "blip2.bin")
    inside = convert(replace(given, vit=None), tmp_path / "inside", qformer_heads=4)
    assert inside.qformer == convert(given, tmp_path / "given", qformer_heads=4).qformer
    moved, official = vision_of(tmp_path / "inside"), vision_of(tmp_path / "given")
    for key, value in official.items():
        assert torch.equal(moved[key].float(), value.float() + key.endswith("class_embedding")), key


def test_a_blip2_without_vit_or_with_too_much_is_refused(blip2: Path, tmp_path: Path) -> None:
    given = replace(sources("stage1"), vit=None)
    with pytest.raises(CheckpointError, match=r"flant5xxl\.pth: got no vision_model\.\* in it, expected"):
        convert(given, tmp_path / "model")
    weights = {key: value for path in blip2.glob("*.safetensors") for key, value in load_file(path).items()}
    torch.save({**weights, "itm_head.weight": torch.zeros(2, 48)}, tmp_path / "blip2.bin")
    with pytest.raises(CheckpointError, match=r"blip2\.bin: got 1 unknown keys \(itm_head\.weight\)"):
        convert(replace(given, qformer=tmp_path / "blip2.bin"), tmp_path / "model")
    del weights["qformer.encoder.layer.1.output_query.dense.bias"]
    torch.save(weights, tmp_path / "blip2.bin")
    with pytest.raises(
        CheckpointError, match=r"got no qformer\.encoder\.layer\.1\.output_query\.dense\.bias"
    ):
        convert(replace(given, qformer=tmp_path / "blip2.bin"), tmp_path / "model", qformer_heads=4)


def test_a_vit_in_float32_is_rounded_as_the_official_code_does(official: Path, tmp_path: Path) -> None:
    weights = torch.load(OFFICIAL_FILES / "eva_vit_g.pth", weights_only=True)
    finer = {key: value.float() + 1e-5 for key, value in weights.items()}
    torch.save(finer, tmp_path / "eva_vit_g.pth")
    given = replace(sources("stage1"), vit=tmp_path / "eva_vit_g.pth")
    convert(given, tmp_path / "model", qformer_heads=4)
    rounded, layer = vision_of(tmp_path / "model"), "vit.encoder.layers.1."
    weight = rounded[f"{layer}mlp.fc1.weight"]
    assert torch.equal(weight, finer["blocks.1.mlp.fc1.weight"].half().float())
    assert not torch.equal(weight, finer["blocks.1.mlp.fc1.weight"])
    assert torch.equal(rounded[f"{layer}layer_norm1.weight"], finer["blocks.1.norm1.weight"])
    assert torch.equal(rounded["vit.embeddings.position_embedding"], finer["pos_embed"])


def test_a_table_of_positions_for_larger_pictures_is_resized_as_the_official_code_does(
    tmp_path: Path,
) -> None:
    weights = torch.load(OFFICIAL_FILES / "eva_vit_g.pth", weights_only=True)
    first, grid = torch.randn(1, 37, 64, generator=torch.Generator().manual_seed(0)).split([1, 36], dim=1)
    square = grid.reshape(1, 6, 6, 64).permute(0, 3, 1, 2)
    smaller = F.interpolate(square, size=(4, 4), mode="bicubic", align_corners=False)
    tables = {"large": grid, "small": smaller.permute(0, 2, 3, 1).flatten(1, 2)}
    seen = []
    for name, table in tables.items():
        torch.save({**weights, "pos_embed": torch.cat([first, table], dim=1)}, tmp_path / f"{name}.pth")
        given = replace(sources("stage1"), vit=tmp_path / f"{name}.pth")
        convert(given, tmp_path / name, dtype=torch.float32)
        engine = minigpt5.load(tmp_path / name, device="cpu", dtype="float32")
        with torch.inference_mode():
            seen.append(engine.model.vision(Expected("stage1")["encode_img/images"]))
    assert_equal(*seen)
