"""What a training begins with that the model folder does not hold: another number of vokens, vokens that no stage has
trained, LoRA or a prefix."""

from __future__ import annotations

from dataclasses import replace

import torch
from tokenizers import AddedToken
from torch import nn
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.build import LoadedModel
from minigpt5.config import LoraConfig, ModelConfig
from minigpt5.errors import OptionError
from minigpt5.model.language import LanguageModel
from minigpt5.model.mapper import VokenMapper
from minigpt5.prompt import token_id
from minigpt5.training.stages import Stage
from minigpt5.vokens import control_tokens, voken_names

FEWEST, MOST = 2, 64  # vokens: the first and the last one are labelled
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


def resize(loaded: LoadedModel, config: ModelConfig, tokenizer: PreTrainedTokenizerFast) -> LoadedModel:
    """The loaded model as `with_vokens` has made its configuration and tokenizer."""
    loaded.model.language.grow(config.language["vocab_size"])
    loaded.model.mapper.num_vokens = config.mapper.num_vokens
    return replace(loaded, config=config, tokenizer=tokenizer)


@torch.no_grad()
def forget_vokens(loaded: LoadedModel) -> None:
    """Mapper and control tokens as they are before any stage: random, and the mean of the other tokens."""
    language = loaded.model.language
    ids = control_ids(loaded.tokenizer, loaded.config.mapper.num_vokens)
    loaded.model.mapper = VokenMapper(loaded.config.mapper)
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
