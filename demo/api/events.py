"""The JSON of the public endpoints as it goes out: the engine's events and the story's; called by `endpoints`.

`requests` has what comes in.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypedDict, assert_never

import numpy as np

from demo.store.picture_folder import PictureFolder
from demo.story.writing.writer import SceneFinished, SceneStarted, StoryEvent
from minigpt5 import (
    Event,
    ImageFinished,
    ImageProgress,
    ImageStarted,
    TextDelta,
    TurnFinished,
)

Json = dict[str, Any]


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


def write_vokens(vokens: np.ndarray) -> Vokens:
    """vokens (V,D) as JSON."""
    return {
        "shape": list(vokens.shape),
        "data": base64.b64encode(vokens.astype("<f4").tobytes()).decode(),
    }
