"""A model of any size with random weights, made where it runs: nothing on disk, no whole part in float32.

Quantized blocks are made one at a time and pass through the CPU in their half precision, as when they are loaded.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from minigpt5 import Engine
from minigpt5.checkpoint.build import build_empty, parts_of
from minigpt5.checkpoint.placement import Placement
from minigpt5.checkpoint.quantize import Quantization, arrange_for_cpu, quantize_language
from minigpt5.config import ModelConfig
from minigpt5.model.language import LanguageModel
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.vokens import voken_names

INITIAL_STD = 0.02


def random_engine(
    config: ModelConfig,
    tokenizer: PreTrainedTokenizerFast,
    quantize: Quantization | None,
    placement: Placement,
    after_part: Callable[[str], None] = lambda part: None,
) -> Engine:
    """An engine that writes until it may not: it never ends a reply and never draws of its own will.

    `after_part` is called with the beginning of the part's name in the memory plan once it is there.
    """
    model = build_empty(config, placement.dtype)
    names = {"vision": "eyes", "mapper": "mapper", "unet": "brush: UNet", "vae": "brush: VAE"}
    for part, module in parts_of(model).items():
        if part == "language":
            _fill_blocks(model.language, quantize, placement)
            arrange_for_cpu(model.language, placement)
            after_part("LLM: blocks")
        fill(module, placement.device)
        module.to(placement.device)
        after_part(names.get(part, "LLM: embeddings"))
    model.to(placement.device)
    silence(model, tokenizer)
    facts = {"device": str(placement.device), "quantization": quantize or "none"}
    return Engine(model, tokenizer, config, facts)


def _fill_blocks(language: LanguageModel, quantize: Quantization | None, placement: Placement) -> None:
    for block in language.llama.model.layers:
        fill(block, placement.device)
        if quantize:
            block.to("cpu")  # bitsandbytes makes 8-bit numbers of what comes from there only
            quantize_language(language, quantize, placement)


def fill(module: nn.Module, device: torch.device) -> None:
    """Make the parameters that are on the meta device: matrices random, scales one, biases zero."""
    for owner in module.modules():
        for name, parameter in owner.named_parameters(recurse=False):
            if parameter.is_meta:
                setattr(owner, name, nn.Parameter(_values(name, parameter, device), requires_grad=False))


def _values(name: str, like: Tensor, device: torch.device) -> Tensor:
    values = torch.empty(like.shape, dtype=like.dtype, device=device)
    if like.ndim > 1:
        return values.normal_(std=INITIAL_STD)
    return values.zero_() if name.endswith("bias") else values.fill_(1)


def silence(model: MiniGPT5, tokenizer: PreTrainedTokenizerFast) -> None:
    """Give every token that could end a reply or begin a picture the score zero, which greedy decoding passes by."""
    ending = {tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(voken_names()[0])}
    ending |= {index for token, index in tokenizer.get_vocab().items() if "#" in token or token == "<0x23>"}
    with torch.no_grad():
        model.language.llama.lm_head.weight[sorted(ending)] = 0
