"""A story as a ZIP that people can read (Markdown and PNG) and that can be taken in again to go on with it.

`story.md`, `pictures/01.png` ... and, for the way back, `story.json` with every scene, drawing and version. What comes
in is never unpacked to disk: only members that the manifest names are read, each up to its limit.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from demo.guard.text import clean_text
from demo.guard.vokens import verify_vokens
from demo.store import PictureFiles
from demo.store.chats import new_id
from demo.store.records import Drawing, Picture
from demo.story.book import Book
from demo.story.premise import (
    MAX_CAST_LETTERS,
    MAX_LETTERS,
    MAX_PICTURES,
    MAX_SCENES,
    StoryError,
    verify_plan,
)
from demo.story.records import Plan, Scene, Story, story_json
from minigpt5 import GenerationOptions, MiniGPT5Error, OptionError, open_image

FORMAT, VERSION = "minigpt5-story", 1
MANIFEST = "story.json"
MAX_ARCHIVE = 64 * 2**20  # bytes of the file
MAX_MEMBERS = 400
MAX_MEMBER = 12 * 2**20  # bytes of one member, unpacked
MAX_TOTAL = 128 * 2**20
MAX_TITLE = 200
MAX_SCENE_LETTERS = 4000
MAX_DRAWINGS = 40


def write_zip(story: Story, book: Book, files: PictureFiles) -> bytes:
    """The file: the story as it is now, with every drawing of its pictures."""
    members, names = _members(story, files)
    values = story_json(replace(story, past=()))
    manifest = {"format": FORMAT, "version": VERSION, "model": book.model, "story": values, "files": names}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("story.md", _markdown(book))
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _members(story: Story, files: PictureFiles) -> tuple[dict[str, bytes], dict[str, str]]:
    """The members for pictures and vokens, and which stored file is which of them."""
    names: dict[str, str] = {}
    for number, upload in enumerate(story.plan.uploads, 1):
        names.setdefault(upload, f"premise/{number:02}.png")
    for number, scene in enumerate(story.scenes, 1):
        if scene.picture is None:
            continue
        assert scene.drawing is not None
        names.setdefault(scene.drawing.file, f"pictures/{number:02}.png")
        for version, drawing in enumerate(scene.picture.drawings, 1):
            names.setdefault(drawing.file, f"drawings/{number:02}-{version:02}.png")
        if scene.picture.vokens:
            names.setdefault(scene.picture.vokens, f"vokens/{number:02}.npy")
    return {member: files.path(file).read_bytes() for file, member in names.items()}, names


def _markdown(book: Book) -> str:
    pages = []
    for number, page in enumerate(book.pages, 1):
        picture = f"![Scene {number}](pictures/{number:02}.png)\n\n" if page.image else ""
        pages.append(f"## {number}\n\n{picture}{page.text}\n")
    return f"# {book.title}\n\n" + "\n".join(pages) + f"\n*{book.colophon}*\n"


def read_zip(content: bytes, files: PictureFiles) -> Story:
    """The story in a file of `write_zip`, under an id of its own; its pictures are saved in `files`.

    Raises `StoryError` with one sentence for anything else.
    """
    if len(content) > MAX_ARCHIVE:
        raise StoryError(
            f"The file has {len(content) / 2**20:.0f} MB, at most {MAX_ARCHIVE // 2**20} MB are allowed"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _verify_members(archive)
            manifest = _manifest(archive)
            return _Reading(archive, manifest["files"], files).story(manifest["story"])
    except zipfile.BadZipFile as error:
        raise StoryError(
            "The file is damaged or not a ZIP: expected one that a story was saved as"
        ) from error
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        NotImplementedError,
        EOFError,
        RuntimeError,
    ) as error:
        raise StoryError(
            f"The ZIP is not a story of this app: {MANIFEST} does not hold what it must"
        ) from error


def _verify_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise StoryError(f"The ZIP has {len(members)} files, at most {MAX_MEMBERS} are allowed")
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        if member.filename.startswith(("/", "\\")) or ".." in parts or ":" in member.filename:
            raise StoryError(f"The ZIP holds {member.filename[:80]!r}, a name that leads out of its folder")
    if any(member.file_size > MAX_MEMBER for member in members) or (
        sum(member.file_size for member in members) > MAX_TOTAL
    ):
        raise StoryError(
            f"The ZIP unpacks to more than {MAX_TOTAL // 2**20} MB in all or {MAX_MEMBER // 2**20} MB in one file"
        )


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    if MANIFEST not in archive.namelist():
        raise StoryError(f"The ZIP holds no {MANIFEST}, so it is not a story that was saved here")
    values = json.loads(_read(archive, MANIFEST))
    if values.get("format") != FORMAT:
        raise StoryError(f"{MANIFEST}: got format {values.get('format')!r:.60}, expected {FORMAT!r}")
    if values.get("version") != VERSION:
        raise StoryError(f"{MANIFEST}: got version {values.get('version')!r:.60}, expected {VERSION}")
    return values


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member's content; sizes that a ZIP states are not believed."""
    with archive.open(name) as member:
        content = member.read(MAX_MEMBER + 1)
    if len(content) > MAX_MEMBER:
        raise StoryError(f"The ZIP's {name[:80]!r} unpacks to more than {MAX_MEMBER // 2**20} MB")
    return content


