"""The mind's base parts: a tokenizer and a Llama that has read the storybook's dialogues.

Pictures that are seen are read as tags (see `tags`), those that are to be drawn as vokens whose states tell the
attributes: so the LLM knows, before it has seen or drawn one, where pictures stand, what they show and what
follows from them. Later the tags give way to what the eyes see, and the attributes to the painter's conditioning.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from transformers import PreTrainedTokenizerFast

from minigpt5.conversation import ImagePart, Message, TextPart
from minigpt5.data.storybook.attributes import ATTRIBUTES, labels_of
from minigpt5.data.storybook.captions import caption, phrase
from minigpt5.data.storybook.documents import sample
from minigpt5.data.storybook.scene import Scene, sample_scene
from minigpt5.data.storybook.turns import Document, Turn
from minigpt5.model.language import LanguageModel
from minigpt5.prompt import Encoded, encode, encode_caption
from minigpt5.training.losses import IGNORED, attribute_losses, text_loss
from minigpt5.training.tags import Tags
from minigpt5.vokens import IMAGE_PLACEHOLDER, NUM_VOKENS, control_tokens, voken_names

PIECES = Regex(r"▁?\p{L}+|▁?\p{N}|▁?[^▁\p{L}\p{N}]+|▁+")


def train_tokenizer(documents: int, vocabulary: int, num_vokens: int = NUM_VOKENS) -> PreTrainedTokenizerFast:
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
    wrapped.add_tokens([AddedToken(t, special=True, normalized=False) for t in control_tokens(num_vokens)])
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


@dataclass(frozen=True)
class Row:
    """Packed dialogues (B,T): token ids, and where pictures are seen and drawn."""

    ids: torch.Tensor  # (B,T)
    targets: torch.Tensor  # (B,T), `ids` but for the pictures that are seen, which nobody says
    tags: torch.Tensor  # (B,T), the row of `Tags` at the slots of pictures that are seen, -1 elsewhere
    drawn: torch.Tensor  # (G,2), (dialogue, index of `[IMG0]`) of the pictures to draw
    labels: torch.Tensor  # (G,attributes) of these

    def to(self, device: torch.device) -> Row:
        """The same on `device`."""
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})


class Reader(nn.Module):
    """The LLM, and one linear head an attribute over the states of the vokens; the heads are thrown away.

    With them the LLM learns to gather what a picture is to show where the vokens stand, as a large one can
    already; the first stage, in which it is frozen, then finds it there.
    """

    def __init__(self, language: LanguageModel, num_vokens: int = NUM_VOKENS) -> None:
        super().__init__()
        self.language = language
        self.num_vokens = num_vokens
        self.heads = nn.ModuleList(
            nn.Linear(num_vokens * language.width, len(classes)) for classes in ATTRIBUTES.values()
        )


class LanguageTask:
    """Next-token prediction over packed rows, and the attributes of the pictures to draw."""

    def __init__(self, module: Reader, tokenizer: PreTrainedTokenizerFast, row: int = 256) -> None:
        module.language.llama.set_attn_implementation("eager")  # faster than fused on a CPU for short rows
        self.module: Any = module
        self.tokenizer = tokenizer
        self.tags = Tags(tokenizer)
        self.placeholder = tokenizer.convert_tokens_to_ids(IMAGE_PLACEHOLDER)
        self.opening = len(tokenizer.encode("<Img>", add_special_tokens=False))
        self.vokens = tokenizer.convert_tokens_to_ids(list(voken_names(module.num_vokens)))
        self.row = row

    def batches(self, batch_size: int, first_step: int) -> Iterator[Row]:
        """Rows of `row + 1` tokens."""
        step = first_step
        while True:
            yield self._pack(random.Random(f"words {step}"), batch_size)
            step += 1

    def _pack(self, rng: random.Random, batch_size: int) -> Row:
        width = self.row + 1
        ids: list[int] = []
        targets: list[int] = []
        tags: list[int] = []
        drawn: list[tuple[int, Scene]] = []
        while len(ids) < batch_size * width:
            encoded = self._example(rng)
            seen, wanted = iter(encoded.images), iter(encoded.drawn)
            for token in encoded.input_ids:
                if token == self.vokens[0]:
                    drawn.append((len(ids), next(wanted)))
                is_seen = token == self.placeholder
                slots = self.tags.rows(next(seen)) if is_seen else [-1]
                if is_seen:  # in a reply, too, a picture begins with a voken and not with `<Img>`
                    targets[-self.opening :] = [IGNORED] * self.opening
                ids += [token] * len(slots)
                targets += [IGNORED] * len(slots) if is_seen else [token]
                tags += slots
            ids.append(self.tokenizer.eos_token_id)
            targets.append(self.tokenizer.eos_token_id)
            tags.append(-1)
        whole = [
            (place, scene)
            for place, scene in drawn
            if place < batch_size * width and 0 < place % width <= width - len(self.vokens)
        ]
        table = torch.tensor([ids, targets, tags])[:, : batch_size * width].view(3, batch_size, width)
        return Row(
            ids=table[0],
            targets=table[1],
            tags=table[2],
            drawn=torch.tensor([divmod(place, width) for place, _ in whole], dtype=torch.long).view(-1, 2),
            labels=torch.tensor([labels_of(scene) for _, scene in whole], dtype=torch.long).view(
                -1, len(ATTRIBUTES)
            ),
        )

    def _example(self, rng: random.Random) -> Encoded:
        """A dialogue, or one in six times the first stage's bare form: words and their picture."""
        if rng.random() < 1 / 6:
            scene = sample_scene(rng)
            return encode_caption(phrase(scene, rng), scene, self.tokenizer, num_vokens=len(self.vokens))
        document = sample(rng)
        turns = document.messages if rng.random() < 0.4 else document.cut(rng)
        return encode(to_messages(turns), self.tokenizer, target=True, num_vokens=len(self.vokens))

    def losses(self, batch: Row) -> dict[str, torch.Tensor]:
        """Cross-entropy over every token but a picture's, plus the mean over the attributes."""
        language = self.module.language
        tags = self.tags.embed(language.llama.get_input_embeddings().weight)
        slots = batch.tags[:, :-1, None]
        embeds = torch.where(slots >= 0, tags[slots.clamp(min=0)[..., 0]], language.embed(batch.ids[:, :-1]))
        hidden, _ = language(embeds)
        text = text_loss(language.logits(hidden).flatten(0, 1), batch.targets[:, 1:].flatten())
        rows, starts = batch.drawn.unbind(1)
        places = starts[:, None] - 1 + torch.arange(len(self.vokens), device=starts.device)
        states = hidden[rows[:, None], places].flatten(1)  # (G, V D)
        meant = attribute_losses([head(states) for head in self.module.heads], batch.labels)
        return {
            "loss": text + meant["loss"],
            "text_loss": text.detach(),
            "accuracy": meant["accuracy"],
        }
