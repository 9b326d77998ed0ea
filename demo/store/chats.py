"""The chats of all browsers in the database. Every question names its owner, and nobody else's chat is ever found.

Called by the chat's handlers; `story.repository` shares the database and the files. Knows nothing of pages or
sessions.
"""

import hashlib
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, exists, insert, or_, select, update

from demo.store.errors import FullError, StoreError
from demo.store.files import PictureFiles
from demo.store.records import ChatInfo, Node
from demo.store.retention import GIGABYTE, MEGABYTE, Retention
from demo.store.sql.codec import dump_parts, load_parts
from demo.store.sql.database import IN_MEMORY, chats, database_url, nodes, open_database, stories, uses
from demo.store.sql.file_uses import files_of_owner, kept_in, needed_in, unfinished_in
from demo.store.tree import Tree
from minigpt5 import MiniGPT5Error

TITLE_LETTERS = 48
MAX_TITLE = 200
UNTITLED = "A picture"
TIDY_SECONDS = 3600
CLOSE_SECONDS = 8.0  # Docker kills after ten
GOING_DOWN = "The app is going down, so nothing more is begun: send it again when it is back"
TIDY_SHARE = 0.05  # of the limit, written since


def owner_of(secret: str) -> str:
    """Whose chats a browser with that secret sees: only this hash is ever stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_id() -> str:
    """An id for a chat or a message."""
    return uuid.uuid4().hex


def title_of(text: str) -> str:
    """A chat's first title, from the first words said in it."""
    words = " ".join(text.split())
    if len(words) <= TITLE_LETTERS:
        return words or UNTITLED
    return words[:TITLE_LETTERS].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"


