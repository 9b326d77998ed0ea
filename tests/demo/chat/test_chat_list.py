"""The list of chats in a real browser: what stays, what is found, and who sees it."""

import re

from browser_page import Browser, Page, expect, open_page, send, wait_until_answered

SAID = "#chat .user-row .message-content"
TITLES = "#history .entry .title"
HANDLE = "#history .toggle-button"


def chat(page: Page, text: str) -> None:
    page.click("#new")
    expect(page.locator("#chat .message-row")).to_have_count(0)
    send(page, text)
    wait_until_answered(page)


def open_list(page: Page) -> None:
    page.click(HANDLE)
    expect(page.locator("#history.open")).to_be_visible()
    page.wait_for_timeout(400)


def entry(page: Page, title: str) -> object:
    return page.locator("#history .entry", has_text=title)


def test_chats_are_listed_opened_renamed_found_and_deleted(page: Page) -> None:
    chat(page, "Hello, brown bear!")
    chat(page, "Good morning, green frog!")
    open_list(page)
    expect(page.locator("#history h3")).to_have_text("Today")
    expect(page.locator(TITLES)).to_have_text(["Good morning, green frog!", "Hello, brown bear!"])
    expect(page.locator(f"{TITLES}[aria-current]")).to_have_text("Good morning, green frog!")

    page.click(f"{TITLES}:text('brown bear')")
    expect(page.locator(SAID)).to_have_text("Hello, brown bear!")
    expect(page.locator(f"{TITLES}[aria-current]")).to_have_text("Hello, brown bear!")

    entry(page, "brown bear").hover()
    page.click("button[aria-label='Rename “Hello, brown bear!”']")
    page.fill("#history .rename", "Kites")
    page.press("#history .rename", "Enter")
    expect(page.locator(TITLES)).to_have_text(["Good morning, green frog!", "Kites"])

    page.fill("#history .search", "BROWN bear")
    expect(page.locator(TITLES)).to_have_text(["Kites"])
    page.fill("#history .search", "nowhere at all")
    expect(page.locator("#history .none")).to_contain_text("Nothing found")
    page.fill("#history .search", "")
    expect(page.locator(TITLES)).to_have_count(2)

    entry(page, "Kites").hover()
    page.click("button[aria-label='Delete “Kites”']")
    page.click("#history .keep")
    expect(page.locator(TITLES)).to_have_count(2)
    entry(page, "Kites").hover()
    page.click("button[aria-label='Delete “Kites”']")
    page.click("#history .sure")
    expect(page.locator(TITLES)).to_have_text(["Good morning, green frog!"])
    expect(page.locator("#chat .message-row")).to_have_count(0)


def test_the_keyboard_opens_renames_and_deletes(page: Page) -> None:
    chat(page, "Hello!")
    open_list(page)
    page.focus("#history .search")
    page.keyboard.press("Tab")
    expect(page.locator(TITLES)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("Greetings")
    page.keyboard.press("Enter")
    expect(page.locator(TITLES)).to_have_text("Greetings")
    expect(page.locator(TITLES)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator(TITLES)).to_have_text("Greetings")


def test_another_tab_lists_the_same_chats_and_another_browser_none(
    browser: Browser, address: str, foreign: list[str], page: Page
) -> None:
    chat(page, "Only mine.")
    tab = page.context.new_page()
    tab.goto(address)
    expect(tab.locator(TITLES)).to_have_text(["Only mine."])
    expect(tab.locator("#chat .welcome")).to_be_visible()
    source = page.evaluate("minigpt5.outline.chat")
    other = open_page(browser, address, foreign)
    other.evaluate("id => { minigpt5.act('open', id); minigpt5.act('rename', {id, title: 'Taken'}) }", source)
    other.evaluate("id => minigpt5.act('delete', id)", source)
    other.wait_for_timeout(600)
    expect(other.locator("#chat .message-row")).to_have_count(0)
    expect(other.locator(TITLES)).to_have_count(0)
    page.reload()
    expect(page.locator(SAID)).to_have_text("Only mine.")
    expect(page.locator(TITLES)).to_have_text(["Only mine."])
    other.context.close()


def test_the_list_covers_a_phone_and_goes_when_a_chat_is_chosen(
    browser: Browser, address: str, foreign: list[str]
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_page(browser, address, foreign, **phone)
    chat(page, "Hello!")
    expect(page.locator("#history.open")).to_have_count(0)
    page.click("#new")
    open_list(page)
    page.tap(TITLES)
    expect(page.locator("#history")).not_to_have_class(re.compile("open"))
    expect(page.locator(SAID)).to_have_text("Hello!")
    page.context.close()
