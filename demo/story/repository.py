"""Where stories are kept: a table of the chats' database, their pictures among those of the chats.

`service` and `OpenStories` call it. Knows documents and the store; nothing of who has a story open.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, delete, insert, select, update

from demo.store.chats import ChatStore
from demo.store.errors import StoreError
from demo.store.records import ChatInfo
from demo.store.sql.database import stories, uses
from demo.story.document import Story, files_of, story_from_json, story_json

DAMAGED_STORY = "This story is damaged in the database, so it cannot be opened"


class StoryRepository:
    """The stories in `store`. Every question names its owner, and nobody else's story is ever found."""

    def __init__(self, store: ChatStore, clock: Callable[[], float] = time.time) -> None:
        self.files = store.files
        self._store, self._clock = store, clock
        self.on_closing = store.on_closing

    def list(self, owner: str, limit: int = 100) -> list[ChatInfo]:
        """The stories of `owner`, the newest first."""
        wanted = select(stories.c.id, stories.c.title, stories.c.updated).where(stories.c.owner == owner)
        with self._store.engine.connect() as connection:
            rows = connection.execute(wanted.order_by(stories.c.updated.desc()).limit(limit))
            return [ChatInfo(*row) for row in rows]

    def load(self, owner: str, story: str) -> Story | None:
        """The story as it was saved last; None when `owner` has no such story."""
        with self._store.engine.connect() as connection:
            mine = select(stories.c.document).where(stories.c.id == story, stories.c.owner == owner)
            try:
                document = connection.scalar(mine)
            except ValueError as error:  # no JSON
                raise StoreError(DAMAGED_STORY) from error
            if document is None:
                return None
        try:
            return story_from_json(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(DAMAGED_STORY) from error

    def add(self, owner: str, story: Story) -> None:
        """Keep a new story."""
        with self._store.engine.begin() as connection:
            row = {"id": story.id, "owner": owner, **self._row(story)}
            connection.execute(insert(stories).values(row))
            _note_uses(connection, story)
        self.files.claim(files_of(story))
        self._store.tidy(sparing=story.id)

    def save(self, owner: str, story: Story) -> bool:
        """Write the story as it is now; False when it is no more. Files that it needs no longer are deleted."""
        with self._store.engine.begin() as connection:
            mine = update(stories).where(stories.c.id == story.id, stories.c.owner == owner)
            if not connection.execute(mine.values(self._row(story))).rowcount:
                return False
            dropped = _note_uses(connection, story)
        self.files.claim(files_of(story))
        if dropped:
            self._store.delete_unused(dropped)
        return True

    def delete(self, owner: str, story: str) -> bool:
        """Delete a story for good, and every file that nothing else needs."""
        return self._store.delete(owner, story, stories)

    @property
    def closing(self) -> threading.Event:
        """Set when whatever is being made ends."""
        return self._store.closing

    def tidy(self) -> None:
        """Delete the chats and stories beyond the limits now, however long ago that was done last."""
        self._store.tidy(at_once=True)

    def at_work(self, story: str) -> AbstractContextManager[None]:
        """While it lasts the story is being made."""
        return self._store.at_work(story)

    def verify_room(self, owner: str, extra: int = 0) -> None:
        """As `ChatStore.verify_room`."""
        self._store.verify_room(owner, extra)

    def _row(self, story: Story) -> dict[str, object]:
        return {"title": story.title[:200], "updated": self._clock(), "document": story_json(story)}


def _note_uses(connection: Connection, story: Story) -> set[str]:
    """Note which files the story needs now; returns those that it needs no longer."""
    mine = uses.c.node == story.id
    noted, needed = set(connection.scalars(select(uses.c.file).where(mine))), files_of(story)
    dropped = noted - needed
    if dropped:
        connection.execute(delete(uses).where(mine, uses.c.file.in_(dropped)))
    if fresh := [{"node": story.id, "file": file, "chat": story.id} for file in needed - noted]:
        connection.execute(insert(uses), fresh)
    return dropped
