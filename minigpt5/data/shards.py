"""Tar shards in WebDataset's layout: the members of a record share the name before its first dot.

They are read with Python's `tarfile`: the `webdataset` library streams, and a training that resumes at its very
sample, or that several processes share, must be able to ask for sample `n`. So only the places of members are kept.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

from minigpt5.data.files import verify_file
from minigpt5.data.samples import Findings, PictureFile
from minigpt5.errors import DataError

PICTURES = ("jpg", "jpeg", "png", "webp", "gif")

Records = dict[
    str, dict[str, PictureFile]
]  # key -> what stands behind its first dot, in lower case -> the member


def read_shard(path: Path, findings: Findings) -> Records:
    """Where the members of each record lie, in the order of the shard; raises `DataError`.

    A shard that is cut off gives what is whole of it, and `findings` are told.
    """
    verify_file(path, "a tar shard")
    records: Records = {}
    size = path.stat().st_size
    try:
        with tarfile.open(path, "r:") as shard:
            for member in shard:
                if member.offset_data + member.size > size:
                    findings.skip(f"{path.name} {member.name}", "shard ends within it")
                elif member.isfile():
                    folder, slash, name = member.name.rpartition("/")
                    key, _, suffix = name.partition(".")
                    place = PictureFile(path, member.offset_data, member.size)
                    records.setdefault(f"{folder}{slash}{key}", {})[suffix.lower()] = place
    except tarfile.ReadError as error:
        if not records:
            raise DataError(
                f"{path}: got a file that is no tar ({error}), expected an uncompressed tar"
            ) from error
        findings.skip(path.name, "shard is cut off", str(error))
    return records


def text_of(member: PictureFile) -> str:
    """The words of a member, bytes that are no UTF-8 replaced."""
    return member.read().decode("utf-8-sig", "replace")
