"""The endpoints as other programs meet them: the examples of docs/api.md on the real app, and what is refused."""

import asyncio
import gc
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image
from running_app import REAL, ROOT, running

from demo.chat.examples import FOLDER

PAGE = (ROOT / "docs" / "api.md").read_text()
ADDRESS = "http://127.0.0.1:7860"
QUICK = {"num_inference_steps": 2, "seed": 7}


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running((*REAL, "--mcp")) as address:
        yield address.rstrip("/")


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    client = Client(address, verbose=False)
    yield client
    client.close()
    with warnings.catch_warnings():  # the client leaves sockets behind
        warnings.simplefilter("ignore")
        del client
        gc.collect()


def pictures(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for part in content if part["type"] == "image"]


def test_the_python_examples_of_the_documentation_run(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {}
    with warnings.catch_warnings():  # the client leaves sockets behind
        warnings.simplefilter("ignore")
        for example in examples("python"):
            exec(example.replace(ADDRESS, address), names)
        names.pop("client").close()
        names.clear()
        gc.collect()
    printed = capsys.readouterr().out
    assert printed.count(".png") >= 8  # the reply's, the stream's, four redrawn, and two scenes


def test_the_curl_examples_of_the_documentation_run(address: str, tmp_path: Path) -> None:
    shutil.copy(FOLDER / "beach.png", tmp_path / "picture.png")
    for example in examples("bash"):
        command = ["bash", "-euo", "pipefail", "-c", example.replace(ADDRESS, address)]
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert "event: complete" in said
        assert '"type": "text"' in said


def test_a_redraw_with_the_picture_s_own_settings_is_the_same_file(client: Client) -> None:
    reply = client.predict("Draw a blue rabbit on the beach", options=QUICK, api_name="/reply")
    (picture,) = pictures(reply["content"])
    *_, again = client.submit(picture["vokens"], [QUICK], api_name="/redraw")
    assert again["type"] == "picture"
    with Image.open(picture["image"]) as one, Image.open(again["image"]) as other:
        assert one.tobytes() == other.tobytes()


def test_a_story_comes_scene_by_scene_and_whole_at_the_end(client: Client) -> None:
    job = client.submit("A green frog finds a kite.", scenes=2, options=QUICK, api_name="/story")
    *events, story = list(job)
    assert [event["type"] for event in events] == ["scene_started", "scene"] * 2
    assert [scene["text"] for scene in story["scenes"]] == [e["text"] for e in events if e["type"] == "scene"]
    assert all(scene["picture"]["image"].endswith(".png") for scene in story["scenes"])
    with pytest.raises(Exception, match="scenes"):
        client.predict("A green frog", scenes=99, options=QUICK, api_name="/story")


def test_a_history_is_heeded(client: Client) -> None:
    first = {"role": "user", "content": [{"type": "image", "image": handle_file(str(FOLDER / "beach.png"))}]}
    second = {"role": "assistant", "content": [{"type": "text", "text": "A picture."}]}
    alone, after = (
        client.predict("Who is this?", history=history, options={"temperature": 0.0}, api_name="/reply")
        for history in (None, [first, second])
    )
    assert alone["content"] != after["content"]


REFUSED = [
    ({"message": ""}, "The message is empty"),
    ({"message": "hi", "options": {"guidance_scale": 99}}, "guidance_scale: got 99"),
    ({"message": "hi", "options": {"guidence": 3}}, "options: got guidence, expected only"),
    ({"message": "hi", "history": [{"role": "robot"}]}, r"history\[0\].role: got 'robot'"),
    (
        {"message": "hi", "history": [{"role": "user", "content": [{"type": "sound"}]}]},
        r"history\[0\].content\[0\]",
    ),
    ({"message": "hi", "images": [{"path": str(FOLDER / "beach.png")}]}, "expected an uploaded file"),
]


@pytest.mark.parametrize(("call", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_what_cannot_be_read_is_refused_with_a_sentence(
    client: Client, call: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Exception, match=sentence):
        client.predict(**call, api_name="/reply")


@pytest.mark.parametrize(
    ("vokens", "sentence"),
    [
        ({"shape": [8, 192], "data": "AAAA"}, "got data that is not as its shape says"),
        ({"shape": [1, 1], "data": "AAAAAA=="}, r"expected float32 of shape \(8, 192\)"),
        ({}, "as a picture of a reply has them"),
    ],
)
def test_vokens_of_another_kind_are_refused(client: Client, vokens: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Exception, match=sentence):
        client.predict(vokens, api_name="/redraw")


def test_the_public_endpoints_are_the_documented_ones(client: Client) -> None:
    named = set(client.view_api(return_format="dict")["named_endpoints"])
    assert named == set(re.findall(r"^\| `(/\w+)`", PAGE, re.MULTILINE))


async def ask_as_an_agent(address: str) -> tuple[dict[str, str], str]:
    """The tools that an agent is offered, and what it gets for a request."""
    async with (
        streamable_http_client(f"{address}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = {tool.name: tool.description or "" for tool in (await session.list_tools()).tools}
        name = next(name for name in tools if name.endswith("reply"))
        answer = await session.call_tool(
            name, {"message": "Draw a green bear in the forest", "options": QUICK}
        )
        return tools, str(answer.content)


def test_an_agent_finds_the_endpoints_as_tools_and_gets_a_picture(address: str) -> None:
    tools, answer = asyncio.run(ask_as_an_agent(address))
    assert any("Answer a message" in description for description in tools.values())
    assert "green bear" in answer
    assert ".png" in answer
