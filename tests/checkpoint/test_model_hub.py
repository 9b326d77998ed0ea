"""A model folder goes to a hub (played by a server on loopback) and comes back from it; nothing goes without being asked."""

import hashlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from huggingface_hub import HfApi, constants

import minigpt5
from minigpt5.__main__ import main
from minigpt5.checkpoint import model_hub
from minigpt5.checkpoint.build import save_model
from minigpt5.checkpoint.model_hub import fetch_model, find_model, prepare_push
from minigpt5.checkpoint.presets import advice
from minigpt5.errors import CheckpointError, OptionError

REPO = "someone/pictures"
REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Keeps what is uploaded in one commit, and gives it back."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.objects: dict[str, bytes] = {}  # by SHA-256, on their way
        self.files: dict[str, bytes] = {}
        self.private: bool | None = None
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, format: str, *words: Any) -> None:
        """Quiet."""

    def send(self, content: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def tell(self, value: Any, status: int = 200) -> None:
        self.send(json.dumps(value).encode(), status)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        if path == f"/api/models/{REPO}" and self.server.files:
            return self.tell(
                {"id": REPO, "sha": REVISION, "siblings": list(map(self.described, self.server.files))}
            )
        name = path.removeprefix(f"/{REPO}/resolve/{REVISION}/")
        if name in self.server.files:
            return self.send(self.server.files[name])
        return self.tell({"error": "Repository not found"}, 404)

    def described(self, name: str) -> dict[str, Any]:
        content = self.server.files[name]
        digest = hashlib.sha256(content).hexdigest()
        told = {"rfilename": name, "size": len(content), "blobId": "0"}
        return {**told, "lfs": {"sha256": digest, "size": len(content), "pointerSize": 130}}

    def do_PUT(self) -> None:
        content = self.body()
        self.server.objects[hashlib.sha256(content).hexdigest()] = content
        self.send(b"")

    def do_POST(self) -> None:
        path, said = self.path.partition("?")[0], self.body()
        self.server.asked.append(path)
        if path == "/api/repos/create":
            self.server.private = json.loads(said).get(
                "private", json.loads(said).get("visibility") == "private"
            )
            return self.tell({"url": f"{self.server.url}/{REPO}", "name": REPO, "id": REPO})
        if path == "/api/validate-yaml":
            return self.tell({"warnings": [], "errors": []})
        if "/preupload/" in path:
            names = [file["path"] for file in json.loads(said)["files"]]
            return self.tell(
                {"files": [{"path": n, "uploadMode": "lfs", "shouldIgnore": False} for n in names]}
            )
        if path.endswith("/info/lfs/objects/batch"):
            return self.tell(
                {"transfer": "basic", "objects": [self.place(item) for item in json.loads(said)["objects"]]}
            )
        assert "/commit/" in path
        for line in map(json.loads, said.splitlines()):
            if line["key"] == "lfsFile":
                self.server.files[line["value"]["path"]] = self.server.objects[line["value"]["oid"]]
        address = f"{self.server.url}/{REPO}/commit/{REVISION}"
        return self.tell({"commitUrl": address, "commitOid": REVISION, "success": True})

    def place(self, item: dict[str, Any]) -> dict[str, Any]:
        return {**item, "actions": {"upload": {"href": f"{self.server.url}/put/{item['oid']}", "header": {}}}}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(model_hub, "_user_cache", lambda: tmp_path / "cache")
    server = Hub()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, model: Any, config: Any, tokenizer: Any) -> Path:
    save_model(tmp_path / "tiny", model, config, tokenizer)
    return tmp_path / "tiny"


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the hub's library at each upload
def test_a_folder_goes_to_the_hub_and_is_loaded_from_it(
    folder: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    record = tmp_path / "recipe.json"
    record.write_text(json.dumps({"stage": "mls", "lr": 2e-05}))
    words = ["push", str(folder), REPO, "--record", str(record), "--endpoint", hub.url]
    main(words)
    assert "nothing was sent; --upload sends it" in capsys.readouterr().out
    assert hub.asked == []
    main([*words, "--upload"])
    assert "done: " in capsys.readouterr().out
    assert hub.private is True
    assert hub.files.keys() == {*(path.name for path in folder.iterdir()), "README.md"}
    card = hub.files["README.md"].decode()
    assert f'minigpt5.load("{REPO}")' in card
    assert "| stage | mls |" in card and "| lr | 2e-05 |" in card
    monkeypatch.setattr(model_hub, "HfApi", lambda endpoint=None: HfApi(hub.url))
    monkeypatch.setattr(
        model_hub, "hf_hub_url", lambda repo, name, **_: f"{hub.url}/{repo}/resolve/{REVISION}/{name}"
    )
    told: list[tuple[int, int, str]] = []
    engine = minigpt5.load(REPO, device="cpu", dtype="float32", progress=lambda *values: told.append(values))
    own = minigpt5.load(folder, device="cpu", dtype="float32")
    pairs = zip(engine.model.state_dict().values(), own.model.state_dict().values(), strict=True)
    assert all(torch.equal(got, expected) for got, expected in pairs)
    assert next(what for _, _, what in told) == "downloading"


def test_what_was_fetched_before_is_used_without_a_network(folder: Path, hub: Hub, tmp_path: Path) -> None:
    hub.files = {path.name: path.read_bytes() for path in folder.iterdir()}
    first = fetch_model(REPO, tmp_path / "cache", endpoint=hub.url)
    hub.files = {}
    lines: list[str] = []
    assert fetch_model(REPO, tmp_path / "cache", endpoint=hub.url, report=lines.append) == first
    assert "fetched before, is used" in lines[0]


def test_what_is_no_model_is_refused(hub: Hub, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"someone/pictures: got .*, expected a hub repository or a folder"
    ):
        fetch_model(REPO, tmp_path / "cache", endpoint=hub.url)
    hub.files = {"README.md": b"hello"}
    with pytest.raises(
        CheckpointError, match=r"got no config.json, expected a repository with a model folder"
    ):
        fetch_model(REPO, tmp_path / "cache", endpoint=hub.url)
    with pytest.raises(OptionError, match="push: got 'pictures', expected OWNER/NAME"):
        prepare_push(folder, "pictures")
    with pytest.raises(CheckpointError, match="got no readable record"):
        prepare_push(folder, REPO, tmp_path / "none.json")


def test_the_projects_own_weights_are_looked_for_and_never_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data/weights/storybook").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(model_hub, "_places", lambda: (tmp_path / "code", tmp_path / "data"))
    lines: list[str] = []
    assert find_model("weights/storybook", report=lines.append) == tmp_path / "data/weights/storybook"
    assert lines == [f"weights/storybook: found in {tmp_path / 'data/weights/storybook'}"]
    assert find_model("weights/other") == Path("weights/other")
    assert find_model(tmp_path / "nowhere") == tmp_path / "nowhere"
    assert "copy it there" in advice("storybook")
