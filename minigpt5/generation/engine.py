"""The way of a turn, read top to bottom: a conversation in, events out; `reply` is the fold of `stream`.

The readable reference for one conversation: `turn` says what comes next, and each of its asks is done at once, alone.
An engine holds a built model and nothing that changes, so several streams may run interleaved or in threads.
Everything slow is pulled: closing the stream stops it within one token or one denoising step.
"""

import secrets
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from minigpt5.config import ModelConfig
from minigpt5.conversation import Conversation, ImagePart, Message, Part, TextPart
from minigpt5.errors import OptionError
from minigpt5.events import (
    Event,
    ImageFinished,
    ImageProgress,
    ImageStarted,
    Queued,
    ServedEvent,
    TextDelta,
    TurnFinished,
)
from minigpt5.generation.drawing import draw, verify_redraw, verify_vokens
from minigpt5.generation.inspection import Inspection, readable, voken_influence
from minigpt5.generation.official import GeneratedIds, OfficialEngine
from minigpt5.generation.reader import Reader
from minigpt5.generation.turn import (
    Draw,
    Prefill,
    Reading,
    ReadToken,
    ReadVokens,
    Turn,
    order_of,
    redrawing,
    turn,
)
from minigpt5.generation.vocabulary import Vocabulary
from minigpt5.images import preprocess
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.options import OFFICIAL, GenerationOptions, schedulers_of, settled
from minigpt5.prompt import SYSTEM, Prompt, Tokenizer, assemble

