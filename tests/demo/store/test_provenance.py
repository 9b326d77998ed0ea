"""What a drawn picture's file tells about itself survives the file, and nothing else is taken for it."""

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from demo.store.files import PictureFiles
from demo.store.provenance import CHUNK, Origin, read_provenance, write_provenance
from minigpt5 import ImageFinished

PICTURE = Image.new("RGB", (8, 8), "blue")


def test_a_stored_picture_tells_model_words_and_settings_in_any_script() -> None:
    files = PictureFiles()
    event = ImageFinished(0, PICTURE, np.zeros((8, 4), np.float32), 2**63 - 1, 7.5, 20, "ddim")
    name = files.save(PICTURE, write_provenance(Origin("storybook", "青いうさぎ"), event))
    with Image.open(files.path(name)) as picture:
        facts = read_provenance(picture)
    assert facts is not None
    assert facts.pop("vokens")
    assert facts == {
        "model": "storybook",
        "prompt": "青いうさぎ",
        "seed": str(2**63 - 1),
        "guidance_scale": 7.5,
        "num_inference_steps": 20,
        "scheduler": "ddim",
    }


@pytest.mark.parametrize("chunk", [None, "no JSON", "[1]"])
def test_other_pictures_tell_nothing(chunk: str | None) -> None:
    texts = PngImagePlugin.PngInfo()
    if chunk is not None:
        texts.add_itxt(CHUNK, chunk)
    buffer = io.BytesIO()
    PICTURE.save(buffer, "PNG", pnginfo=texts)
    with Image.open(buffer) as picture:
        assert read_provenance(picture) is None
