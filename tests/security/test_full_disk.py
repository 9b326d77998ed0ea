"""A full disk and a locked database are told in a sentence, the words are kept, and deleting works."""

import errno
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from running_app import ROOT
from scripted_engine import ScriptedEngine
from served import SECRET, Caller, serving
from sqlalchemy import event

from demo.chat.handlers import ChatHandlers
from demo.chat.session import Session
from demo.chat.settings import default_values
from demo.store import ChatStore, Node, PictureFiles, Words
from demo.store.chats import new_id, owner_of
from minigpt5 import MiniGPT5Error

ME = owner_of(SECRET)
LONG = "long words " * 600


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ChatStore]:
    store = ChatStore.in_folder(tmp_path)
    yield store
    store.engine.dispose()


def chat_of(store: ChatStore) -> str:
    chat = store.create(ME, "mine")
    for _ in range(10):
        store.save(ME, chat, Node(new_id(), None, "user", (Words(LONG),)))
    return chat


def fill(store: ChatStore) -> None:
    """From now on the database may not grow."""
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    store.engine.dispose()

    def limit(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}").close()

    event.listen(store.engine, "connect", limit)


def say(handlers: ChatHandlers, session: Session, text: str) -> tuple[Any, ...]:
    return handlers.submit(session, {"text": text, "files": []}, *default_values())


def test_on_a_full_disk_the_words_stay_and_deleting_makes_room(store: ChatStore) -> None:
    chat = chat_of(store)
    fill(store)
    handlers, session = ChatHandlers(ScriptedEngine(), store), Session(ME)
    shown = say(handlers, session, LONG[:7000])
    assert "disk is full" in shown[2]
    assert "value" not in shown[1] or shown[1]["value"]["text"]
    assert session.active is None and session.chat is None and len(session.tree) == 0
    assert store.delete(ME, chat)
    shown = say(handlers, session, LONG[:7000])
    assert shown[2] == "" and len(session.tree) == 2
    for _ in handlers.answer(session):
        pass
    assert session.active is None and session.tree.path()[-1].ending == "stop"


def test_an_answer_that_cannot_be_kept_is_shown_and_told(store: ChatStore) -> None:
    handlers, session = ChatHandlers(ScriptedEngine(), store), Session(ME)
    say(handlers, session, "long")
    fill(store)
    for _ in handlers.answer(session):
        pass
    assert session.active is None and session.live is None
    assert "once more" in session.tree.path()[-1].text


def test_a_locked_database_is_told_in_a_sentence(store: ChatStore, tmp_path: Path) -> None:
    handlers, session = ChatHandlers(ScriptedEngine(), store), Session(ME)
    other = sqlite3.connect(tmp_path / "chats.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    shown = say(handlers, session, "hello")
    assert "locked by another program" in shown[2] and session.chat is None
    other.execute("ROLLBACK")
    other.close()
    assert say(handlers, session, "hello")[2] == ""


def test_over_the_network_a_locked_database_is_no_bare_error(store: ChatStore, tmp_path: Path) -> None:
    chat = chat_of(store)
    with serving(store) as app, Caller(app) as caller:
        caller.enter()
        other = sqlite3.connect(tmp_path / "chats.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = caller.run("delete", chat)
        other.execute("ROLLBACK")
        other.close()
        assert answer.status_code == 400 and "locked by another program" in answer.json()["error"]
        assert caller.run("delete", chat).status_code == 200


def test_a_picture_for_which_there_is_no_room_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = PictureFiles(tmp_path)

    def full(_self: Path, _target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(MiniGPT5Error, match="disk is full") as raised:
        files.save(Image.new("RGB", (9, 9)))
    assert str(tmp_path) not in str(raised.value)
    assert not list(tmp_path.glob("**/*.part")) and files.names() == set()


REAL = """
import os, sys
from pathlib import Path
from demo.store import ChatStore, Node, Words
from demo.store.chats import new_id
from demo.store.errors import FullError
folder = Path(sys.argv[1])
os.system(f"mount -t tmpfs -o size=6m tmpfs {folder}") and sys.exit(77)
store = ChatStore.in_folder(folder)
words = []
try:
    while True:
        chat = store.create("a" * 64, "x")
        words.append(chat)
        store.save("a" * 64, chat, Node(new_id(), None, "user", (Words("word " * 2000),)))
except FullError as error:
    print(error)
try:
    with open(folder / "fill", "wb") as file:  # somebody else's
        while True:
            file.write(bytes(512)); file.flush()
except OSError:
    pass
try:
    store.rename("a" * 64, words[0], "y" * 150)
    store.save("a" * 64, words[0], Node(new_id(), None, "user", (Words("word " * 20000),)))
    sys.exit("the disk is not full")
except FullError:
    pass
print("deleted", sum(store.delete("a" * 64, chat) for chat in words[:5]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk")
def test_on_a_disk_without_one_free_byte_chats_are_deleted(tmp_path: Path) -> None:
    command = ["unshare", "-rm", sys.executable, "-c", REAL, str(tmp_path)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    except FileNotFoundError:
        pytest.skip("needs unshare")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("may not mount")
    assert done.stdout.splitlines()[-1:] == ["deleted 5"], done.stdout + done.stderr
    assert "disk is full" in done.stdout
