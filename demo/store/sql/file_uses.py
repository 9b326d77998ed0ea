"""What the database says about files: which chat or story needs them, and what is kept at all. Called by `chats`."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from sqlalchemy import Connection, or_, select

from demo.store.retention import Kept
from demo.store.sql.database import chats, nodes, stories, uses

AT_ONCE = 500  # values in one question


def needed_in(connection: Connection, names: Collection[str]) -> set[str]:
    """Those of the files that something needs."""
    found: set[str] = set()
    asked = sorted(names)
    for start in range(0, len(asked), AT_ONCE):
        some = uses.c.file.in_(asked[start : start + AT_ONCE])
        found |= set(connection.scalars(select(uses.c.file).where(some)))
    return found


def kept_in(connection: Connection) -> Iterator[Kept]:
    """All chats and stories, with the files that each needs."""
    files: dict[str, set[str]] = defaultdict(set)
    for kept, file in connection.execute(select(uses.c.chat, uses.c.file)):
        files[kept].add(file)
    for table in (chats, stories):
        for row in connection.execute(select(table.c.id, table.c.owner, table.c.updated)):
            yield Kept(row.id, row.owner, row.updated, frozenset(files[row.id]), table is stories)


def unfinished_in(connection: Connection) -> set[str]:
    """The chats whose answer is being made, or waits for its turn."""
    return set(connection.scalars(select(nodes.c.chat).where(nodes.c.ending == "")))


def files_of_owner(connection: Connection, owner: str) -> set[str]:
    """The files that the chats and stories of `owner` need."""
    mine = (uses.c.chat.in_(select(table.c.id).where(table.c.owner == owner)) for table in (chats, stories))
    return set(connection.scalars(select(uses.c.file).where(or_(*mine))))
