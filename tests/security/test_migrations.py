"""Databases of earlier versions are brought up to date; newer and foreign ones are refused in a sentence."""

import sqlite3
from pathlib import Path

import pytest

from demo.store import ChatStore, Node, Words
from demo.store.chats import new_id, owner_of
from demo.store.sql.database import database_url, open_database
from demo.story.repository import StoryRepository
from minigpt5 import MiniGPT5Error

ME = owner_of("a" * 32)
# as the first version made it
FIRST = """
CREATE TABLE chats (id VARCHAR(32) NOT NULL, owner VARCHAR(64) NOT NULL, title VARCHAR(200) NOT NULL,
    folded_title VARCHAR(400) NOT NULL, updated FLOAT NOT NULL, leaf VARCHAR(32), PRIMARY KEY (id));
CREATE INDEX chats_of_an_owner ON chats (owner, updated);
CREATE TABLE nodes (number INTEGER NOT NULL, id VARCHAR(32) NOT NULL, chat VARCHAR(32) NOT NULL, parent VARCHAR(32),
    role VARCHAR(9) NOT NULL, parts JSON NOT NULL, folded TEXT NOT NULL, options JSON NOT NULL,
    ending VARCHAR(7) NOT NULL, timings JSON NOT NULL, PRIMARY KEY (number), UNIQUE (id));
CREATE INDEX ix_nodes_chat ON nodes (chat);
CREATE TABLE uses (node VARCHAR(32) NOT NULL, file VARCHAR(40) NOT NULL, chat VARCHAR(32) NOT NULL,
    PRIMARY KEY (node, file));
CREATE INDEX ix_uses_chat ON uses (chat);
CREATE INDEX ix_uses_file ON uses (file);
"""
WORDS = '[{"kind": "words", "text": "hello", "remark": false}]'


def first_version(folder: Path) -> str:
    chat = new_id()
    database = sqlite3.connect(folder / "chats.db")
    database.executescript(FIRST)
    database.execute("INSERT INTO chats VALUES (?, ?, 'Old', 'old', 1.0, NULL)", (chat, ME))
    values = (new_id(), chat, WORDS)
    database.execute(
        "INSERT INTO nodes VALUES (1, ?, ?, NULL, 'user', ?, 'hello', '{}', 'stop', '{}')", values
    )
    database.commit()
    database.close()
    return chat


def told(folder: Path) -> list[int]:
    database = sqlite3.connect(folder / "chats.db")
    rows = [row[0] for row in database.execute("SELECT version FROM versions")]
    database.close()
    return rows


@pytest.mark.parametrize("cut_short", [False, True])
def test_a_chat_of_the_first_version_opens_and_goes_on(tmp_path: Path, cut_short: bool) -> None:
    chat = first_version(tmp_path)
    if cut_short:  # killed after the first step
        database = sqlite3.connect(tmp_path / "chats.db")
        database.execute("ALTER TABLE nodes ADD COLUMN token_ids JSON NOT NULL DEFAULT '[]'")
        database.close()
    store = ChatStore.in_folder(tmp_path)
    tree = store.load(ME, chat)
    assert tree is not None and [node.text for node in tree.path()] == ["hello"]
    answer = Node(new_id(), tree.leaf, "assistant", (Words("Hi."),), token_ids=(1, 2))
    assert store.save(ME, chat, answer)
    again = store.load(ME, chat)
    assert again is not None and again.path()[1] == answer
    assert StoryRepository(store).list(ME) == []
    store.engine.dispose()
    assert told(tmp_path) == [2]
    ChatStore.in_folder(tmp_path).engine.dispose()
    assert told(tmp_path) == [2]


def test_a_database_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    ChatStore.in_folder(tmp_path).engine.dispose()
    database = sqlite3.connect(tmp_path / "chats.db")
    database.execute("UPDATE versions SET version = 99")
    database.commit()
    database.close()
    with pytest.raises(MiniGPT5Error, match="version 99, and this program knows versions up to 2"):
        ChatStore.in_folder(tmp_path)
    assert told(tmp_path) == [99]


def test_a_foreign_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "chats.db")
    database.execute("CREATE TABLE chats (number INTEGER)")
    database.close()
    with pytest.raises(MiniGPT5Error, match="table chats lacks folded_title, id"):
        ChatStore.in_folder(tmp_path)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_addresses_as_hosts_hand_them_out_are_understood(scheme: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(
        MiniGPT5Error, match=r"postgresql\+psycopg\w*://me:\*\*\*@127.0.0.1:1/x: cannot be opened"
    ):
        open_database(f"{scheme}://me:secret@127.0.0.1:1/x")


def test_errors_of_the_database_print_no_titles_and_no_owners(tmp_path: Path) -> None:
    engine = open_database(database_url(tmp_path))
    assert engine.hide_parameters
    engine.dispose()
