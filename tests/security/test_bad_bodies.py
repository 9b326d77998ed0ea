"""Whatever is sent: an answer in a sentence, and the app goes on."""

import base64
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scripted_engine import ScriptedEngine
from served import SECRET, SETTINGS, Caller, Served, serving

from demo.chat.settings import read_settings
from demo.guard.input.text import RequestError, clean_text, read_json
from minigpt5 import GenerationOptions, MiniGPT5Error, OptionError

MINE = {"x-story-owner": SECRET}
LONE = "half an \ud83d emoji"
DEEP = "[" * 100_000 + "]" * 100_000


class Redrawing(ScriptedEngine):
    """An engine that draws whatever vokens it gets, so that they must be refused before."""

    def redraw(self, vokens: np.ndarray, choices: Any) -> Iterator[Any]:
        self.drawn = vokens
        yield from ()


@pytest.fixture
def caller(app: Served) -> Iterator[Caller]:
    with Caller(app) as caller:
        caller.enter()
        yield caller


@pytest.fixture
def story(caller: Caller) -> str:
    answer = caller.client.post("/stories", json={"premise": "a frog"}, headers=MINE)
    return str(answer.json()["id"])


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def test_a_lone_surrogate_in_a_search_does_not_break_the_tab(caller: Caller) -> None:
    for content in (json.dumps(LONE), json.dumps(LONE, ensure_ascii=False)):
        body = f'{{"fn_index": {caller.app.number("search")}, "session_hash": "{caller.session}", "data": [null, {content}]}}'
        headers = {"content-type": "application/json"}
        answer = caller.client.post("/gradio_api/run/predict", content=raw(body), headers=headers)
        assert answer.status_code == 200, answer.text
        assert caller.run("search", "").status_code == 200


def test_text_is_cleaned_in_messages_titles_and_stories(caller: Caller, story: str) -> None:
    caller.say("tell me \x00of \x1bthe owl\n\tnow")
    assert "tell me of the owl\\n\\tnow" in caller.run("search", "").text
    body = raw(json.dumps({"title": LONE + "\x00"}))
    renamed = caller.client.post(f"/stories/{story}/rename", content=body, headers=MINE)
    assert renamed.status_code == 200
    with caller.client.stream("GET", f"/stories/{story}/events", headers=MINE) as events:
        view = next(line for line in events.iter_lines() if line.startswith("data: "))
    assert json.loads(view[6:])["title"] == "half an \ufffd emoji"
    assert caller.client.get("/stories", headers=MINE).status_code == 200


