"""Engine events -> one chat message: the only place that knows both forms.

A message of the chat is `{"role", "content": [part, ...]}`. A text part is `{"type": "text", "text"}`; a picture part
keeps one `<img>` from the empty sheet over the previews to the finished file, so nothing flickers or jumps.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, assert_never

from PIL import Image

from demo.pictures import PictureFolder, file_url, frame_url, preview_url
from minigpt5 import (
    Event,
    ImageFinished,
    ImagePart,
    ImageProgress,
    ImageStarted,
    Message,
    TextDelta,
    TextPart,
    TurnFinished,
)

PREVIEW_SECONDS = 1 / 6
ALT_LENGTH = 120

ChatPart = dict[str, Any]
ChatMessage = dict[str, Any]

_MARKDOWN = re.compile(r"([\\`*_~|<>])|^(\s*)(#|[-+](?=\s))|(!)(?=\[)|(\])(?=\()", re.MULTILINE)


class Reply:
    """One assistant message while it grows; `show` takes the events in order."""

    def __init__(self, pictures: PictureFolder, clock: Callable[[], float] = time.monotonic) -> None:
        self.parts: list[ChatPart] = []
        self.started = False
        self.finished: TurnFinished | None = None
        self.files: list[Path] = []
        self._spoken: list[TextPart | ImagePart] = []
        self._frames: dict[int, ChatPart] = {}
        self._pictures = pictures
        self._clock = clock
        self._last_preview = float("-inf")

    def show(self, event: Event) -> None:
        """Take one event in; an event of an unknown kind is a programmer's mistake and raises."""
        match event:
            case TextDelta(text):
                self._add_text(text)
            case ImageStarted(index, width, height, steps):
                self._add_frame(index, width, height, steps)
            case ImageProgress(index, step, steps, preview):
                self._update_frame(index, step, steps, preview)
            case ImageFinished(index=index, image=image, seed=seed, guidance_scale=guidance):
                self._fill_frame(index, image, f"seed {seed} · guidance {guidance:.1f}")
            case TurnFinished():
                self.finished = event
            case _:
                assert_never(event)

    def close(self) -> None:
        """Nothing more comes: a half-drawn picture stays as its last preview, an empty sheet goes."""
        for part in self._frames.values():
            if part["value"]["url"].startswith("data:image/svg"):
                self.parts.remove(part)
            else:
                label = part["props"]["label"].replace("drawing", "stopped at")
                part["props"] = {
                    **part["props"],
                    "label": label,
                    "alt_text": "A picture that was not finished",
                }
        self._frames.clear()
        if not self.parts:
            self.remark(
                "Stopped before the first word." if self.finished is None else "The model had nothing to say."
            )

    def remark(self, sentence: str) -> None:
        """A word of the page itself, not of the model: it is shown, and stays out of the conversation."""
        self.parts.append(text_part(f"*{escape_markdown(sentence)}*"))

    def chat_message(self) -> ChatMessage:
        """What the chat shows now."""
        return {"role": "assistant", "content": [dict(part) for part in self.parts] or [text_part("")]}

    def message(self) -> Message | None:
        """What the model said, for the next turn; None when it said nothing."""
        return Message("assistant", tuple(self._spoken)) if self._spoken else None

    def _add_text(self, text: str) -> None:
        last = self._spoken[-1] if self._spoken else None
        if isinstance(last, TextPart) and self.parts[-1]["type"] == "text":
            self.parts[-1] = text_part(last.text + text)
            self._spoken[-1] = TextPart(last.text + text)
        else:
            self.parts.append(text_part(text))
            self._spoken.append(TextPart(text))

    def _add_frame(self, index: int, width: int, height: int, steps: int) -> None:
        part = picture_part(frame_url(width, height), f"drawing 0/{steps}", "A picture is being drawn")
        self.parts.append(part)
        self._frames[index] = part

    def _update_frame(self, index: int, step: int, steps: int, preview: Image.Image) -> None:
        now = self._clock()
        if now - self._last_preview < PREVIEW_SECONDS:
            return
        self._last_preview = now
        part = self._frames[index]
        fresh = picture_part(preview_url(preview), f"drawing {step}/{steps}", part["props"]["alt_text"])
        part.update(fresh)

    def _fill_frame(self, index: int, image: Image.Image, label: str) -> None:
        path = self._pictures.save(image)
        self.files.append(path)
        part = self._frames.pop(index)
        part.update(picture_part(file_url(path), label, self._alt_text(index), path))
        self._spoken.append(ImagePart(image))

    def _alt_text(self, index: int) -> str:
        words = next((part.text for part in reversed(self._spoken) if isinstance(part, TextPart)), "")
        words = " ".join(words.split())
        words = words if len(words) <= ALT_LENGTH else words[:ALT_LENGTH].rsplit(" ", 1)[0] + "…"
        return f"Picture {index + 1} drawn by the model" + (f" for: {words}" if words else "")


def user_message(text: str, pictures: list[Path]) -> ChatMessage:
    """The user's own words, literally, under the pictures that go with them."""
    content = [
        picture_part(file_url(path), "", f"Your picture {number}", path)
        for number, path in enumerate(pictures, 1)
    ]
    if text:
        content.append(text_part(escape_markdown(text)))
    return {"role": "user", "content": content}


def text_part(text: str) -> ChatPart:
    return {"type": "text", "text": text}


def picture_part(url: str, label: str, alt_text: str, path: Path | None = None) -> ChatPart:
    """A picture with a caption. Without the "meta" key Gradio takes the address as it is, which is far cheaper."""
    return {
        "type": "component",
        "component": "image",
        "value": {"url": url, "path": str(path or ""), "orig_name": path.name if path else "preview.webp"},
        "constructor_args": {},
        "props": {"alt_text": alt_text, "label": label},
    }


def escape_markdown(text: str) -> str:
    """`text` such that Markdown shows every character of it: `<ImageHere>` or `*` typed by a user stay readable."""
    return _MARKDOWN.sub(lambda found: (found[2] or "") + "\\" + (found[0][len(found[2] or "") :]), text)
