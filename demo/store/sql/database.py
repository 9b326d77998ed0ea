"""The database of chats and stories: its tables, and how it is opened. Any address that SQLAlchemy knows will do.

`ChatStore` opens it; `chats`, `file_uses`, `story.repository` and `guard.picture_access` use the tables. Knows no
owner's rights and no form of messages.
"""

import sqlite3
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import (
    JSON,
    URL,
    Column,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from demo.store.errors import tell_troubles
from demo.store.private_files import close_to_others
from demo.store.sql.migrations import migrate
from minigpt5 import MiniGPT5Error

IN_MEMORY = "sqlite://"

metadata = MetaData()

# `owner` is the hash of a browser's secret, `leaf` the end of the path that is shown
chats = Table(
    "chats",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("title", String(200), nullable=False),
    Column("folded_title", String(400), nullable=False),
    Column("updated", Float, nullable=False),
    Column("leaf", String(32)),
    Index("chats_of_an_owner", "owner", "updated"),
)

# `number` is the order in which they were made; `folded` holds the words for the search, without upper case
nodes = Table(
    "nodes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("chat", String(32), nullable=False, index=True),
    Column("parent", String(32)),
    Column("role", String(9), nullable=False),
    Column("parts", JSON, nullable=False),
    Column("folded", Text, nullable=False),
    Column("options", JSON, nullable=False),
    Column("ending", String(7), nullable=False),
    Column("timings", JSON, nullable=False),
    Column("token_ids", JSON, nullable=False),
)

# which message needs which file
uses = Table(
    "uses",
    metadata,
    Column("node", String(32), primary_key=True),
    Column("file", String(40), primary_key=True, index=True),
    Column("chat", String(32), nullable=False, index=True),
)

# the stories: `document` is a whole one, see `demo.story.document.story_json`; its files are in `uses` under its own id
stories = Table(
    "stories",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("title", String(200), nullable=False),
    Column("updated", Float, nullable=False),
    Column("document", JSON, nullable=False),
    Index("stories_of_an_owner", "owner", "updated"),
)


def database_url(folder: Path) -> str:
    """The address of the SQLite database in `folder`."""
    return f"sqlite:///{(folder / 'chats.db').resolve().as_posix()}"


def open_database(url: str = IN_MEMORY) -> Engine:
    """The database at `url` with its tables there; raises `MiniGPT5Error` when it cannot be opened."""
    try:
        url = _known(url)
        engine = create_engine(url, hide_parameters=True, **_pool(url))
        _make_file(engine.url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        with engine.begin() as connection:
            migrate(connection, metadata)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise MiniGPT5Error(
            f"database: got an address that SQLAlchemy cannot use ({error}), expected one like sqlite:///chats.db"
        ) from error
    except (SQLAlchemyError, OSError, MiniGPT5Error) as error:
        shown = make_url(url).render_as_string(hide_password=True)
        engine.dispose()
        raise MiniGPT5Error(f"database {shown}: cannot be opened ({error.__cause__ or error})") from error
    tell_troubles(engine)
    return engine


def _known(url: str) -> str:
    """The address as SQLAlchemy has it: hosts give postgres://, which it no longer accepts."""
    scheme, colon, rest = url.partition("://")
    if scheme not in ("postgres", "postgresql"):
        return url
    driver = "psycopg" if find_spec("psycopg2") is None else "psycopg2"
    return f"postgresql+{driver}{colon}{rest}"


def _make_file(url: URL) -> None:
    """The file of a SQLite database is its user's alone; what SQLite puts beside it is as the file is."""
    name = url.database or ""
    if url.get_backend_name() != "sqlite" or name in ("", ":memory:") or name.startswith("file:"):
        return
    path = Path(name)
    if path.parent.is_dir():
        path.touch(mode=0o600)
        close_to_others(path)


def _pool(url: str) -> dict[str, object]:
    """A database in memory is its connection, so all threads take turns with the one there is."""
    if make_url(url).get_backend_name() != "sqlite" or make_url(url).database not in (None, "", ":memory:"):
        return {"pool_pre_ping": True}
    return {
        "poolclass": QueuePool,
        "pool_size": 1,
        "max_overflow": 0,
        "connect_args": {"check_same_thread": False},
    }


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Readers never wait for the writer, a commit survives a killed process, deleted words leave no trace."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
