"""Pictures of every kind become upright RGB, or are refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from minigpt5 import picture_files
from minigpt5.errors import ImageError
from minigpt5.images import CLIP_MEAN, CLIP_STD, open_image, pad_to_square, preprocess, to_pil, to_tensor


def test_a_picture_is_turned_as_its_exif_data_say(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    Image.new("RGB", (40, 20), "red").save(tmp_path / "turned.jpg", exif=exif)
    assert open_image(tmp_path / "turned.jpg").size == (20, 40)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    source = (
        Image.fromarray(np.full((4, 6), 200 * 257, np.uint16))
        if mode in ("I;16", "I")
        else Image.new("L", (6, 4), 200)
    )
    opened = open_image(source if source.mode == mode else source.convert(mode))
    assert opened.mode == "RGB"
    assert opened.size == (6, 4)
    assert mode == "1" or abs(opened.getpixel((2, 2))[0] - 200) <= 2


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 128 * 257, np.uint16)).save(tmp_path / "deep.png")
    assert open_image(tmp_path / "deep.png").getpixel((0, 0)) == (128, 128, 128)


def test_transparency_is_laid_on_white() -> None:
    assert open_image(Image.new("RGBA", (2, 2), (255, 0, 0, 0))).getpixel((0, 0)) == (255, 255, 255)


def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    assert open_image(tmp_path / "two.gif").getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "0 bytes"), (b"these are words, not a picture", "not a picture"), (None, "damaged or incomplete")],
)
def test_a_bad_file_is_refused_with_the_reason(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "bad.png"
    if content is None:
        Image.effect_noise((64, 64), 50).save(path)
        content = path.read_bytes()[:800]
    path.write_bytes(content)
    with pytest.raises(ImageError, match=reason):
        open_image(path)


def test_a_picture_over_a_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (100, 100)).save(tmp_path / "large.png")
    monkeypatch.setattr(picture_files, "MAX_PIXELS", 9_999)
    with pytest.raises(ImageError, match="megapixels"):
        open_image(tmp_path / "large.png")
    monkeypatch.setattr(picture_files, "MAX_BYTES", 10)
    with pytest.raises(ImageError, match="MB"):
        open_image(tmp_path / "large.png")


def test_padding_is_white_and_centred() -> None:
    padded = pad_to_square(Image.new("RGB", (4, 2), "red"))
    assert padded.size == (4, 4)
    assert padded.getpixel((0, 0)) == (255, 255, 255)
    assert padded.getpixel((0, 1)) == (255, 0, 0)


@pytest.mark.parametrize("pad", [True, False])
def test_preprocessing_gives_normalised_square_pixels(pad: bool) -> None:
    values = preprocess(Image.new("RGB", (50, 31), "white"), 28, pad=pad)
    expected = [(1 - mean) / std for mean, std in zip(CLIP_MEAN, CLIP_STD, strict=True)]
    assert values.shape == (3, 28, 28)
    assert torch.allclose(values[:, 14, 14], torch.tensor(expected))


def test_tensors_become_pictures_and_back() -> None:
    image = to_pil(torch.tensor([-1.0, 0.0, 3.0])[:, None, None].expand(3, 2, 5))
    assert image.size == (5, 2)
    assert image.getpixel((0, 0)) == (0, 128, 255)
    assert to_pil(to_tensor(image)).tobytes() == image.tobytes()
