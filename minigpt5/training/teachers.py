"""Where the caption loss's text encoder comes from: the model folder, or a Stable Diffusion folder beside it."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, PreTrainedTokenizerFast

from minigpt5.checkpoint.store import has_part, load_part
from minigpt5.config import ModelConfig
from minigpt5.errors import TrainingError
from minigpt5.prompt import token_id
from minigpt5.training.multimodal import Teacher
from minigpt5.training.pictures import TokenizeCaptions
from minigpt5.vokens import FIRST_VOKEN

PART = "text_encoder"


def load_teacher(
    folder: Path, config: ModelConfig, tokenizer: PreTrainedTokenizerFast, diffusion: Path | None
) -> Teacher:
    """The text encoder of the model folder with the LLM's own words, if it was trained on those; otherwise that of
    the Stable Diffusion folder `diffusion`, with its tokenizer. Raises `TrainingError` when there is neither."""
    if diffusion:
        return _official(diffusion)
    shared = config.text_encoder.get("vocab_size") == token_id(tokenizer, FIRST_VOKEN)
    if not has_part(folder, PART) or not shared:
        raise TrainingError(
            f"{folder}: got no text encoder with its words, expected one for the caption loss; "
            "give the Stable Diffusion folder, or train without this loss"
        )
    text_encoder = CLIPTextModel(CLIPTextConfig(**config.text_encoder))
    load_part(folder, PART, text_encoder)
    tokenize = TokenizeCaptions(tokenizer, config.mapper.length, bos=1, eos=2, pad=0)
    return Teacher(text_encoder.requires_grad_(False).eval(), tokenize)


def verify_teacher(teacher: Teacher, config: ModelConfig) -> None:
    """Raise `TrainingError` unless the text encoder gives as many vectors as the connector: they are compared one by one."""
    length = teacher.features([""], teacher.text_encoder.device).shape[1]
    if length != config.mapper.length:
        raise TrainingError(
            f"caption loss: got a connector of {config.mapper.length} vectors, expected {length}, as the text encoder's; "
            "train without this loss, or with as many vokens"
        )


def _official(diffusion: Path) -> Teacher:
    for part in ("text_encoder", "tokenizer"):
        if not (diffusion / part).is_dir():
            raise TrainingError(f"{diffusion / part}: got no such folder, expected one of Stable Diffusion's")
    text_encoder = CLIPTextModel.from_pretrained(diffusion / "text_encoder")
    tokenizer = CLIPTokenizer.from_pretrained(diffusion / "tokenizer")
    length = text_encoder.config.max_position_embeddings

    def tokenize(captions: list[str]) -> Tensor:
        """Ids (B,77), padded as the folder's tokenizer says."""
        return tokenizer(
            captions, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        ).input_ids

    return Teacher(text_encoder.requires_grad_(False).eval(), tokenize, tokenizer.eos_token_id)
