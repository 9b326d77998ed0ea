"""Every function of the page, public or not, and every address, by its schema: thousands of hostile requests."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
import httpx
import pytest
from gradio.utils import get_upload_folder
from hostile import CANARY, sent, texts, values, verify
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from served import SECRET, Caller, Served, serving
from whole_engine import WholeEngine

from demo.guard.calls import UNUSED

OUTSIDE = Path("/tmp") / "minigpt5-canary.png"
RUNS, QUEUED, ROUTED, AGENTS = 1000, 100, 800, 100
MEAN = settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False
)
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def app() -> Iterator[Served]:
    facts = PngImagePlugin.PngInfo()
    facts.add_text("Description", CANARY)
    Image.new("RGB", (41, 43), "#123456").save(OUTSIDE, pnginfo=facts)
    with serving(engine=WholeEngine(), mcp_server=True) as served:
        yield served
    OUTSIDE.unlink()


@pytest.fixture(scope="module")
def caller(app: Served) -> Iterator[Caller]:
    with Caller(app) as caller:
        caller.enter()
        caller.say("draw a bear")
        yield caller


def still_there(caller: Caller) -> bool:
    """Whether the app answers a program, keeps what a new visitor says, and finds it again."""
    answer = caller.client.post(
        "/gradio_api/run/reply", json={"data": ["hello", None, None, None]}, timeout=20
    )
    with Caller(caller.app) as other:
        other.enter("b2" * 16)
        other.say("draw a bear")
        found = other.run("search", "bear")
    return answer.status_code == 200 and found.status_code == 200 and "bear" in found.text


def functions(app: Served) -> list[int]:
    return sorted(app.demo.fns)


def known(app: Served) -> list[str]:
    """Ids of messages, chats and pictures that are there."""
    with app.store.engine.connect() as connection:
        rows = [
            *connection.exec_driver_sql("select id from chats"),
            *connection.exec_driver_sql("select id from nodes"),
        ]
    return [row[0] for row in rows] or ["0" * 32]  # a call may have deleted the chat, which is its right


@st.composite
def calls(draw: st.DrawFn, app: Served) -> dict[str, Any]:
    """A call of some function: each input as its component has it, as another has it, or as nobody does."""
    number = draw(st.sampled_from(functions(app)))
    anything = values(OUTSIDE)
    data = []
    for component in app.demo.fns[number].inputs:
        fitting = component.example_payload()
        about = st.sampled_from(known(app)).flatmap(lambda id_: st.sampled_from(_about(id_)))
        usual = about if isinstance(component, gr.JSON) else st.just(fitting)
        data.append(draw(st.one_of(usual, usual, anything)))
    if draw(st.integers(0, 9)) == 0:
        data = draw(st.lists(anything, max_size=14))
    return {
        "fn_index": number,
        "data": data,
        "event_data": draw(anything),
        "trigger_id": draw(st.sampled_from([None, 1, 37, 10**9])),
    }


def _about(id_: str) -> list[Any]:
    ref = {"node": id_, "part": 1}
    return [
        id_,
        ref,
        {**ref, "chosen": 0},
        {**ref, "choices": [{"seed": 1}]},
        {"id": id_, "title": "t"},
        [0],
        SECRET,
    ]


def test_every_function_answers_with_its_result_or_with_a_sentence(app: Served, caller: Caller) -> None:
    seen: set[int] = set()

    @settings(MEAN, max_examples=RUNS)
    @given(calls(app))
    def ask(call: dict[str, Any]) -> None:
        seen.add(call["fn_index"])
        body = sent(call | {"session_hash": caller.session})
        verify(caller.client.post("/gradio_api/run/predict", content=body, headers=JSON), call)

    ask()
    for number in set(functions(app)) - seen:  # chance may leave one out
        usual = [component.example_payload() for component in app.demo.fns[number].inputs]
        call = {"fn_index": number, "data": usual, "session_hash": caller.session}
        verify(caller.client.post("/gradio_api/run/predict", json=call), call)
    caller.run("stop")
    assert still_there(caller)


def test_the_queue_says_what_was_wrong(app: Served) -> None:
    @settings(MEAN, max_examples=QUEUED)
    @given(calls(app))
    def ask(call: dict[str, Any]) -> None:
        with Caller(app) as caller:
            body = sent(call | {"session_hash": caller.session})
            joined = caller.client.post("/gradio_api/queue/join", content=body, headers=JSON)
            verify(joined, call)
            if joined.status_code == 200:
                told = caller.client.get("/gradio_api/queue/data", params={"session_hash": caller.session})
                verify(told, call)
                assert "process_completed" in told.text

    ask()


def addresses(app: Served) -> list[tuple[str, str]]:
    """(method, template) of every route."""
    found, waiting = [], list(app.demo.app.routes)
    while waiting:
        route = waiting.pop()
        if hasattr(route, "original_router"):
            waiting += route.original_router.routes
        elif hasattr(route, "methods"):
            found += [(method, route.path) for method in sorted(route.methods)]
    return sorted(set(found))


@st.composite
def requests(draw: st.DrawFn, app: Served, story: str) -> tuple[str, str, dict[str, Any]]:
    """A request to some route: known and unknown names in its path, any query, any body, with a secret or without."""
    method, template = draw(st.sampled_from(addresses(app)))
    names = st.one_of(
        st.sampled_from([story, "reply", "write", "zip", "html", str(OUTSIDE), "0", "tab", *known(app)[:2]]),
        texts,
    )
    path = re.sub(r"\{[^}]+\}", lambda _: quote(draw(names).encode("utf-8", "replace"), safe="/"), template)
    more: dict[str, Any] = {}
    if draw(st.booleans()):
        more["headers"] = {"x-story-owner": draw(st.sampled_from([SECRET, "0" * 32, "x"]))}
    if method in ("POST", "PUT", "PATCH"):
        body = draw(values(OUTSIDE))
        more["content"] = draw(
            st.one_of(st.just(sent(body)), st.just(sent({"data": body})), st.binary(max_size=30))
        )
        more["headers"] = more.get("headers", {}) | draw(
            st.sampled_from([JSON, {}, {"content-type": "multipart/form-data; boundary=x"}])
        )
    more["params"] = draw(
        st.sampled_from(
            [
                {},
                {"session_hash": "tab"},
                {"session_hash": "a b"},
                {"deep_link": "../x"},
                {"upload_id": "x"},
            ]
        )
    )
    return method, path, more


def test_every_address_answers(app: Served, caller: Caller) -> None:
    story = caller.client.post(
        "/stories", json={"premise": "a frog"}, headers={"x-story-owner": SECRET}
    ).json()["id"]
    seen: set[tuple[str, str]] = set()

    @settings(MEAN, max_examples=ROUTED)
    @given(requests(app, story))
    def ask(request: tuple[str, str, dict[str, Any]]) -> None:
        method, path, more = request
        seen.add((method, path.split("/")[1]))
        with caller.client.stream(method, path, **more) as answer:
            if answer.status_code == 200 and "event-stream" in answer.headers["content-type"]:
                return  # it goes on for as long as somebody listens
            answer.read()
        if answer.status_code in (301, 307) or answer.status_code == 200:
            assert CANARY not in answer.text
            return
        verify(answer, request)

    ask()
    assert {place for _, place in seen} >= {"stories", "remote", "gradio_api", "stage", "config", ""}
    assert still_there(caller)


def test_agents_are_told_too(app: Served, caller: Caller) -> None:
    tools = st.sampled_from(["chat", "stream", "redraw", "story", "reply", "nothing"])

    @settings(MEAN, max_examples=AGENTS)
    @given(
        tools,
        st.dictionaries(
            st.sampled_from(["message", "images", "history", "options", "vokens", "premise"]),
            values(OUTSIDE),
            max_size=4,
        ),
    )
    def ask(tool: str, arguments: dict[str, Any]) -> None:
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": tool, "arguments": arguments},
        }
        headers = JSON | {"accept": "application/json, text/event-stream"}
        answer = caller.client.post("/gradio_api/mcp/", content=sent(body), headers=headers)
        verify(answer, body)

    ask()
    assert still_there(caller)


def test_nothing_from_outside_was_kept(app: Served, caller: Caller) -> None:
    content = OUTSIDE.read_bytes()
    for path in Path(get_upload_folder()).rglob("*.png"):
        assert path.read_bytes() != content, path
    for path in app.store.files.folder.iterdir():
        with Image.open(path) as picture:
            assert picture.size != (41, 43), path


def test_what_these_pages_never_ask_for_is_not_there(app: Served) -> None:
    for method, template in addresses(app):
        path = template.replace("{path:path}", "x")
        if UNUSED.match(path):
            assert httpx.request(method, app.address + path).status_code == 404, path
