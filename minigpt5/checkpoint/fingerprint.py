"""What a training or a measurement is made with, kept beside its result, so that results of two are never mixed.

Facts are compared one by one, so that a refusal names those that differ.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from minigpt5.checkpoint.manifest import MANIFEST_NAME, PARTS
from minigpt5.checkpoint.store import TOKENIZER_NAME, files_of
from minigpt5.config import CONFIG_NAME

Facts = dict[str, Any]  # values are those of JSON
TEXTS = (
    ".csv",
    ".json",
    ".jsonl",
    ".tsv",
    ".txt",
)  # read whole; of other files of a data set the size counts
WEIGHTS = (".safetensors", ".bin", ".json")
DIGITS = 12


def model_digest(folder: Path) -> str:
    """Of all weights and settings of a model folder. Manifests of two trainings of one model are the same, so the
    weights themselves are read."""
    settings = [folder / name for name in (CONFIG_NAME, TOKENIZER_NAME, MANIFEST_NAME)]
    weights = [path for part in (*PARTS, "text_encoder") for path in files_of(folder, part)]
    return _digest((path.name, path, True) for path in (*settings, *weights))


def weights_digest(path: Path) -> str:
    """Of a file, or of all files of weights and settings in a folder."""
    return _digest((name, file, True) for name, file in _files(path) if file.suffix in WEIGHTS)


def data_digest(path: Path) -> str:
    """Of a file, or of all files in a folder: names, sizes, and what stands in those of text."""
    return _digest((name, file, file.suffix in TEXTS) for name, file in _files(path))


def _files(path: Path) -> list[tuple[str, Path]]:
    """A file, or all below a folder, with their names in it."""
    if not path.is_dir():
        return [(path.name, path)]
    return [(str(file.relative_to(path)), file) for file in sorted(path.rglob("*"))]


def _digest(files: Iterable[tuple[str, Path, bool]]) -> str:
    digest = hashlib.sha256()
    for name, path, whole in files:
        if not path.is_file():
            continue
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        if whole:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:DIGITS]


def plain(facts: Facts) -> Facts:
    """The facts as JSON gives them back: lists for tuples."""
    return json.loads(json.dumps(facts))


def differences(got: Facts, expected: Facts) -> str:
    """ "lr: got 0.001, expected 2e-05; ...", or nothing where all facts are the same."""
    got, expected = plain(got), plain(expected)
    names = [name for name in {**expected, **got} if got.get(name) != expected.get(name)]
    return "; ".join(f"{name}: got {got.get(name)}, expected {expected.get(name)}" for name in names)
