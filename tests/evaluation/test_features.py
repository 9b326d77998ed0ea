"""Published networks are read from model folders: here the real classes, tiny and random."""

import pytest
import torch
from PIL import Image
from tiny_model import make_tokenizer
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    ResNetConfig,
    ResNetForImageClassification,
)

from minigpt5.evaluation.features import published_networks

SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
TEXTS = ["a blue rabbit", "the rabbit walks to the beach and finds a shell"]


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    torch.manual_seed(0)
    folders = [tmp_path_factory.mktemp(name) for name in ("clip", "classifier", "sentences")]
    tokenizer = make_tokenizer()
    tokenizer.pad_token = "</s>"
    size = {"vocab_size": len(tokenizer), "max_position_embeddings": 32}
    clip = CLIPConfig(
        text_config={**SMALL, **size, "eos_token_id": 2},
        vision_config={**SMALL, "image_size": 32, "patch_size": 16},
        projection_dim=8,
    )
    resnet = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", num_labels=5
    )
    models = (CLIPModel(clip), ResNetForImageClassification(resnet), BertModel(BertConfig(**SMALL, **size)))
    for folder, model in zip(folders, models, strict=True):
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        CLIPImageProcessorPil(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        ).save_pretrained(folder)
    return published_networks(*folders)


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
