"""Replies in the official way: the data sets' own prompts, the official sampling and pictures (`train_eval.py`).

The first picture of a reply counts, a reply may have none, pictures that are read are cropped and not padded. Unlike
there every reply has a seed of its own, so that a run can be resumed and a reply made again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from minigpt5.conversation import ImagePart, Message, Part, TextPart
from minigpt5.data import mmdialog, vist
from minigpt5.errors import PromptError
from minigpt5.evaluation.settings import Setting, Task
from minigpt5.evaluation.systems import Painter, draw
from minigpt5.generation.engine import Engine
from minigpt5.images import preprocess
from minigpt5.options import OFFICIAL, GenerationOptions
from minigpt5.prompt import STOP, encode_raw
from minigpt5.vokens import FIRST_VOKEN, IMAGE_PLACEHOLDER

Written = tuple[Any, ...]  # words and PIL pictures in the order of the prompt
Write = Callable[[Task, Setting], Written]


def write_caption(task: Task, setting: Setting) -> Written:
    """CC3M: the caption alone."""
    return (task.history.messages[-1].text,)


def write_story(task: Task, setting: Setting) -> Written:
    """VIST: the scenes so far in one message, and the request, the last words of the user; where the words of the
    scene are given they end it. Scenes without pictures are told one after the other."""
    *_, request = task.history.messages[-1].parts
    assert isinstance(request, TextPart)
    history: list[Any] = []
    for message in task.history.messages:
        scenes = message.parts[:-1] if message.role == "user" else message.parts
        for part in scenes:
            history += _scene_part(part, history)
    given = task.truth.text if setting.narration else ""
    return vist.after(tuple(history), f"{request.text}{given}{vist.ANSWER}")


def _scene_part(part: Part, history: list[Any]) -> list[Any]:
    match part:
        case TextPart():
            told_before = bool(history) and history[-1] != "</Img>"
            return [f" {part.text}" if told_before else part.text]
        case ImagePart():
            return ["<Img>", part.image, "</Img>"]


def write_dialogue(task: Task, setting: Setting) -> Written:
    """MMDialog: the last turns, and who speaks next."""
    return mmdialog.before([(m.text, m.images[0] if m.images else None) for m in task.history.messages])


def prompt_of(written: Written) -> tuple[str, list[Any]]:
    """The prompt with a placeholder for each picture, and the pictures."""
    prompt = "".join(part if isinstance(part, str) else IMAGE_PLACEHOLDER for part in written)
    return prompt, [part for part in written if not isinstance(part, str)]


@dataclass(frozen=True)
class OfficialSystem:
    """MiniGPT-5 as the official evaluation runs it; `write` makes the prompt of a task."""

    engine: Engine
    write: Write
    options: GenerationOptions = OFFICIAL

    def answer(self, task: Task, setting: Setting, seed: int) -> Message:
        """The words and the first picture of what is sampled; given words stay. Raises `PromptError`."""
        words, hidden = self.sample(task, setting, seed)
        if not len(hidden):
            return _message(words)
        with torch.inference_mode():
            embeds, negative = self.engine.model.mapper(hidden[:1]), self.engine.model.mapper.null_embeds()
        return _message(words, draw(self.engine, embeds, negative, self.options, seed))

    def sample(self, task: Task, setting: Setting, seed: int) -> tuple[str, Tensor]:
        """The words before the first picture, or those that are given, and the features (G,V,D) of all pictures."""
        prompt, shown = prompt_of(self.write(task, setting))
        self._verify(prompt, len(shown))
        pixels = [preprocess(image, self.engine.config.vision["image_size"], pad=False) for image in shown]
        generated = self.engine.generate_ids(prompt, pixels, replace(self.options, seed=seed))
        words = task.truth.text if setting.narration else self._words(generated.ids)
        return words, generated.voken_hidden

    def _verify(self, prompt: str, pictures: int) -> None:
        config = self.engine.config
        ids = encode_raw(prompt, self.engine.tokenizer)
        placeholder = self.engine.tokenizer.convert_tokens_to_ids(IMAGE_PLACEHOLDER)
        if ids.count(placeholder) != pictures:
            raise PromptError(f"got {IMAGE_PLACEHOLDER} in words, expected it for pictures alone")
        length = len(ids) + pictures * (config.num_query_tokens - 1)
        room = config.context_length - self.options.max_new_tokens
        if length > room:
            raise PromptError(f"too long: got a prompt of {length} tokens, expected <= {room}")

    def _words(self, ids: list[int]) -> str:
        """Official `metric.py`: without stops, and nothing where there are signs alone."""
        first = self.engine.tokenizer.convert_tokens_to_ids(FIRST_VOKEN)
        before = ids[: ids.index(first)] if first in ids else ids
        words = self.engine.tokenizer.decode(before, skip_special_tokens=True).replace(STOP, "").strip()
        return words if re.search(r"\w", words) else ""


@dataclass(frozen=True)
class OfficialTwoStage:
    """The words and the choice of `writer`; Stable Diffusion draws from the words."""

    writer: OfficialSystem
    painter: Painter

    @property
    def options(self) -> GenerationOptions:
        """Those of the writer, for the pictures too."""
        return self.writer.options

    def answer(self, task: Task, setting: Setting, seed: int) -> Message:
        """The words of the same seed, with the picture drawn from them. Raises `PromptError`."""
        words, hidden = self.writer.sample(task, setting, seed)
        return _message(words, *([self.painter.picture(words, self.options, seed)] if len(hidden) else []))


def _message(words: str, *pictures: Any) -> Message:
    text = (TextPart(words),) if words else ()
    return Message("assistant", (*text, *(ImagePart(picture) for picture in pictures)))
