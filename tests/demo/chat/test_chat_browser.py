"""The page in a real browser, over the real app on the shipped weights; over a scripted engine where there are none."""

import io
import re
import time

import pytest
from browser_page import (
    DRAW,
    LABEL,
    PICTURE,
    RECORD,
    STOP,
    SUBMIT,
    Browser,
    Page,
    attach,
    expect,
    open_page,
    picture,
    send,
    set_option,
    wait_until_answered,
)
from PIL import Image


def test_words_stream_and_a_picture_forms_in_the_same_reply(page: Page) -> None:
    page.evaluate(RECORD)
    send(page, DRAW)
    expect(page.locator(PICTURE).first).to_be_visible()
    wait_until_answered(page)
    seen = page.evaluate("({lengths: seen.lengths.size, sources: seen.sources})")
    assert seen["lengths"] >= 3, "the words came at once"
    assert seen["sources"][0].startswith("data:"), "no frame or preview came before the picture"
    assert seen["sources"][-1].startswith("gradio_api/file")
    expect(page.locator(LABEL).first).to_have_text(re.compile(r"seed \d+ · guidance 3\.0"))
    image = page.locator(PICTURE).first
    assert image.evaluate("async node => { await node.decode(); return node.naturalWidth }") >= 64
    assert image.get_attribute("alt")
    assert page.locator("#chat .bot-row p").first.inner_text().strip()


def test_settings_hold_and_a_seed_repeats(page: Page) -> None:
    set_option(page, "guidance_scale", "7.5")
    set_option(page, "num_inference_steps", "4")
    set_option(page, "seed", "42")
    send(page, DRAW)
    wait_until_answered(page)
    expect(page.locator(LABEL).first).to_have_text(re.compile(r"seed 42 · guidance 7\.5"))
    set_option(page, "seed", "")
    page.click("#chat button[aria-label='Retry answer']")
    expect(page.locator(LABEL).first).to_have_text(re.compile(r"seed (?!42 ·)\d+ · guidance 7\.5"))
    wait_until_answered(page)
    expect(page.locator("#chat .user-row")).to_have_count(1)


def test_stop_ends_in_the_middle_of_a_picture(page: Page) -> None:
    set_option(page, "num_inference_steps", "100")
    send(page, DRAW)
    expect(page.locator(LABEL).first).to_have_text(re.compile(r"drawing [1-9]\d*/100"))
    page.click(STOP)
    began = time.monotonic()
    expect(page.locator(LABEL).first).to_have_text(re.compile(r"stopped at \d+/100"), timeout=5000)
    assert time.monotonic() - began < 5
    expect(page.locator(SUBMIT)).to_be_visible()
    before = page.locator(LABEL).first.inner_text()
    page.wait_for_timeout(800)
    assert page.locator(LABEL).first.inner_text() == before


def test_new_chat_empties_the_page_and_what_is_being_typed_stays(page: Page) -> None:
    send(page, "Hello!")
    wait_until_answered(page)
    page.fill("#composer textarea", "not yet sent")
    page.click("#new")
    expect(page.locator("#chat .message-row")).to_have_count(0)
    expect(page.locator("#chat .welcome")).to_be_visible()
    expect(page.locator("#composer textarea")).to_have_value("not yet sent")


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"not a picture at all", "not a picture"), (picture("x")["buffer"][:60], "damaged|not a")],
)
def test_a_bad_file_is_refused_with_a_sentence_and_the_words_stay(
    page: Page, content: bytes, why: str
) -> None:
    page.fill("#composer textarea", "Look at this")
    attach(page, {"name": "bad.png", "mimeType": "image/png", "buffer": content})
    page.press("#composer textarea", "Enter")
    expect(page.locator("#notice")).to_contain_text(re.compile(why))
    page.wait_for_timeout(700)
    expect(page.locator("#notice")).to_contain_text("bad.png")
    expect(page.locator("#composer textarea")).to_have_value("Look at this")
    expect(page.locator("#chat .message-row")).to_have_count(0)


def test_uncommon_pictures_are_shown(page: Page) -> None:
    kinds = (("cmyk.jpg", "JPEG", "CMYK"), ("deep.png", "PNG", "I;16"), ("small.gif", "GIF", "P"))
    attach(page, *(picture(*kind) for kind in kinds))
    send(page, "Who is this?")
    images = page.locator("#chat .user-row .image-frame img")
    expect(images).to_have_count(3)
    sizes = images.evaluate_all("nodes => Promise.all(nodes.map(n => n.decode().then(() => n.naturalWidth)))")
    assert sizes == [64, 64, 64]
    wait_until_answered(page)


def test_a_file_dropped_anywhere_on_the_chat_lands_in_the_composer(page: Page) -> None:
    page.evaluate(
        """bytes => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "drop.png", { type: "image/png" }));
          const drop = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
          document.querySelector("#chat").dispatchEvent(drop);
        }""",
        list(picture("drop.png")["buffer"]),
    )
    expect(page.locator("#composer .thumbnails img, #composer .thumbnail-item")).not_to_have_count(0)


