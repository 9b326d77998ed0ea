"""Published networks are read from model folders: here the real classes, tiny and random."""

import pytest
import torch
from PIL import Image
from tiny_networks import write_networks

from minigpt5.__main__ import main
from minigpt5.evaluation.features import published_networks

TEXTS = ["a blue rabbit", "the rabbit walks to the beach and finds a shell"]


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    return published_networks(*write_networks(tmp_path_factory.mktemp("networks")))


def test_pictures_and_texts_are_unit_vectors_of_one_space(networks):
    seen = networks.pictures([Image.new("RGB", (40, 30), c) for c in ("red", "blue")])
    read = networks.texts(TEXTS)
    assert seen.shape == read.shape == (2, 8)
    assert torch.allclose(torch.cat([seen, read]).norm(dim=1), torch.ones(4), atol=1e-5)


def test_a_classifier_gives_features_and_logits(networks):
    features, logits = networks.inception([Image.new("RGB", (40, 30), c) for c in ("red", "blue", "lime")])
    assert features.shape == (3, 16)
    assert logits.shape == (3, 5)


def test_sentences_and_tokens_do_not_change_with_what_else_is_in_the_batch(networks):
    together, alone = networks.tokens(TEXTS)[0], networks.tokens(TEXTS[:1])[0]
    assert together.shape == alone.shape
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(networks.sentences(TEXTS)[:1], networks.sentences(TEXTS[:1]), atol=1e-5)


def test_the_report_is_told_which_folders_were_used(networks):
    assert all(name[:4] in ("clip", "clas", "sent") for name in networks.names.values())


@pytest.mark.parametrize("config", [None, '{"model_type": "inception_v3"}'])
def test_inception_v3_is_refused_with_the_reason(config, tmp_path):
    clip, _, sentences = map(str, write_networks(tmp_path))
    place = tmp_path / "inception-v3"
    place.mkdir()
    if config:
        (place / "config.json").write_text(config)
    words = ["evaluate", "--paper", "--count", "1", "--out", str(tmp_path / "out")]
    with pytest.raises(
        SystemExit, match=r"classifier: got .*inception-v3, expected .* there is none of Inception-v3"
    ):
        main([*words, "--clip", clip, "--classifier", str(place), "--sentences", sentences])
