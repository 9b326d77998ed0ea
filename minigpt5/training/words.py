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
from minigpt5.data.storybook.texts.turns import Turn
from minigpt5.data.storybook.worlds import World
from minigpt5.model.language import LanguageModel
from minigpt5.prompt import NAMES, Encoded, encode, encode_caption
from minigpt5.training.losses import IGNORED, attribute_losses, text_loss
from minigpt5.training.tags import Tags
from minigpt5.vokens import IMAGE_PLACEHOLDER, NUM_VOKENS, control_tokens, voken_names

USER_SHARE = 0.15  # of the dialogues in which the user's words are learned, too
SHORT_SHARE = 0.7  # of the dialogues at first, which are one exchange
ROW = 512  # tokens
PIECES = Regex(r"▁?\p{L}+|▁?\p{N}|▁?[^▁\p{L}\p{N}]+|▁+")


def train_tokenizer(
    world: World, documents: int, vocabulary: int, num_vokens: int = NUM_VOKENS
) -> PreTrainedTokenizerFast:
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
    texts = [text for _ in range(documents) for text in _all_text(world, rng)]
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=special, limit_alphabet=400)
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


def _all_text(world: World, rng: random.Random) -> Iterator[str]:
    for turn in world.sample(rng).messages:
        yield f"###{'Human' if turn.role == 'user' else 'Assistant'}: {turn.text} ###"
        for picture in turn.pictures:
            yield f"<Img> {world.caption(picture.scene)} </Img> {world.phrase(picture.scene, rng)}"


def to_messages(turns: tuple[Turn, ...]) -> tuple[Message, ...]:
    """Turns as conversation messages whose pictures are scenes."""
    return tuple(
        Message(t.role, tuple(TextPart(p) if isinstance(p, str) else ImagePart(p.scene) for p in t.parts))
        for t in turns
    )


@dataclass(frozen=True)
class Row:
    """Whole dialogues in rows (B,T): token ids, and where pictures are seen and drawn."""

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

    def __init__(self, language: LanguageModel, world: World, num_vokens: int = NUM_VOKENS) -> None:
        super().__init__()
        self.language = language
        self.num_vokens = num_vokens
        self.heads = nn.ModuleList(
            nn.Linear(num_vokens * language.width, len(classes)) for classes in world.attributes.values()
        )


