"""A story out of a ZIP that `zip` wrote, or that somebody made by hand; called by `service`.

Nothing is unpacked to disk: only members that the manifest names are read, each up to its limit. Saves pictures in
the store's files; whose story it becomes it does not know.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from PIL import Image

from demo.guard.input.text import clean_text, read_json
from demo.guard.input.vokens import read_npy, verify_vokens
from demo.store import PictureFiles
from demo.store.chats import new_id
from demo.store.records import Drawing, Picture
from demo.story.document import Plan, Scene, Story
from demo.story.export.zip import FORMAT, MANIFEST, VERSION
from demo.story.writing.premise import (
    MAX_CAST_LETTERS,
    MAX_LETTERS,
    MAX_PICTURES,
    MAX_SCENES,
    StoryError,
    verify_plan,
)
from minigpt5 import GenerationOptions, MiniGPT5Error, OptionError, open_image

MAX_ARCHIVE = 64 * 2**20  # bytes of the file
MAX_MEMBERS = 400
MAX_MEMBER = 12 * 2**20  # bytes of one member, unpacked
MAX_TOTAL = 128 * 2**20
MAX_TITLE = 200
MAX_SCENE_LETTERS = 4000
MAX_DRAWINGS = 40
MAX_NAME = 200
MAX_SIDE = 2048  # pixels of a picture
MAX_PIXELS = 128 * 10**6  # of all pictures together


def read_zip(content: bytes, files: PictureFiles) -> Story:
    """The story in a file of `write_zip`, under an id of its own; its pictures are saved in `files`.

    Raises `StoryError` with one sentence for anything else.
    """
    if len(content) > MAX_ARCHIVE:
        raise StoryError(
            f"The file has {len(content) / 2**20:.0f} MB, at most {MAX_ARCHIVE // 2**20} MB are allowed"
        )
    _verify_count(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, files.all_or_none():
            _verify_members(archive)
            manifest = _manifest(archive)
            _verify_counts(manifest["story"], manifest["files"])
            return _Reading(archive, manifest["files"], files).story(manifest["story"])
    except StoryError:
        raise
    except MiniGPT5Error as error:
        raise StoryError(f"The ZIP is not a story of this app: {error}") from error
    except (zipfile.BadZipFile, zlib.error, OSError) as error:
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
        OverflowError,
        MemoryError,
    ) as error:
        raise StoryError(
            f"The ZIP is not a story of this app: {MANIFEST} does not hold what it must"
        ) from error


def _verify_count(content: bytes) -> None:
    """Raise `StoryError` for a ZIP whose list of members is long, before anybody reads that list."""
    end = content.rfind(b"PK\x05\x06", max(0, len(content) - 2**16 - 22))
    count = int.from_bytes(content[end + 10 : end + 12], "little") if end >= 0 else 0
    size = int.from_bytes(content[end + 12 : end + 16], "little") if end >= 0 else 0
    if count > MAX_MEMBERS or size > MAX_MEMBERS * (46 + 3 * MAX_NAME):
        raise StoryError(
            f"The ZIP has {count} files in a list of {size} bytes, at most {MAX_MEMBERS} are allowed"
        )


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
    values = read_json(_read(archive, MANIFEST))
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


def _verify_counts(story: Mapping[str, Any], names: Mapping[str, Any]) -> None:
    """Raise `StoryError` unless all that is counted in a manifest is within its limits; nothing is opened before."""
    uploads, scenes = story["plan"]["uploads"], story["scenes"]
    if not isinstance(uploads, list) or not isinstance(scenes, list):
        raise TypeError("no lists of scenes and pictures")
    _verify(len(uploads) <= MAX_PICTURES, f"{len(uploads)} pictures in its premise, at most {MAX_PICTURES}")
    _verify(len(scenes) <= MAX_SCENES, f"{len(scenes)} scenes, more than {MAX_SCENES} scenes")
    _verify(len(names) <= MAX_MEMBERS, f"{len(names)} names of files, at most {MAX_MEMBERS}")
    _verify(all(isinstance(name, str) for name in names.values()), "a name of a file that is no text")
    for scene in scenes:
        drawings = scene["picture"]["drawings"] if scene["picture"] is not None else [None]
        _verify(0 < len(drawings) <= MAX_DRAWINGS, f"a picture without drawings or with over {MAX_DRAWINGS}")


class _Reading:
    """One ZIP being read: every value of its manifest is verified, every picture saved as a file of the store."""

    def __init__(self, archive: zipfile.ZipFile, names: Mapping[str, str], files: PictureFiles) -> None:
        self._archive, self._names, self._files = archive, dict(names), files
        self._left = MAX_TOTAL  # bytes that may still be unpacked
        self._known: dict[str, str] = {}  # a picture that is named often is read once

    def story(self, values: Mapping[str, Any]) -> Story:
        plan = values["plan"]
        premise, cast = _text(plan["premise"], MAX_LETTERS), _text(plan["cast"], MAX_CAST_LETTERS)
        verify_plan(premise, len(plan["uploads"]), cast, plan["scenes"], plan["tone"])
        title, options = _text(values["title"], MAX_TITLE), _options(values["options"])
        self._measure(plan["uploads"], values["scenes"])
        uploads = tuple(self._picture(name) for name in plan["uploads"])
        scenes = tuple(self._scene(scene) for scene in values["scenes"])
        made = Plan(premise, uploads, cast, plan["scenes"], plan["tone"])
        return Story(new_id(), title, made, scenes, (), options)

    def _scene(self, values: Mapping[str, Any]) -> Scene:
        picture, seed = values["picture"], values["seed"]
        _verify(
            seed is None or (isinstance(seed, int) and 0 <= seed < 2**63), "a seed that is no whole number"
        )
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
        chosen = values["chosen"]
        _verify(isinstance(chosen, int) and 0 <= chosen < len(drawings), "a drawing that is not there")
        vokens = self._vokens(values["vokens"]) if values["vokens"] else ""
        return Picture(vokens, tuple(map(self._drawing, drawings)), chosen)

    def _drawing(self, values: Mapping[str, Any]) -> Drawing:
        how = ("seed", "guidance_scale", "num_inference_steps", "scheduler")
        options = _options({name: values[name] for name in how})
        return Drawing(self._picture(values["file"]), **options)

    def _measure(self, uploads: list[Any], scenes: list[Any]) -> None:
        """Raise `StoryError` for pictures that are too large by their headers, before any is opened."""
        drawn = [drawing for scene in scenes if scene["picture"] for drawing in scene["picture"]["drawings"]]
        pixels = 0
        for file in {*uploads, *(drawing["file"] for drawing in drawn)}:
            with self._archive.open(self._names[file]) as member:
                head = member.read(24)
            width, height = (int.from_bytes(head[place : place + 4], "big") for place in (16, 20))
            _verify(
                max(width, height) <= MAX_SIDE,
                f"a picture of {width} x {height} pixels, at most {MAX_SIDE} x {MAX_SIDE} are allowed",
            )
            pixels += width * height
        _verify(
            pixels <= MAX_PIXELS,
            f"pictures of {pixels / 1e6:.0f} megapixels together, at most {MAX_PIXELS / 1e6:.0f} are allowed",
        )

    def _picture(self, file: str) -> str:
        if file in self._known:
            return self._known[file]
        content = self._unpacked(file)
        try:
            with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
                found = self._known[file] = self._files.save(open_image(opened))
                return found
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, MiniGPT5Error) as error:
            raise StoryError(f"The ZIP's {self._names[file][:80]!r} is not a sound PNG picture") from error

    def _unpacked(self, file: str) -> bytes:
        content = _read(self._archive, self._names[file])
        self._left -= len(content)
        if self._left < 0:
            raise StoryError(f"The ZIP unpacks to more than {MAX_TOTAL // 2**20} MB")
        return content

    def _vokens(self, file: str) -> str:
        values = read_npy(self._unpacked(file))
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
