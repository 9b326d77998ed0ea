"""The public endpoint `/chat`: one request, the reply streamed as `{"text", "images", "seeds"}`."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from demo.chat import YIELD_SECONDS, sentence, verify_size
from demo.engine_type import ChatEngine, streaming
from demo.pictures import PictureFolder
from minigpt5 import (
    Conversation,
    GenerationOptions,
    ImageFinished,
    ImagePart,
    MiniGPT5Error,
    TextDelta,
    TextPart,
    open_image,
)

DESCRIPTION = (
    "Send one message, with pictures or without, and get words and pictures back. Streams growing values of "
    '{"text": str, "images": [file, ...], "seeds": [int, ...]}; the last one is the whole reply. '
    "`pictures` is auto, always or never; without `seed` every call draws anew."
)

Endpoint = Callable[..., Iterator[dict]]


def chat_endpoint(engine: ChatEngine, folder: PictureFolder) -> Endpoint:
    """The function behind `/chat`, typed for the API page."""

    def chat(
        message: str,
        images: list[dict] | None = None,
        pictures: str = "auto",
        guidance_scale: float = 3.0,
        num_inference_steps: int = 20,
        seed: int | None = None,
        temperature: float = 0.7,
        top_p: float = 0.9,
        max_new_tokens: int = 160,
    ) -> Iterator[dict]:
        try:
            options = GenerationOptions(
                pictures=pictures,  # type: ignore[arg-type]  # the options verify what comes from outside
                guidance_scale=guidance_scale,
                num_inference_steps=num_inference_steps,
                seed=seed,
                temperature=temperature,
                top_p=top_p,
                max_new_tokens=max_new_tokens,
            )
            yield from _stream(engine, folder, _conversation(message, images or []), options)
        except MiniGPT5Error as error:
            raise gr.Error(sentence(error), print_exception=False) from error

    return chat


def _conversation(message: str, images: list[dict]) -> Conversation:
    if not isinstance(message, str):
        raise MiniGPT5Error(f"message: got {type(message).__name__}, expected a string")
    paths = [_uploaded_path(image) for image in images]
    verify_size(message, paths)
    parts = [ImagePart(open_image(path)) for path in paths] + ([TextPart(message)] if message.strip() else [])
    if not parts:
        raise MiniGPT5Error("The message is empty: expected words, pictures or both")
    return Conversation().user(*parts)


def _uploaded_path(image: object) -> str:
    """The path of an uploaded file. Gradio has verified it only where its mark is on it, so nothing else will do."""
    if isinstance(image, dict) and (image.get("meta") or {}).get("_type") == "gradio.FileData":
        path = image.get("path")
        if isinstance(path, str):
            return path
    raise MiniGPT5Error("images: expected uploaded files, as gradio_client.handle_file makes them")


def _stream(
    engine: ChatEngine, folder: PictureFolder, conversation: Conversation, options: GenerationOptions
) -> Iterator[dict[str, Any]]:
    text, images, seeds, last = "", [], [], float("-inf")
    with streaming(engine, conversation, options) as events:
        for event in events:
            if isinstance(event, TextDelta):
                text += event.text
            elif isinstance(event, ImageFinished):
                images.append({"path": str(folder.save(event.image)), "meta": {"_type": "gradio.FileData"}})
                seeds.append(event.seed)
            now = time.monotonic()
            if now - last >= YIELD_SECONDS:
                last = now
                yield {"text": text, "images": list(images), "seeds": list(seeds)}
    yield {"text": text, "images": images, "seeds": seeds}
