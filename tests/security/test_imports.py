"""What comes in as a file: counted before any work, whole or not at all, and never an error without a sentence."""

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from served import Served, serving

from demo.store import ChatStore, Drawing, Picture, PictureFiles
from demo.store.chats import new_id
from demo.story.document import Plan, Scene, Story
from demo.story.export.zip import MANIFEST, write_zip
from demo.story.export.zip_import import read_zip
from demo.story.views import book_of
from demo.story.writing.premise import StoryError
from minigpt5 import MiniGPT5Error, open_image
from minigpt5.data.jsonl import read_jsonl

PICTURES, ARCHIVES, CHATS = 3000, 1200, 800


@pytest.fixture
def files() -> PictureFiles:
    return PictureFiles()


def saved() -> bytes:
    files = PictureFiles()
    drawing = Drawing(
        files.save(Image.linear_gradient("L").resize((24, 24)).convert("RGB")), 7, 3.0, 20, "ddim"
    )
    picture = Picture(files.save_vokens(np.ones((8, 4), np.float32)), (drawing,))
    plan = Plan("a rabbit", (files.save(Image.new("RGB", (16, 16), "red")),), "Pip", 4, "funny")
    story = Story(
        new_id(), "Pip", plan, (Scene(new_id(), "Once.", "", picture, 7), Scene(new_id(), "Twice."))
    )
    return write_zip(story, book_of(story, files, "storybook"), files)


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return buffer.getvalue()


def changed(change: Callable[[dict[str, Any]], object], **more: bytes) -> bytes:
    members = members_of(saved())
    values = json.loads(members[MANIFEST])
    change(values)
    return zipped(members | {MANIFEST: json.dumps(values).encode()} | more)


def png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def grown(values: dict[str, Any], kind: str) -> None:
    story = values["story"]
    match kind:
        case "uploads":
            story["plan"]["uploads"] *= 40
        case "scenes":
            story["scenes"] *= 1000
        case "drawings":
            story["scenes"][0]["picture"]["drawings"] *= 41
        case "names":
            values["files"] |= {str(number): "pictures/01.png" for number in range(500)}
        case "last scene":
            story["scenes"][1]["text"] = 7
        case "options":
            story["options"] = {"seed": -1}


@pytest.mark.parametrize("kind", ["uploads", "scenes", "drawings", "names", "options", "last scene"])
def test_a_refused_import_leaves_nothing_on_disk(files: PictureFiles, kind: str) -> None:
    with pytest.raises(StoryError):
        read_zip(changed(lambda values: grown(values, kind)), files)
    assert files.names() == set()


