"""The desk where stories are written: what is happening to each open story, for everybody who looks at it.

A story is written by a thread of its own, so that a page may close, a stage open and a phone look on meanwhile. All
changes go through `Live.change`, which keeps them; whoever looks asks for `revision` and draws what is new.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from PIL import Image

from demo.guard.failures import failure, sentence
from demo.story.premise import StoryError
from demo.story.records import MAX_PAST, Scene, Story
from demo.story.shelf import StoryShelf
from demo.web.image_urls import preview_url
from minigpt5 import MiniGPT5Error

PREVIEW_SECONDS = 1 / 6
MAX_OPEN = 200  # stories in memory; the longest unused ones that nobody writes are put back
MAX_OF_OWNER, MAX_BUSY = 4, 32  # stories that are being written or wait for it
MANY = "Four of your stories are being written already: wait for one of them, or pause it"
FULL = "So many stories are being written that no more can be taken in now: try again in a minute"
BUSY = "The story is being written: pause it first"
GONE = "There is no such story, or it is not yours"
FAILED = "Something went wrong on this side. What was written is kept: try again. (Number {number})"


@dataclass
class Work:
    """What is being done to scene `place`: "waiting" for its turn, "writing" or "drawing" (step of steps)."""

    place: int
    state: str = "waiting"
    step: int = 0
    steps: int = 0
    preview: str = ""
    since: float = field(default_factory=time.monotonic)
    previewed: float = 0.0


class Live:
    """An open story of `owner`: as it is now, what is being done to it, and the slide that its stage shows."""

    def __init__(self, shelf: StoryShelf, owner: str, story: Story) -> None:
        self.story, self.owner = story, owner
        self.work: Work | None = None
        self.problem = ""
        self.revision = 0
        self.slide = 0  # 0 is the title, scene n has slide n + 1
        self.stopped = threading.Event()
        self.used = time.monotonic()
        self.lock = threading.RLock()
        self.closing = shelf.closing
        self._shelf = shelf

    def touch(self) -> None:
        """Something is new to look at."""
        self.revision += 1
        self.used = time.monotonic()

    def change(self, story: Story, *, undoable: bool = False) -> None:
        """The story is this from now on; with `undoable` what it was can be brought back."""
        with self.lock:
            if undoable:
                story = replace(story, past=(*self.story.past, self.story.scenes)[-MAX_PAST:])
            self.story = story
            self._shelf.save(self.owner, story)  # before anybody sees it, so that no crash takes it back
            self.touch()

    def put(self, place: int, scene: Scene) -> None:
        """Scene `place` is this from now on."""
        with self.lock:
            scenes = (*self.story.scenes[:place], scene, *self.story.scenes[place + 1 :])
            self.change(replace(self.story, scenes=scenes))

    def show(self, step: int, steps: int, preview: Image.Image | None) -> None:
        """The picture of the scene at work has come so far."""
        work, now = self.work, time.monotonic()
        if work is None or (preview is not None and now - work.previewed < PREVIEW_SECONDS):
            return
        work.state, work.step, work.steps = "drawing", step, steps
        if preview is not None:
            work.preview, work.previewed = preview_url(preview), now
        self.touch()


Deed = Callable[[Live], None]


class Desk:
    """All open stories; `at_once` of them are written at the same time, the others wait for their turn."""

    def __init__(self, shelf: StoryShelf, at_once: int = 1) -> None:
        self.shelf = shelf
        self._turns = threading.Semaphore(at_once)
        self._open: dict[str, Live] = {}
        self._lock = threading.Lock()
        shelf.on_closing.append(self.stop)

    def stop(self) -> None:
        """End what is done to all stories."""
        with self._lock:
            for live in self._open.values():
                live.stopped.set()

    def open(self, owner: str, story: str) -> Live:
        """The story, from the shelf where it is not open yet; raises `StoryError` when `owner` has none like it."""
        with self._lock:
            live = self._open.get(story)
            if live is None:
                found = self.shelf.load(owner, story)
                if found is None:
                    raise StoryError(GONE)
                live = self._open[story] = Live(self.shelf, owner, _settled(found))
                self._put_back()
        if not secrets.compare_digest(live.owner, owner):
            raise StoryError(GONE)
        return live

    def delete(self, owner: str, story: str) -> None:
        """End what is done to the story, and delete it for good."""
        live = self.open(owner, story)
        live.stopped.set()
        with self._lock:
            self._open.pop(story, None)
        self.shelf.delete(owner, story)

    def start(self, live: Live, deed: Deed) -> None:
        """Do `deed` to the story in a thread of its own; raises `StoryError` while another one is done to it.

        Raises `StoryError` also when too many are being written, `MiniGPT5Error` when its owner has no room left.
        """
        self.shelf.verify_room(live.owner)
        with self._lock:
            busy = [other for other in self._open.values() if other.work is not None and other is not live]
        if sum(other.owner == live.owner for other in busy) >= MAX_OF_OWNER:
            raise StoryError(MANY)
        if len(busy) >= MAX_BUSY:
            raise StoryError(FULL)
        with live.lock:
            if live.work is not None:
                raise StoryError(BUSY)
            live.stopped = threading.Event()
            live.problem, live.work = "", Work(len(live.story.scenes))
            live.touch()
        threading.Thread(target=self._do, args=(live, deed), name="story", daemon=True).start()

    def _do(self, live: Live, deed: Deed) -> None:
        try:
            while not self._turns.acquire(timeout=0.2):
                if live.stopped.is_set():
                    return
            try:
                with self.shelf.at_work(live.story.id):
                    deed(live)
            finally:
                self._turns.release()
        except MiniGPT5Error as error:
            live.problem = sentence(error)
        except Exception as error:
            live.problem = failure(error, FAILED)
        finally:
            live.work = None
            live.touch()

    def _put_back(self) -> None:
        """Close the longest unused stories beyond MAX_OPEN; they are on the shelf as they are."""
        unused = sorted((live.used, story) for story, live in self._open.items() if live.work is None)
        for _, story in unused[: max(0, len(self._open) - MAX_OPEN)]:
            del self._open[story]


def _settled(story: Story) -> Story:
    """A story whose writing was cut short by the end of the process."""
    scenes = (replace(scene, ending="stopped") if not scene.ending else scene for scene in story.scenes)
    return replace(story, scenes=tuple(scene for scene in scenes if scene.text or scene.picture))
