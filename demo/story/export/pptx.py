"""A story as slides for PowerPoint, Keynote and LibreOffice: a title and a slide a scene, with speaker's notes;
called by `service`.
"""

import io

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.presentation import Presentation as Slides
from pptx.shapes.base import BaseShape
from pptx.slide import Slide
from pptx.util import Emu, Inches, Pt

from demo.story.export.book import Book, Page, for_print, jpeg

WIDTH, HEIGHT = Inches(13.333), Inches(7.5)
PAPER, INK, SOFT = RGBColor(0xF7, 0xEF, 0xDF), RGBColor(0x2C, 0x27, 0x33), RGBColor(0x65, 0x5B, 0x66)
FONT = "Georgia"  # on every system that shows slides; ours is on none
_TITLE_ONLY = 5  # of the default template's layouts
LARGEST, SMALLEST = 32, 14
_LETTERS_AT_LARGEST = 130


def write_pptx(book: Book) -> bytes:
    """The file."""
    slides = Presentation()
    slides.slide_width, slides.slide_height = WIDTH, HEIGHT
    slides.core_properties.title = book.title
    slides.core_properties.author = book.colophon
    _cover(slides, book)
    for page in book.pages:
        _scene(slides, page)
    buffer = io.BytesIO()
    slides.save(buffer)
    return buffer.getvalue()


def _cover(slides: Slides, book: Book) -> None:
    slide = _blank(slides)
    image = next((page.image for page in book.pages if page.image), None)
    if image is not None:
        _picture(slide, Page(book.title, image), Inches(7.4), Inches(1.25), Inches(5))
    wide = Inches(6.2) if image is not None else Inches(11.8)
    _words(slide.shapes.title, book.title, (Inches(0.75), Inches(1.9), wide, Inches(3)), 48, bold=True)
    foot = slide.shapes.add_textbox(Inches(0.75), Inches(6.6), Inches(11.8), Inches(0.5))
    _words(foot, book.colophon, None, 14, colour=SOFT)


def _scene(slides: Slides, page: Page) -> None:
    slide = _blank(slides)
    left = Inches(0.75)
    if page.image is not None:
        _picture(slide, page, left, Inches(0.65), Inches(6.2))
        left = Inches(7.45)
    size = max(SMALLEST, round(LARGEST * min(1, (_LETTERS_AT_LARGEST / max(1, len(page.text))) ** 0.5)))
    place = (left, Inches(0.65), WIDTH - left - Inches(0.75), Inches(6.2))
    _words(slide.shapes.title, page.text, place, size)
    slide.notes_slide.notes_text_frame.text = page.text


def _blank(slides: Slides) -> Slide:
    slide = slides.slides.add_slide(slides.slide_layouts[_TITLE_ONLY])
    slide.background.fill.solid()
    slide.background.fill.fore_color.rgb = PAPER
    return slide


def _picture(slide: Slide, page: Page, left: Emu, top: Emu, side: Emu) -> None:
    assert page.image is not None
    image = for_print(page.image)
    scale = side / max(image.size)
    width, height = round(image.width * scale), round(image.height * scale)
    place = (left + (side - width) // 2, top + (side - height) // 2, width, height)
    shape = slide.shapes.add_picture(jpeg(image), *place)
    shape._element.nvPicPr.cNvPr.set("descr", page.alt_text)  # the library has no name for alternative text
    shape.line.color.rgb, shape.line.width = RGBColor(0xFF, 0xFD, 0xF8), Pt(8)


def _words(
    shape: BaseShape,
    text: str,
    place: tuple[Emu, Emu, Emu, Emu] | None,
    size: int,
    *,
    bold: bool = False,
    colour: RGBColor = INK,
) -> None:
    if place is not None:
        shape.left, shape.top, shape.width, shape.height = place
    frame = shape.text_frame
    frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.MIDDLE
    frame.text = text
    for paragraph in frame.paragraphs:
        paragraph.alignment, paragraph.line_spacing = PP_ALIGN.LEFT, 1.2
        font = paragraph.font
        font.name, font.size, font.bold, font.color.rgb = FONT, Pt(size), bold, colour
