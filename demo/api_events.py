"""The JSON of the public endpoints: a chat as it comes in, the engine's events as they go out.

A message is `{"role": "user" | "assistant", "content": [part, ...]}`; a part is `{"type": "text", "text"}` or
`{"type": "image", "image": file}`. What an endpoint returns as `content` may be handed back in the next call's history.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypedDict, assert_never

import numpy as np

from demo.guard.input.text import brief
from demo.guard.input.uploads import uploaded_path
from demo.guard.input.vokens import verify_vokens
from demo.store.picture_folder import PictureFolder
from demo.story.writing.writer import SceneFinished, SceneStarted, StoryEvent
from minigpt5 import (
    Conversation,
    Event,
    GenerationOptions,
    ImageFinished,
    ImagePart,
    ImageProgress,
    ImageStarted,
    Message,
    MiniGPT5Error,
    OptionError,
    TextDelta,
    TextPart,
    TurnFinished,
    open_image,
)

Json = dict[str, Any]
MAX_TURNS, MAX_HISTORY_LETTERS, MAX_HISTORY_PICTURES = 400, 200_000, 64


class Vokens(TypedDict):
    """float32 numbers of `shape` (V, D), little-endian, in base64."""

    shape: list[int]
    data: str


class TextEvent(TypedDict):
    """More words."""

    type: Literal["text"]
    text: str


class PictureStartedEvent(TypedDict):
    """A picture is about to be drawn."""

    type: Literal["picture_started"]
    index: int
    width: int
    height: int
    num_inference_steps: int


class PictureProgressEvent(TypedDict):
    """A denoising step is done."""

    type: Literal["picture_progress"]
    index: int
    step: int
    num_inference_steps: int


class PictureEvent(TypedDict):
    """The finished picture, with all that `/redraw` needs."""

    type: Literal["picture"]
    index: int
    image: Json
    vokens: Vokens
    seed: int
    guidance_scale: float
    num_inference_steps: int
    scheduler: str


class FinishedEvent(TypedDict):
    """The reply is over."""

    type: Literal["finished"]
    reason: str
    seed: int
    token_ids: list[int]
    dropped_turns: int
    timings: dict[str, float]


class SceneStartedEvent(TypedDict):
    """A scene of a story is about to be told."""

    type: Literal["scene_started"]
    scene: int


class SceneEvent(TypedDict):
    """A scene is told; `picture` is None when the model drew none."""

    type: Literal["scene"]
    scene: int
    text: str
    picture: PictureEvent | None
    seed: int


class StoryEndEvent(TypedDict):
    """The whole story, scene by scene."""

    type: Literal["story"]
    scenes: list[SceneEvent]


JsonEvent = TextEvent | PictureStartedEvent | PictureProgressEvent | PictureEvent | FinishedEvent
JsonStoryEvent = SceneStartedEvent | SceneEvent | StoryEndEvent


def to_json(events: Iterable[Event], folder: PictureFolder) -> Iterator[JsonEvent]:
    """Each of `events` as JSON; finished pictures are written into `folder`."""
    for event in events:
        match event:
            case TextDelta(text):
                yield {"type": "text", "text": text}
            case ImageStarted(index, width, height, steps):
                yield {
                    "type": "picture_started",
                    "index": index,
                    "width": width,
                    "height": height,
                    "num_inference_steps": steps,
                }
            case ImageProgress(index=index, step=step, num_inference_steps=steps):
                yield {"type": "picture_progress", "index": index, "step": step, "num_inference_steps": steps}
            case ImageFinished():
                yield _picture(event, folder)
            case TurnFinished():
                yield {
                    "type": "finished",
                    "reason": event.finish_reason,
                    "seed": event.seed,
                    "token_ids": list(event.token_ids),
                    "dropped_turns": event.dropped_turns,
                    "timings": event.timings,
                }
            case _:
                assert_never(event)


def _picture(event: ImageFinished, folder: PictureFolder) -> PictureEvent:
    return {
        "type": "picture",
        "index": event.index,
        "image": {"path": str(folder.save(event.image)), "meta": {"_type": "gradio.FileData"}},
        "vokens": write_vokens(event.vokens),
        "seed": event.seed,
        "guidance_scale": event.guidance_scale,
        "num_inference_steps": event.num_inference_steps,
        "scheduler": event.scheduler,
    }


def story_to_json(events: Iterable[StoryEvent], folder: PictureFolder) -> Iterator[JsonStoryEvent]:
    """The landmarks of a story as JSON, the whole story last; drafts on the way are not told."""
    scenes: list[SceneEvent] = []
    for event in events:
        match event:
            case SceneStarted(place):
                yield {"type": "scene_started", "scene": place}
            case SceneFinished(place, text, picture, seed):
                drawn = _picture(picture, folder) if picture else None
                scenes.append({"type": "scene", "scene": place, "text": text, "picture": drawn, "seed": seed})
                yield scenes[-1]
            case _:
                pass  # words and pictures while they form
    yield {"type": "story", "scenes": scenes}


def folded(events: Iterable[JsonEvent]) -> Json:
    """The whole reply: its content in order, and the facts of its end."""
    content: list[Json] = []
    ending: Json = {}
    for event in events:
        match event["type"]:
            case "text":
                if not content or content[-1]["type"] != "text":
                    content.append({"type": "text", "text": ""})
                content[-1]["text"] += event["text"]
            case "picture":
                content.append({**event, "type": "image"})
            case "finished":
                ending = {name: value for name, value in event.items() if name != "type"}
    return {"content": content, **ending}


def read_options(values: Json | None) -> GenerationOptions:
    """The options named in `values`; raises `OptionError` for other names and for values out of range."""
    known = GenerationOptions.__dataclass_fields__
    if values is not None and not isinstance(values, dict):
        raise OptionError(f"options: got {type(values).__name__}, expected an object of {', '.join(known)}")
    if unknown := sorted(set(values or {}) - set(known)):
        raise OptionError(f"options: got {', '.join(unknown):.80}, expected only {', '.join(known)}")
    return GenerationOptions(**(values or {}))


def read_history(history: list[Json] | None) -> Conversation:
    """The conversation that `history` tells; raises `MiniGPT5Error` that names the place of what is wrong."""
    messages = _list("history", history)
    verify_history(messages)
    return Conversation(
        tuple(_message(f"history[{index}]", message) for index, message in enumerate(messages))
    )


def verify_history(messages: list[Any]) -> None:
    """Raise `MiniGPT5Error` when a history has more than any model remembers, before any of it is read."""
    if len(messages) > MAX_TURNS:
        raise MiniGPT5Error(f"history: got {len(messages)} messages, expected at most {MAX_TURNS}")
    parts = [part for m in messages if isinstance(m, dict) for part in _listed(m.get("content"))]
    letters = sum(len(text) for part in parts if isinstance(text := part.get("text"), str))
    pictures = sum("image" in part for part in parts)
    if letters > MAX_HISTORY_LETTERS:
        raise MiniGPT5Error(f"history: got {letters} letters, expected at most {MAX_HISTORY_LETTERS}")
    if pictures > MAX_HISTORY_PICTURES:
        raise MiniGPT5Error(f"history: got {pictures} pictures, expected at most {MAX_HISTORY_PICTURES}")


def _listed(content: object) -> list[dict[str, Any]]:
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _message(place: str, message: Any) -> Message:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("user", "assistant"):
        raise MiniGPT5Error(f"{place}.role: got {brief(role)}, expected 'user' or 'assistant'")
    content = _list(f"{place}.content", message.get("content"))
    return Message(
        role, tuple(_part(f"{place}.content[{number}]", part) for number, part in enumerate(content))
    )


def _part(place: str, part: object) -> TextPart | ImagePart:
    match part:
        case {"type": "text", "text": str(text)}:
            return TextPart(text)
        case {"type": "image", "image": image}:
            return ImagePart(open_image(uploaded_path(image, f"{place}.image")))
    raise MiniGPT5Error(
        f'{place}: got {part!r:.80}, expected {{"type": "text", "text": str}} or {{"type": "image", "image": file}}'
    )


def _list(place: str, values: object) -> list[Any]:
    if values is None:
        return []
    if not isinstance(values, list):
        raise MiniGPT5Error(f"{place}: got {type(values).__name__}, expected a list")
    return values


def write_vokens(vokens: np.ndarray) -> Vokens:
    """vokens (V,D) as JSON."""
    return {
        "shape": list(vokens.shape),
        "data": base64.b64encode(vokens.astype("<f4").tobytes()).decode(),
    }


def read_vokens(values: object) -> np.ndarray:
    """What `write_vokens` wrote, (V,D) float32; raises `OptionError` for anything else."""
    try:
        match values:
            case {"shape": [int(rows), int(width)], "data": str(data)} if _is_shape(rows, width):
                vokens = np.frombuffer(base64.b64decode(data, validate=True), "<f4").reshape(rows, width)
                verify_vokens(vokens)
                return vokens.copy()
    except ValueError as error:
        raise OptionError(f"vokens: got data that is not as its shape says ({error})") from error
    raise OptionError('vokens: expected {"shape": [V, D], "data": base64}, as a picture of a reply has them')


def _is_shape(rows: int, width: int) -> bool:
    return not isinstance(rows, bool) and not isinstance(width, bool) and rows > 0 and width > 0
