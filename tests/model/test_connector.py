"""The encoder between LLM and painter, and that the paper's mapper is what it was."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from tiny_model import make_config, make_tokenizer

from minigpt5.checkpoint.build import build, load_model, save_model
from minigpt5.config import ConnectorConfig, ModelConfig
from minigpt5.conversation import Conversation
from minigpt5.errors import CheckpointError
from minigpt5.generation.engine import Engine
from minigpt5.model.connector import EncoderConnector, build_connector
from minigpt5.model.mapper import VokenMapper
from minigpt5.options import GenerationOptions
from minigpt5.training.beginnings import with_vokens

TINY = ConnectorConfig(
    llm_width=64, width=16, encoder_width=32, num_layers=2, num_heads=2, feedforward_width=64, num_vokens=6
)


def test_as_many_conditioning_vectors_come_out_as_vokens_go_in():
    connector = build_connector(TINY)
    assert isinstance(connector, EncoderConnector)
    assert connector(torch.randn(3, 6, 64)).shape == (3, 6, 16)
    assert connector.null_embeds().shape == (1, TINY.length, 16)


def test_every_vector_knows_of_every_voken():
    connector, hidden = build_connector(TINY), torch.randn(1, 6, 64)
    changed = hidden.clone()
    changed[:, -1] += 1
    moved = (connector(changed) - connector(hidden)).abs().amax(-1)[0]
    assert bool((moved > 1e-4).all())


def test_the_layers_do_not_begin_alike():
    first, second = build_connector(TINY).encoder.layers
    assert not torch.equal(first.linear1.weight, second.linear1.weight)


def test_the_paper_s_mapper_is_built_of_the_same_random_numbers_as_ever(config):
    torch.manual_seed(5)
    ours = build_connector(config.mapper)
    torch.manual_seed(5)
    paper = VokenMapper(config.mapper).state_dict()
    assert all(torch.equal(value, paper[name]) for name, value in ours.state_dict().items())
    assert "kind" not in asdict(config.mapper)


def encoder_model(tokenizer, vokens=6):
    config = replace(make_config(len(tokenizer)), mapper=TINY)
    config = replace(config, context_length=512, language={**config.language, "max_position_embeddings": 512})
    config = with_vokens(config, tokenizer, vokens)
    torch.manual_seed(0)
    return build(config).eval(), config


def test_a_model_with_an_encoder_is_saved_and_loaded(tokenizer, tmp_path):
    model, config = encoder_model(tokenizer)
    save_model(tmp_path, model, config, tokenizer)
    loaded = load_model(tmp_path, device="cpu", dtype="float32")
    assert loaded.config == config
    hidden = torch.randn(1, 6, 64)
    torch.testing.assert_close(loaded.model.mapper(hidden), model.mapper(hidden), atol=1e-2, rtol=1e-2)


def test_weights_of_the_other_kind_are_refused(tokenizer, config, tmp_path):
    model, ours = encoder_model(tokenizer)
    save_model(tmp_path, model, ours, tokenizer)
    other = replace(ours, mapper=config.mapper)
    torch.manual_seed(0)
    save_model(tmp_path / "other", build(other), other, tokenizer)
    (tmp_path / "other/mapper.safetensors").rename(tmp_path / "mapper.safetensors")
    (tmp_path / "manifest.json").write_text(json.dumps({"sha256": {}, "bytes": {}}))
    with pytest.raises(CheckpointError, match=r"got 39 tensors, expected 34; .*unexpected: proj"):
        load_model(tmp_path)


def test_a_connector_of_a_kind_that_nobody_knows_is_refused(config, tmp_path):
    values = asdict(config)
    (tmp_path / "config.json").write_text(
        json.dumps({**values, "mapper": {**asdict(TINY), "kind": "resampler"}})
    )
    with pytest.raises(CheckpointError, match="got a mapper of kind 'resampler', expected 'encoder' or none"):
        ModelConfig.load(tmp_path)


def test_256_vokens_are_read_in_one_pass(monkeypatch):
    tokenizer = make_tokenizer()
    model, config = encoder_model(tokenizer, vokens=256)
    lengths = []
    forward = model.language.forward

    def counted(inputs_embeds, **how):
        lengths.append(inputs_embeds.shape[1])
        return forward(inputs_embeds, **how)

    monkeypatch.setattr(model.language, "forward", counted)
    options = GenerationOptions(seed=1, max_new_tokens=1, num_inference_steps=1, pictures="always")
    reply = Engine(model, tokenizer, config).reply(Conversation().user("Draw a rabbit."), options)
    assert len(reply.message.images) == 1
    assert lengths[1:] == [256]
