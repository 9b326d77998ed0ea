"""The app is killed, or asked to end, at any moment: every word that was shown is there, and nothing lies about.

`MINIGPT5_KILLS=50` kills it so many times in each way instead of twice.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from running_app import HERE, ROOT, free_port, wait_for
from scripted_engine import ScriptedEngine
from served import SECRET, SETTINGS

from demo.chat.handlers import ChatHandlers
from demo.chat.session import Session
from demo.store import ChatStore
from demo.store.chats import owner_of
from demo.store.private_files import make_scratch, sweep_scratch
from demo.story.document import Plan, Story
from demo.story.open_stories import OpenStories
from demo.story.repository import StoryRepository

KILLS = int(os.environ.get("MINIGPT5_KILLS", "2"))
ME = owner_of(SECRET)
WORD = "once"  # the scripted engine says it 300 times, and draws where it is asked to


class Talk:
    """A browser that asks for a long answer and counts the words that it is shown."""

    def __init__(self, address: str, words: str) -> None:
        self.shown, self.opened, self.ended = 0, threading.Event(), threading.Event()
        self._client = httpx.Client(base_url=address, timeout=60)
        functions = self._client.get("/config").json()["dependencies"]
        self._numbers = {function["api_name"]: function["id"] for function in functions}
        self._call("run/predict", "restore", SECRET, "")
        self._call("run/predict", "submit", {"text": words, "files": []}, *SETTINGS)
        self._call("queue/join", "answer")
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _call(self, how: str, name: str, *values: object) -> None:
        body = {"fn_index": self._numbers[name], "session_hash": "killed", "data": [None, *values]}
        self._client.post(f"/gradio_api/{how}", json=body).raise_for_status()

    def _follow(self) -> None:
        try:
            with (
                contextlib.suppress(httpx.HTTPError),
                self._client.stream("GET", "/gradio_api/queue/data?session_hash=killed") as answer,
            ):
                for line in answer.iter_lines():
                    message = json.loads(line[6:]) if line.startswith("data: ") else {}
                    if message.get("msg") == "process_generating":
                        self.shown += json.dumps(message["output"]["data"][0]).count(WORD)
                        self.opened.set()
        finally:
            self.ended.set()

    def close(self) -> None:
        self._thread.join()
        self._client.close()


@contextlib.contextmanager
def killed_app(folder: Path, scratch: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}", "TMPDIR": str(scratch)}
    port = free_port()
    command = [
        sys.executable,
        str(Path(__file__).with_name("killed_app.py")),
        str(folder),
        "--port",
        str(port),
    ]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            yield process, wait_for(f"http://127.0.0.1:{port}/", process)
        finally:
            process.kill()


def kept_words(folder: Path) -> int:
    """The words of the newest chat's answer."""
    store = ChatStore.in_folder(folder)
    tree = store.load(ME, store.find(ME)[0].id)
    assert tree is not None
    *_, answer = tree.path()
    assert answer.role == "assistant" and answer.ending in ("stopped", "stop", "length")
    store.engine.dispose()
    return answer.text.count(WORD)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_every_word_shown_is_there_and_nothing_lies_about(tmp_path: Path, number: signal.Signals) -> None:
    chance, folder, scratch = random.Random(int(number)), tmp_path / "data", tmp_path / "scratch"
    scratch.mkdir()
    for _ in range(KILLS):
        with killed_app(folder, scratch) as (process, address):
            assert len(list(scratch.glob("minigpt5-*"))) == 1  # that of the one before is gone
            talk = Talk(address, "long")
            talk.opened.wait(60)
            time.sleep(chance.random() * 2)  # any moment will do
            process.send_signal(number)
            status = process.wait(timeout=30)
            talk.close()
        assert talk.shown > 0 and kept_words(folder) >= talk.shown
        if number == signal.SIGTERM:
            assert status == 0 and not list(scratch.glob("minigpt5-*"))
        assert not list(folder.glob("**/*.part"))


def test_leftovers_of_dead_processes_are_swept_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, before = (
        tmp_path / f"minigpt5-chats-{gone.pid}-ab12",
        tmp_path / f"minigpt5-chats-{os.getpid()}-ab12",
    )
    alive, foreign = tmp_path / f"minigpt5-chats-{os.getppid()}-ab12", tmp_path / "minigpt5-mine"
    for folder in (dead, before, alive, foreign):
        (folder / "pictures").mkdir(parents=True)
    own = make_scratch("pictures")
    sweep_scratch()
    assert set(tmp_path.iterdir()) == {alive, foreign, own}


def test_who_goes_down_begins_nothing_more_and_keeps_what_is_being_made() -> None:
    store, engine = ChatStore(), ScriptedEngine(pause=0.005)
    handlers, session = ChatHandlers(engine, store), Session(ME)
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    answer = handlers.answer(session)
    for _ in range(3):
        next(answer)
    closing = threading.Thread(target=lambda: store.close(30))
    closing.start()
    for _ in answer:
        pass
    closing.join()
    said = session.tree.path()[-1]
    kept = store.load(ME, str(session.chat))
    assert said.ending == "stopped" and kept is not None and kept.path()[-1] == said and engine.closed == 1
    shown = handlers.submit(session, {"text": "more", "files": []}, *SETTINGS)
    assert "going down" in shown[2] and "value" not in shown[1]


def test_a_story_that_is_being_written_ends_when_the_app_does() -> None:
    store = ChatStore()
    repository = StoryRepository(store)
    open_stories, story = OpenStories(repository), Story("a" * 32, "x", Plan("a"))
    repository.add(ME, story)
    opened, begun = open_stories.open(ME, story.id), threading.Event()

    def command(_opened: object) -> None:
        begun.set()
        assert opened.stopped.wait(60)

    open_stories.start(opened, command)
    assert begun.wait(60) and store.close(60)
    assert opened.closing.is_set()


def test_a_picture_is_never_half_written_under_its_name(tmp_path: Path) -> None:
    store = ChatStore.in_folder(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (f"{'a' * 32}.{gone.pid}.part", f"{'a' * 32}.part"):
        (store.files.folder / name).write_bytes(b"half")
    (tmp_path / f"key.{gone.pid}.part").write_bytes(b"half")
    store.engine.dispose()
    again = ChatStore.in_folder(tmp_path)
    assert not list(tmp_path.glob("**/*.part"))
    again.engine.dispose()
