"""Which files of pictures may be shown to whom: those of chats and stories to their owner's browser, and to no other.

`gate` asks at every request for a file; the database says whose a file is. Knows nothing of what a picture shows.
"""

import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import Engine, or_, select

from demo.guard.browsers import Visitor
from demo.store.sql.database import chats, stories, uses

Owned = Callable[[str, Collection[str]], bool]  # (name of a file, owners) -> whether one of them has it
_FILE = re.compile(r"/gradio_api/file(?:=|/)(.+)", re.DOTALL)


class PrivatePictures:
    """The folder of stored pictures; `owned` asks the store whose they are. Without a folder nothing is private."""

    def __init__(self, folder: Path | None = None, owned: Owned | None = None) -> None:
        self._folder = None if folder is None else Path(os.path.realpath(folder))
        self._owned = owned

    def name(self, path: str) -> str | None:
        """The name of the private picture that a request for `path` means; None when it means none."""
        found = _FILE.fullmatch(path)
        if self._folder is None or found is None:
            return None
        for spelt in {found[1], unquote(found[1])}:
            real = Path(os.path.realpath(spelt)) if "\0" not in spelt else self._folder
            if real.is_relative_to(self._folder):
                return real.name
        return None

    def may_see(self, visitor: Visitor, name: str) -> bool:
        """Whether the picture of that name is in a chat or a story of an owner that the visitor's browser is."""
        return bool(visitor.owners) and self._owned is not None and self._owned(name, visitor.owners)


def owners_in(engine: Engine) -> Owned:
    """Asks the database of chats and stories whose a file is."""

    def owned(name: str, owners: Collection[str]) -> bool:
        talks = select(chats.c.id).where(chats.c.owner.in_(owners))
        told = select(stories.c.id).where(stories.c.owner.in_(owners))
        mine = or_(uses.c.chat.in_(talks), uses.c.chat.in_(told))
        wanted = select(uses.c.file).where(uses.c.file == name, mine).limit(1)
        with engine.connect() as connection:
            return connection.execute(wanted).first() is not None

    return owned