@pytest.mark.parametrize("kind", ["uploads", "scenes", "drawings", "names"])
def test_what_is_counted_is_refused_before_any_picture_is_opened(
    files: PictureFiles, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, content = [], changed(lambda values: grown(values, kind))
    monkeypatch.setattr(Image, "open", lambda *arguments, **_named: opened.append(arguments))
    with pytest.raises(StoryError):
        read_zip(content, files)
    assert opened == []


def test_a_failed_import_deletes_no_picture_that_was_there(files: PictureFiles) -> None:
    there = files.save(Image.new("RGB", (16, 16), "red"))  # the premise's, from somebody else's chat
    files.claim([there])
    with pytest.raises(StoryError):
        read_zip(changed(lambda values: grown(values, "last scene")), files)
    assert files.names() == {there}


def test_pictures_that_are_large_by_their_headers_are_refused(files: PictureFiles) -> None:
    members = members_of(saved())
    with pytest.raises(StoryError, match="4000 x 10 pixels, at most 2048"):
        read_zip(zipped(members | {"pictures/01.png": png(4000, 10)}), files)
    values = json.loads(members[MANIFEST])
    drawing = values["story"]["scenes"][0]["picture"]["drawings"][0]
    drawings = [drawing | {"file": f"x{number}"} for number in range(40)]
    values["story"]["scenes"][0]["picture"]["drawings"] = drawings
    values["files"] |= {f"x{number}": f"x/{number}.png" for number in range(40)}
    many = {f"x/{number}.png": png(2048, 2048) for number in range(40)}
    with pytest.raises(StoryError, match="168 megapixels together"):
        read_zip(zipped(members | many | {MANIFEST: json.dumps(values).encode()}), files)
    assert files.names() == set()


def test_a_long_list_of_members_is_refused_before_it_is_read(
    files: PictureFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = zipped({f"x/{number}": b"" for number in range(5000)})
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(StoryError, match="5000 files"):
        read_zip(content, files)


def test_a_refused_import_over_the_network_leaves_nothing(tmp_path: Path) -> None:
    store = ChatStore.in_folder(tmp_path)
    with serving(store) as app:
        answer = _import(app, changed(lambda values: grown(values, "last scene")))
        assert answer.status_code == 400 and "story.json holds a text" in answer.json()["error"]
        assert store.files.names() == set() == set(tmp_path.glob("**/*.part"))
        assert _import(app, saved()).status_code == 200
    store.engine.dispose()


def _import(app: Served, content: bytes) -> Any:
    return httpx.post(f"{app.address}/stories/import", content=content, headers={"x-story-owner": "a1" * 16})


def mutated(content: bytes, chance: random.Random) -> bytes:
    """`content` with a few bytes changed, a piece cut out, doubled or put elsewhere, or a number made extreme."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randrange(len(data) + 1), chance.choice((1, 2, 4, 16, 200))
        match chance.randrange(6):
            case 0 | 1:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                del data[at : at + size]
            case 3:
                data[at:at] = data[at : at + size] * chance.randint(1, 3)
            case 4:
                data[at : at + 4] = struct.pack(
                    chance.choice("<>") + "I", chance.choice((0, 1, 2**31 - 1, 2**32 - 1))
                )
            case 5:
                del data[at:]
        data = data or bytearray(b"\0")
    return bytes(data)


def originals() -> list[bytes]:
    picture, found = Image.linear_gradient("L").resize((20, 20)), []
    for kind, mode in (
        ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("WEBP", "RGB"),
        ("GIF", "P"), ("BMP", "RGB"), ("TIFF", "RGB"), ("ICO", "RGBA"), ("PPM", "RGB"),
    ):  # fmt: skip
        buffer = io.BytesIO()
        made = picture.convert("I").convert(mode) if mode == "I;16" else picture.convert(mode)
        made.save(buffer, kind)
        found.append(buffer.getvalue())
    return found


@pytest.mark.filterwarnings("ignore")  # Pillow tells what it thinks of the files
def test_damaged_pictures_are_opened_or_refused_with_a_sentence(tmp_path: Path) -> None:
    chance, kinds, path = random.Random(5), originals(), tmp_path / "picture"
    opened, told = 0, []
    for number in range(PICTURES):
        path.write_bytes(mutated(kinds[number % len(kinds)], chance))
        try:
            opened += open_image(path).mode == "RGB"
        except MiniGPT5Error as error:
            told.append(str(error))
    assert all(told) and str(tmp_path) not in "".join(told)
    assert 0 < opened < PICTURES


@pytest.mark.filterwarnings("ignore")
def test_damaged_archives_are_taken_in_or_refused_and_leave_nothing() -> None:
    chance, whole, files = random.Random(6), saved(), PictureFiles()
    members, taken = members_of(whole), 0
    told, left = [], []
    for number in range(ARCHIVES):
        if number % 2:
            name = chance.choice(sorted(members))
            content = zipped(members | {name: mutated(members[name], chance)})
        else:
            content = mutated(whole, chance)
        before = files.names()
        try:
            read_zip(content, files)
            taken += 1
        except StoryError as error:
            told.append(str(error))
            left.append(files.names() - before)
    assert all(told) and not any(left)
    assert 0 < taken < ARCHIVES


def test_damaged_chats_for_training_are_read_or_refused_with_line_numbers(tmp_path: Path) -> None:
    chance, path = random.Random(7), tmp_path / "chats.jsonl"
    Image.new("RGB", (9, 9)).save(tmp_path / "cat.png")
    line = {
        "messages": [
            {"role": "user", "content": ["What is this?", {"image": "cat.png"}]},
            {"role": "assistant", "content": ["A cat.", {"image": "cat.png"}]},
        ],
        "system": "Be kind.",
        "caption": "a cat",
    }
    whole, read = (json.dumps(line) + "\n").encode() * 2, 0
    hostile = [b"[" * 100_000, whole.replace(b"cat.png", b"\\u0000"), whole.replace(b"cat.png", b"x" * 5000)]
    hostile += [whole.replace(b"cat.png", b"\\ud800"), whole.replace(b"A cat.", b"\\udfff")]
    told = []
    for number in range(CHATS):
        path.write_bytes(hostile[number] if number < len(hostile) else mutated(whole, chance))
        try:
            read_jsonl(path)
            read += 1
        except MiniGPT5Error as error:
            told.append(str(error))
    assert all(told)
    assert 0 < read < CHATS
