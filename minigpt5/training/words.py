"""The mind's base parts: a tokenizer and a Llama that has read the storybook's dialogues as plain text.

Pictures are read as their captions between `<Img>` and `</Img>`: so the LLM knows, before it has seen or drawn
one, where pictures stand, what they show and what follows from them. Later the caption gives way to what the
eyes see, and in replies to the vokens.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from minigpt5.conversation import ImagePart, Message, TextPart
from minigpt5.data.storybook.captions import caption, phrase
from minigpt5.data.storybook.documents import sample
from minigpt5.data.storybook.scene import Scene, sample_scene
from minigpt5.data.storybook.turns import Document, Turn
from minigpt5.model.language import LanguageModel
from minigpt5.prompt import encode
from minigpt5.training.losses import text_loss
from minigpt5.vokens import CONTROL_TOKENS, IMAGE_PLACEHOLDER, VOKENS

PIECES = Regex(r"▁?\p{L}+|▁?\p{N}|▁?[^▁\p{L}\p{N}]+|▁+")


def train_tokenizer(documents: int, vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-fallback BPE in Llama's manner over sampled dialogues and captions, the control tokens after it."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
            pre_tokenizers.Split(PIECES, "isolated"),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    rng = random.Random(0)
    texts = [text for _ in range(documents) for text in _all_text(sample(rng), rng)]
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=special, limit_alphabet=120)
    tokenizer.train_from_iterator(texts, trainer)
    # bytes are part of the vocabulary, not special: only then does decoding turn them back into text
    tokenizer = Tokenizer.from_str(_without_special_bytes(tokenizer.to_str()))
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="</s>",
        clean_up_tokenization_spaces=False,
    )
    wrapped.add_tokens([AddedToken(t, special=True, normalized=False) for t in CONTROL_TOKENS])
    return wrapped


def _without_special_bytes(serialised: str) -> str:
    data = json.loads(serialised)
    data["added_tokens"] = [t for t in data["added_tokens"] if not t["content"].startswith("<0x")]
    return json.dumps(data)


def _all_text(document: Document, rng: random.Random) -> Iterator[str]:
    for turn in document.messages:
        yield f"###{'Human' if turn.role == 'user' else 'Assistant'}: {turn.text} ###"
        for picture in turn.pictures:
            yield f"<Img> {caption(picture.scene)} </Img> {phrase(picture.scene, rng)}"


def to_messages(turns: tuple[Turn, ...]) -> tuple[Message, ...]:
    """Turns as conversation messages whose pictures are scenes."""
    return tuple(
        Message(t.role, tuple(TextPart(p) if isinstance(p, str) else ImagePart(p.scene) for p in t.parts))
        for t in turns
    )


def as_plain_text(document: Document, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """A whole dialogue as ids, every picture as `<Img> caption </Img>`."""
    encoded = encode(to_messages(document.messages), tokenizer, target=True)
    opening, closing = (tokenizer.encode(t, add_special_tokens=False) for t in ("<Img>", "</Img>"))
    seen, drawn = iter(encoded.images), iter(encoded.drawn)
    placeholder = tokenizer.convert_tokens_to_ids(IMAGE_PLACEHOLDER)
    vokens = tokenizer.convert_tokens_to_ids(list(VOKENS))
    ids: list[int] = []
    for token in encoded.input_ids:
        if token == placeholder:
            ids += tokenizer.encode(caption(next(seen)), add_special_tokens=False)
        elif token == vokens[0]:
            ids += [*opening, *tokenizer.encode(caption(next(drawn)), add_special_tokens=False), *closing]
        elif token not in vokens:
            ids.append(token)
    return [*ids, tokenizer.eos_token_id]


def rephrasing(rng: random.Random, scene: Scene, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """A wording of a scene and its canonical caption, the bare form in which the first stage trains."""
    words = tokenizer.encode(phrase(scene, rng), add_special_tokens=False)
    picture = tokenizer.encode(caption(scene), add_special_tokens=False)
    opening, closing = (tokenizer.encode(t, add_special_tokens=False) for t in ("<Img>", "</Img> ###"))
    return [tokenizer.bos_token_id, *words, *opening, *picture, *closing, tokenizer.eos_token_id]


class LanguageTask:
    """Next-token prediction over packed rows."""

    def __init__(self, language: LanguageModel, tokenizer: PreTrainedTokenizerFast, row: int = 256) -> None:
        language.llama.set_attn_implementation("eager")  # faster than fused on a CPU for short rows
        self.module = language
        self.tokenizer = tokenizer
        self.row = row

    def batches(self, batch_size: int, first_step: int) -> Iterator[torch.Tensor]:
        """Rows of packed dialogues (B, row + 1)."""
        step = first_step
        while True:
            rng = random.Random(step)
            ids: list[int] = []
            while len(ids) < batch_size * (self.row + 1):
                if rng.random() < 0.15:
                    ids += rephrasing(rng, sample_scene(rng), self.tokenizer)
                else:
                    ids += as_plain_text(sample(rng), self.tokenizer)
            yield torch.tensor(ids[: batch_size * (self.row + 1)]).view(batch_size, -1)
            step += 1

    def losses(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Cross-entropy over every token."""
        hidden, _ = self.module(self.module.embed(batch[:, :-1]))
        return {"loss": text_loss(self.module.logits(hidden).flatten(0, 1), batch[:, 1:].flatten())}
