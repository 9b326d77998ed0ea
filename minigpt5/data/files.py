"""Files of data sets: there, readable, and what they say they are."""

from __future__ import annotations

import glob
import json
import os
from pathlib import Path
from typing import Any

from minigpt5.errors import DataError


def verify_file(path: Path, expected: str) -> None:
    """Raise `DataError` unless `path` is a file with something in it."""
    if not path.is_file():
        raise DataError(f"{path}: got no such file, expected {expected}")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: got an empty file, expected {expected}")


def read_text(path: Path, expected: str) -> str:
    """The whole text of a UTF-8 file; raises `DataError`."""
    verify_file(path, expected)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: got bytes that are no UTF-8 ({error}), expected {expected}") from error


def inside(folder: Path, name: str) -> Path:
    """The file that a data file names, relative to `folder`; raises `DataError` for a path that leaves it.

    Symbolic links are followed: they are the work of who owns the folder, not of the data file.
    """
    path = os.path.abspath(folder / name)
    if not Path(path).is_relative_to(os.path.abspath(folder)):
        raise DataError(f"got a picture at {name!r:.80}, expected a path below the folder of the data")
    return Path(path)


def expanded(path: Path) -> list[Path]:
    """The file itself, or those that a pattern (`train-*.tar`) means, in order; none where there is none."""
    if path.exists():
        return [path]
    return sorted(Path(name) for name in glob.glob(str(path)))


def is_file(path: Path) -> bool:
    """Whether there is such a file; no is the answer to names that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_object(path: Path, expected: str) -> dict[str, Any]:
    """The JSON object in a file; raises `DataError`."""
    try:
        value = json.loads(read_text(path, expected))
    except ValueError as error:
        raise DataError(f"{path}: got text that is not JSON ({error}), expected {expected}") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: got a JSON {type(value).__name__}, expected {expected}")
    return value
