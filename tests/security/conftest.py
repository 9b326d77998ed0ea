"""One app for each file of tests, and a browser where it asks for one."""

from collections.abc import Iterator

import pytest
from browser_page import CHROMIUM, REPLY_MS, Browser, expect, sync_api
from served import Served, serving


@pytest.fixture(scope="module")
def app() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        where = {"executable_path": str(CHROMIUM)} if CHROMIUM.exists() else {}
        expect.set_options(timeout=REPLY_MS)
        chromium = playwright.chromium.launch(args=["--no-sandbox", "--disable-gpu"], **where)
        yield chromium
        chromium.close()
