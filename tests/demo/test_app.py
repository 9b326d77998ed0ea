"""The flags and what surrounds the app: variables of a Space, a machine without a network, the container."""

import json
import re
from pathlib import Path

import pytest
from gradio_client import Client
from running_app import REAL, ROOT, running

import app

GUARD = """
import socket
connect = socket.socket.connect
def guarded(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost", "0.0.0.0"):
        raise OSError(f"no way out to {address}")
    return connect(self, address)
socket.socket.connect = guarded
lookup = socket.getaddrinfo
def local(host, *rest, **named):
    if host not in (None, "127.0.0.1", "::1", "localhost", "0.0.0.0"):
        raise socket.gaierror(f"no way out to {host}")
    return lookup(host, *rest, **named)
socket.getaddrinfo = local
"""


def test_variables_are_the_defaults_of_the_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "MINIGPT5_MODEL": "elsewhere",
        "MINIGPT5_QUANTIZE": "4bit",
        "GRADIO_SERVER_PORT": "8000",
        "SPACE_ID": "somebody/demo",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    flags = app.build_parser().parse_args([])
    assert (flags.model, flags.quantize, flags.port, flags.host) == ("elsewhere", "4bit", 8000, "0.0.0.0")


def test_a_space_keeps_chats_on_its_volume_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPACE_ID", "somebody/demo")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(app, "SPACE_VOLUME", tmp_path)
    app.open_store(app.build_parser().parse_args([]))
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(type(tmp_path), "is_mount", lambda path: path == tmp_path)
    app.open_store(app.build_parser().parse_args([]))
    assert (tmp_path / "chats.db").is_file()


def test_the_app_answers_where_no_connection_leads_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(GUARD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("SPACE_ID", "somebody/demo")
    with running((*REAL, "--host", "127.0.0.1", "--ephemeral")) as address:
        client = Client(address, verbose=False)
        options = {"seed": 1, "num_inference_steps": 2, "pictures": "always"}
        reply = client.predict("Draw a red fox.", options=options, api_name="/reply")
        client.close()
    assert "image" in {part["type"] for part in reply["content"]}, reply["content"]


def test_the_container_installs_the_pins_and_starts_the_app_with_flags_that_exist() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "pip install --no-cache-dir -r requirements.txt" in text
    assert not re.search(r"pip install (?!--no-cache-dir (-r|\"\$\(grep))", text)
    assert "\nUSER demo" in text
    python, script, *arguments = json.loads(text.partition("ENTRYPOINT ")[2])
    assert (python, script) == ("python", "app.py")
    assert app.build_parser().parse_args(arguments).data == Path("/data")


def test_the_front_matter_names_the_pinned_gradio() -> None:
    (pin,) = re.findall(r"^gradio\S*==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert f"\nsdk_version: {pin}\n" in (ROOT / "README.md").read_text()
