"""Data sets as Hugging Face keeps them: `*.parquet` of a repository, or `*.arrow` of `save_to_disk`.

Rows are chats in one of the forms of `chat_forms`, or captioned pictures (an image column beside `caption`, `text` or
`prompt`), which are read as CC3M's. Of a folder with several splits that for training is read. A picture column holds
`{"bytes": ..., "path": ...}`, or a list of them; its bytes stay in the file until they are asked for.

Needs `pyarrow` (`pip install minigpt5[data]`), not the `datasets` library.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

try:
    import pyarrow
    from pyarrow import ipc, parquet
except ImportError:  # an extra
    pyarrow = None

from minigpt5.data.cc3m import SEED, Captioned, clean_caption, samples_of
from minigpt5.data.chat_forms import BESIDE, KEYS, Chat, chat_of, find_below, is_chat
from minigpt5.data.files import expanded, inside
from minigpt5.data.jsonl import replies
from minigpt5.data.samples import Findings, Picture, Samples, decoded
from minigpt5.errors import DataError
from minigpt5.prompt import SYSTEM

CAPTIONS = ("caption", "text", "prompt")
CHAT = {"messages", "conversations", "texts"}
TRAINING = "train"  # what the names of the training split's files or folder begin with


@dataclass(frozen=True, slots=True)
class PictureCell:
    """The picture in one cell of a table: row `row` of the part `group` of a file, the `index`-th of a list."""

    path: Path
    group: int
    row: int
    column: str
    index: int = 0

    def read(self) -> bytes:
        """The bytes as they are stored, or those of the file that the cell names; raises `DataError`."""
        cell = _column(self.path, self.group, self.column)[self.row].as_py()
        value = cell[self.index] if isinstance(cell, list) else cell
        if value["bytes"] is not None:
            return value["bytes"]
        try:
            return inside(self.path.parent, str(value["path"])).read_bytes()
        except (OSError, ValueError) as error:
            raise DataError(f"picture missing ({value['path']})") from error

    def open(self) -> Image.Image:
        """The picture, upright and RGB; raises `DataError`."""
        return decoded(self.read())

    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.read()).hexdigest()


def read_hf(path: Path, *, system: str = SYSTEM, seed: int = SEED) -> Samples:
    """The samples of a file, a folder or a glob, captions first; raises `DataError`."""
    if pyarrow is None:
        raise DataError(
            f"{path}: got a data set in parquet or arrow without the library that reads it, expected pyarrow"
            " (`pip install minigpt5[data]`)"
        )
    findings = Findings(path.name)
    pairs: list[Captioned] = []
    chats: list[tuple[str, Chat]] = []
    for file in tables_of(path):
        for where, row, pictures in _rows(file):
            try:
                if is_chat(row):
                    chats.append((where, _chat(file, row, pictures)))
                else:
                    pairs.append((where, *_pair(row, pictures)))
            except DataError as error:
                reason, _, detail = str(error).partition(" (")
                findings.skip(where, reason, detail.removesuffix(")"))
    captioned = list(samples_of(pairs, random.Random(seed)))
    said = [reply for where, chat in chats for reply in replies(where, chat, system)]
    return Samples([*captioned, *said], findings)


def tables_of(path: Path) -> list[Path]:
    """The files of a data set, of several splits those of the training one; raises `DataError`."""
    if not path.is_dir():
        files = expanded(path)
    else:
        below = [file for kind in ("parquet", "arrow") for file in sorted(path.rglob(f"*.{kind}"))]
        files = [file for file in below if not file.name.startswith("cache-")]
        training = [file for file in files if any(name.startswith(TRAINING) for name in _names(file, path))]
        files = training or files
    if not files:
        raise DataError(f"{path}: got no *.parquet and no *.arrow, expected a data set of Hugging Face's")
    return files


def _names(file: Path, folder: Path) -> tuple[str, ...]:
    return file.relative_to(folder).parts


def _chat(file: Path, row: dict[str, Any], pictures: list[Picture]) -> Chat:
    known = {key: value for key, value in row.items() if key in KEYS | CHAT | BESIDE and value is not None}
    return chat_of(known, find_below(file.parent), pictures)


def _pair(row: dict[str, Any], pictures: list[Picture]) -> tuple[str, Picture]:
    """The caption and the picture of a row; raises `DataError`, "reason (detail)"."""
    words = next((row[name] for name in CAPTIONS if isinstance(row.get(name), str)), None)
    if words is None:
        raise DataError(f"no messages, conversations or caption (got columns {', '.join(row)})")
    if not (caption := clean_caption(words)):
        raise DataError("no caption")
    if not pictures:
        raise DataError("picture missing")
    return caption, pictures[0]


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any], list[Picture]]]:
    """Where each row stands, its values without pictures, and its pictures; raises `DataError`."""
    number = 0
    for group in range(_groups(path)):
        table = _words_of(path, group)
        columns = [name for name in table.column_names if _holds_pictures(table.schema.field(name).type)]
        for row, values in enumerate(table.to_pylist()):
            number += 1
            pictures: list[Picture] = [
                PictureCell(path, group, row, name, index)
                for name in columns
                for index in _filled(values[name])
            ]
            said = {name: value for name, value in values.items() if name not in columns}
            yield f"{path.name} row {number}", said, pictures


def _filled(cell: Any) -> list[int]:
    """The places of the pictures in a cell."""
    members = cell if isinstance(cell, list) else [cell]
    return [index for index, member in enumerate(members) if member is not None]


def _holds_pictures(kind: Any) -> bool:
    """Whether a column is one of pictures, or of lists of them, as `datasets` stores them."""
    inner = kind.value_type if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind) else kind
    if not pyarrow.types.is_struct(inner):
        return False
    names = {inner.field(index).name for index in range(inner.num_fields)}
    return bool(names) and names <= {"bytes", "path"}


def _groups(path: Path) -> int:
    """How many parts a file has that are read one at a time; raises `DataError`."""
    file = _opened(path)
    return file.num_row_groups if isinstance(file, parquet.ParquetFile) else len(file)


def _words_of(path: Path, group: int) -> Any:
    """A part of a table without the bytes of its pictures."""
    file = _opened(path)
    if not isinstance(file, parquet.ParquetFile):
        return pyarrow.Table.from_batches([file[group]])
    leaves = [file.schema.column(index).path for index in range(len(file.schema))]
    pictures = {field.name for field in file.schema_arrow if _holds_pictures(field.type)}
    words = [leaf for leaf in leaves if leaf.split(".")[0] not in pictures or not leaf.endswith(".bytes")]
    return file.read_row_group(group, columns=words)


@lru_cache(maxsize=4)
def _column(path: Path, group: int, name: str) -> Any:
    """One column of a part, bytes and all; the last few are kept, since neighbours are often asked for together."""
    file = _opened(path)
    if isinstance(file, parquet.ParquetFile):
        return file.read_row_group(group, columns=[name]).column(name)
    return file[group].column(name)


@lru_cache(maxsize=16)
def _opened(path: Path) -> Any:
    """A parquet file, or the record batches of an arrow file, mapped; raises `DataError`."""
    try:
        if path.suffix == ".parquet":
            return parquet.ParquetFile(path, memory_map=True)
        mapped = pyarrow.memory_map(str(path))
        try:
            return list(ipc.open_stream(mapped))
        except pyarrow.ArrowInvalid:
            file = ipc.open_file(mapped)
            return [file.get_batch(index) for index in range(file.num_record_batches)]
    except (OSError, pyarrow.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path}: got a damaged file ({reason}), expected a table of a data set") from error
