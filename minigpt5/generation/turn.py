"""A turn without a model: what to read next, what to say, what to draw.

`turn` is a coroutine. It yields events, which are to be handed on and answered with None, and asks: what the model
is to do before the turn can go on. Whoever drives it decides how: `engine` does one ask at a time, `serving` those of
many turns in one pass. All random numbers of a turn come from its own seed, so that they do not depend on the driver.

A sampled `[IMG0]` is followed by all voken embeddings at once; the features of the picture are the state that
predicted `[IMG0]` and those at all vokens but the last (see `minigpt5.vokens`), and the next token comes from the
state at the last one. The other vokens and the placeholder are never sampled. It differs from the official loop on
purpose: every group is drawn, not only the first; a group may be the very last token; a picture that must come
("always") comes where the reply would have ended, after its words; one that must not come ("never") is read like any
other and not drawn, since a model that is barred from `[IMG0]` where it wants to draw says things that it never
learned to say.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from minigpt5.events import Event, TextDelta, TurnFinished
from minigpt5.generation.sampling import choose
from minigpt5.generation.text import TextStretch
from minigpt5.generation.vocabulary import Vocabulary
from minigpt5.options import GenerationOptions, SchedulerName

MAX_PICTURES = 8


@dataclass(frozen=True, slots=True)
class Prefill:
    """Read the prompt. Always the first ask."""


@dataclass(frozen=True, slots=True)
class ReadToken:
    """Read one more token."""

    token_id: int


@dataclass(frozen=True, slots=True)
class ReadVokens:
    """Un-read the last `forget` tokens, then read all vokens in one pass."""

    vokens: tuple[int, ...]
    forget: int


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """How one picture is to be drawn. `seed` is that of its noise, `index` its place in the reply."""

    index: int
    seed: int
    guidance_scale: float
    num_inference_steps: int
    scheduler: SchedulerName


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Draw the pictures of one group of vokens and hand on their events; answered with None when all are finished."""

    voken_hidden: Tensor  # (1,V,D)
    orders: tuple[PictureOrder, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The answer to all asks but `Draw`: what the LLM expects next, and the features of vokens that were read."""

    logits: Tensor  # (vocabulary,)
    voken_hidden: Tensor | None = None  # (1,V,D)


Ask = Prefill | ReadToken | ReadVokens | Draw
Turn = Generator[Ask | Event, Reading | None, None]


def turn(
    prompt_length: int,
    vocabulary: Vocabulary,
    options: GenerationOptions,
    *,
    seed: int,
    max_length: int,
    dropped_turns: int = 0,
) -> Turn:
    """The reply to a prompt of `prompt_length` positions; the last event is a `TurnFinished` without timings.

    `max_length` counts all positions. Closing the coroutine ends the turn.
    """
    writer = _Writer(vocabulary, options, seed)
    length, first_voken = prompt_length, vocabulary.vokens[0]
    logits = _read((yield Prefill())).logits
    for count in range(1, options.max_new_tokens + 1):
        owed = options.pictures == "always" and writer.pictures == 0
        last = count == options.max_new_tokens or length + 1 + len(vocabulary.vokens) > max_length
        token_id = first_voken if owed and last else writer.sample(logits)
        text, ended, unsaid = writer.push(token_id)
        if ended and not owed:
            yield from _words(text + writer.stretch.rest())
            yield writer.finished("stop", (*writer.reply, token_id), dropped_turns)
            return
        if ended or token_id == first_voken:
            writer.unsay(unsaid)
            reading = _read((yield ReadVokens(vocabulary.vokens, unsaid)))
            length += len(vocabulary.vokens) - unsaid
            logits = reading.logits
            yield from writer.picture(reading, text)
        else:
            writer.say(token_id)
            yield from _words(text)
            if not last:
                logits = _read((yield ReadToken(token_id))).logits
                length += 1
        if last:
            break
    yield from _words(writer.stretch.rest())
    yield writer.finished("length", tuple(writer.reply), dropped_turns)


def redrawing(voken_hidden: Tensor, choices: list[PictureOrder]) -> Turn:
    """Pictures of voken_hidden (1,V,D) side by side, without words."""
    yield Draw(voken_hidden, tuple(choices))


def picture_seed(seed: int, index: int) -> int:
    """The seed of the noise of picture `index` of a reply made with `seed`; the first one's is `seed` itself."""
    return (seed + index * 0x9E3779B9) % 2**32 if index else seed


class _Writer:
    """What a turn has said so far, and its random numbers."""

    def __init__(self, vocabulary: Vocabulary, options: GenerationOptions, seed: int) -> None:
        self._vocabulary = vocabulary
        self._options = options
        self._seed = seed
        self._generator = torch.Generator().manual_seed(seed)
        self._history: list[int] = []  # text ids of the reply
        self.reply: list[int] = []  # all ids of the reply
        self.pictures = 0
        self.stretch = TextStretch(vocabulary.tokenizer)

    def sample(self, logits: Tensor) -> int:
        """The next token out of logits (vocabulary,)."""
        many = self.pictures >= MAX_PICTURES
        names = self._vocabulary
        banned = names.never_sampled_nor_voken if many else names.never_sampled
        return choose(logits, self._options, history=self._history, banned=banned, generator=self._generator)

    def push(self, token_id: int) -> tuple[str, bool, int]:
        """The text that became certain with a token, whether it ends the reply, and how many tokens of a stop string
        were read before it."""
        if token_id in (self._vocabulary.vokens[0], self._vocabulary.end):
            return "", token_id == self._vocabulary.end, 0
        text = self.stretch.push(token_id)
        unsaid = max(self.stretch.tokens_of_stop() - 1, 0) if self.stretch.stopped else 0
        return text, self.stretch.stopped, unsaid

    def say(self, token_id: int) -> None:
        self._history.append(token_id)
        self.reply.append(token_id)

    def unsay(self, count: int) -> None:
        del self.reply[len(self.reply) - count :]

    def picture(self, reading: Reading, text: str) -> Turn:
        """The vokens were read: the words before them, and the picture where one is wanted."""
        index = self.pictures
        self.pictures += 1
        self.reply.append(self._vocabulary.vokens[0])
        if self._options.pictures == "never":
            return
        yield from _words(text + self.stretch.rest())
        assert reading.voken_hidden is not None
        yield Draw(reading.voken_hidden, (order_of(self._options, index, picture_seed(self._seed, index)),))
        self.stretch = TextStretch(self._vocabulary.tokenizer)

    def finished(
        self, reason: Literal["stop", "length"], ids: tuple[int, ...], dropped_turns: int
    ) -> TurnFinished:
        return TurnFinished(reason, self._seed, ids, dropped_turns)


def order_of(options: GenerationOptions, index: int, seed: int) -> PictureOrder:
    """Picture `index`, drawn as `options` say, from the noise of `seed`."""
    return PictureOrder(index, seed, options.guidance_scale, options.num_inference_steps, options.scheduler)


def _read(answer: Reading | None) -> Reading:
    assert answer is not None, "a turn that asked for words was answered with nothing"
    return answer


def _words(text: str) -> Turn:
    if text:
        yield TextDelta(text)
