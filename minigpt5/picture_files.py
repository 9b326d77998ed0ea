"""Pictures as they come from people, made into one kind: upright 8-bit RGB PIL images.

EXIF rotation is applied, CMYK, palette, grey and 16-bit pictures are converted, transparency is laid on
white, and of an animation the first frame is taken. What cannot be shown is refused with an `ImageError` that
says why.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from minigpt5.errors import ImageError

MAX_PIXELS = 40_000_000
MAX_BYTES = 10 * 2**20


def open_image(source: str | Path | Image.Image) -> Image.Image:
    """The picture in `source` (a file or a PIL image) as an upright RGB image; raises `ImageError`."""
    if isinstance(source, Image.Image):
        return _as_rgb(source, "the picture")
    path = Path(source)
    _verify_file(path)
    try:
        with Image.open(path) as picture:
            return _as_rgb(picture, path.name)
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"{path.name}: has too many pixels, at most {MAX_PIXELS / 1e6:.0f} megapixels"
        ) from error
    except Image.UnidentifiedImageError as error:
        raise ImageError(
            f"{path.name}: is not a picture of a known kind (PNG, JPEG, WebP, GIF, ...)"
        ) from error
    except ImageError:
        raise
    except Exception as error:  # Pillow's readers raise all kinds of errors for damaged files
        raise ImageError(f"{path.name}: the picture is damaged or incomplete ({error})") from error


def _verify_file(path: Path) -> None:
    if not path.is_file():
        raise ImageError(f"{path.name}: there is no such file")
    size = path.stat().st_size
    if size == 0:
        raise ImageError(f"{path.name}: the file is empty (0 bytes)")
    if size > MAX_BYTES:
        raise ImageError(
            f"{path.name}: the file has {size / 2**20:.1f} MB, at most {MAX_BYTES / 2**20:.0f} MB are allowed"
        )


def _as_rgb(picture: Image.Image, name: str) -> Image.Image:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        limit = f"at most {MAX_PIXELS / 1e6:.0f} megapixels are allowed"
        raise ImageError(f"{name}: has {width} x {height} = {width * height / 1e6:.1f} megapixels, {limit}")
    if width == 0 or height == 0:
        raise ImageError(f"{name}: has no pixels ({width} x {height})")
    try:
        if getattr(picture, "is_animated", False):
            picture.seek(0)
        return _flattened(_eight_bit(ImageOps.exif_transpose(picture)))
    except Exception as error:  # as in `open_image`; a picture is decoded only here
        raise ImageError(f"{name}: the picture is damaged or incomplete ({error})") from error


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Modes of more than 8 bits a channel ("I;16", "I", "F") scaled to grey of 8 bits, others as they are."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.asarray(picture, dtype=np.float64)
    if picture.mode != "F":
        values = values / 257.0  # 16 bits: 65535 -> 255; PNG gives mode "I" to 16-bit grey
    elif values.max() <= 1.0:
        values = values * 255.0
    return Image.fromarray(np.nan_to_num(values).round().clip(0, 255).astype(np.uint8))


def _flattened(picture: Image.Image) -> Image.Image:
    """An RGB copy, transparency laid on white."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layer).convert("RGB")
