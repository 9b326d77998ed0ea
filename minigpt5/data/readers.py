"""The kinds of data sets by name, and which kind a path seems to be of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from minigpt5.data.cc3m import read_cc3m
from minigpt5.data.files import expanded
from minigpt5.data.hf import read_hf
from minigpt5.data.jsonl import read_jsonl
from minigpt5.data.mmdialog import read_mmdialog
from minigpt5.data.samples import Samples
from minigpt5.data.vist import read_vist
from minigpt5.data.webdataset import read_webdataset
from minigpt5.errors import DataError

Reader = Callable[[Path, str], Samples]  # the path, and the model's instruction for chats

READERS: dict[str, Reader] = {
    "cc3m": lambda path, system: read_cc3m(path),
    "vist": lambda path, system: read_vist(path),
    "mmdialog": lambda path, system: read_mmdialog(path),
    "jsonl": lambda path, system: read_jsonl(path, system=system),
    "hf": lambda path, system: read_hf(path, system=system),
    "webdataset": lambda path, system: read_webdataset(path, system=system),
}
KINDS = {
    "cc3m": "a table of captions and pictures (CC3M)",
    "vist": "picture stories (VIST)",
    "mmdialog": "chats between two people (MMDialog)",
    "jsonl": "chats in JSON",
    "hf": "a data set of Hugging Face's, parquet or arrow",
    "webdataset": "WebDataset shards",
}
BY_SUFFIX = {
    ".tsv": "cc3m",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "hf",
    ".arrow": "hf",
    ".tar": "webdataset",
}
HEAD = 4096  # letters of a file that are looked at


def kind_of(path: Path) -> str:
    """Which of `KINDS` the data set seems to be; raises `DataError` where nothing tells."""
    if path.is_dir():
        for kind, pattern in (("webdataset", "*.tar"), ("hf", "**/*.parquet"), ("hf", "**/*.arrow")):
            if next(path.glob(pattern), None):
                return kind
        raise DataError(f"{path}: got a folder without *.tar, *.parquet and *.arrow, expected a data set")
    files = expanded(path)
    if not files:
        raise DataError(f"{path}: got no such file or folder, expected a data set")
    known = BY_SUFFIX.get(files[0].suffix.lower())
    if known:
        return "mmdialog" if known == "jsonl" and _is_mmdialog(files[0]) else known
    if _is_mmdialog(files[0]):
        return "mmdialog"
    if files[0].suffix.lower() == ".json":
        return "jsonl" if _head(files[0]).lstrip("\ufeff \t\r\n")[:1] == "[" else "vist"
    raise DataError(
        f"{path}: got a file named *{files[0].suffix}, expected a name of a known kind, or KIND:PATH with one of"
        f" {', '.join(KINDS)}"
    )


def _is_mmdialog(path: Path) -> bool:
    return '"conversation"' in _head(path) and '"turn"' in _head(path)


def _head(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(HEAD)
