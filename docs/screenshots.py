"""Take the pictures of every state from the real app: `python docs/screenshots.py` (needs Chromium and the dev requirements).

Nothing of it is staged: the shipped model writes and draws what is to be seen, with a fixed seed.
"""

import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from gradio_client import Client
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parent
FOLDER = HERE / "screenshots"
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "demo")]

from browser_page import set_option  # noqa: E402
from running_app import APP, running  # noqa: E402  # the tests start the app in the same way

REQUEST = "Draw a blue rabbit with a red balloon on the beach at sunset."
PREMISE = "Pip the blue rabbit finds a red balloon on the beach"
VIEWS = {
    "light": {"viewport": {"width": 1280, "height": 860}},
    "dark": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 760}},
}
REST_MS = 1200
PASSING = "drawing"  # a moment later the picture is done
HALF_DRAWN = "/drawing [3-5][0-9]/.test(document.querySelector('#chat').textContent)"
MADE_MS = 120_000

States = Callable[[Page, str], Iterator[str]]


def main() -> None:
    """Start the app and the arena, go through all states in all views, and keep a small picture of each."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        with running((*APP, "--ephemeral")) as address:
            for view in VIEWS:
                walk(browser, address, view, chat_states)
                walk(browser, f"{address}story", view, story_states)
            for locale in ("ja-JP", "zh-CN"):
                walk(browser, address, "light", welcome_state, locale)
            compare(address, Path(folder))
        arena = (str(ROOT / "app.py"), "--arena", folder)
        with running(arena) as address:
            for view in VIEWS:
                walk(browser, address, view, arena_states)
        browser.close()


def walk(browser: Browser, address: str, view: str, states: States, locale: str = "en-US") -> None:
    """A picture of each of the `states`, which yield their names."""
    context = browser.new_context(locale=locale, **VIEWS[view])
    page = context.new_page()
    page.set_default_timeout(MADE_MS)
    page.goto(address)
    for state in states(page, view):
        if state != PASSING:
            page.wait_for_timeout(REST_MS)
        name = state if locale == "en-US" else f"{state}-{locale[:2]}"
        save(page.screenshot(), FOLDER / f"{name}-{view}.webp")
    context.close()


def compare(address: str, folder: Path) -> None:
    """Two answers of the app to one request, as the arena reads them: with guidance, and without."""
    setting = folder / "guidance"
    (setting / "pictures").mkdir(parents=True)
    client = Client(address, verbose=False)
    for guidance in (1.0, 3.0):
        name = f"guidance {guidance:.0f}"
        reply = client.predict(message=REQUEST, seed=7, guidance_scale=guidance, api_name="/chat")
        image = reply["images"][0]
        file = f"pictures/{name}.png"
        shutil.copy(image if isinstance(image, str) else image["path"], setting / file)
        answer = {"id": "0", "system": name, "parts": [{"text": reply["text"]}, {"image": file}]}
        (setting / f"{name}.jsonl").write_text(json.dumps(answer))
    client.close()
    asked = [{"role": "user", "parts": [{"text": REQUEST}]}]
    (setting / "tasks.jsonl").write_text(json.dumps({"id": "0", "group": "0", "history": asked, "truth": []}))
    (setting / "setting.json").write_text(json.dumps({"title": "One request", "rated": True}))


def save(content: bytes, path: Path) -> None:
    """Small enough for the repository, sharp enough to be read."""
    with Image.open(io.BytesIO(content)) as shot:
        shot.convert("RGB").save(path, "WEBP", quality=80, method=6)
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")


def welcome_state(page: Page, view: str) -> Iterator[str]:
    page.wait_for_selector("#composer textarea")
    yield "welcome"


def chat_states(page: Page, view: str) -> Iterator[str]:
    yield from welcome_state(page, view)
    page.click("#settings .toggle-button")
    set_option(page, "seed", "7")
    set_option(page, "num_inference_steps", "60")  # slow enough to be seen half drawn
    page.locator("#settings .sidebar-content").evaluate("n => n.scrollTo(0, 0)")
    yield "settings"
    page.click("#settings .toggle-button")
    page.wait_for_timeout(600)
    page.fill("#composer textarea", REQUEST)
    page.press("#composer textarea", "Enter")
    page.wait_for_function(HALF_DRAWN)
    yield "drawing"
    page.wait_for_selector("#composer [data-testid=submit-button]")
    yield "chat"
    page.locator("#chat .bot-row .image-container").first.click()
    page.wait_for_selector("#desk .film button")
    yield "desk"
    page.click("#desk .making button:nth-child(2)")
    page.wait_for_selector("#desk .film button:nth-child(5)")
    yield "variations"
    page.keyboard.press("Escape")
    page.click("#history .toggle-button")
    yield "history"
    page.click("#history .toggle-button")
    page.wait_for_timeout(600)
    page.locator("#chat .user-row .tools button").first.click()
    yield "editing"
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    yield "keyboard"


def story_states(page: Page, view: str) -> Iterator[str]:
    page.wait_for_selector("#premise")
    yield "new-story"
    page.fill("#premise", PREMISE)
    page.locator("#scenes").evaluate("n => { n.value = 3; n.dispatchEvent(new Event('input')); }")
    page.locator(".how summary").click()
    page.fill("#story-seed", "11")
    page.click("#write-whole")
    page.wait_for_selector("#story-book .spread:nth-child(3) figure img[src^='gradio_api']")
    page.wait_for_selector("#write-next")
    page.locator("#story-book").evaluate("n => n.scrollTo(0, 0)")
    yield "story"
    page.click("#open-stage")
    page.wait_for_selector(".slide.on h1")
    yield "stage-title"
    page.keyboard.press("ArrowRight")
    yield "stage"
    page.keyboard.press("r")
    link = page.locator("dialog[open] a").inner_text()
    if view == "phone":
        page.goto(link)
        page.wait_for_function("document.querySelector('#now').textContent.length > 3")
        yield "remote"


def arena_states(page: Page, view: str) -> Iterator[str]:
    page.wait_for_selector("#sides article img")
    yield "arena"


if __name__ == "__main__":
    main()
