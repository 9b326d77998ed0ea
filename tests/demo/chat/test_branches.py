"""Editing, retrying and flipping in a real browser: every version stays within reach."""

import re

from browser_page import (
    DRAW,
    LABEL,
    PICTURE,
    Browser,
    Page,
    attach,
    expect,
    open_page,
    picture,
    send,
    wait_until_answered,
)

SAID = "#chat .user-row .message-content"
EDIT = "#chat button[aria-label='Edit message']"
RETRY = "#chat button[aria-label='Retry answer']"
FIELD = "#composer textarea"
EDITING = "#stage .pill.editing"


def test_an_earlier_message_is_edited_with_its_picture_and_both_branches_stay(page: Page) -> None:
    attach(page, picture("mine.png"))
    send(page, "Who is this?")
    wait_until_answered(page)
    send(page, "Tell me more.")
    wait_until_answered(page, 2)
    page.locator("#chat .user-row").first.hover()
    page.locator(EDIT).first.click()
    expect(page.locator(EDITING)).to_be_visible()
    expect(page.locator(FIELD)).to_have_value("Who is this?")
    expect(page.locator("#composer .thumbnail-item")).to_have_count(1)
    attach(page, picture("another.png"))
    send(page, "Who are these?")
    wait_until_answered(page)
    expect(page.locator(EDITING)).to_have_count(0)
    expect(page.locator("#chat .user-row .image-frame img")).to_have_count(2)
    expect(page.locator("#chat .user-row .versions")).to_have_text("2/2")
    page.click("#chat .user-row button[aria-label='Version before']")
    expect(page.locator(SAID)).to_have_text(["Who is this?", "Tell me more."])
    expect(page.locator("#chat .user-row .versions")).to_have_text("1/2")
    page.click("#chat .user-row button[aria-label='Next version']")
    expect(page.locator(SAID)).to_have_text(["Who are these?"])
    page.reload()
    expect(page.locator(SAID)).to_have_text(["Who are these?"])
    expect(page.locator("#chat .user-row .versions")).to_have_text("2/2")


def test_a_retried_answer_stands_beside_the_one_before(page: Page) -> None:
    send(page, DRAW)
    wait_until_answered(page)
    before = page.locator(PICTURE).get_attribute("src")
    page.click(RETRY)
    expect(page.locator("#chat .bot-row .versions")).to_have_text("2/2")
    wait_until_answered(page)
    assert page.locator(PICTURE).get_attribute("src") != before
    page.click("#chat .bot-row button[aria-label='Version before']")
    expect(page.locator(PICTURE)).to_have_attribute("src", str(before))


def test_an_edit_is_left_with_escape_and_begun_with_arrow_up(page: Page) -> None:
    send(page, "Hello!")
    wait_until_answered(page)
    page.press(FIELD, "ArrowUp")
    expect(page.locator(FIELD)).to_have_value("Hello!")
    expect(page.locator(EDITING)).to_be_visible()
    page.press(FIELD, "Escape")
    expect(page.locator(EDITING)).to_have_count(0)
    expect(page.locator(FIELD)).to_have_value("")
    expect(page.locator("#chat .user-row .versions")).to_have_count(0)


def test_how_an_answer_was_made_is_told_on_demand(page: Page) -> None:
    send(page, DRAW)
    expect(page.locator("#stage .pill")).to_have_text(re.compile(r"Drawing \d+/20|Writing|Reading"))
    wait_until_answered(page)
    expect(page.locator("#stage .pill")).to_have_count(0)
    figures = page.locator("#chat .figures dl")
    expect(figures).to_be_hidden()
    page.click("#chat .figures summary")
    expect(figures).to_contain_text("In all")
    expect(figures).to_contain_text("Seed")


def test_who_waits_in_the_queue_is_told_so_and_answered_then(
    browser: Browser, address: str, foreign: list[str]
) -> None:
    first, second = (open_page(browser, address, foreign) for _ in range(2))
    first.click("#settings .toggle-button")
    first.locator("#option-num_inference_steps input[type=number]").fill("100")
    first.locator("#option-num_inference_steps input[type=number]").press("Tab")
    first.wait_for_timeout(300)
    send(first, DRAW)
    expect(first.locator(LABEL).first).to_have_text(re.compile("drawing"))
    send(second, "Hello!")
    expect(second.locator("#stage .pill")).to_have_text("1 before you")
    wait_until_answered(first)
    wait_until_answered(second)
    for page in (first, second):
        page.context.close()


def test_a_thumb_edits_and_flips_on_a_phone(browser: Browser, address: str, foreign: list[str]) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_page(browser, address, foreign, **phone)
    send(page, "Hello!")
    wait_until_answered(page)
    page.tap(EDIT)
    expect(page.locator(EDITING)).to_be_visible()
    send(page, "Good evening!")
    expect(page.locator(SAID)).to_have_text(
        ["Good evening!"]
    )  # until then the page still shows the answer before
    wait_until_answered(page)
    page.tap("#chat .user-row button[aria-label='Version before']")
    expect(page.locator(SAID)).to_have_text(["Hello!"])
    page.context.close()
