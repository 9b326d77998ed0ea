"""A story of two scenes with real files, an engine of one script, and waiting for a command, for the tests beside this."""

import time
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from demo.store import ChatStore, PictureFiles
from demo.store.chats import new_id
from demo.store.records import Drawing, Picture
from demo.story.document import Plan, Scene, Story
from demo.story.export.book import Book
from demo.story.service import StoryService
from demo.story.views import book_of
from minigpt5 import (
    Conversation,
    Event,
    GenerationOptions,
    ImageFinished,
    ImageProgress,
    ImageStarted,
    TextDelta,
    TurnFinished,
)

OWNER, OTHER = "a" * 64, "b" * 64


def picture(colour: str, side: int = 24) -> Image.Image:
    return (
        Image.linear_gradient("L").resize((side, side)).convert("RGB").point(lambda v: v // 2 + len(colour))
    )


def make_story(files: PictureFiles) -> Story:
    """Two scenes: the first drawn twice, the second without a picture."""
    drawings = tuple(Drawing(files.save(picture(c)), 7, 3.0, 20, "ddim") for c in ("blue", "yellow"))
    drawn = Picture(files.save_vokens(np.ones((8, 4), np.float32)), drawings, 1)
    scenes = (
        Scene(new_id(), "A blue rabbit named Pip lived here.", "", drawn, 7),
        Scene(new_id(), 'Then it rained. "Hello!" said Pip.', "Make it rain", None, 8),
    )
    plan = Plan("a rabbit", (files.save(picture("red")),), "Pip the blue rabbit", 4, "funny")
    return Story(new_id(), "Pip & the <rain>", plan, scenes, ((), scenes[:1]), {"guidance_scale": 4.0})


def make_book(files: PictureFiles) -> Book:
    return book_of(make_story(files), files, "storybook")


class StoryEngine:
    """Says that Pip waves, and draws; `hold` makes it wait before each step, so that it can be stopped."""

    name = "scripted"
    description: dict[str, object] = {}  # noqa: RUF012  # the protocol's attribute

    def __init__(self, hold: float = 0.0) -> None:
        self.hold, self.seen, self.redrawn = hold, [], []

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Iterator[Event]:
        if options.pictures == "never":  # asked who is in a picture
            yield TextDelta("It is a blue rabbit.")
            return
        self.seen.append(conversation)
        number = sum(message.role == "assistant" for message in conversation.messages)
        text = "A blue rabbit named Pip lived here." if not number else f"Pip waved {number} times."
        yield TextDelta(text)
        yield from self._draw(options, 3)
        yield TurnFinished("stop", 0, 3, 0)

    def redraw(self, vokens: np.ndarray, choices: Sequence[GenerationOptions]) -> Iterator[Event]:
        self.redrawn.append(vokens)
        yield from self._draw(choices[0], 1)

    def _draw(self, options: GenerationOptions, steps: int) -> Iterator[Event]:
        yield ImageStarted(0, 24, 24, steps)
        for step in range(1, steps + 1):
            time.sleep(self.hold)
            yield ImageProgress(0, step, steps, picture("blue", 8))
        image = Image.new("RGB", (24, 24), ((options.seed or 0) % 255, 30, 30))
        vokens = np.zeros((8, 4), np.float32)
        yield ImageFinished(0, image, vokens, options.seed or 0, options.guidance_scale, steps, "ddim")


def make_service(engine: StoryEngine | None = None, store: ChatStore | None = None) -> StoryService:
    return StoryService(engine or StoryEngine(), store or ChatStore())


def wait(opened: object) -> None:
    """Until the story has had done what it was asked for."""
    deadline = time.monotonic() + 20
    while opened.progress is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
