"""A story as one animated GIF that chats and slides can show, each scene as long as it takes to read; called by
`service`.
"""

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from demo.story.export.book import Book, Page
from demo.story.export.fonts import runs, true_type

WIDTH, PICTURE, BAND, MARGIN = 560, 512, 168, 24  # pixels; the band holds the words
PAPER, INK, ACCENT = (247, 239, 223), (44, 39, 51), (168, 69, 43)
FADE_FRAMES, FADE_MS = 4, 70
TITLE_MS, SHOWN_MS, LETTER_MS = 1800, 1500, 45  # a scene stays SHOWN_MS and LETTER_MS for each letter
COLOURS = 128
_SIZES = (25, 22, 19, 16, 13)


def write_gif(book: Book) -> bytes:
    """The file; raises `StoryError` for letters that the fonts lack."""
    first = next((page.image for page in book.pages if page.image), None)
    stills = [(_still(Page(book.title, first), 600), TITLE_MS)]
    stills += [(_still(page, 400), SHOWN_MS + LETTER_MS * len(page.text)) for page in book.pages]
    frames, times = [], []
    for (still, shown), (after, _) in zip(stills, [*stills[1:], stills[0]], strict=True):
        frames.append(still)
        times.append(shown)
        for step in range(1, FADE_FRAMES):
            frames.append(Image.blend(still, after, step / FADE_FRAMES))
            times.append(FADE_MS)
    quantized = [frame.quantize(COLOURS, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    quantized[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=quantized[1:],
        duration=times,
        loop=0,
        comment=book.colophon.encode("ascii", "replace"),
    )
    return buffer.getvalue()


def _still(page: Page, weight: int) -> Image.Image:
    """One scene at rest."""
    frame = Image.new("RGB", (WIDTH, MARGIN + PICTURE + BAND), PAPER)
    if page.image is not None:
        side = (WIDTH - PICTURE) // 2
        image = page.image.convert("RGB")
        scale = PICTURE / max(image.size)
        width, height = round(image.width * scale), round(image.height * scale)
        place = (side + (PICTURE - width) // 2, MARGIN + (PICTURE - height) // 2)
        frame.paste(image.resize((width, height), Image.Resampling.LANCZOS), place)
    pen = ImageDraw.Draw(frame)
    for size in _SIZES:
        lines = _lines(page.text, size, weight, WIDTH - 2 * MARGIN)
        if len(lines) * size * 1.4 <= BAND - 20:
            break
    top = MARGIN + PICTURE + (BAND - len(lines) * size * 1.4) / 2
    for number, line in enumerate(lines):
        left = (WIDTH - sum(_font(face, weight, size).getlength(words) for face, words in line)) / 2
        for face, words in line:
            font = _font(face, weight, size)
            pen.text((left, top + (number + 1) * size * 1.4), words, INK, font, anchor="ls")
            left += font.getlength(words)
    return frame


def _lines(text: str, size: int, weight: int, width: int) -> list[list[tuple[str, str]]]:
    """`text` as lines of stretches that fit into `width`."""
    lines: list[list[tuple[str, str]]] = []
    current = ""
    for word in text.split():
        longer = f"{current} {word}".strip()
        stretches = runs(longer, "The flip-book")
        if current and sum(_font(face, weight, size).getlength(part) for face, part in stretches) > width:
            lines.append(runs(current, "The flip-book"))
            longer = word
        current = longer
    return [*lines, runs(current, "The flip-book")] if current else lines


@lru_cache(maxsize=64)
def _font(face: str, weight: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(true_type(face, weight)), size)
