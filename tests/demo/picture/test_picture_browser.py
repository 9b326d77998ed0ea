"""The picture dialog in a real browser, over the real app: drawings of a picture, zoom, files that bring settings along."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_page import DRAW, PICTURE, Browser, Page, expect, open_page, send, wait_until_answered
from PIL import Image

from demo.store.provenance import read_provenance

FRAMES = "#desk .frame"
LARGE = "#desk .canvas > img"
SEED = "#option-seed :is(textarea, input)"
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
on_both = pytest.mark.parametrize("page", SIZES, indirect=True)


@pytest.fixture
def page(
    request: pytest.FixtureRequest, browser: Browser, address: str, foreign: list[str]
) -> Iterator[Page]:
    """A chat with one picture, which the dialog shows."""
    size = SIZES[getattr(request, "param", "desktop")]
    page = open_page(browser, address, foreign, viewport=size, reduced_motion="reduce")
    send(page, DRAW)
    wait_until_answered(page)
    page.click("#chat .bot-row .image-container")
    expect(page.locator(FRAMES)).to_have_count(1)
    yield page
    page.context.close()


def set_steps(page: Page, steps: int) -> None:
    page.locator("#desk-num_inference_steps").evaluate(
        "(slider, steps) => { slider.value = steps; slider.dispatchEvent(new Event('input')); }", steps
    )


def expect_scale(page: Page, scale: float) -> None:
    page.wait_for_function(
        """([selector, scale]) => {
          const { transform } = getComputedStyle(document.querySelector(selector));
          return Math.abs(new DOMMatrix(transform).a - scale) < 0.01;
        }""",
        arg=[LARGE, scale],
    )


def source(page: Page, selector: str) -> str:
    return page.locator(selector).first.get_attribute("src") or ""


def fetched(page: Page, selector: str) -> bytes:
    """The bytes of a picture that the page shows."""
    values = page.locator(selector).first.evaluate(
        "async (image) => [...new Uint8Array(await (await fetch(image.src)).arrayBuffer())]"
    )
    return bytes(values)


@on_both
def test_a_redraw_changes_the_picture_keeps_the_words_and_both_drawings_can_be_shown(page: Page) -> None:
    words, first = page.inner_text("#chat .bot-row .prose"), source(page, PICTURE)
    page.fill("#desk-seed", "123")
    page.click("#desk .making .main")
    expect(page.locator(FRAMES)).to_have_count(2)
    expect(page.locator(PICTURE)).not_to_have_attribute("src", first)
    assert page.inner_text("#chat .bot-row .prose") == words
    assert source(page, PICTURE) == source(page, LARGE)
    page.locator(FRAMES).first.click()
    expect(page.locator(PICTURE)).to_have_attribute("src", first)
    page.keyboard.press("Escape")
    page.get_by_label("Next drawing").click()
    expect(page.locator(PICTURE)).not_to_have_attribute("src", first)
    expect(page.locator("#chat .drawings")).to_contain_text("2/2")
    page.reload()
    expect(page.locator("#chat .drawings")).to_contain_text("2/2")


def test_the_same_seed_and_settings_give_the_identical_file(page: Page) -> None:
    before, seed = fetched(page, LARGE), page.input_value("#desk-seed")
    page.click("text=Draw again with a new seed")
    expect(page.locator(FRAMES)).to_have_count(2)
    assert page.input_value("#desk-seed") != seed
    page.fill("#desk-seed", seed)
    page.click("#desk >> text=/^Draw again$/")
    expect(page.locator(f"{FRAMES}[aria-pressed=true]")).to_contain_text("1 ·")
    expect(page.locator(FRAMES)).to_have_count(2)  # no second copy of it
    assert fetched(page, LARGE) == before


@on_both
def test_variations_and_the_guidance_strip_form_side_by_side_to_be_chosen_from(page: Page) -> None:
    set_steps(page, 4)
    page.click("text=Four variations")
    cells = page.locator("#desk .forming button")
    expect(cells).to_have_count(4)
    expect(page.locator("#desk .forming button:not(:disabled)")).to_have_count(4)
    assert len({cell.get_attribute("src") for cell in page.locator("#desk .forming img").all()}) == 4
    cells.nth(2).click()
    expect(page.locator(f"{FRAMES}[aria-pressed=true]")).to_contain_text("4 ·")
    set_steps(page, 4)
    page.click("text=Guidance strip")
    expect(page.locator("#desk .forming button:not(:disabled)")).to_have_count(5)
    labels = [cell.inner_text() for cell in page.locator("#desk .forming span").all()]
    assert labels == [f"Guidance {scale}" for scale in ("1", "3", "5", "7.5", "12")]
    expect(page.locator(FRAMES)).to_have_count(1 + 4 + 4)  # guidance 3 was there already


def test_a_redraw_is_stopped_and_leaves_the_picture_as_it_was(page: Page) -> None:
    before = source(page, LARGE)
    set_steps(page, 50)
    page.fill("#desk-seed", "5")
    page.click("#desk .making .main")
    page.click("#desk .making .main:has-text('Stop')")
    expect(page.locator("#desk .making .main:visible")).to_contain_text("Draw again")
    expect(page.locator(LARGE)).to_have_attribute("src", before)
    expect(page.locator(FRAMES)).to_have_count(1)


def test_what_cannot_be_drawn_is_refused_with_a_sentence(page: Page) -> None:
    page.fill("#desk-seed", "a lot")
    page.click("#desk .making .main")
    expect(page.locator("#desk .problem")).to_contain_text("seed: got 'a lot'")
    expect(page.locator(FRAMES)).to_have_count(1)


def test_a_picture_is_zoomed_by_keys_and_wheel_and_escape_leads_back_to_it(page: Page) -> None:
    page.keyboard.press("+")
    expect_scale(page, 1.5)
    page.locator("#desk .canvas").hover()
    page.mouse.wheel(0, -100)
    expect_scale(page, 1.8)
    page.keyboard.press("0")
    expect_scale(page, 1)
    page.keyboard.press("Escape")
    expect(page.locator("#desk")).to_be_hidden()
    expect(page.locator("#chat .bot-row .image-container > button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).to_be_visible()


@on_both
def test_a_downloaded_picture_tells_how_it_was_drawn_and_restores_its_settings(
    page: Page, tmp_path: Path
) -> None:
    with page.expect_download() as downloading:
        page.click("text=Download")
    assert downloading.value.suggested_filename.startswith("minigpt5-seed-")
    file = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(file)
    with Image.open(io.BytesIO(file.read_bytes())) as picture:
        facts: dict[str, Any] = read_provenance(picture) or {}
    assert facts["prompt"] == DRAW
    assert (facts["model"], facts["guidance_scale"], facts["num_inference_steps"]) == ("storybook", 3.0, 20)
    page.keyboard.press("Escape")
    page.set_input_files("#composer input[type=file]", file)
    expect(page.locator("#restored")).to_contain_text(f"seed {facts['seed']}, guidance 3, 20 steps")
    seed = page.locator(SEED)
    expect(seed).to_have_value(facts["seed"])
    page.click("text=Use its words")
    expect(page.locator("#composer textarea")).to_have_value(DRAW)
    expect(page.locator("#restored")).to_be_hidden()


def test_restored_settings_can_be_undone_and_other_pictures_restore_nothing(
    page: Page, tmp_path: Path
) -> None:
    file, plain = tmp_path / "drawn.png", tmp_path / "plain.png"
    file.write_bytes(fetched(page, LARGE))
    Image.new("RGB", (16, 16), "green").save(plain)
    page.keyboard.press("Escape")
    page.set_input_files("#composer input[type=file]", plain)
    expect(page.locator("#composer .thumbnail-item")).to_have_count(1)
    expect(page.locator("#restored")).to_be_hidden()
    page.set_input_files("#composer input[type=file]", file)
    seed = page.locator(SEED)
    expect(seed).not_to_have_value("")
    page.click("#restored >> text=Undo")
    expect(seed).to_have_value("")


def test_a_drawn_picture_is_used_as_input_and_the_pictures_are_put_in_order(
    page: Page, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.png"
    Image.new("RGB", (16, 16), "green").save(plain)
    page.click("text=Use as input")
    thumbnails = page.locator("#composer .thumbnail-item img")
    expect(thumbnails).to_have_count(1)
    page.set_input_files("#composer input[type=file]", plain)
    expect(thumbnails).to_have_count(2)
    first = thumbnails.nth(0).get_attribute("src")
    page.locator("#composer .thumbnail-item").nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(thumbnails.nth(1)).to_have_attribute("src", first or "")
    send(page, "Who is this?")
    expect(page.locator("#chat .user-row").nth(1).locator("img")).to_have_count(2)
