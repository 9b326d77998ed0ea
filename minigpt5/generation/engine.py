"""The way of a turn, read top to bottom: a conversation in, events out; `reply` is the fold of `stream`.

An engine holds a built model and nothing that changes, so several streams may run interleaved or in threads.
Everything slow is pulled: closing the stream stops it within one token or one denoising step.
"""

import secrets
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from minigpt5.config import ModelConfig
from minigpt5.conversation import Conversation, ImagePart, Message, Part, TextPart
from minigpt5.errors import OptionError
from minigpt5.events import Event, ImageFinished, ImageProgress, ImageStarted, TextDelta, TurnFinished
from minigpt5.generation.decoding import EndStep, TextStep, Vocabulary, VokenStep, decode
from minigpt5.generation.drawing import draw, picture_seed, verify_redraw, verify_vokens
from minigpt5.generation.inspection import Inspection, readable, voken_influence
from minigpt5.generation.official import GeneratedIds, decode_officially
from minigpt5.images import preprocess
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.options import OFFICIAL, GenerationOptions, schedulers_of, settled
from minigpt5.prompt import STOP, SYSTEM, Prompt, Tokenizer, assemble, encode_raw

DEFAULTS = GenerationOptions()
Pulled = TypeVar("Pulled")
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

    def pull(self, kind: str, values: Iterator[Pulled]) -> Pulled | None:
        """The next of `values`, timed; None at their end."""
        with self.measure(kind):
            return next(values, None)

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
    def _negative(self) -> Tensor:
        """(1,L,C), a constant of the model; made when first needed, since a ZeroGPU Space has no GPU at start."""
        return self.model.mapper.null_embeds()

    @property
    def schedulers(self) -> tuple[str, ...]:
        """What `GenerationOptions.scheduler` may be for this model."""
        return schedulers_of(self.config.fast)

    def settled(self, options: GenerationOptions) -> GenerationOptions:
        """The options as this model draws with them, see `options.settled`."""
        return settled(options, self.config.fast)

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
        seed, options = _seed(options), self.settled(options)
        clock, index = _Clock(), 0
        prompt = self._prompt(conversation, options)
        steps = self._read_and_decode(prompt, options, seed)
        kind = "prefill"
        while (step := clock.pull(kind, steps)) is not None:
            kind = "text"
            if step.text:
                yield TextDelta(step.text)
            match step:
                case TextStep():
                    pass
                case VokenStep():
                    how = ([options], [picture_seed(seed, index)])
                    events = draw(self.model, self._negative, step.voken_hidden, *how, first_index=index)
                    while (event := clock.pull("pictures", events)) is not None:
                        yield event
                    index += 1
                case EndStep():
                    timings = clock.summary(len(step.token_ids))
                    yield TurnFinished(step.reason, seed, step.token_ids, prompt.dropped_turns, timings)

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
        yield from draw(self.model, self._negative, hidden, choices, [_seed(choice) for choice in choices])

    @torch.inference_mode()
    def generate_ids(
        self,
        prompt_text: str,
        images: Sequence[Image.Image | Tensor] | Tensor = (),
        options: GenerationOptions = OFFICIAL,
    ) -> GeneratedIds:
        """Ids sampled as by official `MiniGPT5_Model.predict`, see `generation.official`, and the features
        (G,V,D) of each picture; `mapper(voken_hidden)` makes prompt_embeds (G,L,C) of them.

        `prompt_text` is the whole prompt in the official template, one `<ImageHere>` a picture; BOS is put in
        front. `images` are PIL pictures or pixel_values (3,H,W); those beyond the last `<ImageHere>` are left
        out, as there. Of `options` only those of the text count. Raises `PromptError` when there is no text or
        a picture is missing.
        """
        embeds = self.embed_raw(prompt_text, images)
        stops = self.config.stop_sequences or [self.tokenizer.encode(STOP, add_special_tokens=False)]
        steps = list(
            decode_officially(
                self.model.language,
                embeds,
                self._vocabulary,
                options,
                generator=torch.Generator().manual_seed(_seed(options)),
                stop_sequences=stops,
            )
        )
        features = [step.voken_hidden for step in steps if step.voken_hidden is not None]
        none = embeds.new_zeros(0, self.config.mapper.num_vokens, embeds.shape[-1])
        return GeneratedIds([step.token_id for step in steps], torch.cat([none, *features]))

    @torch.inference_mode()
    def embed_raw(self, prompt_text: str, images: Sequence[Image.Image | Tensor] | Tensor = ()) -> Tensor:
        """inputs_embeds (1,T,D) of a prompt given as for `generate_ids`; raises as it does."""
        ids = encode_raw(prompt_text, self.tokenizer)
        size = self.config.vision["image_size"]
        pixels = [image if isinstance(image, Tensor) else preprocess(image, size) for image in images]
        queries = self.model.vision.query_tokens
        shown = pixels[: ids.count(self._vocabulary.placeholder)]
        pixel_values = torch.stack(shown).to(queries) if shown else None
        return self.model.embed(
            torch.tensor([ids], device=queries.device), pixel_values, self._vocabulary.placeholder
        )

    def inspect(
        self, conversation: Conversation, token_ids: Sequence[int], options: GenerationOptions = DEFAULTS
    ) -> Inspection:
        """What the model was handed for the reply to `conversation` and the ids with which it answered, readable.

        `token_ids` are those of `TurnFinished`. Raises `PromptError` as `stream`.
        """
        prompt = self._prompt(conversation, options)
        read, said = (
            readable(ids, self.tokenizer, self._vocabulary) for ids in (prompt.input_ids, token_ids)
        )
        return Inspection(read, said, self.config.num_query_tokens, prompt.dropped_turns)

    def voken_influence(self, vokens: np.ndarray) -> np.ndarray:
        """(V,L) float32: how far each conditioning vector of a picture moves when one of its vokens (V,D) is put to
        zero, in units of the vector's length. Raises `OptionError` for vokens that are not this model's."""
        verify_vokens(vokens, self.model.mapper)
        return voken_influence(self.model.mapper, vokens)

    def _prompt(self, conversation: Conversation, options: GenerationOptions) -> Prompt:
        """The prompt; the reply keeps what room it may need, up to half of the context."""
        length = self.config.context_length
        room = length - min(options.max_new_tokens + self.config.mapper.num_vokens, length // 2)
        system = self.config.system_prompt or SYSTEM
        return assemble(conversation, self.tokenizer, room, self.config.num_query_tokens, system=system)

    def _read_and_decode(
        self, prompt: Prompt, options: GenerationOptions, seed: int
    ) -> Iterator[TextStep | VokenStep | EndStep]:
        yield from decode(
            self.model.language,
            self._embed(prompt),
            self._vocabulary,
            options,
            generator=torch.Generator().manual_seed(seed),
            max_length=self.config.context_length,
        )

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


def _seed(options: GenerationOptions) -> int:
    """The seed that `options` name, or a new one."""
    return secrets.randbelow(2**32) if options.seed is None else options.seed


def fold(events: Iterator[Event]) -> Reply:
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
            case ImageStarted() | ImageProgress():
                pass
            case TurnFinished():
                message = Message("assistant", (*parts, *_words(words)))
                ending = (event.finish_reason, event.token_ids, event.dropped_turns, event.timings)
                return Reply(message, event.seed, *ending)
    raise ValueError("the events ended without TurnFinished")


def _words(text: str) -> list[Part]:
    return [TextPart(text.strip())] if text.strip() else []
