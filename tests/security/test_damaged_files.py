"""A picture, a page of the database, a story or the key that is damaged: a sentence, and the rest goes on."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scripted_engine import ScriptedEngine
from served import SECRET, Caller, serving

from demo.chat.handlers import ChatHandlers
from demo.chat.session import Session
from demo.chat.settings import default_values
from demo.store import ChatStore, Node, Picture, PictureFiles, Upload, Words
from demo.store.chats import new_id, owner_of
from demo.story.document import Plan, Story
from demo.story.repository import StoryRepository
from minigpt5 import MiniGPT5Error, open_image

ME = owner_of(SECRET)
DAMAGES: list[Callable[[Path], object]] = [
    lambda path: path.unlink(),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:60]),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ChatStore]:
    store = ChatStore.in_folder(tmp_path)
    yield store
    store.engine.dispose()


def say(handlers: ChatHandlers, session: Session, text: str) -> str:
    handlers.submit(session, {"text": text, "files": []}, *default_values())
    for _ in handlers.answer(session):
        pass
    return session.notice


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_picture_that_is_gone_does_not_end_its_chat(
    store: ChatStore, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    engine = ScriptedEngine()
    handlers, session = ChatHandlers(engine, store), Session(ME)
    assert say(handlers, session, "draw a rabbit") == ""
    (picture,) = (part for part in session.tree.path()[-1].parts if isinstance(part, Picture))
    damage(store.files.path(picture.drawings[0].file))
    notice = say(handlers, session, "and now?")
    answer = session.tree.path()[-1]
    assert answer.ending == "stop" and "You said: and now?" in answer.text
    assert "1 picture of this chat is gone" in notice and str(tmp_path) not in notice
    assert sum(len(message.images) for message in engine.seen[-1].messages) == 0


def test_a_message_that_was_a_lost_picture_alone_is_told_so(store: ChatStore, tmp_path: Path) -> None:
    handlers, session = ChatHandlers(ScriptedEngine(), store), Session(ME)
    session.chat = store.create(ME, "x")
    name = store.files.save(Image.new("RGB", (9, 9)))
    handlers.save(session, Node(new_id(), None, "user", (Upload(name),)))
    store.files.path(name).unlink()
    handlers.retry(session, str(session.tree.leaf), *default_values())
    for _ in handlers.answer(session):
        pass
    (remark,) = session.tree.path()[-1].parts
    assert isinstance(remark, Words) and "gone from the server's folder" in remark.text
    assert str(tmp_path) not in remark.text


def test_damaged_vokens_are_told(tmp_path: Path) -> None:
    files = PictureFiles(tmp_path)
    name = files.save_vokens(np.ones((8, 4), np.float32))
    for content in (b"", b"\x93NUMPY\x01\x00", b"nonsense" * 9, files.path(name).read_bytes()[:-9]):
        files.path(name).write_bytes(content)
        with pytest.raises(MiniGPT5Error, match="cannot be drawn again"):
            files.vokens(name)


def test_no_error_of_a_picture_tells_where_it_lies(tmp_path: Path) -> None:
    with pytest.raises(MiniGPT5Error) as raised:
        open_image(tmp_path / "cat.png")
    assert "cat.png" in str(raised.value) and str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_key_that_is_damaged_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(MiniGPT5Error, match=f"got {len(content)} bytes, expected the 32"):
        ChatStore.in_folder(tmp_path)


def corrupt(folder: Path) -> None:
    """Every page after the first two is noise."""
    database = sqlite3.connect(folder / "chats.db")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    database.close()
    path = folder / "chats.db"
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))


def test_a_corrupt_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    store = ChatStore.in_folder(tmp_path)
    chat = store.create(ME, "x")
    for _ in range(50):
        store.save(ME, chat, Node(new_id(), None, "user", (Words("word " * 500),)))
    with serving(store) as app, Caller(app) as caller:
        caller.enter()
        store.engine.dispose()
        corrupt(tmp_path)
        answer = caller.run("open", chat)
        assert answer.status_code == 400 and "database of the chats is damaged" in answer.json()["error"]
        assert str(tmp_path) not in answer.text
    store.engine.dispose()
    with pytest.raises(MiniGPT5Error, match="cannot be opened"):
        ChatStore.in_folder(tmp_path)


@pytest.mark.parametrize("document", ["{}", '{"id": 1', '{"plan": null}', "[]", '"x"'])
def test_a_damaged_story_is_told(store: ChatStore, tmp_path: Path, document: str) -> None:
    repository, story = StoryRepository(store), Story(new_id(), "x", Plan("a"))
    repository.add(ME, story)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stories SET document = ?", (document,))
    with pytest.raises(MiniGPT5Error, match="story is damaged"):
        repository.load(ME, story.id)
    assert repository.delete(ME, story.id)


@pytest.mark.parametrize(
    "parts", ["{", "[1]", '[{"kind": "x"}]', '[{"text": "x"}]', '[{"kind": "words", "x": 1}]']
)
def test_a_damaged_message_is_told(store: ChatStore, parts: str) -> None:
    chat = store.create(ME, "x")
    store.save(ME, chat, Node(new_id(), None, "user", (Words("hello"),)))
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE nodes SET parts = ?", (parts,))
    with pytest.raises(MiniGPT5Error, match="chat is damaged"):
        store.load(ME, chat)
    assert store.delete(ME, chat)
