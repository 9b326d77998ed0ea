"""CC3M: captions and their pictures, for the first training stage.

Two layouts are read: a table (`caption<TAB>image_path`, with that header, paths relative to the table), and
webdataset shards (`*.tar` with `KEY.jpg` and `KEY.txt`, as img2dataset writes them). Shards are read with
Python's `tarfile`: the `webdataset` library streams, and a training that resumes at its very sample, or that several
processes share, must be able to ask for sample `n`.

Every caption is a sample in the bare form; every hundredth one is a request in a chat, too (official
`dataloader.py`, `CC3MDataset`). For evaluation (`test`) the caption itself is the target, as there.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from minigpt5.data.files import inside, is_file, verify_file
from minigpt5.data.samples import Findings, Picture, PictureFile, Sample, Samples, WrittenSample
from minigpt5.data.shards import PICTURES, read_shard, text_of
from minigpt5.errors import DataError

SYSTEM = "You will be able to generate image according to command."
REQUESTS = (
    "generate image with caption:",
    "can you give me the image with caption:",
    "help me to generate this image:",
    "generate image with according to caption:",
    "according to caption, generate image:",
    "a image with caption:",
    "can you visualize this caption:",
)
REQUEST_EVERY = 100  # captions
PARTS = {*PICTURES, "txt"}
SEED = 42  # of the wording of the requests; the official scripts' own

Pair = tuple[str, str, PictureFile]  # where it stands, caption, picture
Captioned = tuple[str, str, Picture]  # the same, the picture anywhere


def read_cc3m(path: Path, *, test: bool = False, seed: int = SEED) -> Samples:
    """The samples of a `.tsv` table, of one `.tar` shard or of a folder of shards; raises `DataError`."""
    findings = Findings(path.name)
    pairs = read_pairs(path, findings)
    return Samples(list(samples_of(pairs, random.Random(seed), test=test)), findings)


def read_pairs(path: Path, findings: Findings) -> Iterator[Pair]:
    """Where each caption stands, the caption, cleaned, and its picture, one by one; raises `DataError`."""
    if path.suffix != ".tar" and not path.is_dir():
        yield from _table(path, findings)
        return
    shards = sorted(path.glob("*.tar")) if path.is_dir() else [path]
    if not shards:
        raise DataError(f"{path}: got a folder without *.tar, expected shards or a .tsv table")
    for shard in shards:
        yield from _shard(shard, findings)


def clean_caption(caption: str) -> str:
    """Lower case, without `. ! " ( ) * # : ; ~` and double spaces (official `pre_caption`)."""
    caption = re.sub(r"[.!\"()*#:;~]", " ", caption.lower())
    return re.sub(r"\s{2,}", " ", caption).rstrip("\n").strip(" ")


def samples_of(pairs: Iterable[Captioned], rng: random.Random, *, test: bool = False) -> Iterator[Sample]:
    """The samples of captioned pictures: each in the bare form, some as a request too."""
    for index, (record, caption, picture) in enumerate(pairs):
        if test:
            yield WrittenSample(record, (caption,), (caption,), caption)
            continue
        yield WrittenSample(record, (caption,), (picture, "###"), caption)
        if index % REQUEST_EVERY == 0:
            request = f"{SYSTEM}###Human: {rng.choice(REQUESTS)} {caption} ###Assistant:"
            yield WrittenSample(f"{record}, request", (request,), (picture, "###"), caption)


def _table(path: Path, findings: Findings) -> Iterator[Pair]:
    verify_file(path, "a table with the columns caption and image_path")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file, delimiter="\t")
            columns = rows.fieldnames or []
            if not {"caption", "image_path"} <= set(columns):
                raise DataError(f"{path}: got columns {columns}, expected caption and image_path")
            for row in rows:
                record = f"{path.name} line {rows.line_num}"
                try:
                    yield record, *_row(path.parent, row)
                except DataError as error:
                    reason, _, detail = str(error).partition(" (")
                    findings.skip(record, reason, detail.removesuffix(")"))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: got bytes that are no UTF-8 table ({error}), expected text") from error


def _row(folder: Path, row: dict[str | None, str | None]) -> tuple[str, PictureFile]:
    """The caption and the picture of a row; raises `DataError`, "reason (detail)"."""
    name, caption = row["image_path"], clean_caption(row["caption"] or "")
    if name is None or None in row:
        raise DataError("wrong number of columns")
    if not caption:
        raise DataError("no caption")
    if not is_file(picture := inside(folder, name)):
        raise DataError(f"picture missing ({name})")
    return caption, PictureFile(picture)


def _shard(path: Path, findings: Findings) -> Iterator[Pair]:
    records = read_shard(path, findings)
    for key in sorted(key for key, members in records.items() if PARTS & members.keys()):
        record, members = f"{path.name} {key}", records[key]
        picture = next((member for suffix, member in members.items() if suffix in PICTURES), None)
        caption = clean_caption(text_of(members["txt"])) if "txt" in members else ""
        if picture is None or not caption:
            findings.skip(record, "picture missing" if picture is None else "no caption")
        else:
            yield record, caption, picture
