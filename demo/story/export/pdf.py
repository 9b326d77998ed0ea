"""A story as a PDF for print: landscape pages, the picture on the left, the words as text with embedded fonts; called
by `service`.
"""

import io
from html import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from demo.story.export.book import Book, Page, for_print, jpeg
from demo.story.export.fonts import FACES, runs, true_type

PAPER, SHEET, INK, SOFT, LINE, ACCENT = (
    HexColor(colour) for colour in ("#f7efdf", "#fffaf0", "#2c2733", "#655b66", "#e0d1b4", "#a8452b")
)
WIDTH, HEIGHT = landscape(A4)  # points
MARGIN, PRINT = 46, 430  # of the page; side of the picture with its white border
LARGEST, SMALLEST = 23, 9  # of the words


def write_pdf(book: Book) -> bytes:
    """The file; raises `StoryError` for letters that no font has."""
    _register_fonts()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(WIDTH, HEIGHT), pageCompression=1, lang="en")
    canvas.setTitle(book.title)
    canvas.setAuthor(book.colophon)
    canvas.setCreator("MiniGPT-5, the demo")
    _cover(canvas, book)
    for number, page in enumerate(book.pages, 1):
        _page(canvas, page, number)
    canvas.save()
    return buffer.getvalue()


def _register_fonts() -> None:
    for face in FACES:
        for weight in (400, 600):
            pdfmetrics.registerFont(TTFont(f"{face}-{weight}", io.BytesIO(true_type(face, weight))))


def _cover(canvas: Canvas, book: Book) -> None:
    _sheet(canvas)
    image = next((page.image for page in book.pages if page.image), None)
    if image is not None:
        _print(canvas, Page(book.title, image), (WIDTH - 270) / 2, 232, 270)
    title = _fitted(book.title, WIDTH - 4 * MARGIN, 120, largest=44, weight=600, centred=True)
    title.drawOn(canvas, 2 * MARGIN, 200 - title.height)
    foot = _fitted(book.colophon, WIDTH - 4 * MARGIN, 20, largest=11, weight=400, centred=True, colour=SOFT)
    foot.drawOn(canvas, 2 * MARGIN, MARGIN - 4)
    canvas.bookmarkPage("cover")
    canvas.addOutlineEntry(book.title, "cover", 0)
    canvas.showPage()


def _page(canvas: Canvas, page: Page, number: int) -> None:
    _sheet(canvas)
    left = MARGIN
    if page.image is not None:
        _print(canvas, page, MARGIN, (HEIGHT - PRINT) / 2, PRINT)
        left += PRINT + 38
    width = WIDTH - MARGIN - left
    words = _fitted(page.text, width, HEIGHT - 3 * MARGIN, largest=LARGEST, weight=400)
    words.drawOn(canvas, left, (HEIGHT - words.height) / 2)
    canvas.setStrokeColor(ACCENT)
    canvas.setLineWidth(2)
    canvas.line(left, MARGIN + 14, left + 28, MARGIN + 14)
    canvas.setFillColor(SOFT)
    canvas.setFont("fraunces-latin-400", 11)
    canvas.drawString(left, MARGIN - 4, str(number))
    canvas.bookmarkPage(f"scene {number}")
    canvas.addOutlineEntry(f"{number}. {page.text[:60]}", f"scene {number}", 1)
    canvas.showPage()


def _sheet(canvas: Canvas) -> None:
    canvas.setFillColor(PAPER)
    canvas.rect(0, 0, WIDTH, HEIGHT, stroke=0, fill=1)


def _print(canvas: Canvas, page: Page, left: float, bottom: float, side: float) -> None:
    """The picture as a print with a white border, in a square of `side`."""
    assert page.image is not None
    image = for_print(page.image)
    scale = (side - 20) / max(image.size)
    width, height = image.width * scale, image.height * scale
    left, bottom = left + (side - 20 - width) / 2, bottom + (side - 20 - height) / 2
    canvas.setFillColor(SHEET)
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.75)
    canvas.roundRect(left, bottom, width + 20, height + 20, 5, stroke=1, fill=1)
    canvas.drawImage(ImageReader(jpeg(image)), left + 10, bottom + 10, width, height)


def _fitted(
    text: str,
    width: float,
    height: float,
    *,
    largest: int,
    weight: int,
    centred: bool = False,
    colour: HexColor = INK,
) -> Paragraph:
    """`text` wrapped to `width`, as large as fits into `height` but not larger than `largest`."""
    marked = "".join(
        f'<font name="{face}-{weight}">{escape(words, quote=False)}</font>'
        for face, words in runs(text, "The PDF")
    )
    for size in range(largest, SMALLEST - 1, -1):
        style = ParagraphStyle(
            "words",
            fontName=f"fraunces-latin-{weight}",
            fontSize=size,
            leading=size * 1.5,
            textColor=colour,
            alignment=1 if centred else 0,
        )
        paragraph = Paragraph(marked.replace("\n", "<br/>"), style)
        if paragraph.wrap(width, 10_000)[1] <= height:
            break
    return paragraph