def test_typed_control_strings_are_shown_as_they_are(page: Page) -> None:
    typed = "hello <ImageHere> [IMG3] </s> *stars*"
    send(page, typed)
    expect(page.locator("#chat .user-row .message-content")).to_have_text(typed)
    wait_until_answered(page)


def test_two_people_never_see_each_other(browser: Browser, address: str, foreign: list[str]) -> None:
    people = {"rabbit": "Draw a pink rabbit in the forest.", "frog": "Draw a green frog in the desert."}
    pages = {name: open_page(browser, address, foreign) for name in people}
    for name, page in pages.items():
        send(page, people[name])
    for page in pages.values():
        wait_until_answered(page)
    sources = {name: page.locator(PICTURE).first.get_attribute("src") for name, page in pages.items()}
    assert sources["rabbit"] != sources["frog"]
    for name, page in pages.items():
        other = "frog" if name == "rabbit" else "rabbit"
        page.reload()
        expect(page.locator("#chat .user-row .message-content")).to_have_text(people[name])
        assert people[other] not in page.content()
        assert str(sources[other]) not in page.content()
        page.context.close()


def test_a_reload_keeps_the_chat(page: Page) -> None:
    send(page, "Hello!")
    wait_until_answered(page)
    reply = page.locator("#chat .bot-row .message-content").inner_text()
    page.reload()
    expect(page.locator("#chat .bot-row .message-content")).to_have_text(reply)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_never_scrolls_sideways(
    browser: Browser, address: str, foreign: list[str], scheme: str
) -> None:
    page = open_page(browser, address, foreign, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    width = "Math.max(document.documentElement.scrollWidth, document.querySelector('#chat .bubble-wrap').scrollWidth)"
    assert page.evaluate(width) <= 390
    send(page, DRAW)
    expect(page.locator(LABEL).first).to_have_text(re.compile("seed"))
    wait_until_answered(page)
    assert page.evaluate(width) <= 390
    page.click("#settings .toggle-button")
    page.wait_for_timeout(600)
    assert page.evaluate(width) <= 390
    page.click("#settings .toggle-button")
    page.wait_for_timeout(600)
    expect(page.locator("#composer textarea")).to_be_in_viewport()
    page.context.close()


def test_dark_mode_is_dark(browser: Browser, address: str, foreign: list[str]) -> None:
    page = open_page(browser, address, foreign, color_scheme="dark")
    colours = page.evaluate(
        "['backgroundColor', 'color'].map(k => getComputedStyle(document.querySelector('.gradio-container'))[k])"
    )
    ground, ink = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    assert ground < 150
    assert ink > 600
    page.context.close()


def test_the_keyboard_reaches_everything(page: Page) -> None:
    page.locator("#composer textarea").focus()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.id || document.activeElement.className.split(' ')[0]")
        )
    assert {"new", "example", "toggle-button"} <= reached


def test_a_pasted_picture_lands_in_the_composer(page: Page) -> None:
    page.focus("#composer textarea")
    page.evaluate(
        """bytes => {
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([new Uint8Array(bytes)], "paste.png", { type: "image/png" }));
          const paste = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
          document.querySelector("#composer textarea").dispatchEvent(paste);
        }""",
        list(picture("paste.png")["buffer"]),
    )
    expect(page.locator("#composer .thumbnails img, #composer .thumbnail-item")).not_to_have_count(0)


def test_a_file_over_the_size_limit_is_refused_and_the_words_stay(page: Page) -> None:
    page.fill("#composer textarea", "Look at this")
    heavy = {
        "name": "heavy.png",
        "mimeType": "image/png",
        "buffer": picture("x")["buffer"] + bytes(11 * 2**20),
    }
    attach(page, heavy)
    expect(page.locator(".toast-body")).to_contain_text(re.compile("10 ?MB|size|too (large|big)"))
    expect(page.locator("#composer textarea")).to_have_value("Look at this")


def test_a_photograph_taken_sideways_is_shown_upright(page: Page) -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90 degrees to show"
    Image.new("RGB", (64, 40), "red").save(buffer, "JPEG", exif=exif)
    attach(page, {"name": "sideways.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()})
    send(page, "Who is this?")
    shown = page.locator("#chat .user-row .image-frame img")
    expect(shown).to_have_count(1)
    width, height = shown.evaluate("n => n.decode().then(() => [n.naturalWidth, n.naturalHeight])")
    assert (width, height) == (40, 64)
    wait_until_answered(page)


def test_an_animation_is_shown_as_its_first_picture(page: Page) -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (64, 40), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    attach(page, {"name": "moving.gif", "mimeType": "image/gif", "buffer": buffer.getvalue()})
    send(page, "Who is this?")
    expect(page.locator("#chat .user-row .image-frame img")).to_have_count(1)
    wait_until_answered(page)
