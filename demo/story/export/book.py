"""A story as every export sees it: a title and pages of words and a picture, all pictures in memory.

`story.views.book_of` makes one, the exports read it. Knows neither the stored story nor any file.
"""

import io
import re
import unicodedata
from dataclasses import dataclass

from PIL import Image

PRINT_SIDE = 1536  # pixels; small pictures are enlarged smoothly, since viewers would show them as mosaics


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One scene."""

    text: str
    image: Image.Image | None

    @property
    def alt_text(self) -> str:
        return f"A picture of: {self.text}" if self.text else "A picture"


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """A story that is ready to be carried away. `model` drew and wrote it."""

    title: str
    pages: tuple[Page, ...]
    model: str

    @property
    def colophon(self) -> str:
        return f"Words and pictures by MiniGPT-5 ({self.model})"

    @property
    def file_stem(self) -> str:
        """The title as the beginning of a file's name that every system takes."""
        plain = unicodedata.normalize("NFKD", self.title).encode("ascii", "ignore").decode()
        return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:60] or "story"


def for_print(image: Image.Image) -> Image.Image:
    """`image`, enlarged to PRINT_SIDE where it is smaller."""
    scale = PRINT_SIDE / max(image.size)
    if scale <= 1:
        return image.convert("RGB")
    size = (round(image.width * scale), round(image.height * scale))
    return image.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def jpeg(image: Image.Image) -> io.BytesIO:
    """`image` as a JPEG of print quality."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=93, subsampling=0)
    buffer.seek(0)
    return buffer
