"""Pixels as the official preprocessing makes them, to the last bit."""

import hashlib
import json

import numpy as np
import pytest
import torch
from official_files import OFFICIAL_FILES
from PIL import Image

from minigpt5.images import CLIP_MEAN, CLIP_STD, open_image, preprocess

EXPECTED = json.loads((OFFICIAL_FILES / "preprocess/expected.json").read_text())


def pixels_of(values: torch.Tensor) -> np.ndarray:
    """Normalised (3,H,W) back to bytes (H,W,3)."""
    mean, std = torch.tensor(CLIP_MEAN).view(3, 1, 1), torch.tensor(CLIP_STD).view(3, 1, 1)
    return ((values * std + mean) * 255).round().byte().permute(1, 2, 0).numpy()


@pytest.mark.parametrize("name", sorted(EXPECTED))
@pytest.mark.parametrize(("way", "pad"), [("playground", True), ("dataset", False)])
def test_pictures_become_the_official_pixels(name: str, way: str, pad: bool) -> None:
    picture = open_image(OFFICIAL_FILES / f"preprocess/{name}.source.png")
    pixels = np.ascontiguousarray(pixels_of(preprocess(picture, pad=pad)))
    assert pixels.shape == (224, 224, 3)
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == EXPECTED[name][way]


def test_pixels_are_scaled_and_normalised_as_torchvision_does() -> None:
    picture = (
        Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).convert("RGB").resize((224, 224))
    )
    bytes_ = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)
    mean, std = torch.tensor(CLIP_MEAN).view(3, 1, 1), torch.tensor(CLIP_STD).view(3, 1, 1)
    assert torch.equal(preprocess(picture), bytes_.float().div(255).sub(mean).div(std))
