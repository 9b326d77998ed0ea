"""The way of a turn, read top to bottom: a conversation in, events out; `reply` is the fold of `stream`.

An engine holds a built model and nothing that changes, so several streams may run interleaved or in threads.
Everything slow is pulled: closing the stream stops it within one token or one denoising step.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from PIL import Image
from torch import Tensor

from minigpt5.config import ModelConfig
from minigpt5.conversation import Conversation, ImagePart, Message, Part, TextPart
from minigpt5.errors import OptionError
from minigpt5.events import Event, ImageFinished, ImageProgress, ImageStarted, TextDelta, TurnFinished
from minigpt5.generation.decoding import EndStep, TextStep, Vocabulary, VokenStep, decode
from minigpt5.generation.official import GeneratedIds, decode_officially
from minigpt5.images import preprocess
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.options import OFFICIAL, GenerationOptions
from minigpt5.prompt import STOP, SYSTEM, Prompt, Tokenizer, assemble, encode_raw
from minigpt5.vokens import NUM_VOKENS

DEFAULTS = GenerationOptions()
Pulled = TypeVar("Pulled")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole turn of the model."""

    message: Message
    seed: int | None  # of the pictures, None when there are none
    finish_reason: str
    num_tokens: int
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
        self._vocabulary = Vocabulary(tokenizer, model.language.llama.config.vocab_size)
        with torch.inference_mode():
            self._negative = model.mapper.null_embeds()  # (1,L,C), a constant of the model

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

    def stream(self, conversation: Conversation, options: GenerationOptions = DEFAULTS) -> Iterator[Event]:
        """The events of the reply to `conversation`, see `minigpt5.events`.

        With the first pull raises `PromptError` when there is nothing to reply to or the last turn is too
        long.
        """
        seed = secrets.randbelow(2**32) if options.seed is None else options.seed
        clock, index = _Clock(), 0
        prompt = assemble(
            conversation,
            self.tokenizer,
            self._prompt_room(options),
            self.config.num_query_tokens,
            system=self.config.system_prompt or SYSTEM,
        )
        steps = self._read_and_decode(prompt, options, torch.Generator().manual_seed(seed))
        kind = "prefill"
        while (step := clock.pull(kind, steps)) is not None:
            kind = "text"
            if step.text:
                yield TextDelta(step.text)
            match step:
                case TextStep():
                    pass
                case VokenStep():
                    yield from self._draw(step.voken_hidden, index, seed, options, clock)
                    index += 1
                case EndStep():
                    timings = clock.summary(step.num_tokens)
                    yield TurnFinished(step.reason, step.num_tokens, prompt.dropped_turns, timings)

    def reply(self, conversation: Conversation, options: GenerationOptions = DEFAULTS) -> Reply:
        """The whole reply at once; raises as `stream`."""
        return fold(self.stream(conversation, options))

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
        seed = secrets.randbelow(2**32) if options.seed is None else options.seed
        embeds = self.embed_raw(prompt_text, images)
        stops = self.config.stop_sequences or [self.tokenizer.encode(STOP, add_special_tokens=False)]
        generator = torch.Generator().manual_seed(seed)
        steps = list(
            decode_officially(
                self.model.language,
                embeds,
                self._vocabulary,
                options,
                generator=generator,
                stop_sequences=stops,
            )
        )
        features = [step.voken_hidden for step in steps if step.voken_hidden is not None]
        none = embeds.new_zeros(0, NUM_VOKENS, embeds.shape[-1])
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

    def _prompt_room(self, options: GenerationOptions) -> int:
        """Positions for the prompt: the reply keeps what it may need, up to half of the context."""
        length = self.config.context_length
        return length - min(options.max_new_tokens + NUM_VOKENS, length // 2)

    def _read_and_decode(
        self, prompt: Prompt, options: GenerationOptions, generator: torch.Generator
    ) -> Iterator[TextStep | VokenStep | EndStep]:
        yield from decode(
            self.model.language,
            self._embed(prompt),
            self._vocabulary,
            options,
            generator=generator,
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

    def _draw(
        self, voken_hidden: Tensor, index: int, seed: int, options: GenerationOptions, clock: _Clock
    ) -> Iterator[Event]:
        """One picture from voken_hidden (1,V,D). The seed of the reply and the index make the picture's
        own."""
        diffusion, steps = self.model.diffusion, options.num_inference_steps
        yield ImageStarted(index, diffusion.image_size, diffusion.image_size, steps)
        pictures = self._denoise(voken_hidden, picture_seed(seed, index), options)
        step = 0
        while (pulled := clock.pull("pictures", pictures)) is not None:
            latents, preview = pulled
            step = min(step + 1, steps)  # PNDM takes one more than it is asked for
            yield ImageProgress(index, step, steps, preview)
        with clock.measure("pictures"):
            (image,) = diffusion.decode(latents)
        yield ImageFinished(index, image, seed, options.guidance_scale)

    def _denoise(
        self, voken_hidden: Tensor, seed: int, options: GenerationOptions
    ) -> Iterator[tuple[Tensor, Image.Image]]:
        """latents (1,c,h,w) and their preview after each step."""
        diffusion = self.model.diffusion
        with torch.inference_mode():
            prompt_embeds = self.model.mapper(voken_hidden)  # (1,L,C)
        noise = diffusion.initial_latents(torch.Generator().manual_seed(seed), 1)
        for latents in diffusion.denoise(
            prompt_embeds,
            self._negative,
            guidance_scale=options.guidance_scale,
            num_inference_steps=options.num_inference_steps,
            scheduler=options.scheduler,
            latents=noise,
        ):
            yield latents, diffusion.preview(latents)[0]


def picture_seed(seed: int, index: int) -> int:
    """The seed of the noise of picture `index` of a reply made with `seed`; the first one's is `seed`
    itself."""
    return (seed + index * 0x9E3779B97F4A7C15) % 2**63


def fold(events: Iterator[Event]) -> Reply:
    """The reply that `events` tell; raises ValueError when they end before `TurnFinished`."""
    parts: list[Part] = []
    words, seed = "", None
    for event in events:
        match event:
            case TextDelta():
                words += event.text
            case ImageFinished():
                parts += [*_words(words), ImagePart(event.image)]
                words, seed = "", event.seed
            case ImageStarted() | ImageProgress():
                pass
            case TurnFinished():
                message = Message("assistant", (*parts, *_words(words)))
                ending = (event.finish_reason, event.num_tokens, event.dropped_turns, event.timings)
                return Reply(message, seed, *ending)
    raise ValueError("the events ended without TurnFinished")


def _words(text: str) -> list[Part]:
    return [TextPart(text.strip())] if text.strip() else []
