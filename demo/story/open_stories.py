"""The stories that are open in this process, and what is being done to each, for everybody who looks at it.

`service` opens them and starts commands. A story is written by a thread of its own, so the page may be closed while a
stage and a remote look on. All changes go through `OpenStory.change`, which saves them first; readers compare
`revision` and show what is new. Knows nothing of what a command does, nor of who is looking.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from PIL import Image

from demo.guard.failures import failure, sentence
from demo.story.document import MAX_PAST, Scene, Story
from demo.story.repository import StoryRepository
from demo.story.writing.premise import StoryError
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
class Progress:
    """What is being done to scene `place`: "waiting" for its turn, "writing" or "drawing" (step of steps)."""

    place: int
    state: str = "waiting"
    step: int = 0
    steps: int = 0
    preview: str = ""
    since: float = field(default_factory=time.monotonic)
    previewed: float = 0.0


class OpenStory:
    """An open story of `owner`: as it is now, what is being done to it, and the slide that its stage shows."""

    def __init__(self, repository: StoryRepository, owner: str, story: Story) -> None:
        self.story, self.owner = story, owner
        self.progress: Progress | None = None
        self.problem = ""
        self.revision = 0
        self.slide = 0  # 0 is the title, scene n has slide n + 1
        self.stopped = threading.Event()
        self.used = time.monotonic()
        self.lock = threading.RLock()
        self.closing = repository.closing
        self._repository = repository

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
            self._repository.save(self.owner, story)  # before anybody sees it, so that no crash takes it back
            self.touch()

    def put(self, place: int, scene: Scene) -> None:
        """Scene `place` is this from now on."""
        with self.lock:
            scenes = (*self.story.scenes[:place], scene, *self.story.scenes[place + 1 :])
            self.change(replace(self.story, scenes=scenes))

    def show(self, step: int, steps: int, preview: Image.Image | None) -> None:
        """The picture of the scene at work has come so far."""
        progress, now = self.progress, time.monotonic()
        if progress is None or (preview is not None and now - progress.previewed < PREVIEW_SECONDS):
            return
        progress.state, progress.step, progress.steps = "drawing", step, steps
        if preview is not None:
            progress.preview, progress.previewed = preview_url(preview), now
        self.touch()


Command = Callable[[OpenStory], None]


class OpenStories:
    """All open stories; `at_once` of them are written at the same time, the others wait for their turn."""

    def __init__(self, repository: StoryRepository, at_once: int = 1) -> None:
        self.repository = repository
        self._turns = threading.Semaphore(at_once)
        self._open: dict[str, OpenStory] = {}
        self._lock = threading.Lock()
        repository.on_closing.append(self.stop)

    def stop(self) -> None:
        """End what is done to all stories."""
        with self._lock:
            for opened in self._open.values():
                opened.stopped.set()

    def open(self, owner: str, story: str) -> OpenStory:
        """The story, from the repository where it is not open yet; raises `StoryError` when `owner` has none like it."""
        with self._lock:
            opened = self._open.get(story)
            if opened is None:
                found = self.repository.load(owner, story)
                if found is None:
                    raise StoryError(GONE)
                opened = self._open[story] = OpenStory(self.repository, owner, _settled(found))
                self._put_back()
        if not secrets.compare_digest(opened.owner, owner):
            raise StoryError(GONE)
        return opened

    def delete(self, owner: str, story: str) -> None:
        """End what is done to the story, and delete it for good."""
        opened = self.open(owner, story)
        opened.stopped.set()
        with self._lock:
            self._open.pop(story, None)
        self.repository.delete(owner, story)

    def start(self, opened: OpenStory, command: Command) -> None:
        """Do `command` to the story in a thread of its own; raises `StoryError` while another one is done to it.

        Raises `StoryError` also when too many are being written, `MiniGPT5Error` when its owner has no room left.
        """
        self.repository.verify_room(opened.owner)
        with self._lock:
            busy = [
                other for other in self._open.values() if other.progress is not None and other is not opened
            ]
        if sum(other.owner == opened.owner for other in busy) >= MAX_OF_OWNER:
            raise StoryError(MANY)
        if len(busy) >= MAX_BUSY:
            raise StoryError(FULL)
        with opened.lock:
            if opened.progress is not None:
                raise StoryError(BUSY)
            opened.stopped = threading.Event()
            opened.problem, opened.progress = "", Progress(len(opened.story.scenes))
            opened.touch()
        threading.Thread(target=self._do, args=(opened, command), name="story", daemon=True).start()

    def _do(self, opened: OpenStory, command: Command) -> None:
        try:
            while not self._turns.acquire(timeout=0.2):
                if opened.stopped.is_set():
                    return
            try:
                with self.repository.at_work(opened.story.id):
                    command(opened)
            finally:
                self._turns.release()
        except MiniGPT5Error as error:
            opened.problem = sentence(error)
        except Exception as error:
            opened.problem = failure(error, FAILED)
        finally:
            opened.progress = None
            opened.touch()

    def _put_back(self) -> None:
        """Close the longest unused stories beyond MAX_OPEN; the repository has them as they are."""
        unused = sorted(
            (opened.used, story) for story, opened in self._open.items() if opened.progress is None
        )
        for _, story in unused[: max(0, len(self._open) - MAX_OPEN)]:
            del self._open[story]


def _settled(story: Story) -> Story:
    """A story whose writing was cut short by the end of the process."""
    scenes = (replace(scene, ending="stopped") if not scene.ending else scene for scene in story.scenes)
    return replace(story, scenes=tuple(scene for scene in scenes if scene.text or scene.picture))