class _Reading:
    """One file being taken in: every value of its manifest is verified, every picture made into one of ours."""

    def __init__(self, archive: zipfile.ZipFile, names: Mapping[str, str], files: PictureFiles) -> None:
        self._archive, self._names, self._files = archive, dict(names), files

    def story(self, values: Mapping[str, Any]) -> Story:
        plan = values["plan"]
        uploads = tuple(self._picture(name) for name in plan["uploads"])
        _verify(len(uploads) <= MAX_PICTURES, "too many pictures in its premise")
        premise, cast = _text(plan["premise"], MAX_LETTERS), _text(plan["cast"], MAX_CAST_LETTERS)
        verify_plan(premise, len(uploads), cast, plan["scenes"], plan["tone"])
        scenes = tuple(self._scene(scene) for scene in values["scenes"])
        _verify(len(scenes) <= MAX_SCENES, f"more than {MAX_SCENES} scenes")
        title = _text(values["title"], MAX_TITLE)
        made = Plan(premise, uploads, cast, plan["scenes"], plan["tone"])
        return Story(new_id(), title, made, scenes, (), _options(values["options"]))

    def _scene(self, values: Mapping[str, Any]) -> Scene:
        picture, seed = values["picture"], values["seed"]
        _verify(seed is None or isinstance(seed, int), "a seed that is no number")
        return Scene(
            new_id(),
            _text(values["text"], MAX_SCENE_LETTERS),
            _text(values["ask"], MAX_LETTERS),
            self._versions(picture) if picture is not None else None,
            seed,
            "stop" if values["ending"] == "stop" else "stopped",
        )

    def _versions(self, values: Mapping[str, Any]) -> Picture:
        drawings = values["drawings"]
        _verify(0 < len(drawings) <= MAX_DRAWINGS, f"a picture without drawings or with over {MAX_DRAWINGS}")
        chosen = values["chosen"]
        _verify(isinstance(chosen, int) and 0 <= chosen < len(drawings), "a drawing that is not there")
        vokens = self._vokens(values["vokens"]) if values["vokens"] else ""
        return Picture(vokens, tuple(map(self._drawing, drawings)), chosen)

    def _drawing(self, values: Mapping[str, Any]) -> Drawing:
        how = ("seed", "guidance_scale", "num_inference_steps", "scheduler")
        options = _options({name: values[name] for name in how})
        return Drawing(self._picture(values["file"]), **options)

    def _picture(self, file: str) -> str:
        content = _read(self._archive, self._names[file])
        try:
            with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
                return self._files.save(open_image(opened))
        except (OSError, SyntaxError, Image.DecompressionBombError, MiniGPT5Error) as error:
            raise StoryError(f"The ZIP's {self._names[file][:80]!r} is not a sound PNG picture") from error

    def _vokens(self, file: str) -> str:
        values = np.load(io.BytesIO(_read(self._archive, self._names[file])), allow_pickle=False)
        sound = values.dtype == np.float32 and values.ndim == 2 and bool(np.isfinite(values).all())
        _verify(sound, "vokens that are no finite float32 numbers")
        verify_vokens(values)
        return self._files.save_vokens(values)


def _verify(right: bool, what: str) -> None:
    if not right:
        raise StoryError(f"{MANIFEST} holds {what}")


def _text(value: object, letters: int) -> str:
    _verify(
        isinstance(value, str) and len(value) <= letters, f"a text that is none or has over {letters} letters"
    )
    return clean_text(str(value))


def _options(values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        GenerationOptions(**values)
    except OptionError as error:
        raise StoryError(f"{MANIFEST}: {error}") from error
    return dict(values)
