"""WebDataset shards (`*.tar`), of captioned pictures or of chats; a path may be a shard, a folder or a glob.

    000000001.jpg  000000001.txt     a caption (or `.caption`, or "caption" in the `.json`): read as CC3M's
    000000002.jpg  000000002.json    a chat in one of the forms of `chat_forms`; the record's pictures are its own
    000000003.a.jpg  000000003.b.jpg  000000003.json

A chat names the pictures of its record by their file names, or says nothing and takes them in their order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigpt5.data.cc3m import SEED, Captioned, clean_caption, samples_of
from minigpt5.data.chat_forms import BESIDE, Chat, Find, chat_of, is_chat
from minigpt5.data.files import expanded
from minigpt5.data.jsonl import parsed, replies
from minigpt5.data.samples import Findings, Picture, PictureFile, Samples
from minigpt5.data.shards import PICTURES, read_shard, text_of
from minigpt5.errors import DataError
from minigpt5.prompt import SYSTEM

CAPTIONS = ("txt", "caption", "text")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a shard: its pictures by the suffix of their names, and its words."""

    where: str
    pictures: dict[str, PictureFile]
    caption: str
    chat: Chat | None


def read_webdataset(path: Path, *, system: str = SYSTEM, seed: int = SEED) -> Samples:
    """The samples of all shards, captions first; raises `DataError`."""
    findings = Findings(path.name)
    pairs: list[Captioned] = []
    chats: list[tuple[str, Chat]] = []
    for record in _records(path, findings):
        if record.chat:
            chats.append((record.where, record.chat))
        else:
            pairs.append((record.where, record.caption, next(iter(record.pictures.values()))))
    captioned = list(samples_of(pairs, random.Random(seed)))
    said = [reply for where, chat in chats for reply in replies(where, chat, system)]
    return Samples([*captioned, *said], findings)


def shards_of(path: Path) -> list[Path]:
    """The shards of a file, a folder or a glob, in order; raises `DataError` where there is none."""
    shards = sorted(path.glob("*.tar")) if path.is_dir() else expanded(path)
    if not shards:
        raise DataError(f"{path}: got no *.tar, expected a shard, a folder of shards or a glob")
    return shards


def _records(path: Path, findings: Findings) -> Iterator[Record]:
    for shard in shards_of(path):
        for key, members in read_shard(shard, findings).items():
            try:
                yield _record(f"{shard.name} {key}", members)
            except DataError as error:
                reason, _, detail = str(error).partition(" (")
                findings.skip(f"{shard.name} {key}", reason, detail.removesuffix(")"))


def _record(where: str, members: dict[str, PictureFile]) -> Record:
    """Raises `DataError`, "reason (detail)"."""
    pictures = {name: one for name, one in members.items() if name.rpartition(".")[2] in PICTURES}
    told: Any = parsed(text_of(members["json"])) if "json" in members else {}
    if is_chat(told):
        unnamed = [] if any(told.get(key) for key in ("image", "images")) else list(pictures.values())
        chat = chat_of({key: value for key, value in told.items() if key in CHAT}, _finder(pictures), unnamed)
        return Record(where, pictures, "", chat)
    if not pictures:
        raise DataError("picture missing")
    words = next((text_of(members[name]) for name in CAPTIONS if name in members), None)
    if words is None and isinstance(told, dict) and isinstance(told.get("caption"), str):
        words = told["caption"]
    if not (caption := clean_caption(words or "")):
        raise DataError("no caption")
    return Record(where, pictures, caption, None)


CHAT = {
    "messages",
    "conversations",
    "texts",
    "system",
    "caption",
    *BESIDE,
}  # others of a record's json are its own


def _finder(pictures: dict[str, PictureFile]) -> Find:
    """Pictures of the record by file name, or by what stands behind its first dot."""

    def find(name: str) -> Picture:
        suffix = name.rpartition("/")[2].partition(".")[2].lower()
        for known in (name.lower(), suffix):
            if known in pictures:
                return pictures[known]
        raise DataError(f"got a picture {name!r:.60}, expected one of the record's own {sorted(pictures)}")

    return find
