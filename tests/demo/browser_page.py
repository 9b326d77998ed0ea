"""What the browser tests do with the page, and where they find things on it."""

import io
from pathlib import Path

import pytest
from PIL import Image

sync_api = pytest.importorskip("playwright.sync_api")
Browser, Page, expect = sync_api.Browser, sync_api.Page, sync_api.expect

CHROMIUM = Path("/usr/bin/chromium")
REPLY_MS = 60_000
DRAW = "Draw a blue rabbit with a red balloon on the beach at sunset."
LABEL = "#chat .bot-row [data-testid=block-label]"
PICTURE = "#chat .bot-row .image-frame img"
SUBMIT = "#composer [data-testid=submit-button]"
STOP = "#composer .stop-button"
RECORD = """() => {
  window.seen = { lengths: new Set(), sources: [] };
  const watched = { childList: true, subtree: true, characterData: true, attributes: true };
  new MutationObserver(() => {
    const bot = document.querySelector("#chat .bot-row");
    if (!bot) return;
    window.seen.lengths.add(bot.innerText.length);
    const source = bot.querySelector(".image-frame img")?.getAttribute("src")?.slice(0, 16);
    if (source && window.seen.sources.at(-1) !== source) window.seen.sources.push(source);
  }).observe(document.querySelector("#chat"), watched);
}"""


def open_page(browser: Browser, address: str, foreign: list[str], **options: object) -> Page:
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
    allowed = (address, "data:", "blob:")
    context.on(
        "request", lambda request: None if request.url.startswith(allowed) else foreign.append(request.url)
    )
    page = context.new_page()
    page.set_default_timeout(REPLY_MS)
    page.goto(address)
    page.wait_for_selector("#composer textarea")
    page.wait_for_timeout(500)
    return page


def send(page: Page, text: str) -> None:
    page.fill("#composer textarea", text)
    page.press("#composer textarea", "Enter")


def wait_until_answered(page: Page, replies: int = 1) -> None:
    expect(page.locator("#chat .bot-row")).to_have_count(replies, timeout=REPLY_MS)
    expect(page.locator(SUBMIT)).to_be_visible(timeout=REPLY_MS)


def set_option(page: Page, name: str, value: str) -> None:
    if not page.locator("#settings.open").count():
        page.click("#settings .toggle-button")
    field = page.locator(f"#option-{name} :is(textarea, input:not([type=range]))")
    field.first.fill(value)
    field.first.press("Tab")
    page.wait_for_timeout(300)


def picture(
    name: str, kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (64, 40)
) -> dict[str, object]:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind)
    return {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": buffer.getvalue()}


def attach(page: Page, *files: dict[str, object]) -> None:
    page.set_input_files("#composer input[type=file]", list(files))
    page.wait_for_timeout(1000)
