"""Engine events -> one answer while it grows: what the chat shows of it, and what is stored of it, at any moment.

`ChatHandlers` hands the events over; `save_drawing` serves the picture dialog, too. Writes files of pictures, and
knows neither the database nor the session.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from PIL import Image

from demo.chat.status import Status
from demo.chat.views.messages import (
    ChatMessage,
    ChatPart,
    forming_part,
    node_message,
    text_part,
)
from demo.store.files import PictureFiles
from demo.store.provenance import Origin, write_provenance
from demo.store.records import Drawing, Ending, Node, Part, Picture, Sketch, Words
from demo.web.image_urls import frame_url, preview_url
from minigpt5 import Event, ImageFinished, ImageProgress, ImageStarted, TextDelta, TurnFinished

PREVIEW_SECONDS = 1 / 6
NOWHERE = Origin()


class GrowingReply:
    """The answer that will be `node`; `show` takes the events in order.

    `status` tells what is going on, for whoever waits.
    """

    def __init__(
        self,
        node: Node,
        files: PictureFiles,
        clock: Callable[[], float] = time.monotonic,
        origin: Origin = NOWHERE,
    ) -> None:
        self.status = Status(clock)
        self.started = False
        self.finished: TurnFinished | None = None
        self._node = replace(node, ending="")
        self._files = files
        self._clock = clock
        self._origin = origin
        self._last_preview = float("-inf")
        self._drawing: ChatPart | None = None
        self._preview: tuple[Image.Image, int, int] | None = None

    @property
    def node(self) -> Node:
        """The message as far as it has come, to be stored."""
        return self._node

    def show(self, event: Event) -> None:
        """Take one event in; an event of an unknown kind is a programmer's mistake and raises."""
        self.status.show(event)
        match event:
            case TextDelta(text):
                self._add_text(text)
            case ImageStarted(width=width, height=height, num_inference_steps=steps):
                self._preview = None
                self._drawing = forming_part(
                    frame_url(width, height), f"drawing 0/{steps}", "A picture is being drawn"
                )
            case ImageProgress(step=step, num_inference_steps=steps, preview=preview):
                self._update_drawing(preview, step, steps)
            case ImageFinished():
                self._finish_picture(event)
            case TurnFinished(reason, seed, token_ids, _, timings):
                self.finished = event
                options = {**self._node.options, "seed": seed}
                figures = {**timings, "tokens": len(token_ids)}
                self._node = replace(
                    self._node, ending=reason, options=options, timings=figures, token_ids=token_ids
                )
            case _:
                assert_never(event)

    def close(self, ending: Ending = "stopped") -> None:
        """Nothing more comes: a half-drawn picture stays as its last preview, an empty frame is dropped."""
        if self._drawing is not None and self._preview is not None:
            preview, step, steps = self._preview
            self._add(Sketch(self._files.save(preview), step, steps))
        self._drawing = self._preview = None
        if self._node.ending == "":
            self._node = replace(self._node, ending=ending)
        if self.finished is not None and not self._node.parts:
            self.remark("The model had nothing to say.")

    def remark(self, sentence: str) -> None:
        """A word of the page itself, not of the model: it is shown, and stays out of the conversation."""
        self._add(Words(sentence, remark=True))

    def chat_message(self) -> ChatMessage:
        """What the chat shows now."""
        if self._node.ending:
            return node_message(self._node, self._files)
        content = node_message(self._node, self._files)["content"] if self._node.parts else []
        content += [dict(self._drawing)] if self._drawing is not None else []
        return {"role": "assistant", "content": content or [text_part("")]}

    def _add(self, part: Part) -> None:
        self._node = replace(self._node, parts=(*self._node.parts, part))

    def _add_text(self, text: str) -> None:
        *earlier, last = self._node.parts or (None,)
        if isinstance(last, Words) and not last.remark:
            self._node = replace(self._node, parts=(*earlier, Words(last.text + text)))
        else:
            self._add(Words(text))

    def _update_drawing(self, preview: Image.Image, step: int, steps: int) -> None:
        self._preview = (preview, step, steps)
        now = self._clock()
        if now - self._last_preview >= PREVIEW_SECONDS:
            self._last_preview = now
            self._drawing = forming_part(
                preview_url(preview), f"drawing {step}/{steps}", "A picture is being drawn"
            )

    def _finish_picture(self, event: ImageFinished) -> None:
        drawing = save_drawing(self._files, event, self._origin)
        self._add(Picture(self._files.save_vokens(event.vokens), (drawing,)))
        self._drawing = self._preview = None


def save_drawing(files: PictureFiles, event: ImageFinished, origin: Origin) -> Drawing:
    """Store a finished picture, with all that draws it again."""
    return Drawing(
        files.save(event.image, write_provenance(origin, event)),
        event.seed,
        event.guidance_scale,
        event.num_inference_steps,
        event.scheduler,
    )
