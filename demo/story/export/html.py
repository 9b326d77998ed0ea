"""A story as one HTML file that needs nothing else: pictures and fonts are inside, and it can be printed.

Called by `service`; `fill` also fills the templates of stage and remote.
"""

import base64
import io
from collections.abc import Mapping
from html import escape

from PIL import Image

from demo.story.export.book import Book, Page
from demo.story.export.fonts import font_faces
from demo.web.theme import STATIC


def write_html(book: Book) -> bytes:
    """The file."""
    first = next((page.image for page in book.pages if page.image), None)
    values = {
        "title": escape(book.title),
        "fonts": font_faces(),
        "cover": _image(Page(book.title, first), "") if first else "",
        "pages": "\n".join(_section(page, number) for number, page in enumerate(book.pages, 1)),
        "colophon": escape(book.colophon),
    }
    return fill("story/export.html", values).encode()


def fill(template: str, values: Mapping[str, str]) -> str:
    """The static file `template` with `values` in its {{slots}}; a value that looks like a slot stays what it is."""
    html, *rest = (STATIC / template).read_text(encoding="utf-8").split("{{")
    for piece in rest:
        name, after = piece.split("}}", 1)
        html += values[name] + after
    return html


def _section(page: Page, number: int) -> str:
    picture = _image(page, page.alt_text) if page.image else ""
    words = f'<p>{escape(page.text)}<span class="number">{number}</span></p>'
    return f"<section{'' if page.image else ' class=words'}>{picture}{words}</section>"


def _image(page: Page, alt_text: str) -> str:
    assert page.image is not None
    return f'<img src="{data_url(page.image)}" alt="{escape(alt_text)}">'


def data_url(image: Image.Image) -> str:
    """`image`, untouched, inside an address."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
