"""What a training begins with that the model folder does not hold: another number of vokens, another connector, vokens
that no stage has trained, LoRA or a prefix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from tokenizers import AddedToken
from torch import nn
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.build import LoadedModel
from minigpt5.config import ConnectorConfig, LoraConfig, ModelConfig
from minigpt5.errors import OptionError
from minigpt5.model.connector import build_connector
from minigpt5.model.language import LanguageModel
from minigpt5.prompt import token_id
from minigpt5.training.stages import Stage
from minigpt5.vokens import control_tokens, voken_names

FEWEST, MOST = 2, 256  # vokens: the first and the last one are labelled
ENCODER_VOKENS = (
    64  # of an encoder whose number is not named: the fewest of arXiv 2504.06256 that match its text encoder
)
ENCODER_WIDTH, ENCODER_LAYERS = (
    896,
    24,
)  # the best encoder of its table 3; of a narrower LLM the width is its own
HEAD_WIDTH = 64
PREFIX_SPREAD = 0.02  # of the values of a prefix at first


def control_ids(tokenizer: PreTrainedTokenizerFast, num_vokens: int) -> list[int]:
    """The ids of the vokens and of the slot for pictures."""
    return [token_id(tokenizer, token) for token in control_tokens(num_vokens)]


def with_vokens(config: ModelConfig, tokenizer: PreTrainedTokenizerFast, num_vokens: int) -> ModelConfig:
    """The configuration with another number of vokens; those that `tokenizer` lacks are added to it.

    Fewer are the first of those that are there. Raises `OptionError`.
    """
    if not FEWEST <= num_vokens <= MOST:
        raise OptionError(f"vokens: got {num_vokens}, expected a number from {FEWEST} to {MOST}")
    tokenizer.add_tokens([AddedToken(t, special=True, normalized=False) for t in voken_names(num_vokens)])
    rows = max(config.language["vocab_size"], len(tokenizer))
    return replace(
        config,
        mapper=replace(config.mapper, num_vokens=num_vokens),
        language={**config.language, "vocab_size": rows},
    )


@dataclass(frozen=True)
class ConnectorChoice:
    """The connector that a training begins with: an encoder of `layers` layers (None: `ENCODER_LAYERS`)."""

    kind: Literal["encoder"] = "encoder"
    layers: int | None = None


def with_connector(config: ModelConfig, choice: ConnectorChoice) -> ModelConfig:
    """The configuration with an encoder in the place of the paper's mapper; one that has it already stays as it is.

    Raises `OptionError` for a model that has an encoder of another number of layers.
    """
    before = config.mapper
    if isinstance(before, ConnectorConfig):
        if choice.layers not in (None, before.num_layers):
            raise OptionError(
                f"connector: got {choice.layers} layers, expected {before.num_layers}, those of the model"
            )
        return config
    heads = max(1, min(ENCODER_WIDTH, before.llm_width) // HEAD_WIDTH)
    width = min(ENCODER_WIDTH, before.llm_width) // heads * heads
    layers = choice.layers or ENCODER_LAYERS
    encoder = ConnectorConfig(
        before.llm_width, before.width, width, layers, heads, 4 * width, num_vokens=before.num_vokens
    )
    return replace(config, mapper=encoder)


def resize(loaded: LoadedModel, config: ModelConfig, tokenizer: PreTrainedTokenizerFast) -> LoadedModel:
    """The loaded model as `with_vokens` and `with_connector` have made its configuration and tokenizer.

    A connector of another kind than the model has is a fresh one; its values are torch's next random ones.
    """
    loaded.model.language.grow(config.language["vocab_size"])
    if type(config.mapper) is not type(loaded.config.mapper):
        loaded.model.mapper = build_connector(config.mapper)
    loaded.model.mapper.num_vokens = config.mapper.num_vokens
    return replace(loaded, config=config, tokenizer=tokenizer)


@torch.no_grad()
def forget_vokens(loaded: LoadedModel) -> None:
    """Mapper and control tokens as they are before any stage: random, and the mean of the other tokens."""
    language = loaded.model.language
    ids = control_ids(loaded.tokenizer, loaded.config.mapper.num_vokens)
    loaded.model.mapper = build_connector(loaded.config.mapper)
    for weight in (language.llama.get_input_embeddings().weight, language.llama.lm_head.weight):
        others = torch.ones(len(weight), dtype=torch.bool, device=weight.device)
        others[ids] = False
        weight[ids] = weight[others].float().mean(0).to(weight)


def add_adapters(language: LanguageModel, stage: Stage, lora: LoraConfig) -> None:
    """LoRA or the prefix that the stage trains, as they are at first."""
    if stage.lora:
        language.add_lora(lora)
    if stage.prefix_length:
        language.add_prefix(stage.prefix_length)
        for values in (language.prefix_keys, language.prefix_values):
            nn.init.normal_(values, std=PREFIX_SPREAD)
