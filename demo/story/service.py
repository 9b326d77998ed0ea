"""Everything that can be asked for about stories, one method a request; called by `routes`.

Knows the repository, the open stories, the commands, exports and remotes; nothing of HTTP or Gradio.
"""

import base64
import io
from collections.abc import Callable
from typing import Any

import segno
from PIL import Image
from pydantic import TypeAdapter

from demo.engine_type import ChatEngine
from demo.guard.input.shapes import Value, read
from demo.guard.input.text import RequestError
from demo.store.chats import ChatStore, new_id, title_of
from demo.store.records import ChatInfo
from demo.story import commands
from demo.story.commands import AuthorCommands
from demo.story.document import Plan, Story
from demo.story.export.book import Book
from demo.story.export.gif import write_gif
from demo.story.export.html import write_html
from demo.story.export.pdf import write_pdf
from demo.story.export.pptx import write_pptx
from demo.story.export.zip import write_zip
from demo.story.export.zip_import import read_zip
from demo.story.open_stories import OpenStories, OpenStory
from demo.story.remote import Remotes
from demo.story.repository import StoryRepository
from demo.story.requests import DETAILS, NEW_STORY
from demo.story.views import book_of
from demo.story.writing.premise import StoryError, verify_plan
from minigpt5 import GenerationOptions, ImageError, open_image

SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
EXPORTS: dict[str, tuple[str, Callable[[Book], bytes]]] = {
    "html": ("text/html; charset=utf-8", write_html),
    "pdf": ("application/pdf", write_pdf),
    "pptx": (SLIDES, write_pptx),
    "gif": ("image/gif", write_gif),
}
MAX_PICTURE = 10 * 2**20
EMPTY = "The story has no scenes yet: write one first"


