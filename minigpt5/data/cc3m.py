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
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from minigpt5.data.files import verify_file
from minigpt5.data.samples import Findings, PictureFile, Sample, Samples, WrittenSample
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
PICTURES = (".jpg", ".jpeg", ".png", ".webp")
SEED = 42  # of the wording of the requests; the official scripts' own

Pair = tuple[str, str, PictureFile]  # where it stands, caption, picture


def read_cc3m(path: Path, *, test: bool = False, seed: int = SEED) -> Samples:
    """The samples of a `.tsv` table, of one `.tar` shard or of a folder of shards; raises `DataError`."""
    findings = Findings(path.name)
    pairs = read_pairs(path, findings)
    return Samples(list(_samples(pairs, test, random.Random(seed))), findings)


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


def _samples(pairs: Iterable[Pair], test: bool, rng: random.Random) -> Iterator[Sample]:
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
                caption = clean_caption(row["caption"] or "")
                picture = path.parent / (row["image_path"] or "")
                if row["image_path"] is None or None in row:
                    findings.skip(record, "wrong number of columns")
                elif not caption:
                    findings.skip(record, "no caption")
                elif not picture.is_file():
                    findings.skip(record, "picture missing", str(row["image_path"]))
                else:
                    yield record, caption, PictureFile(picture)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: got bytes that are no UTF-8 table ({error}), expected text") from error


def _shard(path: Path, findings: Findings) -> Iterator[Pair]:
    verify_file(path, "a tar shard")
    pictures: dict[str, PictureFile] = {}
    captions: dict[str, str] = {}
    size = path.stat().st_size
    try:
        with tarfile.open(path, "r:") as shard:
            for member in shard:
                key, _, suffix = member.name.rpartition(".")
                if member.offset_data + member.size > size:
                    findings.skip(f"{path.name} {member.name}", "shard ends within it")
                elif f".{suffix.lower()}" in PICTURES:
                    pictures[key] = PictureFile(path, member.offset_data, member.size)
                elif suffix == "txt" and (text := shard.extractfile(member)):
                    captions[key] = clean_caption(text.read().decode("utf-8", "replace"))
    except tarfile.ReadError as error:
        if not pictures:
            raise DataError(
                f"{path}: got a file that is no tar ({error}), expected an uncompressed tar"
            ) from error
        findings.skip(path.name, "shard is cut off", str(error))
    for key in sorted(pictures.keys() | captions.keys()):
        if key not in pictures or not captions.get(key):
            missing = "picture missing" if key not in pictures else "no caption"
            findings.skip(f"{path.name} {key}", missing)
        else:
            yield f"{path.name} {key}", captions[key], pictures[key]