def encode_fitting(
    turns: tuple[Turn, ...],
    tokenizer: PreTrainedTokenizerFast,
    limit: int,
    tokens_per_image: int,
    num_vokens: int = NUM_VOKENS,
) -> Encoded:
    """The turns as a training sample of at most `limit` tokens, without the oldest exchanges that do not fit.

    It drops what the prompt of a chat drops, so that the model never meets a length that it was not trained on.
    """
    while True:
        encoded = encode(to_messages(turns), tokenizer, target=True, num_vokens=num_vokens)
        length = len(encoded.input_ids) + (tokens_per_image - 1) * len(encoded.images)
        if length <= limit or len(turns) <= 2:
            return encoded
        # about as many exchanges as are too many, at least one
        turns = turns[2 * max(1, len(turns) // 2 * (length - limit) // length) :]


@dataclass
class _Document:
    """A sample as token ids, what is to be said after each, and its pictures."""

    ids: list[int]
    targets: list[int]
    tags: list[int]
    drawn: list[tuple[int, Any]]  # index of `[IMG0]`


class LanguageTask:
    """Next-token prediction over rows of whole dialogues, and the attributes of the pictures to draw.

    What users say is learned in a part of the dialogues alone: a model as small has better uses for its room.
    In the first `short_steps` most dialogues are one exchange: saying a word back is learned from many short
    requests much sooner than from long chats.
    """

    def __init__(
        self,
        module: Reader,
        tokenizer: PreTrainedTokenizerFast,
        world: World,
        row: int = ROW,
        short_steps: int = 0,
    ) -> None:
        self.world = world
        self.module: Any = module
        self.tokenizer = tokenizer
        self.tags = Tags(tokenizer, world)
        self.placeholder = tokenizer.convert_tokens_to_ids(IMAGE_PLACEHOLDER)
        self.opening = len(tokenizer.encode("<Img>", add_special_tokens=False))
        self.vokens = tokenizer.convert_tokens_to_ids(list(voken_names(module.num_vokens)))
        self.sides = {
            tuple(tokenizer.encode(f"###{name}:", add_special_tokens=False)[-2:]): role
            for role, name in NAMES.items()
        }
        self.row = row
        self.short_steps = short_steps

    def batches(self, batch_size: int, first_step: int) -> Iterator[Row]:
        """Rows of `row + 1` tokens."""
        step = first_step
        while True:
            yield self._pack(random.Random(f"words {step}"), batch_size, step < self.short_steps)
            step += 1

    def _pack(self, rng: random.Random, batch_size: int, short: bool) -> Row:
        """Whole documents, each in the first row that has room for it, until one finds none."""
        width = self.row + 1
        rows = [_Document([], [], [], []) for _ in range(batch_size)]
        while True:
            document = self._document(rng, short)
            if len(document.ids) > width:
                continue
            row = next((r for r in rows if len(r.ids) + len(document.ids) <= width), None)
            if row is None:
                break
            row.drawn += [(len(row.ids) + place, scene) for place, scene in document.drawn]
            row.ids += document.ids
            row.targets += document.targets
            row.tags += document.tags
        end = self.tokenizer.eos_token_id
        drawn = [(index, place, scene) for index, row in enumerate(rows) for place, scene in row.drawn]
        return Row(
            ids=_padded([row.ids for row in rows], width, end),
            targets=_padded([row.targets for row in rows], width, IGNORED),
            tags=_padded([row.tags for row in rows], width, -1),
            drawn=torch.tensor([place[:2] for place in drawn], dtype=torch.long).view(-1, 2),
            labels=torch.tensor([self.tags.labels_of(scene) for *_, scene in drawn], dtype=torch.long).view(
                -1, self.tags.count
            ),
        )

    def _document(self, rng: random.Random, short: bool = False) -> _Document:
        encoded = self._example(rng, short)
        seen, wanted = iter(encoded.images), iter(encoded.drawn)
        learn_user = rng.random() < USER_SHARE
        document = _Document([], [], [], [])
        side = "assistant"  # a bare caption has no sides
        for token in encoded.input_ids:
            if token == self.placeholder:
                self._see(document, self.tags.rows(next(seen)), side)
                continue
            if token == self.vokens[0]:
                document.drawn.append((len(document.ids), next(wanted)))
            document.ids.append(token)
            document.targets.append(token if learn_user or side == "assistant" else IGNORED)
            document.tags.append(-1)
            side = self.sides.get(tuple(document.ids[-2:]), side)
        document.ids.append(self.tokenizer.eos_token_id)
        document.targets.append(IGNORED)
        document.tags.append(-1)
        return document

    def _see(self, document: _Document, slots: list[int], side: str) -> None:
        """A picture of the history. Nobody says it; where the assistant drew it, it began with `[IMG0]`."""
        document.targets[-self.opening :] = [IGNORED] * self.opening
        if side == "assistant":
            document.targets[-self.opening] = self.vokens[0]
        document.ids += [self.placeholder] * len(slots)
        document.targets += [IGNORED] * len(slots)
        document.tags += slots

    def _example(self, rng: random.Random, short: bool) -> Encoded:
        """A dialogue, or one in eight times the first stage's bare form: words and their picture."""
        world = self.world
        if rng.random() < 1 / 8:
            scene = world.training_scene(rng, None)
            return encode_caption(
                world.phrase(scene, rng), scene, self.tokenizer, num_vokens=len(self.vokens)
            )
        kinds = world.short_kinds if short and rng.random() < SHORT_SHARE else {}
        document = world.sample(rng, kind=rng.choices([*kinds], [*kinds.values()])[0] if kinds else None)
        turns = document.messages if rng.random() < 0.3 else document.cut(rng)
        return encode_fitting(turns, self.tokenizer, self.row, self.tags.count, len(self.vokens))

    def losses(self, batch: Row) -> dict[str, torch.Tensor]:
        """Cross-entropy over every token but a picture's, plus the mean over the attributes."""
        language = self.module.language
        tags = self.tags.embed(language.llama.get_input_embeddings().weight)
        slots = batch.tags[:, :-1, None]
        embeds = torch.where(slots >= 0, tags[slots.clamp(min=0)[..., 0]], language.embed(batch.ids[:, :-1]))
        hidden, _ = language(embeds)
        wanted = batch.targets[:, 1:] != IGNORED
        text = text_loss(language.logits(hidden[wanted]), batch.targets[:, 1:][wanted])
        rows, starts = batch.drawn.unbind(1)
        places = starts[:, None] - 1 + torch.arange(len(self.vokens), device=starts.device)
        states = hidden[rows[:, None], places].flatten(1)  # (G, V D)
        meant = attribute_losses([head(states) for head in self.module.heads], batch.labels)
        return {
            "loss": text + meant["loss"],
            "text_loss": text.detach(),
            "accuracy": meant["accuracy"],
        }


def _padded(rows: list[list[int]], width: int, value: int) -> torch.Tensor:
    """(B,width)"""
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])
