"""A story out of the house and in again; and what is not let in."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scripted_story import make_story

from demo.store import PictureFiles
from demo.story.document import Story, files_of
from demo.story.export.zip import MANIFEST, write_zip
from demo.story.export.zip_import import read_zip
from demo.story.views import book_of
from demo.story.writing.premise import StoryError


@pytest.fixture
def files() -> PictureFiles:
    return PictureFiles()


@pytest.fixture
def saved(files: PictureFiles) -> bytes:
    story = make_story(files)
    return write_zip(story, book_of(story, files, "storybook"), files)


def rezipped(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return buffer.getvalue()


def with_manifest(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    def rewrite(members: dict[str, bytes]) -> None:
        values = json.loads(members[MANIFEST])
        change(values)
        members[MANIFEST] = json.dumps(values).encode()

    return rezipped(content, rewrite)


def bare(story: Story) -> Story:
    """The story without what is another's: ids, and what can be undone."""
    return replace(story, id="", past=(), scenes=tuple(replace(scene, id="") for scene in story.scenes))


def test_a_story_comes_back_as_it_was_in_another_house(saved: bytes, files: PictureFiles) -> None:
    story, elsewhere = make_story(files), PictureFiles()
    there = read_zip(saved, elsewhere)
    assert [scene.text for scene in there.scenes] == [scene.text for scene in story.scenes]
    assert (there.title, there.plan.cast, there.options) == (story.title, story.plan.cast, story.options)
    assert there.scenes[0].picture.chosen == 1 and len(there.scenes[0].picture.drawings) == 2
    mine = files.image(story.scenes[0].drawing.file)
    assert elsewhere.image(there.scenes[0].drawing.file).tobytes() == mine.tobytes()
    assert np.array_equal(elsewhere.vokens(there.scenes[0].picture.vokens), np.ones((8, 4), np.float32))
    again = read_zip(write_zip(there, book_of(there, elsewhere, "x"), elsewhere), elsewhere)
    assert bare(again) == bare(there) and again.id != there.id
    assert files_of(again) == files_of(there)


def test_people_can_read_it_too(saved: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        text = archive.read("story.md").decode()
        assert "# Pip & the <rain>" in text and "![Scene 1](pictures/01.png)" in text
        assert Image.open(io.BytesIO(archive.read("pictures/01.png"))).size == (24, 24)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\\..\\b", "C:/x"])
def test_names_that_lead_out_are_refused(saved: bytes, files: PictureFiles, name: str) -> None:
    with pytest.raises(StoryError, match="leads out of its folder"):
        read_zip(rezipped(saved, lambda members: members.update({name: b"x"})), files)


def test_a_bomb_is_refused_before_it_is_unpacked(saved: bytes, files: PictureFiles) -> None:
    bomb = rezipped(saved, lambda members: members.update({"pictures/01.png": bytes(200 * 2**20)}))
    assert len(bomb) < 2**20
    with pytest.raises(StoryError, match="unpacks to more than"):
        read_zip(bomb, files)


def test_a_size_that_lies_is_not_believed(saved: bytes, files: PictureFiles) -> None:
    large = rezipped(saved, lambda members: members.update({MANIFEST: b"[" + b" " * (13 * 2**20) + b"]"}))
    lying = large.replace((13 * 2**20 + 2).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    with pytest.raises(StoryError):
        read_zip(lying, files)


def test_too_many_files_are_refused(saved: bytes, files: PictureFiles) -> None:
    many = rezipped(saved, lambda members: members.update({f"x/{n}": b"" for n in range(500)}))
    with pytest.raises(StoryError, match="at most 400"):
        read_zip(many, files)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda values: values.update(version=2), "got version 2, expected 1"),
        (lambda values: values.update(format="other"), "got format 'other'"),
        (lambda values: values.pop("story"), "does not hold what it must"),
        (lambda values: values["story"].update(scenes=5), "does not hold what it must"),
        (lambda values: values["story"]["plan"].update(scenes=99), "scenes: got 99"),
        (lambda values: values["story"]["scenes"][0].update(text=7), "a text that is none"),
        (lambda values: values["story"]["scenes"][0]["picture"].update(chosen=9), "not there"),
        (
            lambda values: values["story"]["scenes"][0]["picture"]["drawings"][0].update(seed=-1),
            "seed: got -1",
        ),
        (lambda values: values["story"].update(options={"device": "x"}), "does not hold what it must"),
        (lambda values: values.update(files={}), "does not hold what it must"),
        (lambda values: values["story"].update(scenes=values["story"]["scenes"] * 9), "more than 12 scenes"),
    ],
)
def test_a_manifest_that_lies_is_refused(
    saved: bytes, files: PictureFiles, change: Callable[[dict[str, Any]], None], why: str
) -> None:
    with pytest.raises(StoryError, match=why):
        read_zip(with_manifest(saved, change), files)


def test_a_picture_that_is_none_is_refused(saved: bytes, files: PictureFiles) -> None:
    with pytest.raises(StoryError, match="not a sound PNG"):
        read_zip(rezipped(saved, lambda members: members.update({"pictures/01.png": b"GIF89a"})), files)


def test_vokens_that_would_run_code_are_refused(saved: bytes, files: PictureFiles) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(StoryError, match="does not hold what it must"):
        read_zip(rezipped(saved, lambda members: members.update({"vokens/01.npy": buffer.getvalue()})), files)


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 broken"])
def test_what_is_no_zip_is_refused(files: PictureFiles, content: bytes) -> None:
    with pytest.raises(StoryError, match="damaged or not a ZIP"):
        read_zip(content, files)


def test_a_zip_of_something_else_is_refused(files: PictureFiles) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("photo.png", b"x")
    with pytest.raises(StoryError, match=r"holds no story\.json"):
        read_zip(buffer.getvalue(), files)
