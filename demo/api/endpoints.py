"""The public endpoints, for other programs: what the page can do, as functions of JSON (see `requests` and `events`).

`/chat` streams growing values, `/stream` events, `/reply` gives the whole at once, `/redraw` draws a picture again,
`/story` tells a story. `site` adds them. Knows the engine and a temporary folder of pictures; no chat, story or
owner.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any

import gradio as gr
import numpy as np
from pydantic import ConfigDict, TypeAdapter

from demo.api.events import JsonEvent, JsonStoryEvent, folded, story_to_json, to_json
from demo.api.requests import read_history, read_options, read_vokens
from demo.chat.handlers import YIELD_SECONDS, verify_size
from demo.engine_type import ChatEngine
from demo.guard.input.shapes import TEXT, Count, read
from demo.guard.input.uploads import uploaded_path
from demo.store.picture_folder import PictureFolder
from demo.story.writing.cast import read_cast
from demo.story.writing.premise import Premise, verify_plan
from demo.story.writing.writer import write_story
from minigpt5 import (
    Conversation,
    Event,
    GenerationOptions,
    ImagePart,
    MiniGPT5Error,
    TextPart,
    open_image,
)

Events = Generator[Event, None, None]
Endpoint = Callable[..., Iterator[Any]]

OBJECTS: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(list[dict[str, Any]], config=ConfigDict(strict=True))
WHOLE: TypeAdapter[int] = TypeAdapter(Count, config=ConfigDict(strict=True))


class _HeardEngine:
    """An engine that stops, at its next event, when nobody waits for what it makes."""

    def __init__(self, engine: ChatEngine, heard: Callable[[], bool]) -> None:
        self._engine, self._heard = engine, heard

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Events:
        """As the engine's; raises `MiniGPT5Error` when the caller has left."""
        return self._while_heard(self._engine.stream(conversation, options))

    def redraw(self, vokens: np.ndarray, choices: Sequence[GenerationOptions]) -> Events:
        """As the engine's; raises `MiniGPT5Error` when the caller has left."""
        return self._while_heard(self._engine.redraw(vokens, choices))

    def _while_heard(self, events: Events) -> Events:
        with closing(events):
            for event in events:
                if not self._heard():
                    raise MiniGPT5Error("Nobody waits for this any more")
                yield event


