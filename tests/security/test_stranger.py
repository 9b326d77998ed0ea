"""A stranger who knows every name and not the secret: the session, the chats, the stories, the pictures, the code's letters.

It asks for everything that there is with all that it knows, and reads nothing and changes nothing.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from served import SECRET, SETTINGS, Caller, Served, serving
from test_properties import addresses
from whole_engine import WholeEngine

MINE = {"x-story-owner": SECRET}
THEIRS = {"x-story-owner": "c3" * 16}
WORD = "quetzalcoatl"  # in every text of the victim's, and in nothing else
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"


@pytest.fixture(scope="module")
def app() -> Iterator[Served]:
    with serving(engine=WholeEngine(), mcp_server=True) as served:
        yield served


@pytest.fixture(scope="module")
def victim(app: Served) -> Iterator[Caller]:
    with Caller(app) as caller:
        caller.enter()
        caller.say(f"draw {WORD}")
        plan = {"premise": f"a frog named {WORD}", "pictures": [PIXEL], "scenes": 2}
        caller.client.post("/stories", json=plan, headers=MINE)
        yield caller


def rows(app: Served) -> dict[str, list[Any]]:
    tables = ("chats", "nodes", "stories", "uses")
    with app.store.engine.connect() as connection:
        return {
            name: list(connection.exec_driver_sql(f"select * from {name} order by 1, 2")) for name in tables
        }


def names(app: Served) -> dict[str, list[str]]:
    """All that the victim's are called."""
    kept = rows(app)
    chats, stories = ([str(row[0]) for row in kept[table]] for table in ("chats", "stories"))
    nodes = re.findall(r"'([0-9a-f]{32})'", str(kept["nodes"]))
    return {
        "chats": chats,
        "stories": stories,
        "nodes": nodes,
        "files": [p.name for p in app.store.files.folder.iterdir()],
    }


def mine(app: Served) -> tuple[dict[str, list[Any]], dict[str, bytes]]:
    """The victim's rows and files as they are."""
    known = names(app)
    owned = {*known["chats"], *known["stories"]}
    kept = {
        table: [row for row in found if owned & {str(value) for value in row}]
        for table, found in rows(app).items()
    }
    return kept, {path.name: path.read_bytes() for path in app.store.files.folder.iterdir()}


@pytest.mark.parametrize("cookie", [False, True], ids=["without a cookie", "with a cookie of its own"])
@pytest.mark.parametrize("way", ["run", "join"])
def test_no_function_reads_or_writes_what_is_the_victims(
    app: Served, victim: Caller, cookie: bool, way: str
) -> None:
    known, before = names(app), mine(app)
    abouts: list[Any] = [*known["chats"][:1], *known["nodes"][:3], *known["stories"][:1]]
    abouts += [{"id": known["chats"][0], "title": "mine now"}]
    abouts += [{"node": node, "part": part, "chosen": 0} for node in known["nodes"][:3] for part in (0, 1)]
    sessions = (victim.session, "another")
    with Caller(app) as stranger:
        if cookie:
            stranger.client.get("/")
        for session, number in product(sessions, sorted(app.demo.fns)):
            stranger.session = session if session == victim.session else f"another{number}{cookie}{way}"
            for about in abouts if len(app.demo.fns[number].inputs) in (2, 3) else abouts[:1]:
                data = [None, about, *SETTINGS, None][: len(app.demo.fns[number].inputs)]
                body = {"fn_index": number, "session_hash": stranger.session, "data": data}
                path = "run/predict" if way == "run" else "queue/join"
                answer = stranger.client.post(f"/gradio_api/{path}", json=body)
                text = answer.text
                if way == "join":
                    text += str(stranger.stream())
                if session == victim.session:
                    assert answer.status_code == 403, (number, about)
                assert WORD not in text, (number, about, text[:300])
                assert not any(name in text for name in known["files"]), (number, about)
    assert mine(app) == before


def spellings(template: str, known: dict[str, list[str]], session: str, folder: str) -> Iterator[str]:
    """The route with what the stranger knows in its place."""
    everything = [*known["chats"], *known["stories"], *known["nodes"][:2], session]
    everything += [f"{folder}/{name}" for name in known["files"]] + known["files"]
    slots = re.findall(r"\{([^}:]+)(?::path)?\}", template)
    commands = ["write", "rename", "delete", "edit", "stage", "zip", "html", "show", "events"]
    choices = [commands if slot in ("command", "kind") else everything for slot in slots]
    for chosen in product(*choices):
        path = template
        for value in chosen:
            path = re.sub(r"\{[^}]+\}", lambda _, value=value: quote(value), path, count=1)
        yield path


@pytest.mark.parametrize("cookie", [False, True], ids=["without a cookie", "with a cookie of its own"])
def test_no_address_reads_or_writes_what_is_the_victims(app: Served, victim: Caller, cookie: bool) -> None:
    known, before = names(app), mine(app)
    folder = str(app.store.files.folder)
    bodies = [{"title": "x", "text": "x", "place": 0, "session_hash": victim.session, "data": []}]
    with Caller(app) as stranger:
        if cookie:
            stranger.client.get("/")
        for method, template in addresses(app):
            if template.count("{") > 2 or template.startswith(("/assets", "/static")):
                continue
            for path in spellings(template, known, victim.session, folder):
                for headers in ({}, THEIRS):
                    more: dict[str, Any] = {"json": bodies[0]} if method == "POST" else {}
                    query = {"session_hash": victim.session} if "session" not in path else {}
                    with stranger.client.stream(
                        method, path, headers=headers, params=query, **more
                    ) as answer:
                        kind = answer.headers.get("content-type", "")
                        assert kind != "image/png" or "/pwa_icon" in path, path
                        if answer.status_code == 200 and "event-stream" in kind:
                            assert "heartbeat" not in path and "queue" not in path, path
                            continue
                        answer.read()
                    assert WORD not in answer.text, path
                    told = (name for name in known["files"] if name not in path and name in answer.text)
                    assert not list(told), path
    assert mine(app) == before


def test_the_victim_still_has_everything(app: Served, victim: Caller) -> None:
    assert WORD in victim.run("search", WORD).text
    assert WORD in str(victim.client.get("/stories", headers=MINE).json()).lower()
    assert (
        victim.client.get(f"/gradio_api/file={app.store.files.folder}/{names(app)['files'][0]}").status_code
        == 200
    )
