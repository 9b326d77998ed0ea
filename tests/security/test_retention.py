"""What is deleted for its age or its size: exactly what should be, in any history of chats, stories and failed imports."""

import io
import logging
import os
import random
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scripted_engine import ScriptedEngine

from demo.chat.handlers import ChatHandlers
from demo.chat.session import Session
from demo.chat.settings import default_values
from demo.store import ChatStore, Node, Retention, Upload, Words
from demo.store.chats import new_id, owner_of
from demo.story.document import Plan, Story
from demo.story.export.zip_import import read_zip
from demo.story.repository import StoryRepository
from demo.story.writing.premise import StoryError
from minigpt5 import MiniGPT5Error

DAY = 24 * 3600
OWNERS = [owner_of(letter * 32) for letter in "ab"]
LIMIT = 20_000  # bytes
DAYS = 3.0


@dataclass
class Clock:
    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def noise(number: int, side: int = 40) -> Image.Image:
    pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8)
    return Image.fromarray(pixels)


@dataclass
class Entry:
    """What the model knows of a chat or story."""

    owner: str
    updated: float
    files: set[str]
    story: bool
    at_work: bool = False


class History:
    """A store in a folder, and a model of what must be in it."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance, self.clock = folder, chance, Clock()
        self.model: dict[str, Entry] = {}
        self.open()

    def open(self) -> None:
        files_limit = Retention(DAYS, LIMIT / 1e9)
        self.store = ChatStore.in_folder(self.folder, retention=files_limit)
        self.store._clock = self.clock
        self.repository = StoryRepository(self.store, self.clock)

    def close(self) -> None:
        self.store.engine.dispose()

    def picture(self) -> str:
        name = self.store.files.save(noise(self.chance.randrange(12), self.chance.choice((20, 40))))
        self.store.files.written = 0  # much written would tidy by itself
        return name

    def chat(self) -> None:
        owner, at_work = self.chance.choice(OWNERS), self.chance.random() < 0.15
        files = [self.picture() for _ in range(self.chance.randrange(3))]
        chat = self.store.create(owner, "x")
        node = Node(
            new_id(), None, "user", (Words("hi"), *map(Upload, files)), ending="" if at_work else "stop"
        )
        assert self.store.save(owner, chat, node)
        self.model[chat] = Entry(owner, self.clock.now, set(files), False, at_work)

    def story(self) -> None:
        owner = self.chance.choice(OWNERS)
        files = tuple(self.picture() for _ in range(self.chance.randrange(3)))
        story = Story(new_id(), "x", Plan("a", files))
        self.repository.add(owner, story)
        self.model[story.id] = Entry(owner, self.clock.now, set(files), True)

    def failed_import(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("story.json", "{}")
        with pytest.raises(StoryError):
            read_zip(buffer.getvalue(), self.store.files)
        self.picture()  # and what a crash would leave: a file of nobody

    def restart(self) -> None:
        self.close()
        self.open()
        for entry in self.model.values():
            entry.at_work = False

    def wait(self) -> None:
        self.clock.now += self.chance.choice((600.0, 5000.0, DAY))

    def delete(self) -> None:
        if self.model:
            kept = self.chance.choice(sorted(self.model))
            entry = self.model.pop(kept)
            assert (self.repository if entry.story else self.store).delete(entry.owner, kept)

    def size(self, kept: set[str]) -> int:
        files = set().union(*(self.model[one].files for one in kept)) if kept else set()
        return sum(self.store.files.path(file).stat().st_size for file in files)

    def expected(self) -> set[str]:
        """The ids that must be there after tidying, worked out the long way."""
        order = sorted(self.model, key=lambda one: self.model[one].updated)
        idle = [one for one in order if not self.model[one].at_work]
        old = [one for one in idle if self.model[one].updated < self.clock.now - DAYS * DAY]
        if 2 * len(old) > len(order) and len(old) >= 4:
            old = old[: len(order) // 2]
        left = set(order) - set(old)
        going: list[str] = []
        for one in idle:
            if one in left and self.size(left - set(going)) > LIMIT:
                going.append(one)
        stays = left - set(going)
        needless = {one for one in going if self.size(stays | {one}) == self.size(stays)}
        return stays | needless

    def found(self) -> set[str]:
        return {info.id for owner in OWNERS for info in self.store.find(owner) + self.repository.list(owner)}


@contextmanager
def history(folder: Path, seed: int) -> Iterator[History]:
    made = History(folder, random.Random(seed))
    yield made
    made.close()


@pytest.mark.parametrize("block", range(10))
def test_exactly_what_should_be_deleted_is(tmp_path: Path, block: int) -> None:
    for seed in range(20 * block, 20 * block + 20):
        with history(tmp_path / str(seed), seed) as made:
            made.store._tidied = made.clock.now  # only when the test says so
            steps = (
                made.chat,
                made.chat,
                made.story,
                made.failed_import,
                made.wait,
                made.delete,
                made.restart,
            )
            for _ in range(3):
                for _ in range(made.chance.randrange(2, 9)):
                    made.store._tidied = made.clock.now
                    made.chance.choice(steps)()
                expected = made.expected()
                made.store.tidy(at_once=True)
                assert made.found() == expected, seed
                made.model = {one: entry for one, entry in made.model.items() if one in expected}
                needed = set().union(*(entry.files for entry in made.model.values()), set())
                assert needed <= made.store.files.names(), seed


def test_files_of_nobody_delete_nobodys_chats(tmp_path: Path) -> None:
    store = ChatStore.in_folder(tmp_path, retention=Retention(keep_gb=9000 / 1e9))
    chat = store.create(OWNERS[0], "mine")
    store.save(OWNERS[0], chat, Node(new_id(), None, "user", (Upload(store.files.save(noise(1))),)))
    for number in range(2, 9):
        store.files.save(noise(number))
    store.engine.dispose()
    again = ChatStore.in_folder(tmp_path, retention=Retention(keep_gb=9000 / 1e9))
    again.tidy()
    assert [info.id for info in again.find(OWNERS[0])] == [chat]
    again.engine.dispose()


def test_a_new_story_stays_beside_a_chat_that_is_too_large() -> None:
    store = ChatStore(retention=Retention(keep_gb=9000 / 1e9))
    chat = store.create(OWNERS[0], "large")
    parts = tuple(Upload(store.files.save(noise(number, 60))) for number in range(4))
    store.save(OWNERS[0], chat, Node(new_id(), None, "assistant", parts, ending=""))
    repository = StoryRepository(store)
    story = Story(new_id(), "x", Plan("a", (store.files.save(noise(9)),)))
    repository.add(OWNERS[1], story)
    assert [info.id for info in repository.list(OWNERS[1])] == [story.id]
    assert [info.id for info in store.find(OWNERS[0])] == [chat]


def test_files_that_a_process_forgot_go_with_age_alone(tmp_path: Path) -> None:
    store = ChatStore.in_folder(tmp_path)
    lost, fresh = store.files.save(noise(1)), store.files.save(noise(2))
    store.engine.dispose()
    os.utime(store.files.path(lost), (0, 0))
    again = ChatStore.in_folder(tmp_path)
    again.tidy()
    assert again.files.names() == {fresh}
    again.engine.dispose()


def test_a_file_that_is_sent_again_counts_as_new(tmp_path: Path) -> None:
    files = ChatStore.in_folder(tmp_path)
    name = files.files.save(noise(1))
    files.engine.dispose()
    os.utime(files.files.path(name), (0, 0))
    again = ChatStore.in_folder(tmp_path)
    assert again.files.save(noise(1)) == name
    again.sweep()
    assert again.files.names() == {name}
    again.engine.dispose()


def test_a_clock_that_jumps_ahead_deletes_half_at_most_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    store = ChatStore(retention=Retention(keep_days=30), clock=clock)
    for _ in range(10):
        store.create(OWNERS[0], "x")
    clock.now += 31 * DAY
    with caplog.at_level(logging.WARNING):
        store.tidy()
    assert len(store.find(OWNERS[0])) == 5
    assert "10 of 10 chats and stories are older than 30 days" in caplog.text


def test_one_person_is_refused_more_than_its_share_with_a_sentence_and_others_are_not() -> None:
    store = ChatStore(retention=Retention(owner_mb=0.004))
    chat = store.create(OWNERS[0], "mine")
    store.save(OWNERS[0], chat, Node(new_id(), None, "user", (Upload(store.files.save(noise(1))),)))
    handlers = ChatHandlers(ScriptedEngine(), store)
    for owner, refused in ((OWNERS[0], True), (OWNERS[1], False)):
        session = Session(owner)
        shown = handlers.submit(session, {"text": "hello", "files": []}, *default_values())
        assert ("at most 0.004 MB are kept for one person" in shown[2].replace("\\", "")) == refused
        assert len(session.tree) == (0 if refused else 2)
    with pytest.raises(MiniGPT5Error, match="delete some first"):
        store.verify_room(OWNERS[0])
