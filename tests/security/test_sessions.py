"""A tab's session, its chats and its pictures are its browser's, whoever else has learned their names."""

import re
from collections.abc import Iterator

import pytest
from gradio_client import Client
from served import SECRET, SETTINGS, Caller, Served

OTHER = "b2" * 16


@pytest.fixture
def victim(app: Served) -> Iterator[Caller]:
    with Caller(app) as caller:
        caller.enter()
        caller.say("draw a secret bear")
        yield caller


def strangers(app: Served, victim: Caller) -> Iterator[Caller]:
    """Those who know the victim's session: without a cookie, with one of their own, with a forged one."""
    with Caller(app, victim.session) as bare:
        yield bare
    with Caller(app, victim.session) as visitor:
        visitor.client.get("/")
        yield visitor
    with Caller(app, victim.session) as forger:
        forger.client.cookies.set("minigpt5-browser", "0" * 32)
        yield forger


def test_the_cookie_is_the_browsers_alone(app: Served) -> None:
    with Caller(app) as caller, Caller(app) as another:
        told = caller.client.get("/").headers["set-cookie"]
        assert re.fullmatch(
            r"minigpt5-browser=[0-9a-f]{32}; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax", told
        )
        assert "set-cookie" not in caller.client.get("/").headers
        told = another.client.get("/", headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
        assert told.endswith("; Secure")


def test_nobody_acts_in_the_session_of_another_browser(app: Served, victim: Caller) -> None:
    for stranger in strangers(app, victim):
        for answer in (
            stranger.run("search", ""),
            stranger.run("open", ""),
            stranger.run("restore", SECRET, ""),
            stranger.run("submit", {"text": "mine now", "files": []}, *SETTINGS),
            stranger.join("answer"),
            stranger.client.get(f"/gradio_api/queue/data?session_hash={victim.session}"),
            stranger.client.get(f"/gradio_api/heartbeat/{victim.session}"),
            stranger.client.post(
                "/gradio_api/cancel", json={"session_hash": victim.session, "fn_index": 10, "event_id": "x"}
            ),
            stranger.client.post("/gradio_api/reset", json={"event_id": "x", "session_hash": victim.session}),
        ):
            assert answer.status_code == 403, (answer.url, answer.status_code)
            assert "bear" not in answer.text
        known = (
            f"/gradio_api/deep_link?session_hash={victim.session}",
            f"/gradio_api/stream/{victim.session}/1/2/playlist.m3u8",
            "/gradio_api/component_server",
        )
        assert {stranger.client.get(path).status_code for path in known} == {404}
    assert "secret bear" in victim.run("search", "").text


def test_nobody_reads_the_stream_of_another_browser_while_it_is_answered(app: Served, victim: Caller) -> None:
    victim.run("submit", {"text": "long one", "files": []}, *SETTINGS)
    event = victim.join("answer").json()["event_id"]
    for stranger in strangers(app, victim):
        assert stranger.stream() == [{"msg": "refused", "status": 403}]
        for path in (f"/gradio_api/call/answer/{event}", f"/gradio_api/call/v2/answer/{event}"):
            assert stranger.client.get(path).status_code == 403
        ended = {"session_hash": stranger.session + "x", "fn_index": 10, "event_id": event}
        assert stranger.client.post("/gradio_api/cancel", json=ended).status_code == 403
    assert "once more" in str(victim.stream())


def test_a_program_that_keeps_cookies_is_protected_without_ever_having_seen_the_page(app: Served) -> None:
    with Caller(app) as program, Caller(app, program.session) as stranger:
        program.run("restore", OTHER, "")
        program.say("tell me of the owl")
        assert stranger.run("search", "").status_code == 403
        assert program.run("search", "").status_code == 200


def test_a_program_without_cookies_goes_on_as_before(app: Served) -> None:
    client = Client(app.address, verbose=False)
    try:
        for words in ("hello", "again"):
            reply = client.predict(words, api_name="/reply")
            assert f"You said: {words}" in reply["content"][0]["text"]
        *_, last = client.submit("draw a fox", api_name="/chat")
        assert last["images"]
    finally:
        client.close()


def pictures_of(text: str) -> set[str]:
    return set(re.findall(r"gradio_api/file=[^\"'\\ ]+?\.png", text))


def test_stored_pictures_are_shown_to_their_owners_browser_alone(app: Served, victim: Caller) -> None:
    addresses = pictures_of(victim.run("search", "").text)
    assert len(addresses) >= 1
    for address in addresses:
        shown = victim.client.get("/" + address)
        assert shown.headers["content-type"] == "image/png"
        assert shown.headers["cache-control"] == "private, no-cache"
        name = address.rpartition("/")[2]
        folder = app.store.files.folder
        spelt = (
            address,
            f"gradio_api/file={folder}/../pictures/{name}",
            f"gradio_api/file/{folder}/{name}",
            f"gradio_api/file={folder}//{name}",
            address.replace("pictures", "%70ictures"),
        )
        for stranger in strangers(app, victim):
            stranger.run("restore", OTHER, "")
            for path in spelt:
                assert stranger.client.get("/" + path).status_code in (403, 404), path
                assert stranger.client.head("/" + path).status_code in (403, 404), path


def test_the_same_browser_sees_its_pictures_in_every_tab_and_after_it_left(
    app: Served, victim: Caller
) -> None:
    address = pictures_of(victim.run("search", "").text).pop()
    with Caller(app) as tab:
        tab.client.cookies = victim.client.cookies
        assert tab.client.get("/" + address).status_code == 200
    with Caller(app) as elsewhere:  # another browser to which the secret was taken
        elsewhere.enter()
        assert elsewhere.client.get("/" + address).status_code == 200


def test_pictures_of_stories_are_their_authors_too(app: Served) -> None:
    pixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"
    with Caller(app) as author, Caller(app) as stranger:
        author.client.get("/")
        stranger.client.get("/")
        mine = {"x-story-owner": SECRET}
        made = author.client.post("/stories", json={"premise": "a frog", "pictures": [pixel]}, headers=mine)
        story = made.json()["id"]
        with author.client.stream("GET", f"/stories/{story}/events", headers=mine) as events:
            view = next(line for line in events.iter_lines() if line.startswith("data: "))
        (address,) = pictures_of(view)
        assert author.client.get("/" + address).status_code == 200
        assert stranger.client.get("/" + address).status_code == 403
        theirs = {"x-story-owner": OTHER}
        assert stranger.client.get("/stories", headers=theirs).json() == []
        assert stranger.client.get("/" + address).status_code == 403


@pytest.mark.parametrize("session", ["", "x" * 200, "a b", "../x", "\u00e9", 5, True, ["x"], {"a": 1}])
def test_what_can_be_no_session_is_refused(app: Served, session: object) -> None:
    body = {"fn_index": app.number("search"), "session_hash": session, "data": [None, ""]}
    with Caller(app) as caller:
        answer = caller.client.post("/gradio_api/run/predict", json=body)
        assert answer.status_code == 400 and "session_hash" in answer.json()["error"]
        answer = caller.client.get("/gradio_api/queue/data", params={"session_hash": str(session)})
        assert answer.status_code in (400, 200)
