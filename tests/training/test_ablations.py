"""Every variant of the ablations takes a step on a tiny base, and is measured."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from tiny_model import make_config, make_tokenizer
from transformers import CLIPTextConfig, CLIPTextModel

from minigpt5.__main__ import main
from minigpt5.checkpoint.build import build, save_model
from minigpt5.checkpoint.store import save_part
from minigpt5.errors import TrainingError
from minigpt5.evaluation import bootstrap
from minigpt5.prompt import token_id
from minigpt5.training import ablations
from minigpt5.training.ablations import VARIANTS, begin, finished, train_ablations, trained
from minigpt5.training.checkpoints import newest
from minigpt5.training.trainer import Schedule
from minigpt5.vokens import FIRST_VOKEN

SECOND = [variant for variant in VARIANTS if variant.data == "dialogues"]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A tiny model with a text encoder for the caption loss."""
    folder = tmp_path_factory.mktemp("ablations") / "base"
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    text_encoder = {
        "vocab_size": token_id(tokenizer, FIRST_VOKEN), "hidden_size": 16, "intermediate_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 77,
        "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
    }  # fmt: skip
    config = replace(make_config(len(tokenizer)), text_encoder=text_encoder)
    save_model(folder, build(config), config, tokenizer)
    save_part(folder, "text_encoder", CLIPTextModel(CLIPTextConfig(**text_encoder)))
    return folder


@pytest.fixture(scope="module")
def runs(base):
    """All variants after one step of two samples."""
    with pytest.MonkeyPatch.context() as patch:
        one = Schedule(steps=1, batch_size=2, lr=1e-2, warmup=1, average=None)
        patch.setattr(ablations, "SCHEDULES", {"captions": one, "dialogues": one})
        train_ablations(base, base.parent / "runs")
        yield base.parent / "runs"


def test_every_variant_takes_a_step(runs):
    assert all(finished(runs, variant) for variant in VARIANTS)


def test_the_first_stages_begin_alike_and_the_second_with_what_the_first_has_learned(base, runs):
    uas, no_cfg, mls, no_uas = (
        begin(base, runs, variant).model.mapper.state_dict()
        for variant in VARIANTS
        if variant.name in ("uas", "uas-no-cfg", "mls", "mls-no-uas")
    )
    assert all(torch.equal(uas[key], no_cfg[key]) and torch.equal(uas[key], no_uas[key]) for key in uas)
    learned = trained(runs, VARIANTS[0]).model.mapper.state_dict()
    assert all(torch.equal(mls[key], learned[key]) for key in mls)
    assert any(not torch.equal(mls[key], uas[key]) for key in mls)


def test_only_what_is_trained_is_saved(runs):
    names = load_file(newest(runs / "uas") / "trainable.safetensors")
    assert all(name.startswith("mapper.") or name.endswith(".rows") for name in names)


def test_the_command_measures_what_has_been_trained(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 2)
    main(["evaluate", "--ablations", str(runs), "--out", str(tmp_path), "--count", "1"])
    report = json.loads((tmp_path / "ablations.json").read_text())["settings"]
    assert list(report["captions-7.5"]["systems"])[:2] == ["UAS", "UAS again"]
    assert list(report["last-both"]["systems"]) == [*(variant.title for variant in SECOND), "truth"]
    assert (tmp_path / "captions-1.png").exists()
    assert "no UAS, LoRA" in (tmp_path / "ablations.md").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "ablations", "--only", "uas", "nonsense"], "only: got 'nonsense', expected some of uas, "),
        (["train", "storybook", "--only", "mls-no-uas"], "only: got 'mls-no-uas', expected some of vae, "),
        (["train", "ablations", "--start", "nowhere"], "nowhere: got no such folder, expected one with"),
        (["evaluate", "--ablations", "nowhere"], "nowhere: got no trained ablations, expected those of"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(words, message, tmp_path, monkeypatch):
    where = ["--runs", str(tmp_path)] if words[0] == "train" else ["--out", str(tmp_path)]
    with pytest.raises(SystemExit, match=message):
        main([*words, *where])


def test_a_second_stage_without_its_first_is_refused(base, tmp_path):
    with pytest.raises(TrainingError, match="got no finished uas, expected it before mls"):
        train_ablations(base, tmp_path, ["mls"])


def test_runs_on_another_base_are_refused(base, runs, tmp_path):
    with pytest.raises(TrainingError, match="expected another folder for"):
        train_ablations(tmp_path, runs, ["uas"])
