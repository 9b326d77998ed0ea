"""The networks that measure, the real classes at a tiny size and random."""

from pathlib import Path

import torch
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

SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


def write_networks(root: Path) -> list[Path]:
    """The folders of CLIP, of a classifier and of a sentence encoder."""
    torch.manual_seed(0)
    folders = [root / name for name in ("clip", "classifier", "sentences")]
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
    return folders
