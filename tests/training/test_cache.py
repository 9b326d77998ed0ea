"""Frozen features on disk: the same training, each picture worked through once."""

from pathlib import Path

import pytest
import torch
from tiny_folder import curve, words, write_chats, write_model
from torch import nn

from minigpt5.__main__ import main
from minigpt5.errors import TrainingError
from minigpt5.training.cache import FeatureCache


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Conv2d(3, 4, 3)


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(1))


class Counting:
    def __init__(self, network: nn.Module) -> None:
        self.network, self.pictures = network, 0

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        self.pictures += len(pictures)
        return self.network(pictures)


def test_each_picture_is_computed_once_and_comes_back_in_its_place(network, pictures, tmp_path):
    compute = Counting(network)
    FeatureCache(tmp_path, network, compute)(pictures[:3])
    again = FeatureCache(tmp_path, network, compute)(pictures[[4, 1, 3, 0, 2]])
    assert compute.pictures == 5
    torch.testing.assert_close(again, network(pictures[[4, 1, 3, 0, 2]]))
    assert not again.requires_grad


def test_a_mirrored_picture_and_other_weights_are_other_entries(network, pictures, tmp_path):
    compute = Counting(network)
    FeatureCache(tmp_path, network, compute)(pictures)
    mirrored = FeatureCache(tmp_path, network, compute)(pictures.flip(-1))
    assert compute.pictures == 10
    torch.testing.assert_close(mirrored, network(pictures.flip(-1)))
    with torch.no_grad():
        network.bias += 1
    moved = FeatureCache(tmp_path, network, compute)(pictures)
    assert compute.pictures == 15
    torch.testing.assert_close(moved, network(pictures))


def test_another_precision_is_another_entry(network, pictures, tmp_path):
    compute = Counting(network)
    cache = FeatureCache(tmp_path, network, compute)
    with torch.autocast("cpu", torch.bfloat16):
        assert cache(pictures).dtype == torch.bfloat16
    assert cache(pictures).dtype == torch.float32
    assert compute.pictures == 10


def test_an_entry_that_is_broken_is_named(network, pictures, tmp_path):
    cache = FeatureCache(tmp_path, network, network)
    cache(pictures)
    broken = next(tmp_path.rglob("*.safetensors"))
    broken.write_bytes(b"half of it")
    with pytest.raises(TrainingError, match=rf"cache: {broken} cannot be read, delete it"):
        cache(pictures)


def test_a_training_with_a_cache_is_the_one_without(tmp_path, capsys):
    write_model(tmp_path / "model")
    write_chats(tmp_path)
    main(words(tmp_path, tmp_path / "plain", steps=6))
    for name in ("first", "second"):
        main(words(tmp_path, tmp_path / name, "--cache", str(tmp_path / "cache"), steps=6))
        kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.safetensors")}
        if name == "first":
            before = kept
    assert kept == before
    assert {path.parent.parent.name for path in kept} == {"eyes", "vae"}
    plain = curve(tmp_path / "runs/plain")
    for name in ("first", "second"):
        assert curve(tmp_path / "runs" / name) == pytest.approx(plain, abs=1e-4)


def test_a_cache_that_cannot_be_written_is_refused(tmp_path):
    write_model(tmp_path / "model")
    write_chats(tmp_path)
    place = Path(tmp_path / "chats.jsonl")
    with pytest.raises(SystemExit, match=r"cache: got .*chats\.jsonl.*expected a folder to write to"):
        main(words(tmp_path, tmp_path / "out", "--cache", str(place), steps=2))
    assert not (tmp_path / "out").exists()
