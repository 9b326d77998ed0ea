"""Who answers: MiniGPT-5, and the paper's baselines out of the same parts, so that only the way differs.

`SD zero-shot` draws from the caption, `two-stage` from the words that the LLM wrote, both through the text encoder
of the painter instead of the vokens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from minigpt5.conversation import ImagePart, Message, TextPart
from minigpt5.errors import CheckpointError, TrainingError
from minigpt5.evaluation.settings import (
    GUIDANCE_SCALES,
    MINIGPT5,
    TWO_STAGE,
    ZERO_SHOT,
    Setting,
    Task,
    guided,
)
from minigpt5.generation.engine import DEFAULTS, Engine
from minigpt5.images import preprocess
from minigpt5.options import GenerationOptions
from minigpt5.prompt import SYSTEM, Encoded, encode
from minigpt5.training.teachers import load_teacher
from minigpt5.vokens import FIRST_VOKEN, IMAGE_PLACEHOLDER


class System(Protocol):
    """Answers a task; the same seed and `options` give the same reply."""

    @property
    def options(self) -> GenerationOptions: ...

    def answer(self, task: Task, setting: Setting, seed: int) -> Message: ...


def draw(
    engine: Engine, embeds: Tensor, negative: Tensor, options: GenerationOptions, seed: int
) -> Image.Image:
    """The picture of conditioning vectors (1,L,C), from the noise of `seed`."""
    diffusion, options = engine.model.diffusion, engine.settled(options)
    generator = torch.Generator().manual_seed(seed)
    *_, latents = diffusion.denoise(
        embeds,
        negative,
        guidance_scale=options.guidance_scale,
        num_inference_steps=options.num_inference_steps,
        scheduler=options.scheduler,
        latents=diffusion.initial_latents(generator),
        generators=[generator],
    )
    return diffusion.decode(latents)[0]


@dataclass(frozen=True)
class MiniGPT5System:
    """The model as it is; where the words are given, the picture of the vokens that follow them."""

    engine: Engine
    options: GenerationOptions = DEFAULTS

    def answer(self, task: Task, setting: Setting, seed: int) -> Message:
        """A reply, or the given words and a picture."""
        if not setting.narration:
            options = replace(self.options, seed=seed, pictures=setting.pictures)
            return self.engine.reply(task.history, options).message
        with torch.inference_mode():
            embeds = self.engine.model.mapper(voken_hidden(self.engine, task))
            negative = self.engine.model.mapper.null_embeds()
        picture = draw(self.engine, embeds, negative, self.options, seed)
        return Message("assistant", (*_words(task.truth.text), ImagePart(picture)))


def voken_hidden(engine: Engine, task: Task) -> Tensor:
    """The states (1,V,D) of vokens forced after the true words of the reply."""
    target = Message("assistant", (*_words(task.truth.text), ImagePart(None)))
    encoded = encode(
        (*task.history.messages, target),
        engine.tokenizer,
        target=True,
        system=engine.config.system_prompt or SYSTEM,
        num_vokens=engine.config.mapper.num_vokens,
    )
    return hidden_of(engine, encoded)


def hidden_of(engine: Engine, encoded: Encoded) -> Tensor:
    """The states (1,V,D) of the only vokens in `encoded`, whose pictures are PIL images."""
    ids = encoded.input_ids
    placeholder, first = engine.tokenizer.convert_tokens_to_ids([IMAGE_PLACEHOLDER, FIRST_VOKEN])
    eye, queries = engine.config.vision["image_size"], engine.model.vision.query_tokens
    pixels = torch.stack([preprocess(p, eye) for p in encoded.images]).to(queries) if encoded.images else None
    embeds = engine.model.embed(torch.tensor([ids], device=queries.device), pixels, placeholder)
    hidden, _ = engine.model.language(embeds)
    after = len(ids) - ids.index(
        first
    )  # counted from the end, as pictures are longer than their placeholders
    start = hidden.shape[1] - after - 1
    return hidden[:, start : start + engine.config.mapper.num_vokens]


class Painter:
    """The diffusion model with its own text encoder: words in, picture out.

    The text encoder is that of the model folder, if it reads the LLM's words, or the one in the Stable Diffusion
    folder `diffusion`, with its tokenizer. As in Stable Diffusion's pipeline, padding is read, too. Raises
    `CheckpointError` when there is neither.
    """

    def __init__(self, engine: Engine, folder: Path, diffusion: Path | None = None) -> None:
        self.engine = engine
        try:
            teacher = load_teacher(folder, engine.config, engine.tokenizer, diffusion)
        except TrainingError as error:
            if diffusion:
                raise
            raise CheckpointError(
                f"{folder}: got no text_encoder that reads the LLM's words, expected one for the baselines, or the "
                "folder of Stable Diffusion"
            ) from error
        self.tokenize, self.text_encoder = teacher.tokenize, teacher.text_encoder

    @torch.inference_mode()
    def embed(self, text: str) -> Tensor:
        """Features (1,L,C)."""
        device = self.engine.model.diffusion.unet.device
        return self.text_encoder.to(device)(input_ids=self.tokenize([text]).to(device)).last_hidden_state

    def picture(self, text: str, options: GenerationOptions, seed: int) -> Image.Image:
        """The picture of the words; its negative is the empty caption."""
        return draw(self.engine, self.embed(text), self.embed(""), options, seed)


@dataclass(frozen=True)
class ZeroShotSystem:
    """Stable Diffusion on the caption: the true words of the reply, or the request where it has none."""

    painter: Painter
    options: GenerationOptions = DEFAULTS

    def answer(self, task: Task, setting: Setting, seed: int) -> Message:
        """The caption and its picture."""
        caption = task.truth.text or task.history.messages[-1].text
        picture = self.painter.picture(caption, self.options, seed)
        return Message("assistant", (*_words(task.truth.text), ImagePart(picture)))


@dataclass(frozen=True)
class TwoStageSystem:
    """The LLM writes the reply and decides where pictures stand; Stable Diffusion draws them from its words."""

    painter: Painter
    options: GenerationOptions = DEFAULTS

    def answer(self, task: Task, setting: Setting, seed: int) -> Message:
        """MiniGPT-5's own words for this seed, with the pictures drawn anew."""
        options = replace(self.options, seed=seed, pictures=setting.pictures, num_inference_steps=1)
        reply = self.painter.engine.reply(task.history, options).message
        if not reply.images:
            return reply
        picture = self.painter.picture(reply.text, self.options, seed)
        parts = tuple(ImagePart(picture) if isinstance(p, ImagePart) else p for p in reply.parts)
        return replace(reply, parts=parts)


def _words(text: str) -> tuple[TextPart, ...]:
    return (TextPart(text),) if text else ()


def systems_of(engine: Engine, folder: Path, options: GenerationOptions = DEFAULTS) -> dict[str, System]:
    """All systems by the names that `settings` has for them; the text encoder is read from the model folder."""
    painter = Painter(engine, folder)
    return {
        MINIGPT5: MiniGPT5System(engine, options),
        ZERO_SHOT: ZeroShotSystem(painter, options),
        TWO_STAGE: TwoStageSystem(painter, options),
        **{
            guided(scale): MiniGPT5System(engine, replace(options, guidance_scale=scale))
            for scale in GUIDANCE_SCALES
        },
    }