class Endpoints:
    """The functions behind the endpoints, typed for the API page; their docstrings are its words."""

    def __init__(
        self, engine: ChatEngine, folder: PictureFolder, heard: Callable[[], bool] = lambda: True
    ) -> None:
        self._engine = _HeardEngine(engine, heard)
        self._folder = folder

    def chat(
        self,
        message: str,
        images: list[dict] | None = None,
        pictures: str = "auto",
        guidance_scale: float = 3.0,
        num_inference_steps: int = 20,
        seed: int | None = None,
        temperature: float = 0.5,
        top_p: float = 0.9,
        max_new_tokens: int = 160,
    ) -> Iterator[dict]:
        """Send one message, with pictures or without, and get words and pictures back.

        Streams growing values of {"text": str, "images": [file, ...], "seeds": [int, ...]}; the last one is the whole
        reply. `pictures` is auto, always or never; without `seed` every call draws anew.
        """
        options = {
            "pictures": pictures,
            "guidance_scale": guidance_scale,
            "num_inference_steps": num_inference_steps,
            "seed": seed,
            "temperature": temperature,
            "top_p": top_p,
            "max_new_tokens": max_new_tokens,
        }
        text, shown, seeds, last = "", [], [], float("-inf")
        for event in self.stream(message, images, None, options):
            match event["type"]:
                case "text":
                    text += event["text"]
                case "picture":
                    shown.append(event["image"])
                    seeds.append(event["seed"])
            now = time.monotonic()
            if now - last >= YIELD_SECONDS:
                last = now
                yield {"text": text, "images": list(shown), "seeds": list(seeds)}
        yield {"text": text, "images": shown, "seeds": seeds}

    def stream(
        self,
        message: str,
        images: list[dict] | None = None,
        history: list[dict] | None = None,
        options: dict | None = None,
    ) -> Iterator[JsonEvent]:
        """Answer a message, event by event.

        `history` is [{"role": "user" | "assistant", "content": [{"type": "text", "text"} | {"type": "image", "image":
        file}]}]; `options` may name temperature, top_p, top_k, repetition_penalty, max_new_tokens, guidance_scale,
        num_inference_steps, scheduler (dpmsolver++, ddim, pndm, lcm, tcd, euler-trailing, fast
        for a model of few steps), seed, pictures (auto, always, never).
        Events by "type": text, picture_started, picture_progress, picture (image, vokens, seed and settings), finished.
        """
        chosen = read_options(options)
        conversation = read_history(history).user(*_parts(message, images))
        with closing(self._engine.stream(conversation, chosen)) as events:
            yield from to_json(events, self._folder)

    def reply(
        self,
        message: str,
        images: list[dict] | None = None,
        history: list[dict] | None = None,
        options: dict | None = None,
    ) -> dict:
        """Answer a message, the whole reply at once: {"content": [part, ...], "reason", "seed", "token_ids",
        "dropped_turns", "timings"}. Takes what `/stream` takes; `content` can be handed back in a history."""
        return folded(self.stream(message, images, history, options))

    def redraw(self, vokens: dict, choices: list[dict] | None = None) -> Iterator[JsonEvent]:
        """Draw a picture again from its vokens, once for each of `choices`, side by side.

        `vokens` are those of a picture event; a choice may name guidance_scale, seed, num_inference_steps and scheduler
        (the last two the same in all). Events as of `/stream`: picture_started, picture_progress, picture.
        """
        chosen = [read_options(choice) for choice in read(OBJECTS, choices or [{}], "choices")]
        with closing(self._engine.redraw(read_vokens(vokens), chosen)) as events:
            yield from to_json(events, self._folder)

    def story(
        self,
        premise: str,
        images: list[dict] | None = None,
        cast: str = "",
        scenes: int = 4,
        tone: str = "plain",
        options: dict | None = None,
    ) -> Iterator[JsonStoryEvent]:
        """Tell a picture story, scene by scene, each with its words and its picture.

        `premise` says what it is about, `cast` who is in it ("Pip the blue rabbit and a green cat named Mia"), `scenes`
        is 2 to 12, `tone` plain, bedtime, funny, adventure or fairy tale; `options` are those of `/stream`. Events by
        "type": scene_started, scene (text, picture, seed) and at the end story, which holds all scenes.
        """
        words, members = read(TEXT, premise or "", "premise"), read(TEXT, cast or "", "cast")
        paths, scenes, tone = _paths(images), read(WHOLE, scenes, "scenes"), read(TEXT, tone, "tone")
        verify_plan(words, len(paths), members, scenes, tone)
        plan = Premise(words, tuple(map(open_image, paths)), read_cast(members), scenes, tone)
        with closing(write_story(self._engine, plan, options=read_options(options))) as events:
            yield from story_to_json(events, self._folder)


def add_endpoints(
    engine: ChatEngine, folder: PictureFolder, heard: Callable[[], bool], concurrency: dict[str, Any]
) -> None:
    """Define the endpoints in the page that is being built.

    `concurrency` bounds the work on the engine; `heard` tells whether the caller of the present call still waits.
    """
    endpoints = Endpoints(engine, folder, heard)
    streams: dict[str, Endpoint] = {
        "chat": endpoints.chat,
        "stream": endpoints.stream,
        "redraw": endpoints.redraw,
        "story": endpoints.story,
    }
    for name, function in streams.items():
        gr.api(function, api_name=name, **concurrency)
    gr.api(endpoints.reply, api_name="reply", **concurrency)


def _parts(message: object, images: object) -> list[TextPart | ImagePart]:
    words, paths = read(TEXT, message, "message"), _paths(images)
    verify_size(words, paths)
    parts: list[TextPart | ImagePart] = [ImagePart(open_image(path)) for path in paths]
    if words.strip():
        parts.append(TextPart(words))
    if not parts:
        raise MiniGPT5Error("The message is empty: expected words, pictures or both")
    return parts


def _paths(images: object) -> list[str]:
    files = read(OBJECTS, images or [], "images")
    return [uploaded_path(image, f"images[{index}]") for index, image in enumerate(files)]
