"""The server is killed in the middle of a picture: after it comes back the chat is there, and can go on."""

import re
import signal
from pathlib import Path

import pytest
from browser_page import (
    DRAW,
    LABEL,
    REPLY_MS,
    Browser,
    expect,
    open_page,
    send,
    set_option,
    wait_until_answered,
)
from running_app import APP, ROOT, free_port, started

SAID = "#chat .user-row .message-content"


@pytest.mark.skipif(
    not (ROOT / "weights/storybook/config.json").is_file(), reason="needs the shipped weights"
)
def test_a_killed_server_loses_no_chat(browser: Browser, foreign: list[str], tmp_path: Path) -> None:
    command, port = (*APP, "--data", str(tmp_path)), free_port()
    with started(command, port) as (process, address):
        page = open_page(browser, address, foreign)
        set_option(page, "num_inference_steps", "100")
        send(page, DRAW)
        expect(page.locator(LABEL).first).to_have_text(re.compile(r"drawing [1-9]\d*/100"))
        words = page.locator("#chat .bot-row .message-content").first.inner_text()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with started(command, port) as (_, address):
        page.goto(address)
        expect(page.locator(SAID)).to_have_text(DRAW)
        expect(page.locator("#chat .bot-row .message-content").first).to_have_text(words)
        expect(page.locator("#chat .bot-row .ending")).to_have_text("Stopped")
        page.click("#chat button[aria-label='Retry answer']")
        wait_until_answered(page)
        expect(page.locator(LABEL).first).to_have_text(re.compile("seed"), timeout=REPLY_MS)
        expect(page.locator("#chat .bot-row .versions")).to_have_text("2/2")
        page.context.close()
    assert not list(tmp_path.glob("**/*.part"))
