"""The token loop: text one token at a time, a picture's vokens in one pass, on one KV cache.

`decode` is a generator of steps. A sampled `[IMG0]` is followed by all voken embeddings at once; the features
of the picture are the state that predicted `[IMG0]` and those at all vokens but the last (see
`minigpt5.vokens`), and the next token comes from the state at the last one. The other vokens and the placeholder
are never sampled. It differs from the official loop on purpose: every group is drawn, not only the first; a
group may be the very last token; a picture that must come ("always") comes where the reply would have ended,
after its words; one that must not come ("never") is read like any other and not handed on, since a model that is barred
from `[IMG0]` where it wants to draw says things that it never learned to say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from transformers.cache_utils import Cache

from minigpt5.generation.sampling import choose
from minigpt5.generation.text import TextStretch
from minigpt5.model.decode_step import DecodeStep
from minigpt5.model.language import LanguageModel
from minigpt5.options import GenerationOptions
from minigpt5.prompt import Tokenizer, token_id
from minigpt5.vokens import IMAGE_PLACEHOLDER, NUM_VOKENS, is_voken, voken_names

MAX_PICTURES = 8


@dataclass(frozen=True, slots=True)
class TextStep:
    """One sampled token, and the text that became certain with it (often "" or more than the token's own).

    `[IMG0]` is one of them where no picture may come: its vokens were read.
    """

    token_id: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class VokenStep:
    """One picture: the token `[IMG0]` was sampled or forced. `text` comes before the picture."""

    voken_hidden: Tensor  # (1,V,D)
    text: str


@dataclass(frozen=True, slots=True)
class EndStep:
    """The last step. `text` was held back until now; `token_ids` are those of the reply, one for each picture,
    and the end's where it was sampled."""

    reason: Literal["stop", "length"]
    text: str
    token_ids: tuple[int, ...]


Step = TextStep | VokenStep | EndStep


class Vocabulary:
    """The ids that the loop treats specially, looked up once for a tokenizer, an LLM vocabulary size and a number of
    vokens."""

    def __init__(self, tokenizer: Tokenizer, size: int, num_vokens: int = NUM_VOKENS) -> None:
        self.tokenizer = tokenizer
        self.vokens = tuple(token_id(tokenizer, voken) for voken in voken_names(num_vokens))
        others = {i for token, i in tokenizer.get_added_vocab().items() if is_voken(token)} - {self.vokens[0]}
        self.placeholder = token_id(tokenizer, IMAGE_PLACEHOLDER)
        self.end = tokenizer.eos_token_id
        special = {tokenizer.bos_token_id, tokenizer.unk_token_id} - {self.end, None}
        never = {*others, self.placeholder, *special, *range(len(tokenizer), size)}
        self.never_sampled = torch.tensor(sorted(never))
        self.never_sampled_nor_voken = torch.tensor(sorted(never | {self.vokens[0]}))


class Reader:
    """The LLM reading one sequence: its cache and its state after each position since the last picture.

    With a `step` single tokens go through it; prompts and vokens never do.
    """

    def __init__(self, language: LanguageModel, step: DecodeStep | None = None) -> None:
        self._language = language
        self._step = step
        self._cache: Cache | None = step.cache if step else None
        self._states: list[Tensor] = []  # (1,1,D) each
        self.length = 0

    @torch.inference_mode()
    def read(self, inputs_embeds: Tensor, position_ids: Tensor | None = None) -> Tensor:
        """inputs_embeds (1,T,D), position_ids (1,T) unless they go on from what was read -> states (1,T,D)."""
        if self._step and self.length and inputs_embeds.shape[1] == 1:
            hidden = self._step(inputs_embeds)
        else:
            hidden, self._cache = self._language(
                inputs_embeds, past_key_values=self._cache, use_cache=True, position_ids=position_ids
            )
        self._states.append(hidden[:, -1:])
        self.length += inputs_embeds.shape[1]
        return hidden

    @torch.inference_mode()
    def read_token(self, token_id: int) -> None:
        self.read(self._embed([token_id]))

    @torch.inference_mode()
    def read_vokens(self, vokens: tuple[int, ...]) -> Tensor:
        """Read all vokens in one pass -> voken_hidden (1,V,D)."""
        before = self._states[-1]
        hidden = self.read(self._embed(list(vokens)))
        self._states = self._states[-1:]
        return torch.cat([before, hidden[:, :-1]], dim=1)

    @property
    def last_state(self) -> Tensor:
        """(1,1,D), the state that predicts the next token."""
        return self._states[-1]

    @torch.inference_mode()
    def next_logits(self) -> Tensor:
        """(vocabulary,)"""
        return self._language.logits(self._states[-1])[0, -1]

    def forget(self, count: int) -> None:
        """Un-read the last `count` tokens, none of which may lie before the last picture."""
        if count:
            assert self._cache is not None
            assert count < len(self._states)
            self.length -= count
            if self._step:
                self._step.forget(count)
            else:
                self._cache.crop(-count)
            del self._states[-count:]

    def _embed(self, ids: list[int]) -> Tensor:
        device = next(self._language.parameters()).device
        return self._language.embed(torch.tensor([ids], device=device))


def decode(
    language: LanguageModel,
    inputs_embeds: Tensor,
    vocabulary: Vocabulary,
    options: GenerationOptions,
    *,
    generator: torch.Generator,
    max_length: int,
) -> Iterator[Step]:
    """Steps of the reply to inputs_embeds (1,T,D), the last one an `EndStep`. `max_length` counts all
    positions.

    The first step includes the reading of the prompt. Closing the generator stops it within one token.
    """
    reader, stretch = Reader(language, language.decode_step()), TextStretch(vocabulary.tokenizer)
    history: list[int] = []  # text ids of the reply
    reply: list[int] = []  # all ids of the reply
    pictures = 0
    reader.read(inputs_embeds)
    for count in range(1, options.max_new_tokens + 1):
        owed = options.pictures == "always" and pictures == 0
        last = count == options.max_new_tokens or reader.length + 1 + len(vocabulary.vokens) > max_length
        if owed and last:
            token_id = vocabulary.vokens[0]
        else:
            token_id = _sample(reader, vocabulary, options, history, pictures, generator)
        text = stretch.push(token_id) if token_id not in (vocabulary.vokens[0], vocabulary.end) else ""
        if token_id == vocabulary.end or stretch.stopped:
            if not owed:
                yield EndStep("stop", text + stretch.rest(), (*reply, token_id))
                return
            unsaid = max(stretch.tokens_of_stop() - 1, 0) if stretch.stopped else 0  # the last was not read
            reader.forget(unsaid)
            del reply[len(reply) - unsaid :]
            token_id = vocabulary.vokens[0]
        reply.append(token_id)
        if token_id == vocabulary.vokens[0]:
            voken_hidden = reader.read_vokens(vocabulary.vokens)
            pictures += 1
            if options.pictures == "never":
                yield TextStep(token_id, "")
            else:
                yield VokenStep(voken_hidden, text + stretch.rest())
                stretch = TextStretch(vocabulary.tokenizer)
        else:
            history.append(token_id)
            yield TextStep(token_id, text)
            if not last:
                reader.read_token(token_id)
        if last:
            break
    yield EndStep("length", stretch.rest(), tuple(reply))


def _sample(
    reader: Reader,
    vocabulary: Vocabulary,
    options: GenerationOptions,
    history: list[int],
    pictures: int,
    generator: torch.Generator,
) -> int:
    many = pictures >= MAX_PICTURES
    banned = vocabulary.never_sampled_nor_voken if many else vocabulary.never_sampled
    return choose(reader.next_logits(), options, history=history, banned=banned, generator=generator)
