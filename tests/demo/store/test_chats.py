"""Chats in a real SQLite file, pictures in a real folder: whose they are, what stays, and what goes."""

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.store import ChatStore, Drawing, Node, Picture, Retention, Sketch, Upload, Words
from demo.store.chats import new_id, owner_of, title_of
from minigpt5 import MiniGPT5Error

ME, YOU = owner_of("a" * 32), owner_of("b" * 32)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ChatStore]:
    store = ChatStore.in_folder(tmp_path)
    yield store
    store.engine.dispose()


def paint(colour: str) -> Image.Image:
    return Image.new("RGB", (9, 9), colour)


def picture(store: ChatStore, colour: str) -> Picture:
    vokens = store.files.save_vokens(np.full((8, 4), len(colour), np.float32))
    drawings = [
        Drawing(store.files.save(paint(shade)), 2**62, 3.0, 20, "ddim") for shade in (colour, "white")
    ]
    return Picture(vokens, tuple(drawings), chosen=1)


def user(text: str, *parts: Upload) -> Node:
    return Node(new_id(), None, "user", (*parts, Words(text)), {"seed": None, "temperature": 0.5})


def kept(store: ChatStore, owner: str, text: str) -> str:
    chat = store.create(owner, title_of(text))
    assert store.save(owner, chat, user(text))
    return chat


def test_a_chat_comes_back_as_it_was(store: ChatStore, tmp_path: Path) -> None:
    chat = store.create(ME, "rabbits")
    asked = user("a rabbit", Upload(store.files.save(paint("red"))))
    parts = (
        Words("Here."),
        picture(store, "blue"),
        Sketch(store.files.save(paint("grey")), 3, 20),
        Words("no", True),
    )
    answer = Node(new_id(), asked.id, "assistant", parts, {"seed": 2**62}, "length", {"total": 0.5})
    assert store.save(ME, chat, asked)
    assert store.save(ME, chat, answer)
    again = ChatStore.in_folder(tmp_path)
    tree = again.load(ME, chat)
    again.engine.dispose()
    assert tree is not None
    assert tree.path() == [asked, answer]


def test_a_growing_answer_is_overwritten_and_after_a_crash_counts_as_stopped(
    store: ChatStore, tmp_path: Path
) -> None:
    chat = store.create(ME, "long")
    growing = Node(new_id(), None, "assistant", (Words("once"),), ending="")
    store.save(ME, chat, growing)
    store.save(ME, chat, replace(growing, parts=(Words("once more"),)))
    again = ChatStore.in_folder(tmp_path)
    tree = again.load(ME, chat)
    again.engine.dispose()
    assert tree is not None
    (node,) = tree.path()
    assert (node.text, node.ending) == ("once more", "stopped")


def test_the_path_that_is_shown_is_remembered(store: ChatStore) -> None:
    chat = store.create(ME, "fork")
    first, second = user("one"), user("two")
    store.save(ME, chat, first)
    store.save(ME, chat, second)
    store.show(ME, chat, first.id)
    tree = store.load(ME, chat)
    assert tree is not None
    assert tree.path() == [first]


def test_nobody_sees_or_touches_the_chats_of_another(store: ChatStore) -> None:
    chat = kept(store, ME, "my secret rabbit")
    assert store.find(YOU) == store.find("") == store.find(YOU, "rabbit") == []
    assert store.load(YOU, chat) is None
    assert not store.save(YOU, chat, user("intruder"))
    assert not store.rename(YOU, chat, "mine now")
    assert not store.show(YOU, chat, None)
    assert not store.delete(YOU, chat)
    assert [info.title for info in store.find(ME)] == ["my secret rabbit"]


def test_only_the_hash_of_a_secret_is_in_the_database(store: ChatStore, tmp_path: Path) -> None:
    kept(store, owner_of("c" * 32), "hello")
    assert all(b"c" * 32 not in path.read_bytes() for path in tmp_path.glob("chats.db*"))


