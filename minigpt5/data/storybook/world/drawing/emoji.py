"""Things as pictures of the emoji font with the house's outline.

The font is an input of making pictures only: it is read from where the system's package puts it and nothing of
it is kept. The sprites are cached per size.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from minigpt5.data.storybook.world.drawing.canvas import INK, OUTLINE, Canvas, Tint
from minigpt5.data.storybook.world.things import THINGS
from minigpt5.errors import DataError

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
PACKAGE = "fonts-noto-color-emoji"
STRIKE = 109  # the one size in which the font holds its pictures
GLASS = (232, 240, 248, 255)  # what shows through glass and tails of light
SEEN = 90  # the alpha from which a pixel belongs to the picture
TALL_BONUS = 0.25  # how much taller than the box the slimmest thing is
DARK, LIFTED = 82.0, 0.72  # mean brightness below which a picture is lifted, and the power that does it


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    if not FONT.is_file():
        raise DataError(
            f"things are drawn with the font {FONT}, which is not there: apt-get install {PACKAGE}"
        )
    return ImageFont.truetype(FONT, STRIKE)


@lru_cache(maxsize=256)
def _picture(kind: str) -> Image.Image:
    """The font's picture of a thing, cut to what it shows, RGBA."""
    image = Image.new("RGBA", (2 * STRIKE, 2 * STRIKE))
    ImageDraw.Draw(image).text(
        (STRIKE // 4, STRIKE // 4), THINGS[kind].emoji, font=_font(), embedded_color=True
    )
    return _lifted(image.crop(image.getbbox()))


def _lifted(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32)
    seen = pixels[..., 3] > 127
    if pixels[seen][:, :3].mean() >= DARK:
        return image
    lifted = pixels.copy()
    lifted[..., :3] = 255 * (pixels[..., :3] / 255) ** LIFTED
    return Image.fromarray(lifted.round().astype(np.uint8))


@lru_cache(maxsize=2048)
def sprite(kind: str, box: int, outline: int) -> Image.Image:
    """The thing within about `box` x `box` pixels (tall ones are a little taller), RGBA.

    Its ink outline is `outline` pixels wide.
    """
    picture = _picture(kind)
    width, height = picture.size
    tall = 1 + TALL_BONUS * max(0.0, 1 - width / height)
    share = (box - 2 * outline) * tall / max(width, height)
    size = tuple(max(1, round(length * share)) for length in picture.size)
    small = picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    whole = Image.new("RGBA", (size[0] + 2 * outline, size[1] + 2 * outline))
    whole.paste(small, (outline, outline))
    ink = Image.new("RGBA", whole.size, (*INK, 255))
    ink.putalpha(_dilated(whole.getchannel("A"), outline))
    ink.paste(GLASS, (0, 0), whole.getchannel("A").point([255 * (value > SEEN) for value in range(256)]))
    return Image.alpha_composite(ink, whole)


def _dilated(alpha: Image.Image, reach: int) -> Image.Image:
    """The greatest alpha within a disc of `reach` pixels around each pixel."""
    pixels = np.asarray(alpha)
    result = pixels.copy()
    height, width = pixels.shape
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy <= reach * reach + 1:
                target = result[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)]
                source = pixels[max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)]
                np.maximum(target, source, out=target)
    return Image.fromarray(result)


def draw_emoji(canvas: Canvas, kind: str, x: float, y: float, size: float, foot: bool = False) -> None:
    """The thing centred on (x, y), or standing on it, within `size` x `size` picture units."""
    image = sprite(kind, round(size * canvas.scale), round(OUTLINE * 0.9 * canvas.pixels))
    px, py = canvas.place(x, y)
    left, top = round(px - image.width / 2), round(py - (image.height if foot else image.height / 2))
    canvas.image.paste(_tinted(image, canvas.tint), (left, top), image)


def _tinted(image: Image.Image, tint: Tint) -> Image.Image:
    if tint == (1.0, 1.0, 1.0):
        return image
    return image.point(_table(tint))


@lru_cache(maxsize=8)
def _table(tint: Tint) -> list[int]:
    return [round(min(255, value * share)) for share in (*tint, 1.0) for value in range(256)]
