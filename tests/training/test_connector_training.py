"""`--connector encoder` and `--train-unet` from the command line: what begins anew, what moves, what is loaded again."""

import json
from pathlib import Path

import pytest
import torch
from tiny_folder import words, write_chats, write_model

import minigpt5
from minigpt5.__main__ import main
from minigpt5.checkpoint.store import read_part
from minigpt5.config import ConnectorConfig, ModelConfig
from minigpt5.conversation import Conversation
from minigpt5.options import GenerationOptions

ENCODER = ["--connector", "encoder", "--connector-layers", "2", "--vokens", "12"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`model`, and `first`: its vokens and a fresh encoder aligned for two steps."""
    place: Path = tmp_path_factory.mktemp("connector")
    write_model(place / "model")
    write_chats(place)
    main(words(place, place / "first", *ENCODER, stage="uas", steps=2))
    return place


def test_the_encoder_takes_the_mapper_s_place_and_draws(folder):
    config = ModelConfig.load(folder / "first").mapper
    assert isinstance(config, ConnectorConfig)
    assert (config.num_vokens, config.num_layers, config.encoder_width, config.width) == (12, 2, 64, 16)
    engine = minigpt5.load(folder / "first")
    options = GenerationOptions(seed=1, max_new_tokens=2, num_inference_steps=2, pictures="always")
    reply = engine.reply(Conversation().user("Draw a blue rabbit."), options)
    (vokens,) = (part.vokens for part in reply.message.parts if getattr(part, "vokens", None) is not None)
    assert engine.voken_influence(vokens).shape == (12, 12)


def test_an_encoder_is_trained_without_the_caption_loss_unless_it_is_named(folder):
    facts = json.loads((folder / "runs/first/recipe.json").read_text())
    assert facts["stage: caption_weight"] == 0.0
    assert facts["connector"]["num_layers"] == 2


def test_an_encoder_of_another_depth_than_the_model_s_is_refused(folder):
    command = words(folder, folder / "deeper", "--connector", "encoder", "--connector-layers", "3")
    command[command.index("--model") + 1] = str(folder / "first")
    with pytest.raises(SystemExit, match="connector: got 3 layers, expected 2, those of the model"):
        main(command)


def test_a_last_stage_trains_the_unet_slowly_and_nothing_else_of_the_painter(folder):
    command = words(folder, folder / "last", "--train-unet", "1e-5", stage="mls", steps=3)
    command[command.index("--model") + 1] = str(folder / "first")
    main(command)
    changes = {}
    for part in ("unet", "vae", "vision", "mapper"):
        before, after = (read_part(folder / name, part) for name in ("first", "last"))
        moved = [float((after[key].float() - before[key].float()).abs().max()) for key in before]
        changes[part] = max(moved)
    assert changes["vae"] == changes["vision"] == 0
    assert 0 < changes["unet"] < 1e-4 < changes["mapper"]
    assert minigpt5.load(folder / "last", device="cpu").name == "tiny"


def test_pictures_are_kept_from_the_vae_while_the_unet_is_trained(folder):
    more = ["--train-unet", "--cache", str(folder / "cache")]
    main(words(folder, folder / "cached", *more, steps=2))
    assert list((folder / "cache/vae").rglob("*.safetensors"))
    before, after = (read_part(folder / name, "unet") for name in ("model", "cached"))
    assert any(not torch.equal(before[key].float(), after[key].float()) for key in before)
