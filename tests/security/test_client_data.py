"""Nothing that a client sends along with an event is a path, an owner or an option before it was verified."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from served import SETTINGS, Caller, Served

from demo.chat.examples import load_examples

FORGED = [
    {"index": 0, "value": {"text": "x", "files": ["PRIVATE"]}},
    {"index": 0, "value": {"text": "x", "files": [{"path": "PRIVATE"}]}},
    {"index": 1, "value": {"files": [{"path": "PRIVATE", "meta": {"_type": "gradio.FileData"}}]}},
]


@pytest.fixture
def private(tmp_path: Path) -> Path:
    path = tmp_path / "private.png"
    Image.new("RGB", (37, 41), "#123456").save(path)
    return path


def filled(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {name: filled(item, path) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, path) for item in value]
    return str(path) if value == "PRIVATE" else value


def stored(app: Served) -> set[tuple[int, int]]:
    sizes = set()
    for path in app.store.files.folder.iterdir():
        with Image.open(path) as picture:
            sizes.add(picture.size)
    return sizes


@pytest.mark.parametrize("event", FORGED, ids=["a path", "a file", "a marked file"])
@pytest.mark.parametrize("way", ["run", "join"])
def test_an_example_is_a_number_and_never_a_file_of_the_servers(
    app: Served, private: Path, event: Any, way: str
) -> None:
    with Caller(app) as caller:
        caller.enter()
        if way == "run":
            caller.run("use_example", *SETTINGS, event=filled(event, private))
        else:
            caller.join("use_example", *SETTINGS, event=filled(event, private))
            caller.stream()
    assert (37, 41) not in stored(app)


def test_whether_a_file_is_there_cannot_be_learned(app: Served, private: Path) -> None:
    told = []
    for path in (private, private.with_name("nothing.png"), private.parent):
        with Caller(app) as caller:
            caller.enter()
            event = {"index": 0, "value": {"text": "x", "files": [str(path)]}}
            answer = caller.run("use_example", *SETTINGS, event=event)
            notice = answer.json().get("data", [None] * 3)[2]
            told.append((answer.status_code, notice))
    assert told[0] == told[1] == told[2]


def test_an_example_is_sent_with_its_own_words_and_pictures(app: Served) -> None:
    examples = load_examples()
    number = next(n for n, example in enumerate(examples) if example.get("files"))
    with Caller(app) as caller:
        caller.enter()
        answer = caller.run("use_example", *SETTINGS, event={"index": number, "value": {"text": "mine"}})
    content = answer.json()["data"][0][0]["content"]
    assert [part["type"] for part in content] == ["component", "text"]
    assert content[1]["text"] == examples[number]["text"]


@pytest.mark.parametrize(
    "event",
    [{"index": 99}, {"index": -1}, {"index": True}, {"index": "0"}, {"index": [0]}, {}, None, [], "x", 3],
)
def test_an_example_that_is_not_there_is_refused_with_a_sentence(app: Served, event: Any) -> None:
    with Caller(app) as caller:
        caller.enter()
        answer = caller.run("use_example", *SETTINGS, event=event)
    assert answer.status_code == 400
    assert answer.json()["error"].lower().startswith("example")


WRONG: list[Any] = [
    None,
    True,
    7,
    1.5,
    "",
    "nobody",
    [],
    ["x"],
    {},
    {"node": []},
    {"node": "x", "part": True},
]
MORE_WRONG: list[Any] = [
    {"id": 1, "title": "x"},
    {"id": "x"},
    {"node": "x", "part": 0, "choices": 5},
    "x" * 10_000,
]


@pytest.mark.parametrize(
    "name",
    "open rename delete search edit flip retry look choose start use reorder restore restore_settings look_1".split(),
)
def test_what_a_deed_is_about_is_verified(app: Served, name: str) -> None:
    number = app.number(name)
    inputs = len(app.demo.fns[number].inputs)
    controls = SETTINGS if inputs > 3 else []
    with Caller(app) as caller:
        caller.enter()
        for about in WRONG + MORE_WRONG:
            rest = controls if controls else [None] * (inputs - 2)
            answer = caller.run(name, about, *rest)
            assert answer.status_code in (200, 400), (about, answer.text)
            if answer.status_code == 400:
                assert answer.json()["error"], about
                assert "went wrong" not in answer.json()["error"], about
        assert caller.say("still here").status_code == 200
