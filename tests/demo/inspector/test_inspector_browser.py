"""A reply looked into, in a real browser over the real app; and its script, which must make the reply again."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_page import DRAW, Browser, Page, expect, open_page, send
from PIL import Image

SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}
OPEN = "#chat .bot-row [aria-label='Look inside']"


@pytest.fixture(params=SIZES)
def page(
    request: pytest.FixtureRequest, browser: Browser, address: str, foreign: list[str]
) -> Iterator[Page]:
    """A chat with one answer that has a picture."""
    page = open_page(browser, address, foreign, viewport=SIZES[request.param], reduced_motion="reduce")
    ask(page, DRAW, answers=1)
    yield page
    page.context.close()


def ask(page: Page, words: str, answers: int) -> None:
    send(page, words)
    expect(page.locator(OPEN)).to_have_count(answers)


def look(page: Page) -> str:
    """Look into the last answer; returns the script."""
    page.locator(OPEN).last.click()
    expect(page.locator("#inside pre")).to_be_visible()
    return page.locator("#inside pre").text_content() or ""


def made_again(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[bytes]]:
    """The words and the pictures that the script makes."""
    path = folder / "again.py"
    path.write_text(script, encoding="utf-8")
    monkeypatch.chdir(folder)
    reply = runpy.run_path(str(path))["reply"]
    return reply.text, [image.tobytes() for image in reply.images]


def stored(page: Page) -> list[bytes]:
    """The pictures of the last answer, from the files that the page shows."""
    sources = (
        page.locator("#chat .bot-row")
        .last.locator(".image-frame img")
        .evaluate_all("(images) => images.map((image) => image.src)")
    )
    found = []
    for source in sources:
        with Image.open(source.partition("file=")[2]) as image:
            found.append(image.convert("RGB").tobytes())
    return found


def said(page: Page) -> str:
    return page.evaluate("window.minigpt5.outline.rows.at(-1).text")


def test_a_reply_shows_its_tokens_times_and_map_after_a_reload_too(page: Page) -> None:
    page.reload()
    expect(page.locator(OPEN)).to_have_count(1)
    look(page)
    vokens = page.locator("#inside .token.voken")
    assert vokens.all_text_contents() == [f"[IMG{index}]" for index in range(8)]
    vokens.nth(3).focus()
    expect(page.locator("#inside .told").first).to_contain_text("[IMG3]")
    prompt = "".join(page.locator("#inside .tokens").nth(1).locator(".token").all_text_contents())
    assert "blue rabbit" in prompt
    assert page.locator("#inside .times dt").all_text_contents() == ["Reading", "Writing", "Drawing"]
    assert page.locator("#inside .grid i").count() == 8 * 77
    expect(page.locator("#inside .sum")).to_contain_text("matters most")
    assert page.evaluate("document.querySelector('#inside .body').scrollWidth <= innerWidth")
    page.keyboard.press("Escape")
    expect(page.locator("#inside")).not_to_be_visible()


def test_the_scripts_of_a_first_and_a_second_turn_make_the_replies_again(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = made_again(look(page), tmp_path, monkeypatch)
    assert again == (said(page), stored(page))
    assert len(again[1]) == 1
    page.keyboard.press("Escape")
    ask(page, "Now at night.", answers=2)
    script = look(page)
    assert "PICTURES / " in script
    assert made_again(script, tmp_path, monkeypatch) == (said(page), stored(page))
