"""The shipped model for many against the same for one, whole and quantized. What it says is nobody's concern here."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import minigpt5
from minigpt5 import Conversation, GenerationOptions, OptionError
from minigpt5.generation.reader import Reader

STORYBOOK = Path(__file__).parents[2] / "weights/storybook"
REQUESTS = ("Draw a blue rabbit", "Tell me a story about a green frog and draw it", "hello")


def test_replies_made_together_are_those_made_alone() -> None:
    serving = minigpt5.load(STORYBOOK, device="cpu", dtype="float32", batch=3)
    how = GenerationOptions(seed=3, max_new_tokens=40, pictures="always", num_inference_steps=2)
    chats = [Conversation().user(words) for words in REQUESTS]
    alone = [serving.engine.reply(chat, how) for chat in chats]
    with ThreadPoolExecutor(len(chats)) as pool:
        together = list(pool.map(lambda chat: serving.reply(chat, how), chats))
    for one, many in zip(alone, together, strict=True):
        assert (many.text, many.token_ids) == (one.text, one.token_ids)
        difference = np.asarray(one.images[0], int) - np.asarray(many.images[0], int)
        assert np.abs(difference).max() <= 1


@torch.inference_mode()
@pytest.mark.parametrize("quantize", ["4bit", "8bit"])
def test_quantized_layers_read_many_sequences_as_one(quantize: str) -> None:
    language = minigpt5.load(STORYBOOK, quantize=quantize, device="cpu", dtype="float32").model.language
    slots = language.make_slots(3, 20)
    embeds = torch.randn(3, 6, language.width, generator=torch.Generator().manual_seed(0)) * 0.02
    states = torch.cat(
        [language.read(slots, [0, 1, 2], embeds[:, :4]), language.read(slots, [0, 1, 2], embeds[:, 4:])],
        dim=1,
    )
    for row, together in zip(embeds, states, strict=True):
        alone = Reader(language).read(row[None])[0]
        assert ((alone - together).norm() / alone.norm()).item() < 1e-3


def test_a_batch_that_cannot_be_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(OptionError, match="batch: got 0"):
        minigpt5.load(STORYBOOK, batch=0)
