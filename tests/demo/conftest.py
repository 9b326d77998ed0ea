"""One running app for all tests of the page, and a browser for each of their files."""

import os
from collections.abc import Iterator

import pytest
from browser_page import CHROMIUM, REPLY_MS, Browser, Page, expect, open_page, sync_api
from running_app import REAL, ROOT, SCRIPTED, running

WEIGHTS = ROOT / "weights" / "storybook"


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The app to look at; `MINIGPT5_DEMO_URL` names one that already runs."""
    if url := os.environ.get("MINIGPT5_DEMO_URL"):
        yield url
        return
    with running(REAL if (WEIGHTS / "config.json").is_file() else SCRIPTED) as url:
        yield url


@pytest.fixture(scope="module")  # its event loop would be in the way of tests that run their own
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        where = {"executable_path": str(CHROMIUM)} if CHROMIUM.exists() else {}
        expect.set_options(timeout=REPLY_MS)
        chromium = playwright.chromium.launch(args=["--no-sandbox", "--disable-gpu"], **where)
        yield chromium
        chromium.close()


@pytest.fixture
def foreign(address: str) -> Iterator[list[str]]:
    """The requests that left this machine: whatever a test does, there must be none."""
    requests: list[str] = []
    yield requests
    assert requests == []


@pytest.fixture
def page(browser: Browser, address: str, foreign: list[str]) -> Iterator[Page]:
    page = open_page(browser, address, foreign)
    yield page
    page.context.close()