class ChatStore:
    """Chats in the database at `url`, their pictures in `files`; without either, both go with this object."""

    def __init__(
        self,
        url: str = IN_MEMORY,
        files: PictureFiles | None = None,
        retention: Retention | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.files = files or PictureFiles()
        self.engine = open_database(url)
        self.retention = retention or Retention()
        self._clock = clock
        self._tidied = float("-inf")
        self._working: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.closing = threading.Event()  # set: whatever is being made ends now, and is kept
        self.on_closing: list[Callable[[], None]] = []
        with self.engine.begin() as connection:  # what a crash cut short
            connection.execute(update(nodes).where(nodes.c.ending == "").values(ending="stopped"))

    @classmethod
    def in_folder(
        cls, folder: Path, url: str | None = None, retention: Retention | None = None
    ) -> "ChatStore":
        """The store of a data folder; with `url` the database is elsewhere, the pictures stay in the folder."""
        files = PictureFiles(folder)
        return cls(url or database_url(folder), files, retention)

    def find(self, owner: str, query: str = "", limit: int = 100) -> list[ChatInfo]:
        """The newest chats of `owner`, those only whose title or words hold `query`."""
        wanted = select(chats.c.id, chats.c.title, chats.c.updated).where(chats.c.owner == owner)
        if folded := " ".join(query.casefold().split()):
            said = exists().where(
                nodes.c.chat == chats.c.id, nodes.c.folded.contains(folded, autoescape=True)
            )
            wanted = wanted.where(or_(chats.c.folded_title.contains(folded, autoescape=True), said))
        with self.engine.connect() as connection:
            rows = connection.execute(wanted.order_by(chats.c.updated.desc()).limit(limit))
            return [ChatInfo(*row) for row in rows]

    def load(self, owner: str, chat: str) -> Tree | None:
        """The messages of a chat; None when `owner` has no such chat."""
        with self.engine.connect() as connection:
            mine = connection.execute(
                select(chats.c.leaf).where(chats.c.id == chat, chats.c.owner == owner)
            ).first()
            if mine is None:
                return None
            rows = connection.execute(select(nodes).where(nodes.c.chat == chat).order_by(nodes.c.number))
            try:
                found = [_node(row) for row in rows]
            except (KeyError, TypeError, ValueError) as error:
                raise StoreError("This chat is damaged in the database, so it cannot be opened") from error
        return Tree(found, mine.leaf)

    def create(self, owner: str, title: str) -> str:
        """A new, empty chat; returns its id."""
        self.tidy()
        chat = new_id()
        row = {"id": chat, "owner": owner, "updated": self._clock(), **_titles(title)}
        with self.engine.begin() as connection:
            connection.execute(insert(chats).values(row))
        return chat

    def save(self, owner: str, chat: str, node: Node) -> bool:
        """Write a message as it is now, new or known; False when the chat is no more, or not the owner's."""
        row = {
            "parts": dump_parts(node.parts),
            "folded": " ".join(node.text.casefold().split()),
            "options": node.options,
            "ending": node.ending,
            "timings": node.timings,
            "token_ids": list(node.token_ids),
        }
        with self.engine.begin() as connection:
            if not _touch(connection, owner, chat, updated=self._clock()):
                return False
            known = connection.execute(
                update(nodes).where(nodes.c.id == node.id, nodes.c.chat == chat).values(row)
            )
            if not known.rowcount:
                place = {"id": node.id, "chat": chat, "parent": node.parent, "role": node.role}
                connection.execute(insert(nodes).values(row | place))
            _note_uses(connection, chat, node)
        self.files.claim(node.files)
        return True

    def show(self, owner: str, chat: str, leaf: str | None) -> bool:
        """Remember the path that is shown; False when there is no such chat of that owner."""
        with self.engine.begin() as connection:
            return _touch(connection, owner, chat, leaf=leaf)

    def rename(self, owner: str, chat: str, title: str) -> bool:
        """Give a chat another title; an empty one changes nothing."""
        if not title.strip():
            return False
        with self.engine.begin() as connection:
            return _touch(connection, owner, chat, **_titles(title))

    def delete(self, owner: str, kept: str, table: Table = chats) -> bool:
        """Delete a chat (or, of the `table` of stories, a story) for good: its messages, and every file that nothing
        else needs."""
        return self._delete(table, table.c.id == kept, table.c.owner == owner, kept=kept)

    def _delete(self, table: Table, *which: ColumnElement[bool], kept: str) -> bool:
        try:
            return self._delete_once(table, *which, kept=kept)
        except FullError:  # what is deleted is noted before it is gone, for which a little room is kept
            with self.files.reserve_freed():
                return self._delete_once(table, *which, kept=kept)

    def _delete_once(self, table: Table, *which: ColumnElement[bool], kept: str) -> bool:
        with self.engine.begin() as connection:
            if not connection.execute(delete(table).where(*which)).rowcount:
                return False
            mine = set(connection.scalars(select(uses.c.file).where(uses.c.chat == kept)))
            connection.execute(delete(uses).where(uses.c.chat == kept))
            connection.execute(delete(nodes).where(nodes.c.chat == kept))
        self.delete_unused(mine)
        return True

    def delete_unused(self, names: Iterable[str]) -> None:
        """Delete those of the files that no message needs."""
        names = set(names)
        with self.engine.connect() as connection:
            needed = needed_in(connection, names)
        self.files.delete(names - needed)

    def tidy(self, sparing: str = "", *, at_once: bool = False) -> None:
        """Delete the chats and stories beyond the limits, the longest untouched first, and files that nothing needs.

        At most once an hour, unless much was written since or it must be `at_once`. What is being made stays, and so does `sparing`.
        """
        now, limit = self._clock(), self.retention.keep_gb
        much = limit is not None and self.files.written > limit * GIGABYTE * TIDY_SHARE
        if abs(now - self._tidied) < TIDY_SECONDS and not much and not at_once:
            return
        self._tidied = now
        self.sweep()
        with self.engine.connect() as connection:
            kept = list(kept_in(connection))
            at_work = self.working() | {sparing} | unfinished_in(connection)
        for one in self.retention.beyond(kept, self.files.sizes(), now, at_work):
            table = stories if one.story else chats
            untouched = table.c.id == one.id, table.c.updated == one.updated
            self._delete(table, *untouched, kept=one.id)

    def sweep(self) -> None:
        """Delete the files that no message needs, which a crash left behind; those of the last hour may belong to a message that is being made."""
        before = self._clock() - TIDY_SECONDS
        names = self.files.names(before)
        with self.engine.connect() as connection:
            needed = needed_in(connection, names)
        self.files.sweep(names - needed, before)

    def verify_room(self, owner: str, extra: int = 0) -> None:
        """Raise `MiniGPT5Error` when the files of `owner` and `extra` bytes are more than one person may keep, or when
        nothing more is begun."""
        if self.closing.is_set():
            raise StoreError(GOING_DOWN)
        if (limit := self.retention.owner_mb) is None:
            return
        with self.engine.connect() as connection:
            size = self.files.size_of(files_of_owner(connection, owner)) + extra
        if size > limit * MEGABYTE:
            raise MiniGPT5Error(
                f"Your chats and stories take {size / MEGABYTE:.1f} MB, at most {limit:g} MB are kept for one person: "
                "delete some first"
            )

    @contextmanager
    def at_work(self, kept: str) -> Iterator[None]:
        """While it lasts the chat or story of that id is being made, and nothing deletes it for its age or size."""
        with self._lock:
            self._working[kept] += 1
        try:
            yield
        finally:
            with self._lock:
                self._working[kept] -= 1

    def close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Begin nothing more, end what is being made and wait until it is kept; False when that took too long."""
        self.closing.set()
        for end in self.on_closing:
            end()
        deadline = time.monotonic() + seconds
        while self.working() and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.working()

    def working(self) -> set[str]:
        """The ids of what is being made."""
        with self._lock:
            self._working = +self._working
            return set(self._working)


def _node(row: Row[Any]) -> Node:
    parts, tokens = load_parts(row.parts), tuple(row.token_ids)
    return Node(row.id, row.parent, row.role, parts, row.options, row.ending, row.timings, tokens)


def _touch(connection: Connection, owner: str, chat: str, **values: object) -> bool:
    mine = update(chats).where(chats.c.id == chat, chats.c.owner == owner).values(values)
    return bool(connection.execute(mine).rowcount)


def _titles(title: str) -> dict[str, str]:
    words = " ".join(title.split())[:MAX_TITLE]
    return {"title": words, "folded_title": words.casefold()[: 2 * MAX_TITLE]}


def _note_uses(connection: Connection, chat: str, node: Node) -> None:
    """Files are only ever added to a message, so what is noted stays."""
    noted = set(connection.scalars(select(uses.c.file).where(uses.c.node == node.id)))
    fresh = [{"node": node.id, "file": file, "chat": chat} for file in node.files - noted]
    if fresh:
        connection.execute(insert(uses), fresh)
