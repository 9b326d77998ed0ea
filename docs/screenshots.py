"""Take the README's screenshots from the real app: `python docs/screenshots.py` (needs Chromium)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
ADDRESS = "http://127.0.0.1:7899"
REQUEST = "Draw a blue rabbit with a red balloon on the beach at sunset"
VIEWS = {"light": (1280, 860), "dark": (1280, 860), "phone": (390, 844)}


def main() -> None:
    """Start the app, take the pictures, stop it."""
    FOLDER.mkdir(exist_ok=True)
    app = subprocess.Popen([sys.executable, "app.py", "--port", ADDRESS.rpartition(":")[2]])
    try:
        wait()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            for name, (width, height) in VIEWS.items():
                scheme = "dark" if name == "dark" else "light"
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                shoot(page, name)
                page.close()
    finally:
        app.terminate()


def wait(seconds: int = 180) -> None:
    """Until the page answers."""
    for _ in range(seconds):
        try:
            urllib.request.urlopen(ADDRESS)
            return
        except OSError:
            time.sleep(1)
    raise TimeoutError(f"{ADDRESS}: no answer in {seconds} s")


def shoot(page: Page, name: str) -> None:
    """The empty page, and a reply with its picture."""
    page.goto(ADDRESS)
    page.wait_for_selector("#composer textarea")
    page.wait_for_timeout(1500)
    page.screenshot(path=FOLDER / f"welcome-{name}.png")
    page.fill("#composer textarea", REQUEST)
    page.keyboard.press("Enter")
    page.wait_for_selector("#chat .bot-row [data-testid=block-label]:has-text('seed')", timeout=60_000)
    page.wait_for_timeout(2500)
    page.screenshot(path=FOLDER / f"chat-{name}.png")


if __name__ == "__main__":
    main()
