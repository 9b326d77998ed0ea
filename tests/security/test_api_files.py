"""Files of the server: none is read, by any way in, unless it was uploaded; and nobody asks under a foreign name."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio.utils import get_upload_folder
from PIL import Image
from served import Caller, Served, serving

from demo.guard.hosts import hosts_of
from demo.guard.input.text import RequestError
from demo.guard.input.uploads import is_uploaded, uploaded_path, verify_files

MARK = {"_type": "gradio.FileData"}
ACCEPTS = {"accept": "application/json, text/event-stream"}
COLOUR = (18, 52, 86)


@pytest.fixture(scope="module")
def app() -> Iterator[Served]:
    with serving(mcp_server=True) as served:
        yield served


@pytest.fixture
def private(tmp_path: Path) -> Path:
    path = tmp_path / "private.png"
    Image.new("RGB", (37, 41), COLOUR).save(path)
    return path


def cached(content: bytes) -> list[Path]:
    """Files of that content in the folder that Gradio serves from."""
    found = (path for path in Path(get_upload_folder()).rglob("*") if path.is_file())
    return [path for path in found if path.stat().st_size == len(content) and path.read_bytes() == content]


def ask_agent(app: Served, tool: str, arguments: Any, **headers: str) -> httpx.Response:
    call = {"name": tool, "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    return httpx.post(f"{app.address}/gradio_api/mcp/", json=body, headers=ACCEPTS | headers, timeout=30)


def forms(path: str) -> list[Any]:
    return [
        {"path": path, "meta": MARK},
        {"path": path},
        {"path": path, "meta": MARK, "url": "http://127.0.0.1/x"},
        {"path": path, "meta": 5},
        {"path": path, "meta": None},
        path,
    ]


def test_an_agent_gets_no_file_of_the_server(app: Served, private: Path) -> None:
    for image in forms(str(private)):
        for arguments in (
            {"message": "hi", "images": [image]},
            {"message": "hi", "history": [{"role": "user", "content": [{"type": "image", "image": image}]}]},
        ):
            answer = ask_agent(app, "reply", arguments)
            assert answer.status_code in (200, 400)
            if answer.status_code == 200:
                assert '"isError":true' in answer.text, answer.text
    assert not app.engine.seen
    assert cached(private.read_bytes()) == []


def test_an_agent_with_words_alone_is_answered(app: Served) -> None:
    answer = ask_agent(app, "reply", {"message": "hello there"})
    assert answer.status_code == 200 and "You said: hello there" in answer.text


@pytest.mark.parametrize("way", ["run", "call", "call/v2"])
def test_the_endpoints_get_no_file_of_the_server(app: Served, private: Path, way: str) -> None:
    app.engine.seen.clear()
    for image in forms(str(private)):
        with Caller(app) as caller:
            values = {"message": "hi", "images": [image], "history": None, "options": None}
            body = values if way == "call/v2" else {"data": list(values.values())}
            answer = caller.client.post(f"/gradio_api/{way}/reply", json=body)
            if way != "run" and answer.status_code == 200:
                name = "/gradio_api/call/reply/" + answer.json()["event_id"]
                answer = caller.client.get(name)
                assert "error" in answer.text and "null" not in answer.text, answer.text
            else:
                assert answer.status_code == 400 and answer.json()["error"]
    assert not app.engine.seen
    assert cached(private.read_bytes()) == []


def test_the_composer_gets_no_file_of_the_server(app: Served, private: Path) -> None:
    with Caller(app) as caller:
        caller.enter()
        answer = caller.say("what is this", (str(private),))
    assert answer.status_code == 400 and "uploaded" in answer.json()["error"]
    assert cached(private.read_bytes()) == []


def test_a_link_out_of_the_upload_folder_is_no_upload(private: Path) -> None:
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / f"link-{os.getpid()}.png"
    link.symlink_to(private)
    try:
        for path in (link, folder / ".." / "x", folder, private, folder / "nothing.png"):
            assert not is_uploaded(str(path))
            with pytest.raises(RequestError, match="expected an uploaded file"):
                uploaded_path({"path": str(path), "meta": MARK}, "images[0]")
        with pytest.raises(RequestError, match="expected an uploaded file"):
            verify_files([{"deep": [{"path": str(link), "meta": MARK}]}], "data")
    finally:
        link.unlink()


def test_what_was_uploaded_is_taken(app: Served, private: Path) -> None:
    with Caller(app) as caller, private.open("rb") as file:
        (path,) = caller.client.post("/gradio_api/upload", files={"files": file}).json()
        image = {"path": path, "meta": MARK}
        answer = caller.client.post(
            "/gradio_api/run/reply", json={"data": ["who is this", [image], None, None]}
        )
    assert answer.status_code == 200, answer.text
    assert "(1 pictures" in answer.json()["data"][0]["content"][0]["text"]


ADDRESSES = ["http://example.org/x.png", "https://huggingface.co/favicon.ico", "http:/x"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_server_fetches_nothing_for_anybody(app: Served, address: str) -> None:
    for where in (f"file={address}", f"proxy={address}"):
        assert httpx.get(f"{app.address}/gradio_api/{where}").status_code == 404
    image = {"path": address, "meta": MARK}
    answer = httpx.post(f"{app.address}/gradio_api/run/reply", json={"data": ["hi", [image], None, None]})
    assert answer.status_code == 400 and "uploaded" in answer.json()["error"]


FOREIGN = [
    "evil.example",
    "evil.example:7860",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "10.0.0.7",
    "",
    "[::",
]
PATHS = ["/", "/config", "/stage", "/stories", "/gradio_api/mcp/", "/gradio_api/info", "/story"]


@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_name_is_answered_nothing(app: Served, host: str) -> None:
    for path in PATHS:
        answer = httpx.get(app.address + path, headers={"host": host})
        assert answer.status_code in (400, 403), (path, answer.status_code)
    assert ask_agent(app, "reply", {"message": "hi"}, host=host).status_code in (400, 403)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://localhost.evil.example", "file://", "x"]
)
def test_a_foreign_page_may_ask_for_nothing(app: Served, origin: str) -> None:
    headers = {"origin": origin}
    assert ask_agent(app, "reply", {"message": "hi"}, **headers).status_code == 403
    call = {"data": ["hi", None, None, None]}
    for path in ("/gradio_api/call/reply", "/gradio_api/run/reply", "/stories", "/gradio_api/upload"):
        assert httpx.post(app.address + path, json=call, headers=headers).status_code == 403


def test_the_apps_own_page_and_this_machines_others_may_ask(app: Served) -> None:
    for origin in (app.address, "http://localhost:6274", "http://[::1]:80"):
        assert ask_agent(app, "reply", {"message": "hi"}, origin=origin).status_code == 200


def test_which_names_are_the_apps_is_the_operators_choice() -> None:
    alone, network = hosts_of("127.0.0.1"), hosts_of("0.0.0.0")
    assert (
        alone.answers("localhost:7860") and alone.answers("[::1]:7860") and not alone.answers("192.168.1.4")
    )
    assert (
        network.answers("192.168.1.4:7860")
        and network.answers("localhost")
        and not network.answers("evil.example")
    )
    named = hosts_of("127.0.0.1", ["demo.example", "*.trusted.example"])
    assert named.answers("Demo.Example:443") and named.answers("a.trusted.example")
    assert not named.answers("trusted.example.evil") and not named.answers("xdemo.example")
    assert named.trusts("https://demo.example", "demo.example") and not named.trusts(
        "https://evil", "demo.example"
    )
    anybody, space = hosts_of("0.0.0.0", ["*"]), hosts_of("0.0.0.0", ["*.hf.space"], proxied=True)
    assert anybody.answers("evil.example") and anybody.trusts("http://evil", "x")
    assert (
        space.answers("whatever")
        and space.trusts("https://a.hf.space", "x")
        and not space.trusts("http://evil", "x")
    )
    assert space.trusts("https://a.b", "127.0.0.1", "same-origin")  # a proxy that gives its own name
