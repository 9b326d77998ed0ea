"""The versions of the database, and how one becomes the next. Called when the database is opened.

A database has its version in the table `versions`; those from before that table are recognised by their columns.
"""

from collections.abc import Callable

from sqlalchemy import Column, Connection, Integer, MetaData, Table, delete, insert, inspect, select, text

from minigpt5 import MiniGPT5Error

metadata = MetaData()
versions = Table("versions", metadata, Column("version", Integer, primary_key=True))


def _keep_tokens(connection: Connection) -> None:
    """Messages keep the tokens of their answer."""
    connection.execute(text("ALTER TABLE nodes ADD COLUMN token_ids JSON NOT NULL DEFAULT '[]'"))


# migration n makes version n + 1 of version n
MIGRATIONS: dict[int, Callable[[Connection], None]] = {1: _keep_tokens}
VERSION = len(MIGRATIONS) + 1


def migrate(connection: Connection, tables: MetaData) -> None:
    """Bring the database to `tables`, whatever its version; raises `MiniGPT5Error` where that cannot be.

    Every step is taken only where it is missing, so that one that was cut short is taken up again.
    """
    version = _version(connection)
    if version is not None and version > VERSION:
        raise MiniGPT5Error(
            f"it is of version {version}, and this program knows versions up to {VERSION}: use a newer program, "
            "or another --data folder"
        )
    for number in range(version or VERSION, VERSION):
        MIGRATIONS[number](connection)
    tables.create_all(connection)
    _verify(connection, tables)
    metadata.create_all(connection)
    connection.execute(delete(versions))
    connection.execute(insert(versions).values(version=VERSION))


def _version(connection: Connection) -> int | None:
    """The database's version; None for an empty one."""
    found = inspect(connection)
    if not found.has_table("nodes"):
        told = None
    elif "token_ids" not in {column["name"] for column in found.get_columns("nodes")}:
        return 1
    else:
        told = 2
    if found.has_table("versions"):
        told = connection.scalar(select(versions.c.version).order_by(versions.c.version.desc())) or told
    return told


def _verify(connection: Connection, tables: MetaData) -> None:
    found = inspect(connection)
    for table in tables.sorted_tables:
        there = {column["name"] for column in found.get_columns(table.name)}
        if missing := sorted({column.name for column in table.columns} - there):
            raise MiniGPT5Error(
                f"its table {table.name} lacks {', '.join(missing)} and no version of this program made it so: "
                "use another --data folder or --database"
            )
