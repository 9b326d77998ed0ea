"""Every export is opened again and read by another program than the one that wrote it."""

import io
import re
from html.parser import HTMLParser

import pypdf
import pytest
from PIL import Image
from pptx import Presentation
from scripted_story import make_book

from demo.store import PictureFiles
from demo.story.export.book import Book, Page
from demo.story.export.gif import write_gif
from demo.story.export.html import write_html
from demo.story.export.pdf import write_pdf
from demo.story.export.pptx import write_pptx
from demo.story.writing.premise import StoryError

EVERYWHERE = "Żółw Tiếng Việt Ελλάδα Привет Ærø «ő»"


@pytest.fixture
def book() -> Book:
    return make_book(PictureFiles())


def words_of(content: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def test_the_pdf_has_the_words_as_text_the_pictures_and_the_fonts_inside(book: Book) -> None:
    reader = pypdf.PdfReader(io.BytesIO(write_pdf(book)))
    assert len(reader.pages) == 3
    assert "A blue rabbit named Pip" in re.sub(r"\s+", " ", reader.pages[1].extract_text())
    assert min(reader.pages[1].images[0].image.size) >= 1500
    fonts = [font.get_object() for font in reader.pages[1]["/Resources"]["/Font"].values()]
    mine = [font for font in fonts if "fraunces" in str(font["/BaseFont"])]
    assert mine and all("/FontFile2" in font["/FontDescriptor"] for font in mine)
    assert reader.metadata.title == book.title and len(reader.outline) > 0


def test_letters_of_many_languages_are_in_the_pdf() -> None:
    words = re.sub(r"\s+", " ", words_of(write_pdf(Book("x", (Page(EVERYWHERE, None),), "m"))))
    for word in EVERYWHERE.split():
        assert word in words


@pytest.mark.parametrize("write", [write_pdf, write_gif])
def test_letters_that_no_font_has_are_refused_and_never_boxes(write: object) -> None:
    with pytest.raises(StoryError, match="has no letters for 青 い: save the story as HTML"):
        write(Book("x", (Page("青い", None),), "m"))


def test_a_very_long_scene_still_fits_its_page() -> None:
    reader = pypdf.PdfReader(io.BytesIO(write_pdf(Book("x", (Page("A long walk home. " * 120, None),), "m"))))
    assert len(reader.pages) == 2
    assert reader.pages[1].extract_text().count("walk") == 120


def test_the_slides_have_words_pictures_alternative_texts_and_notes(book: Book) -> None:
    slides = list(Presentation(io.BytesIO(write_pptx(book))).slides)
    assert len(slides) == 3
    assert slides[1].shapes.title.text_frame.text == book.pages[0].text
    shown = [shape for shape in slides[1].shapes if shape.shape_type == 13]
    assert shown[0]._element.nvPicPr.cNvPr.get("descr") == f"A picture of: {book.pages[0].text}"
    assert slides[2].notes_slide.notes_text_frame.text == book.pages[1].text
    assert not [shape for shape in slides[2].shapes if shape.shape_type == 13]


def test_the_web_page_needs_nothing_else_and_shows_every_word_as_it_is(book: Book) -> None:
    html = write_html(Book(book.title, (*book.pages, Page("青い {{title}} <script>", None)), "m")).decode()
    sources = re.findall(r"(?:\bsrc=\"|\bhref=\"|\burl\()([^\")]+)", html)
    assert sources and all(source.startswith("data:") for source in sources)
    texts: list[str] = []
    parser = HTMLParser()
    parser.handle_data = texts.append
    parser.feed(html)
    said = "".join(texts)
    assert "青い {{title}} <script>" in said and said.count(book.title) == 2
    assert "<script" not in html


def test_the_flip_book_shows_each_scene_long_enough(book: Book) -> None:
    with Image.open(io.BytesIO(write_gif(book))) as flip:
        times = []
        for frame in range(flip.n_frames):
            flip.seek(frame)
            times.append(flip.info["duration"])
    assert sum(time >= 1500 for time in times) == 3
    assert flip.info["loop"] == 0


def test_a_title_makes_a_safe_name() -> None:
    assert Book("Pip & the ../<räin>", (), "m").file_stem == "pip-the-rain"
    assert Book("青い", (), "m").file_stem == "story"