class StoryService:
    """The stories of one app: their repository, those that are open, and the remotes of their stages."""

    def __init__(self, engine: ChatEngine, store: ChatStore, at_once: int = 1) -> None:
        self._repository = StoryRepository(store)
        self.files = self._repository.files
        self._open_stories = OpenStories(self._repository, at_once)
        self._author = AuthorCommands(engine, self.files)
        self._remotes = Remotes()
        self._model = engine.name

    def list(self, owner: str) -> list[ChatInfo]:
        """The stories of `owner`, the newest first."""
        return self._repository.list(owner)

    def open(self, owner: str, story: str) -> OpenStory:
        """The story; raises `StoryError` when `owner` has none like it."""
        return self._open_stories.open(owner, story)

    def create(self, owner: str, values: dict[str, Any]) -> str:
        """A new story without scenes, planned as `values` say; returns its id."""
        asked = _read(NEW_STORY, values)
        premise, cast, pictures = asked.premise or "", asked.cast or "", asked.pictures or []
        verify_plan(premise, len(pictures), cast, asked.scenes, asked.tone)
        options = {name: value for name, value in (asked.options or {}).items() if value is not None}
        try:
            GenerationOptions(**options)
        except TypeError as error:
            raise StoryError("options: got one that there is not") from error
        self._repository.verify_room(owner, sum(map(len, pictures)))
        uploads = tuple(self.files.save_for_display(_picture(picture)) for picture in pictures)
        plan = Plan(premise.strip(), uploads, cast.strip(), asked.scenes, asked.tone)
        title = title_of(premise) if premise.strip() else title_of(cast)
        story = Story(new_id(), title[:1].upper() + title[1:], plan, options=options)
        self._repository.add(owner, story)
        return story.id

    def take_in(self, owner: str, content: bytes) -> str:
        """The story of a ZIP that `export` made; returns its id."""
        self._repository.verify_room(owner, len(content))
        story = read_zip(content, self.files)
        self._repository.add(owner, story)
        return story.id

    def export(self, opened: OpenStory, kind: str) -> tuple[str, str, bytes]:
        """The story as a file: its name, its media type and its content."""
        story = opened.story
        if not story.scenes:
            raise StoryError(EMPTY)
        book = book_of(story, self.files, self._model)
        if kind == "zip":
            return f"{book.file_stem}.zip", "application/zip", write_zip(story, book, self.files)
        if kind not in EXPORTS:
            raise StoryError(f"got {kind!r:.60}, expected zip, {', '.join(EXPORTS)}")
        media_type, write = EXPORTS[kind]
        return f"{book.file_stem}.{kind}", media_type, write(book)

    def do(self, opened: OpenStory, command: str, values: dict[str, Any]) -> dict[str, Any]:
        """What the author of the story asks for."""
        asked, author = _read(DETAILS, values), self._author
        place = asked.place
        match command:
            case "write" | "run":
                self._start(opened, author.write(asked.ask or "", all_scenes=command == "run"))
            case "go-on":
                self._start(opened, author.go_on_from(place))
            case "retell":
                self._start(opened, author.retell(place))
            case "redraw":
                self._start(opened, author.redraw(place))
            case "illustrate":
                self._start(opened, author.illustrate(place))
            case "edit":
                commands.edit(opened, place, asked.text or "")
            case "move":
                commands.move(opened, place, asked.to)
            case "remove":
                commands.remove(opened, place)
            case "choose":
                commands.choose(opened, place, asked.version)
            case "undo":
                commands.undo(opened)
            case "rename":
                commands.rename(opened, asked.title or "")
            case "delete":
                self._remotes.close(opened.owner, opened.story.id)
                self._open_stories.delete(opened.owner, opened.story.id)
            case "stage":
                return self._open_stage(opened, asked.address or "")
            case "leave-stage":
                self._remotes.close(opened.owner, opened.story.id)
            case _:
                return self.remote_do(opened, command, values)
        return {}

    def on_stage(self, code: str, address: str) -> OpenStory:
        """The story on the stage with the code that somebody at `address` has; raises `StoryError` for a wrong one."""
        stage = self._remotes.find(code, address)
        return self._open_stories.open(stage.owner, stage.story)

    def remote_do(self, opened: OpenStory, command: str, values: dict[str, Any]) -> dict[str, Any]:
        """What a remote may ask for: another slide, the next scene, a pause."""
        asked = _read(DETAILS, values)
        match command:
            case "show":
                if asked.slide is None:
                    raise StoryError("slide: got nothing, expected a whole number")
                opened.slide = min(max(asked.slide, 0), len(opened.story.scenes))
                opened.touch()
            case "next-scene":
                slide = len(opened.story.scenes) + 1
                self._start(opened, self._author.write(asked.ask or ""))
                opened.slide = slide
            case "stop":
                opened.stopped.set()
                opened.touch()
            case _:
                raise StoryError(f"got {command!r:.60}, expected something that can be done to a story")
        return {}

    def _start(self, opened: OpenStory, command: Callable[[OpenStory], None]) -> None:
        self._open_stories.start(opened, command)

    def _open_stage(self, opened: OpenStory, address: str) -> dict[str, Any]:
        """The stage's code, and a QR code of the remote's address below `address`, as SVG."""
        code = self._remotes.open(opened.owner, opened.story.id)
        link = f"{address[:300]}remote/{code}"
        svg = segno.make(link, micro=False).svg_inline(
            border=2, light="#fffaf0", dark="#2c2733", omitsize=True
        )
        return {"code": code, "link": link, "qr": svg}


def _read(shape: TypeAdapter[Value], values: object) -> Value:
    try:
        return read(shape, values)
    except RequestError as error:
        raise StoryError(str(error)) from error


def _picture(value: str) -> Image.Image:
    """The picture inside a data URL."""
    try:
        content = base64.b64decode(value.partition(",")[2], validate=True)
    except ValueError as error:
        raise ImageError("The picture did not arrive whole: choose it again") from error
    if len(content) > MAX_PICTURE:
        raise ImageError(f"The picture has {len(content) / 2**20:.0f} MB, at most 10 MB are allowed")
    try:
        with Image.open(io.BytesIO(content)) as opened:
            return open_image(opened)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError("The picture is damaged, or of a kind that is not known") from error