NO_JSON = {
    "deep": DEEP,
    "deep within": f'{{"NAME": {DEEP}}}',
    "half": "{",
    "half a word": "nul",
    "a list": "[]",
    "a number": "5",
    "no number": "NaN",
    "too large a number": '{"NAME": [1e999]}',
    "a field of another kind": '{"NAME": 5}',
    "no UTF-8": "\xff",
}
PLACES = [
    "run/predict",
    "queue/join",
    "call/reply",
    "call/v2/reply",
    "cancel",
    "reset",
    "run/chat",
    "stream/x",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", NO_JSON)
def test_what_is_no_call_is_refused_with_a_sentence(caller: Caller, place: str, kind: str) -> None:
    content = NO_JSON[kind].replace("NAME", "data")
    headers = {"content-type": "application/json"}
    answer = caller.client.post(f"/gradio_api/{place}", content=content.encode("latin-1"), headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    told = answer.json()
    assert told.get("error") or told.get("detail")


@pytest.mark.parametrize("kind", NO_JSON)
def test_what_is_no_request_about_a_story_is_refused_with_a_sentence(
    caller: Caller, story: str, kind: str
) -> None:
    content = NO_JSON[kind].replace("NAME", "ask")
    for path in ("/stories", f"/stories/{story}/write", "/remote/AAAAAA/show"):
        answer = caller.client.post(path, content=content.encode("latin-1"), headers=MINE)
        assert answer.status_code == 400, answer.text
        assert len(answer.json()["error"]) > 10


VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "x",
    LONE,
    [],
    [1],
    {},
    {"a": 1},
    [True, True],
    "x" * 5000,
]
FIELDS = ["place", "to", "version", "slide", "ask", "text", "title", "address"]
NEW = ["premise", "cast", "pictures", "scenes", "tone", "options"]
COMMANDS = "write run go-on retell redraw illustrate edit move remove choose undo rename stage leave-stage show next-scene stop nothing"


@pytest.mark.parametrize("command", COMMANDS.split())
def test_wrong_types_in_a_command_are_told(caller: Caller, story: str, command: str) -> None:
    for field in FIELDS:
        for value in VALUES:
            body = raw(json.dumps({field: value}))
            answer = caller.client.post(f"/stories/{story}/{command}", content=body, headers=MINE)
            assert answer.status_code in (200, 400), (field, value, answer.text)
            if answer.status_code == 400:
                assert "went wrong" not in answer.json()["error"], (field, value)


@pytest.mark.parametrize("field", NEW)
def test_wrong_types_in_a_new_story_are_told(caller: Caller, field: str) -> None:
    for value in [
        *VALUES,
        ["data:,"],
        ["\u00e9"],
        {"seed": "x"},
        {"temperature": 1e-320},
        {"a b": 1},
        {"self": 1},
    ]:
        body = raw(json.dumps({"premise": "a frog", field: value}))
        answer = caller.client.post("/stories", content=body, headers=MINE)
        assert answer.status_code in (200, 400), (value, answer.text)
        if answer.status_code == 400:
            assert "went wrong" not in answer.json()["error"], value


def test_what_shall_happen_has_a_limit_of_letters(caller: Caller, story: str) -> None:
    for command in ("write", "run", "next-scene"):
        answer = caller.client.post(f"/stories/{story}/{command}", json={"ask": "x" * 2001}, headers=MINE)
        assert answer.status_code == 400
        assert answer.json()["error"] == "ask: has 2001 letters, at most 2000 are allowed."


def test_a_message_of_any_shape_is_answered_or_refused_with_a_sentence(caller: Caller) -> None:
    for place in range(4):
        for value in VALUES:
            data: list[Any] = ["hi", None, None, None]
            data[place] = value
            body = raw(json.dumps({"data": data}))
            headers = {"content-type": "application/json"}
            answer = caller.client.post("/gradio_api/run/reply", content=body, headers=headers)
            assert answer.status_code in (200, 400), (place, value, answer.text)
            if answer.status_code == 400:
                assert answer.json()["error"] and "went wrong" not in answer.json()["error"], (place, value)


@pytest.mark.parametrize(
    "value", [1e-320, 1e-9, 0.0099, float("nan"), float("inf"), 10**400, True, "0.5", -0.1]
)
def test_a_temperature_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(OptionError, match="temperature: got"):
        GenerationOptions(temperature=value)


@pytest.mark.parametrize(
    "value", ["--5", "-", "5-", "9" * 5000, "\u0665", "1.5", "\ud800", True, [], {}, 1e300]
)
def test_a_seed_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(MiniGPT5Error, match="seed: got"):
        read_settings(*[value if index == 4 else given for index, given in enumerate(SETTINGS)])


def packed(numbers: list[float]) -> str:
    return base64.b64encode(np.array(numbers, "<f4").tobytes()).decode()


WRONG_VOKENS: list[Any] = [
    {"shape": [True, True], "data": packed([0.5])},
    {"shape": [True, 1], "data": packed([0.5])},
    {"shape": [1, 1.0], "data": packed([0.5])},
    {"shape": [1, 1], "data": packed([float("nan")])},
    {"shape": [1, 2], "data": packed([0.5, 1e38])},
    {"shape": [1, 1], "data": packed([float("-inf")])},
    {"shape": [0, 0], "data": ""},
    {"shape": [-1, 1], "data": packed([0.5])},
    {"shape": [2**62, 2**62], "data": packed([0.5])},
    {"shape": [1, 1], "data": "\u00e9"},
    {"shape": [1], "data": packed([0.5])},
    {"shape": [1, 1], "data": 5},
    {}, [], 5, None, "x",
]  # fmt: skip


def test_vokens_that_no_model_makes_are_never_drawn() -> None:
    with serving(engine=Redrawing()) as app, Caller(app) as caller:
        for vokens in WRONG_VOKENS:
            answer = caller.client.post("/gradio_api/run/redraw", json={"data": [vokens, None]})
            assert answer.status_code == 400, (vokens, answer.text)
            assert "okens" in answer.json()["error"], answer.text
        assert not hasattr(app.engine, "drawn")
        sound = {"shape": [1, 2], "data": packed([0.5, -3])}
        caller.client.post("/gradio_api/run/redraw", json={"data": [sound, None]})
        assert app.engine.drawn.shape == (1, 2)


def test_what_nobody_expected_has_a_number_that_the_log_has_too(
    app: Served, caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("/secret/path of the server")

    monkeypatch.setattr(app.store, "find", broken)
    with caplog.at_level(logging.ERROR):
        answer = caller.run("search", "x")
        caller.join("search", "x")
        streamed = caller.stream()[-2]["output"]["error"]
    for told in (answer.json()["error"], streamed):
        assert "/secret" not in told and "went wrong" in told
        number = re.findall(r"number ([0-9a-f]{8})", told)[0]
        assert any(number in record.getMessage() for record in caplog.records)


def test_the_parser_takes_what_is_json_and_nothing_else() -> None:
    assert read_json(b'{"a": [1, 2.5, "\\ud83d\\ude00", null, true]}') == {
        "a": [1, 2.5, "\U0001f600", None, True]
    }
    assert read_json(b'"a\\ud800b\\u0000c"') == "a\ufffdbc"
    assert clean_text("Zeile\n\tzwei\r\u200d\U0001f468") == "Zeile\n\tzwei\r\u200d\U0001f468"
    for wrong in (
        b"",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"9" * 5000,
        b"[" * 40 + b"]" * 40,
        b"\xff",
        b"{'a': 1}",
        DEEP.encode(),
        b"[" + b"0," * 200_000 + b"0]",
    ):
        with pytest.raises(RequestError):
            read_json(wrong)


def test_a_body_without_end_is_given_up(caller: Caller) -> None:
    answer = caller.client.post(
        "/gradio_api/run/predict", content=b"x" * (17 * 2**20), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413 and "16 MB" in answer.json()["error"]