DEFAULTS = GenerationOptions()
Events = Generator[Event, None, None]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole turn of the model."""

    message: Message
    seed: int
    finish_reason: str
    token_ids: tuple[int, ...]
    dropped_turns: int
    timings: dict[str, float]

    @property
    def text(self) -> str:
        return self.message.text

    @property
    def images(self) -> tuple[Image.Image, ...]:
        return self.message.images


class _Clock:
    """Seconds spent in each kind of work; the time in which the caller holds an event does not count."""

    def __init__(self) -> None:
        self.seconds = {"prefill": 0.0, "text": 0.0, "pictures": 0.0}

    @contextmanager
    def measure(self, kind: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[kind] += time.perf_counter() - start

    def pull(self, kind: str, events: Iterator[Event]) -> Events:
        """`events`, timed."""
        while True:
            with self.measure(kind):
                event = next(events, None)
            if event is None:
                return
            yield event

    def summary(self, num_tokens: int) -> dict[str, float]:
        total = sum(self.seconds.values())
        # the first token comes with the prefill
        rate = (num_tokens - 1) / self.seconds["text"] if num_tokens > 1 and self.seconds["text"] > 0 else 0.0
        return {**self.seconds, "total": total, "tokens_per_second": rate}


class Engine:
    """A model that answers. `description` holds facts to show: device, dtype, quantization, sizes."""

    def __init__(
        self,
        model: MiniGPT5,
        tokenizer: Tokenizer,
        config: ModelConfig,
        facts: dict[str, str] | None = None,
    ) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.config = config
        self.name = config.name
        self.description: dict[str, str | int] = {
            "model": config.name,
            **(facts or {}),
            "picture size": config.image_size,
            "context length": config.context_length,
            "knows": config.knows,
        }
        self._vocabulary = Vocabulary(
            tokenizer, model.language.llama.config.vocab_size, config.mapper.num_vokens
        )

    @cached_property
    @torch.inference_mode()
    def negative(self) -> Tensor:
        """(1,L,C), a constant of the model; made when first needed, since a ZeroGPU Space has no GPU at start."""
        return self.model.mapper.null_embeds()

    @property
    def schedulers(self) -> tuple[str, ...]:
        """What `GenerationOptions.scheduler` may be for this model."""
        return schedulers_of(self.config.fast)

    def settled(self, options: GenerationOptions) -> GenerationOptions:
        """The options as this model draws with them, see `options.settled`."""
        return settled(options, self.config.fast)

    @property
    def placeholder(self) -> int:
        """The id that stands for one picture in a prompt."""
        return self._vocabulary.placeholder

    def compile(self, backend: str = "inductor") -> None:
        """Make words and pictures faster on a GPU, at the price of minutes now; call it before the first reply.

        Raises `OptionError` where there is no compiler, or no room for what it needs.
        """
        try:
            self.model.language.compile_decoding(self.config.context_length, backend)
            self.model.diffusion.compile_drawing(self.config.mapper.length, backend)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[0]
            raise OptionError(f"compile: got {reason!r}, expected a device and a compiler for it") from error

    def stream(self, conversation: Conversation, options: GenerationOptions = DEFAULTS) -> Events:
        """The events of the reply to `conversation`, see `minigpt5.events`.

        With the first pull raises `PromptError` when there is nothing to reply to or the last turn is too
        long, `OptionError` for `fast` where the model has no few steps.
        """
        seed, options = seed_of(options), self.settled(options)
        prompt = self.prompt(conversation, options)
        yield from self._drive(self.turn(prompt, options, seed), prompt)

    def reply(self, conversation: Conversation, options: GenerationOptions = DEFAULTS) -> Reply:
        """The whole reply at once; raises as `stream`."""
        return fold(self.stream(conversation, options))

    def redraw(self, vokens: np.ndarray, choices: Sequence[GenerationOptions]) -> Events:
        """Pictures of the vokens (V,D) of an earlier one, one for each of `choices`, drawn side by side in one batch.

        The words are not touched. Of the options `guidance_scale`, `seed` (the picture's own), `num_inference_steps`
        and `scheduler` count; one picture with those of an `ImageFinished` is that picture again. Raises
        `OptionError` with the first pull when there are no choices or more than MAX_REDRAWN, when their steps or
        schedulers differ, and when the vokens are not this model's.
        """
        choices = [self.settled(choice) for choice in choices]
        verify_redraw(vokens, choices, self.model.mapper)
        hidden = torch.from_numpy(vokens)[None].to(self.model.vision.query_tokens.device)
        orders = [order_of(choice, index, seed_of(choice)) for index, choice in enumerate(choices)]
        yield from self._drive(redrawing(hidden, orders))

    def generate_ids(
        self,
        prompt_text: str,
        images: Sequence[Image.Image | Tensor] | Tensor = (),
        options: GenerationOptions = OFFICIAL,
    ) -> GeneratedIds:
        """See `OfficialEngine.generate_ids`."""
        return OfficialEngine(self.model, self.tokenizer, self.config).generate_ids(
            prompt_text, images, options
        )

    def inspect(
        self, conversation: Conversation, token_ids: Sequence[int], options: GenerationOptions = DEFAULTS
    ) -> Inspection:
        """What the model was handed for the reply to `conversation` and the ids with which it answered, readable.

        `token_ids` are those of `TurnFinished`. Raises `PromptError` as `stream`.
        """
        prompt = self.prompt(conversation, options)
        read, said = (
            readable(ids, self.tokenizer, self._vocabulary) for ids in (prompt.input_ids, token_ids)
        )
        return Inspection(read, said, self.config.num_query_tokens, prompt.dropped_turns)

    def voken_influence(self, vokens: np.ndarray) -> np.ndarray:
        """(V,L) float32: how far each conditioning vector of a picture moves when one of its vokens (V,D) is put to
        zero, in units of the vector's length. Raises `OptionError` for vokens that are not this model's."""
        verify_vokens(vokens, self.model.mapper)
        return voken_influence(self.model.mapper, vokens)

    def prompt(self, conversation: Conversation, options: GenerationOptions) -> Prompt:
        """The prompt; the reply keeps what room it may need, up to half of the context. Raises as `stream`."""
        length = self.config.context_length
        room = length - min(options.max_new_tokens + self.config.mapper.num_vokens, length // 2)
        system = self.config.system_prompt or SYSTEM
        return assemble(conversation, self.tokenizer, room, self.config.num_query_tokens, system=system)

    def turn(self, prompt: Prompt, options: GenerationOptions, seed: int) -> Turn:
        """The reply to `prompt` as a coroutine that asks for what the model has to do."""
        return turn(
            len(prompt.input_ids) + len(prompt.images) * (self.config.num_query_tokens - 1),
            self._vocabulary,
            options,
            seed=seed,
            max_length=self.config.context_length,
            dropped_turns=prompt.dropped_turns,
        )

    def _drive(self, work: Turn, prompt: Prompt | None = None) -> Events:
        """Do what `work` asks, one ask after the other; hand on its events."""
        reader = Reader(self.model.language, self.model.language.decode_step()) if prompt else None
        clock, kind, answer = _Clock(), "prefill", None
        while True:
            with clock.measure(kind):
                step = next(work, None) if answer is None else work.send(answer)
            answer = None
            match step:
                case None:
                    return
                case Prefill():
                    assert reader is not None
                    assert prompt is not None
                    with clock.measure(kind):
                        reader.read(self._embed(prompt))
                        answer = Reading(reader.next_logits())
                case ReadToken() | ReadVokens():
                    assert reader is not None
                    kind = "text"
                    with clock.measure(kind):
                        answer = reader.answer(step)
                case Draw():
                    yield from clock.pull("pictures", draw(self.model, self.negative, step))
                case TurnFinished():
                    yield replace(step, timings=clock.summary(len(step.token_ids)))
                case _:
                    yield step

    @torch.inference_mode()
    def _embed(self, prompt: Prompt) -> Tensor:
        """inputs_embeds (1,T,D)"""
        queries = self.model.vision.query_tokens
        input_ids = torch.tensor([prompt.input_ids], device=queries.device)
        pixel_values = None
        if prompt.images:
            size = self.config.vision["image_size"]
            pixel_values = torch.stack([preprocess(image, size) for image in prompt.images]).to(
                queries
            )  # (N,3,H,W)
        return self.model.embed(input_ids, pixel_values, self._vocabulary.placeholder)


def seed_of(options: GenerationOptions) -> int:
    """The seed that `options` name, or a new one."""
    return secrets.randbelow(2**32) if options.seed is None else options.seed


def fold(events: Iterator[ServedEvent]) -> Reply:
    """The reply that `events` tell; raises ValueError when they end before `TurnFinished`."""
    parts: list[Part] = []
    words = ""
    for event in events:
        match event:
            case TextDelta():
                words += event.text
            case ImageFinished():
                parts += [*_words(words), ImagePart(event.image, event.vokens)]
                words = ""
            case ImageStarted() | ImageProgress() | Queued():
                pass
            case TurnFinished():
                message = Message("assistant", (*parts, *_words(words)))
                ending = (event.finish_reason, event.token_ids, event.dropped_turns, event.timings)
                return Reply(message, event.seed, *ending)
    raise ValueError("the events ended without TurnFinished")


def _words(text: str) -> list[Part]:
    return [TextPart(text.strip())] if text.strip() else []
