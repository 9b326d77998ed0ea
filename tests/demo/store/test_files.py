"""Pictures by their content: one file each, under names that nobody can work out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.store import PictureFiles
from minigpt5 import MiniGPT5Error

RED = Image.new("RGB", (9, 9), "red")


def test_the_same_picture_is_one_file_untouched(tmp_path: Path) -> None:
    files = PictureFiles(tmp_path)
    assert files.save(RED) == files.save(RED.copy())
    assert len(files.names()) == 1
    assert files.image(files.save(RED)).tobytes() == RED.tobytes()


def test_the_name_of_a_known_picture_cannot_be_worked_out(tmp_path: Path) -> None:
    assert PictureFiles(tmp_path / "a").save(RED) != PictureFiles(tmp_path / "b").save(RED)
    assert PictureFiles(tmp_path / "a").save(RED) == PictureFiles(tmp_path / "a").save(RED)


def test_vokens_come_back_to_the_bit_and_lie_outside_the_served_folder(tmp_path: Path) -> None:
    files = PictureFiles(tmp_path)
    vokens = np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32)
    name = files.save_vokens(vokens)
    assert (files.vokens(name) == vokens).all()
    assert files.folder not in files.path(name).parents


def test_provenance_goes_into_the_file_and_makes_it_another(tmp_path: Path) -> None:
    files = PictureFiles(tmp_path)
    name = files.save(RED, {"seed": "7"})
    assert name != files.save(RED)
    with Image.open(files.path(name)) as picture:
        assert picture.info["seed"] == "7"


def test_large_uploads_are_made_smaller_for_display(tmp_path: Path) -> None:
    files = PictureFiles(tmp_path)
    assert files.image(files.save_for_display(Image.new("RGB", (2048, 512)))).size == (1024, 256)


@pytest.mark.parametrize("name", ["../key", "key", "x.png", "a" * 32 + ".png/..", ""])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MiniGPT5Error, match="expected the name"):
        PictureFiles(tmp_path).path(name)


def test_what_is_gone_is_told(tmp_path: Path) -> None:
    files = PictureFiles(tmp_path)
    with pytest.raises(MiniGPT5Error, match="gone"):
        files.image("0" * 32 + ".png")
    with pytest.raises(MiniGPT5Error, match="drawn again"):
        files.vokens("0" * 32 + ".npy")


def test_without_a_folder_everything_goes_with_the_object() -> None:
    files = PictureFiles()
    path = files.path(files.save(RED))
    files.close()
    assert not path.exists()
