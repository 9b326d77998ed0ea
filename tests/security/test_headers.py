"""What every answer tells the browser, and what a browser then does not do."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import httpx
import pytest
from browser_page import Browser, expect, open_page, send, wait_until_answered
from served import Caller, Served, serving

import app as command
from demo.guard.gate import Protection

PATHS = {
    "/": 200, "/story": 200, "/story/": 301, "/stage": 200, "/remote/ABCDEF": 200, "/config": 200, "/nothing": 404,
    "/gradio_api/info": 200, "/gradio_api/app_id": 200, "/stories": 400, "/remote/ABCDEF/events": 400,
    "/gradio_api/file=/etc/passwd": 403, "/gradio_api/file=app.py": 403, "/theme.css": 200, "/favicon.ico": 200,
    "/gradio_api/proxy=x": 404, "/gradio_api/queue/status": 200,
}  # fmt: skip


def policy_of(answer: httpx.Response) -> str:
    return "; ".join(answer.headers.get_list("content-security-policy"))


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_headers(app: Served, path: str) -> None:
    answer = httpx.get(app.address + path)
    assert answer.status_code == PATHS[path]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
    policy = policy_of(answer)
    assert (
        ("frame-ancestors 'self'" in policy
        and "default-src 'none'" in policy)
        or "default-src 'self'" in policy
    )
    assert "http" not in policy and "*" not in policy


def test_refusals_and_errors_have_them_too(app: Served) -> None:
    for answer in (
        httpx.get(app.address, headers={"host": "evil.example"}),
        httpx.post(f"{app.address}/gradio_api/run/predict", content=b"{"),
        httpx.post(f"{app.address}/gradio_api/upload", content=b"x"),
        httpx.put(f"{app.address}/stories"),
    ):
        assert answer.status_code in (400, 403, 405)
        assert answer.headers["x-content-type-options"] == "nosniff" and policy_of(answer)


def test_a_stored_picture_that_is_opened_alone_can_do_nothing(app: Served) -> None:
    with Caller(app) as caller:
        caller.enter()
        caller.say("draw a bear")
        name = next(app.store.files.folder.iterdir()).name
        answer = caller.client.get(f"/gradio_api/file={app.store.files.folder}/{name}")
    assert answer.status_code == 200 and "sandbox" in policy_of(answer)


def test_frames_are_the_operators_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = command.build_parser().parse_args(["--allowed-frame", "https://school.example"])
    assert command.protection_of(flags).frames == ("https://school.example",)
    monkeypatch.setenv("SPACE_ID", "somebody/demo")
    on_space = command.protection_of(command.build_parser().parse_args([]))
    assert "https://huggingface.co" in on_space.frames
    assert on_space.hosts.answers("somebody-demo.hf.space")


def test_a_frame_that_is_allowed_is_in_the_headers_and_the_cookie_goes_there() -> None:
    with serving(protection=Protection(frames=("https://school.example",))) as app:
        answer = httpx.get(app.address, headers={"x-forwarded-proto": "https"})
        assert "frame-ancestors 'self' https://school.example" in policy_of(answer)
        assert "x-frame-options" not in answer.headers
        assert answer.headers["set-cookie"].endswith("; HttpOnly; SameSite=None; Secure; Partitioned")
        assert "frame-ancestors 'self' https://school.example" in policy_of(httpx.get(f"{app.address}/stage"))


class Elsewhere(BaseHTTPRequestHandler):
    """A foreign server that notes what it is asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


WORDS = """look <video src="AT/v.mp4" autoplay></video> <audio src="AT/a.mp3" autoplay></audio>
<img src="AT/i.png"> ![x](AT/m.png) <iframe src="AT/f"></iframe> <object data="AT/o"></object>"""


def test_no_words_of_the_model_make_the_browser_fetch_from_elsewhere(
    browser: Browser, app: Served, elsewhere: str
) -> None:
    page = open_page(browser, app.address, [])
    blocked: list[str] = []
    page.on(
        "console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None
    )
    send(page, WORDS.replace("AT", elsewhere))  # which the engine repeats as it is
    wait_until_answered(page)
    page.wait_for_selector("#chat .bot-row :is(video, audio, img)", state="attached")
    page.wait_for_timeout(500)
    assert blocked and Elsewhere.asked == []
    page.context.close()


def test_the_page_itself_breaks_no_rule(browser: Browser, app: Served) -> None:
    broken: list[str] = []
    page = browser.new_context().new_page()
    page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
    for path in ("/", "/story", "/stage"):
        page.goto(app.address + path)
        page.wait_for_timeout(1500)
    page.goto(app.address)
    send(page, "draw a bear")
    wait_until_answered(page)
    shown = page.locator("#chat .bot-row .image-frame img")
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("image => image.naturalWidth") == 128
    page.reload()
    expect(page.locator("#chat .bot-row .image-frame img")).to_have_js_property("naturalWidth", 128)
    assert [words for words in broken if "iframeResizer" not in words] == []
    page.context.close()
