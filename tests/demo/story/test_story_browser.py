"""Stories in a real browser, over the real app on the shipped weights: told, changed, staged, carried away."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
from pptx import Presentation
from running_app import REAL, ROOT, running

sync_api = pytest.importorskip("playwright.sync_api")
Browser, Page, expect = sync_api.Browser, sync_api.Page, sync_api.expect

CHROMIUM = Path("/usr/bin/chromium")
WAIT_MS = 60_000
SPREAD = "#story-book .spread"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
DRAWN = "gradio_api/file="

pytestmark = pytest.mark.skipif(
    not (ROOT / "weights" / "storybook" / "config.json").is_file(), reason="needs the shipped weights"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running((*REAL, "--data", str(tmp_path_factory.mktemp("data")))) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        where = {"executable_path": str(CHROMIUM)} if CHROMIUM.exists() else {}
        expect.set_options(timeout=WAIT_MS)
        chromium = playwright.chromium.launch(args=["--no-sandbox", "--disable-gpu"], **where)
        yield chromium
        chromium.close()


def open_page(browser: Browser, address: str, path: str, **options: object) -> Page:
    """A page in a context of its own that may ask for nothing outside the app and whose scripts may not fail."""
    context = browser.new_context(**({"viewport": DESKTOP} | options))
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    ours = (address, "data:", "blob:")
    page.on("request", lambda sent: sent.url.startswith(ours) or page.wrong.append(sent.url))
    page.goto(address + path)
    return page


def close(page: Page) -> None:
    assert page.wrong == []
    page.context.close()


def rest(page: Page) -> None:
    """Until nothing is written or drawn."""
    expect(page.locator("#write-next")).to_be_visible()


def begin(page: Page, scenes: int = 2, steps: int = 4) -> None:
    page.fill("#premise", "a blue rabbit who wants to see snow")
    page.fill("#cast", "Pip the blue rabbit")
    page.locator("#scenes").fill(str(scenes))
    page.click(".how summary")
    page.fill("#story-num_inference_steps", str(steps))
    page.fill("#story-seed", "3")
    page.click("#write-whole")
    page.wait_for_selector(SPREAD)


def words(page: Page, place: int) -> str:
    return page.locator(SPREAD).nth(place).locator(".words").inner_text()


def picture(page: Page, place: int) -> str:
    return page.locator(SPREAD).nth(place).locator("img").get_attribute("src") or ""


def do(page: Page, place: int, command: str) -> None:
    spread = page.locator(SPREAD).nth(place)
    spread.locator("summary").click()
    spread.locator(f".sheet {command}").click()


@pytest.fixture(scope="module")
def told(browser: Browser, address: str) -> Iterator[Page]:
    """A story of two scenes, written before the eyes of whoever looks."""
    page = open_page(browser, address, "story")
    page.wait_for_selector("#premise")
    page.evaluate(
        """() => { window.seen = new Set(); new MutationObserver(() => {
             for (const img of document.querySelectorAll("#story-book figure img")) window.seen.add((img.getAttribute("src") || "").slice(0, 16));
           }).observe(document.querySelector("#story-book"), { subtree: true, childList: true, attributes: true }); }"""
    )
    begin(page, steps=40)  # long enough to be paused in the middle
    rest(page)
    yield page
    close(page)


def test_a_story_is_told_and_its_pictures_form_before_the_eyes(told: Page) -> None:
    expect(told.locator(SPREAD)).to_have_count(2)
    assert "Pip" in words(told, 0) and "rabbit" in words(told, 0)
    seen = told.evaluate("[...window.seen]")
    assert any(source.startswith("data:image/webp") for source in seen)
    assert picture(told, 0).startswith(DRAWN) and picture(told, 0) != picture(told, 1)
    assert told.locator(f"{SPREAD} img").first.evaluate("n => n.naturalWidth") >= 64


def test_an_edit_is_gone_on_from_and_every_change_can_be_undone(told: Page) -> None:
    before = [words(told, place) for place in (0, 1)]
    told.locator(f"{SPREAD} .edit").first.click()
    told.locator(f"{SPREAD} .editor").first.fill("Pip was a brave blue rabbit. It was a cold night.")
    told.locator(f"{SPREAD} .done").first.click()
    expect(told.locator(f"{SPREAD} .words").first).to_contain_text("brave")
    do(told, 0, ".go-on")
    expect(told.locator("#pause")).to_be_visible()
    rest(told)
    expect(told.locator(SPREAD)).to_have_count(2)
    assert "brave" in words(told, 0) and picture(told, 1).startswith(DRAWN)
    told.click("#undo")
    told.click("#undo")
    expect(told.locator(f"{SPREAD} .words").first).to_have_text(before[0])
    assert words(told, 1) == before[1]


def test_only_the_picture_is_drawn_again_and_both_drawings_stay(told: Page) -> None:
    text, first = words(told, 0), picture(told, 0)
    told.locator(f"{SPREAD} .redraw").first.click()
    expect(told.locator(f"{SPREAD} .version").first).to_have_text("Drawing 2 of 2")
    rest(told)
    assert picture(told, 0) not in ("", first) and words(told, 0) == text
    told.locator(f"{SPREAD} .versions .before").first.click()
    expect(told.locator(f"{SPREAD} img").first).to_have_attribute("src", first)


def test_scenes_change_places_and_a_reload_keeps_all(told: Page) -> None:
    second = words(told, 1)
    do(told, 1, ".earlier")
    expect(told.locator(f"{SPREAD} .words").first).to_have_text(second)
    told.reload()
    expect(told.locator(f"{SPREAD} .words").first).to_have_text(second)
    do(told, 0, ".later")
    expect(told.locator(f"{SPREAD} .words").nth(1)).to_have_text(second)


def test_the_author_says_what_happens_and_pauses(told: Page) -> None:
    told.fill("#ask", "Then it begins to rain")
    told.press("#ask", "Enter")
    expect(told.locator(SPREAD)).to_have_count(3)
    expect(told.locator(f"{SPREAD} .asked").nth(2)).to_have_text("Then it begins to rain")
    told.wait_for_selector(f"{SPREAD}:nth-child(3) figure.drawing")
    told.click("#pause")
    rest(told)
    expect(told.locator(f"{SPREAD} .stopped").nth(2)).to_be_visible()
    do(told, 2, ".remove")
    expect(told.locator(SPREAD)).to_have_count(2)


def test_the_stage_turns_by_key_and_remote_and_stands_when_the_network_goes(
    browser: Browser, address: str, told: Page
) -> None:
    state = told.context.storage_state()
    stage = open_page(
        browser, address, f"stage#{told.url.split('#')[1]}", storage_state=state, reduced_motion="reduce"
    )
    shown = stage.locator(".slide.on")
    expect(shown.locator("h1")).to_be_visible()
    for key, place in (
        ("ArrowRight", 2),
        ("PageUp", 1),
        (" ", 2),
        ("PageDown", 3),
        ("End", 3),
        ("ArrowLeft", 2),
    ):
        stage.keyboard.press(key)
        expect(stage.locator("#state")).to_contain_text(f"{place} of 3")
    expect(shown.locator("p")).to_have_text(words(told, 0))
    stage.keyboard.press("r")
    link = stage.locator("dialog[open] a").inner_text()
    stage.keyboard.press("Escape")
    remote = open_page(browser, address, link.removeprefix(address), viewport=PHONE)
    expect(remote.locator("#now")).to_have_text(words(told, 0))
    remote.click("#next")
    expect(stage.locator("#state")).to_contain_text("3 of 3")
    remote.fill("#ask", "Then it snows")
    remote.click("#write")
    expect(stage.locator("#state")).to_contain_text("4 of 4")
    stage.wait_for_selector(".slide.on figure.forming")
    stage.wait_for_selector(f".slide.on img[src^='{DRAWN}']")
    stage.context.set_offline(True)
    stage.keyboard.press("Home")
    stage.keyboard.press("ArrowRight")
    expect(shown.locator("p")).to_have_text(words(told, 0))
    assert shown.locator("img").evaluate("n => n.complete && n.naturalWidth > 0")
    stage.context.set_offline(False)
    stage.keyboard.press("Escape")
    stage.wait_for_selector(SPREAD)
    remote.click("#previous")
    expect(remote.locator("#state")).to_contain_text("no stage with this code")
    close(remote)
    close(stage)


def test_what_is_saved_can_be_opened_and_the_zip_be_gone_on_with(
    browser: Browser, address: str, told: Page, tmp_path: Path
) -> None:
    files = {}
    for kind in ("html", "pdf", "pptx", "gif", "zip"):
        told.click("#save-as summary")
        with told.expect_download() as saved:
            told.click(f"#save-as [data-kind={kind}]")
        files[kind] = tmp_path / saved.value.suggested_filename
        saved.value.save_as(files[kind])
    count = told.locator(SPREAD).count()
    assert len(pypdf.PdfReader(files["pdf"]).pages) == count + 1
    assert len(Presentation(files["pptx"]).slides) == count + 1
    assert files["gif"].read_bytes()[:6] == b"GIF89a"
    with zipfile.ZipFile(io.BytesIO(files["zip"].read_bytes())) as archive:
        assert len(json.loads(archive.read("story.json"))["story"]["scenes"]) == count
    book = open_page(browser, address, "story")
    book.goto(files["html"].as_uri())
    expect(book.locator("section")).to_have_count(count)
    book.context.close()
    elsewhere = open_page(browser, address, "story")
    elsewhere.set_input_files("#story-file", files["zip"])
    expect(elsewhere.locator(SPREAD)).to_have_count(count)
    assert [words(elsewhere, place) for place in range(count)] == [
        words(told, place) for place in range(count)
    ]
    elsewhere.click("#write-next")
    expect(elsewhere.locator(SPREAD)).to_have_count(count + 1)
    rest(elsewhere)
    elsewhere.set_input_files(
        "#story-file", {"name": "x.zip", "mimeType": "application/zip", "buffer": b"no"}
    )
    expect(elsewhere.locator("#story-book .notice")).to_contain_text("not a ZIP")
    close(elsewhere)


def test_a_phone_tells_a_story_with_one_thumb_in_the_dark(browser: Browser, address: str) -> None:
    page = open_page(browser, address, "story", viewport=PHONE, color_scheme="dark", has_touch=True)
    page.wait_for_selector("#premise")
    width = (
        "Math.max(document.documentElement.scrollWidth, document.querySelector('#story-book').scrollWidth)"
    )
    assert page.evaluate(width) <= PHONE["width"]
    begin(page)
    rest(page)
    assert page.evaluate(width) <= PHONE["width"]
    expect(page.locator("#write-next")).to_be_in_viewport()
    ground = page.locator("#story-book").evaluate("n => getComputedStyle(n).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 150
    page.click("#delete-story")
    page.click("#delete-story")
    page.wait_for_selector("#premise")
    page.click(".my-stories summary")
    expect(page.locator(".story-list .none")).to_be_visible()
    close(page)


def test_a_premise_may_be_a_picture(browser: Browser, address: str, told: Page) -> None:
    shown = told.context.request.get(address + picture(told, 0)).body()
    page = open_page(browser, address, "story")
    page.set_input_files("#premise-pictures", {"name": "x.png", "mimeType": "image/png", "buffer": shown})
    expect(page.locator("#story-book .thumb")).to_have_count(1)
    page.click("details.how summary")
    page.fill("#story-seed", "3")
    page.click("#write-first")
    expect(page.locator(SPREAD)).to_have_count(1)
    rest(page)
    assert "blue rabbit" in words(page, 0).lower()
    close(page)
