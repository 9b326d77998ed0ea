"""What the demo stores is its user's alone: 0700 folders, 0600 files, whatever the umask and whatever was there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import app
from demo.store import ChatStore, Node, Upload, Words
from demo.store.chats import new_id
from demo.store.picture_folder import PictureFolder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def fill(folder: Path) -> None:
    store = ChatStore.in_folder(folder)
    chat = store.create("a" * 64, "a secret")
    picture = Upload(store.files.save(Image.new("RGB", (9, 9), "red")))
    store.files.save_vokens(np.ones((8, 4), np.float32))
    store.save("a" * 64, chat, Node(new_id(), None, "user", (picture, Words("hello"))))
    assert_private(folder)  # with what SQLite puts beside the database while it is open
    store.engine.dispose()


def assert_private(folder: Path) -> None:
    found = [folder, *folder.rglob("*")]
    assert len(found) >= 6
    for path in found:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path}: {mode:o}"


def test_a_new_folder_is_closed_to_others(tmp_path: Path) -> None:
    fill(tmp_path / "data")


def test_a_folder_of_an_earlier_version_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    fill(folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    fill(folder)


def test_temporary_pictures_are_closed_too() -> None:
    folder = PictureFolder()
    path = folder.save(Image.new("RGB", (9, 9)))
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    folder.close()


def test_the_app_gives_others_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigpt5.load", lambda *_a, **_n: (_ for _ in ()).throw(SystemExit(0)))
    with pytest.raises(SystemExit):
        app.main(["--data", str(tmp_path)])
    assert os.umask(0o022) == 0o077
