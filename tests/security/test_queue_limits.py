"""One stranger cannot fill the queue, and what nobody waits for is not made."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace

import httpx
import pytest
from browser_page import Browser, expect
from scripted_engine import ScriptedEngine
from served import SETTINGS, Caller, Served, serving

from demo.chat.handlers import ChatHandlers
from demo.chat.queue_display import MAX_OF_OWNER, QueueDisplay
from demo.chat.session import Session
from demo.guard.presence import UNHEARD_SECONDS, Presence, network_of
from demo.store import ChatStore

PATIENCE = 20.0
LONG = ["long", None, None, None]  # a message, no pictures, no history, the usual options
CALLS = {"reply": LONG, "story": ["long", None, "", 4, "plain", None]}


@pytest.fixture(scope="module")
def slow() -> Iterator[Served]:
    """An app whose engine takes its time, with room for four jobs."""
    with serving(engine=ScriptedEngine(pause=0.05), queue_size=4) as served:
        yield served


def until(true: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


def idle(app: Served) -> bool:
    queue = app.demo._queue
    return not len(queue) and not any(queue.active_jobs)


def test_an_address_has_half_of_the_queue_and_is_told_so(slow: Served) -> None:
    with httpx.Client(base_url=slow.address, timeout=30) as client:
        answers = [client.post("/gradio_api/call/stream", json={"data": LONG}) for _ in range(4)]
    assert [answer.status_code for answer in answers].count(429) == 2
    assert "2 of your requests are already waiting" in answers[-1].json()["detail"]
    slow.demo.presence._unheard.update({e._id: -1e9 for e in slow.demo.presence._jobs()})
    assert until(lambda: idle(slow))


def test_jobs_that_nobody_listens_to_are_dropped_in_time() -> None:
    now = [0.0]
    event = SimpleNamespace(_id="a", session_hash="s", alive=True, request=None)
    queue = SimpleNamespace(event_queue_per_concurrency_id={}, active_jobs=[[event]])
    presence = Presence(SimpleNamespace(_queue=queue, is_running=True), share=2, clock=lambda: now[0])
    assert presence.unheard() == set()
    now[0] = UNHEARD_SECONDS - 0.1
    assert presence.unheard() == set()
    now[0] = UNHEARD_SECONDS
    assert presence.unheard() == {"s"}
    scope = {"method": "GET", "path": "/gradio_api/queue/data", "query_string": b"session_hash=s"}
    with presence.listening(scope):
        assert presence.unheard() == set()
    now[0] += UNHEARD_SECONDS / 2
    assert presence.unheard() == set(), "the time begins anew when the listener has left"


@pytest.mark.parametrize("endpoint", ["reply", "story"])
def test_what_makes_a_whole_reply_stops_when_its_caller_has_left(slow: Served, endpoint: str) -> None:
    closed = slow.engine.closed
    with httpx.Client(base_url=slow.address, timeout=30) as client:
        event = client.post(f"/gradio_api/call/{endpoint}", json={"data": CALLS[endpoint]}).json()["event_id"]
        with client.stream("GET", f"/gradio_api/call/{endpoint}/{event}"):
            assert until(lambda: any(slow.demo._queue.active_jobs))
    assert until(lambda: slow.engine.closed > closed)
    assert until(lambda: idle(slow))


def test_a_browser_has_a_few_answers_in_the_line_at_once() -> None:
    queue = QueueDisplay()
    tickets = [object() for _ in range(MAX_OF_OWNER + 1)]
    assert [queue.join(ticket, "ada") for ticket in tickets] == [True] * MAX_OF_OWNER + [False]
    assert queue.join(object(), "ben")
    queue.leave(tickets[0])
    assert queue.join(tickets[-1], "ada")


def test_neighbours_in_an_ipv6_network_are_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff")
    assert network_of("2001:db8::1") != network_of("2001:db8:0:1::1")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")


def test_a_refused_join_frees_the_page_and_offers_to_retry(slow: Served, browser: Browser) -> None:
    """Two strangers hold the queue while the message is sent; afterwards the same message is answered."""
    page = browser.new_page()
    page.goto(slow.address)
    composer = page.locator("#composer textarea")
    with closing(httpx.Client(base_url=slow.address, timeout=30)) as client:
        held = [client.post("/gradio_api/call/stream", json={"data": LONG}) for _ in range(2)]
        assert [answer.status_code for answer in held] == [200, 200]
        composer.fill("hello there")
        composer.press("Enter")
        expect(page.get_by_text("no more can be taken in")).to_be_visible()
    expect(page.locator("#chat").get_by_text("hello there")).to_be_visible()
    slow.demo.presence._unheard.update({e._id: -1e9 for e in slow.demo.presence._jobs()})
    assert until(lambda: idle(slow))
    page.get_by_role("button", name="Retry answer").click()
    expect(page.get_by_text("You said: hello there")).to_be_visible()
    page.close()


def test_a_stranger_with_many_sessions_is_still_one_address(slow: Served) -> None:
    callers = [Caller(slow) for _ in range(4)]
    for caller in callers:
        caller.enter()
    statuses = [
        caller.client.post("/gradio_api/call/stream", json={"data": LONG}).status_code for caller in callers
    ]
    for caller in callers:
        caller.client.close()
    assert 429 in statuses
    slow.demo.presence._unheard.update({e._id: -1e9 for e in slow.demo.presence._jobs()})
    assert until(lambda: idle(slow))


def test_what_was_typed_meanwhile_stays_in_the_composer_of_a_page_that_is_turned_away() -> None:
    store = ChatStore()
    chat, session = ChatHandlers(ScriptedEngine(), store), Session(owner="ada")
    chat.submit(session, {"text": "hello", "files": []}, *SETTINGS)
    _, composer, *_ = chat.turned_away(session)
    assert "value" not in composer
    assert session.active is None
    assert "no more can be taken in" in str(session.tree.node(str(session.tree.leaf)).parts)


def test_a_browser_with_too_many_answers_keeps_its_message() -> None:
    chat = ChatHandlers(ScriptedEngine(), ChatStore())
    sessions = [Session(owner="ada") for _ in range(MAX_OF_OWNER + 1)]
    for session in sessions:
        chat.submit(session, {"text": "hello", "files": []}, *SETTINGS)
    assert [session.active is not None for session in sessions] == [True] * MAX_OF_OWNER + [False]
    assert len(sessions[-1].tree.path_to(str(sessions[-1].tree.leaf))) == 2
