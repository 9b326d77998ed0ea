"""What can go wrong with a disk or a database, as sentences: for the page, without paths, titles or owners.

Called by the database and the files; the log has the original error.
"""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from minigpt5 import MiniGPT5Error

FULL = "The server's disk is full, so this could not be kept: delete chats or stories, and try again"
BUSY = "The chats are locked by another program: try again in a moment"
DAMAGED = "The database of the chats is damaged: whoever runs the app can bring it back from a copy"
CLOSED = "The database of the chats may not be written: whoever runs the app must allow it"
ELSE = "The database of the chats does not answer: try again in a moment"
_KINDS = (
    (FULL, ("is full", "no space left", "disk quota", "could not extend file", "disk i/o error")),
    (BUSY, ("is locked", "lock timeout", "deadlock")),
    (DAMAGED, ("malformed", "not a database", "corrupt", "invalid page")),
    (CLOSED, ("readonly", "read-only", "unable to open", "permission denied")),
)
_OWN_FAULTS = ("IntegrityError", "ProgrammingError", "InterfaceError", "DataError")

log = logging.getLogger(__name__)


class StoreError(MiniGPT5Error):
    """Something could not be kept or read; the message is for whoever uses the page."""


class FullError(StoreError):
    """The disk, or the database's share of it, is full."""


def tell_troubles(engine: Engine) -> None:
    """From now on the database raises `StoreError` for what is wrong with it or its disk."""
    event.listen(engine, "handle_error", _tell)


@contextmanager
def on_disk() -> Iterator[None]:
    """A full or closed disk becomes a `StoreError`."""
    try:
        yield
    except OSError as error:
        log.error("the disk of the chats: %s", error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise FullError(FULL) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise StoreError(CLOSED) from error
        raise


def _tell(context: ExceptionContext) -> None:
    error = context.original_exception
    if type(error).__name__ in _OWN_FAULTS or not isinstance(error, Exception):
        return
    words = str(error).lower()
    told = next((sentence for sentence, signs in _KINDS if any(sign in words for sign in signs)), None)
    if told is None:
        if type(error).__name__ != "OperationalError":
            return
        told = ELSE
    log.error("the database of the chats: %s", error)
    raise (FullError if told == FULL else StoreError)(told) from error