def test_the_newest_chat_comes_first_and_the_search_finds_titles_and_words(tmp_path: Path) -> None:
    store = ChatStore(clock=Clock())
    bear, frog = kept(store, ME, "A brown BEAR"), kept(store, ME, "Ein FRÖHLICHER Frosch, 100% grün")
    assert [info.id for info in store.find(ME)] == [frog, bear]
    assert [info.id for info in store.find(ME, limit=1)] == [frog]
    store.rename(ME, bear, "Kites")
    store.save(ME, bear, user("one more word"))
    assert [info.id for info in store.find(ME)] == [bear, frog]
    for query, found in (("kite", [bear]), ("brown bear", [bear]), ("fröhlich", [frog]), ("100%", [frog])):
        assert [info.id for info in store.find(ME, query)] == found
    assert store.find(ME, "_") == store.find(ME, "%brown") == []


def test_deleting_takes_the_rows_and_the_files_that_nobody_else_needs(
    store: ChatStore, tmp_path: Path
) -> None:
    gone, stays = store.create(ME, "gone"), store.create(YOU, "stays")
    shared = Upload(store.files.save(paint("red")))
    answer = Node(new_id(), None, "assistant", (shared, picture(store, "blue")))
    store.save(ME, gone, answer)
    store.save(YOU, stays, user("look", shared))
    assert len(store.files.names()) == 4
    assert store.delete(ME, gone)
    assert store.load(ME, gone) is None
    assert store.files.names() == {shared.file}
    rows = sqlite3.connect(tmp_path / "chats.db")
    counts = [rows.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("nodes", "uses")]
    rows.close()
    assert counts == [1, 1]


def test_a_chat_that_was_deleted_elsewhere_takes_no_more_messages(store: ChatStore) -> None:
    chat = kept(store, ME, "hello")
    store.delete(ME, chat)
    assert not store.save(ME, chat, user("more"))


def test_a_picture_that_is_just_being_sent_survives_the_deletion_of_its_twin(store: ChatStore) -> None:
    chat = store.create(ME, "twin")
    store.save(ME, chat, user("look", Upload(store.files.save(paint("red")))))
    again = store.files.save(paint("red"))
    store.delete(ME, chat)
    assert store.files.path(again).exists()


def test_chats_beyond_the_limits_go_the_longest_untouched_first(tmp_path: Path) -> None:
    clock = Clock()
    store = ChatStore(retention=Retention(keep_days=1), clock=clock)
    kept(store, ME, "old")
    clock.now += 2 * 24 * 3600
    kept(store, ME, "new")
    assert [info.title for info in store.find(ME)] == ["new"]

    heavy = ChatStore(retention=Retention(keep_gb=4000 / 1e9), clock=clock)
    for name in ("first", "second"):
        noise = Image.effect_noise((32, 32), 90 if name == "first" else 60).convert("RGB")
        chat = heavy.create(ME, name)
        heavy.save(ME, chat, user("look", Upload(heavy.files.save(noise))))
    clock.now += 3600
    heavy.tidy()
    assert [info.title for info in heavy.find(ME)] == ["second"]


def test_what_a_crash_left_behind_is_swept_out(store: ChatStore, tmp_path: Path) -> None:
    chat = store.create(ME, "look")
    needed = store.files.save(paint("red"))
    store.save(ME, chat, user("look", Upload(needed)))
    lost, fresh = (store.files.save(paint(colour)) for colour in ("blue", "green"))
    for name in (needed, lost):
        os.utime(store.files.path(name), (0, 0))
    again = ChatStore.in_folder(tmp_path)
    again.sweep()
    again.engine.dispose()
    assert again.files.names() == {needed, fresh}


@pytest.mark.parametrize("url", ["nothing", "martian://x/y", "sqlite:////nowhere/at/all/chats.db"])
def test_a_database_that_cannot_be_is_refused_in_one_sentence(url: str, tmp_path: Path) -> None:
    with pytest.raises(MiniGPT5Error, match="database"):
        ChatStore.in_folder(tmp_path, url)


def test_titles_come_from_the_first_words() -> None:
    assert title_of("  Draw\na rabbit ") == "Draw a rabbit"
    assert title_of("") == "A picture"
    long = title_of("Draw a blue rabbit with a red balloon, on the beach at sunset")
    assert long == "Draw a blue rabbit with a red balloon, on the…"
