"""What every reader of a data set yields, and how one record becomes ids and pictures.

A reader goes through its files once, keeps what can be a record and writes down what cannot, and why. Pictures
are opened when their record's turn comes; one that turns out to be broken then is a `DataError`, too.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PIL import Image
from transformers import PreTrainedTokenizerBase as Tokenizer

from minigpt5.conversation import ImagePart, Message
from minigpt5.errors import DataError, ImageError
from minigpt5.picture_files import open_image
from minigpt5.prompt import Encoded, encode, encode_written
from minigpt5.vokens import NUM_VOKENS

MAX_LINES = 20  # of skipped records that are told one by one
MAX_FAULTS = 3  # kinds of faults that are told, each with its first place


class Picture(Protocol):
    """A picture of a data set that is opened when its record's turn comes."""

    def read(self) -> bytes:
        """The bytes as they are stored; raises `DataError`."""

    def open(self) -> Image.Image:
        """The picture, upright and RGB; raises `DataError`."""

    def digest(self) -> str:
        """SHA-256 of the bytes: the same picture has the same name in every cache."""


@dataclass(frozen=True, slots=True)
class PictureFile:
    """Where a picture's bytes lie: in a file of its own, or as `size` bytes from `offset` on in a shard."""

    path: Path
    offset: int = 0
    size: int = -1

    def read(self) -> bytes:
        """The bytes as they are stored; raises `DataError`."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                return file.read(self.size)
        except OSError as error:
            raise DataError(f"{self.path}: got {error.strerror}, expected a picture") from error

    def open(self) -> Image.Image:
        """The picture, upright and RGB; raises `DataError`."""
        if self.size >= 0:
            return decoded(self.read())
        try:
            return open_image(self.path)
        except ImageError as error:
            raise DataError(f"the picture cannot be read ({error})") from error

    def digest(self) -> str:
        """SHA-256 of the bytes: the same picture has the same name in every cache."""
        return hashlib.sha256(self.read()).hexdigest()


@dataclass(frozen=True, slots=True)
class PictureBytes:
    """A picture whose bytes stand in the data itself, as in a data URL."""

    content: bytes = field(repr=False)

    def read(self) -> bytes:
        """The bytes."""
        return self.content

    def open(self) -> Image.Image:
        """The picture, upright and RGB; raises `DataError`."""
        return decoded(self.content)

    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


def decoded(content: bytes) -> Image.Image:
    """The picture in these bytes, upright and RGB; raises `DataError`."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return open_image(picture)
    except (ImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"the picture cannot be read ({error})") from error


Written = tuple[str | Picture, ...]


class Sample(Protocol):
    """One record. `record` tells a person where it stands ("val_cleaned.json, story 40470, step 2, gen");
    `caption` is what the caption loss of the first stage aims at."""

    @property
    def record(self) -> str:
        """Where it stands, for people."""

    @property
    def caption(self) -> str | None:
        """What the picture to draw shows, where the data set says so."""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, seen and to be drawn."""

    def encode(self, tokenizer: Tokenizer, num_vokens: int = NUM_VOKENS) -> Encoded:
        """The ids and labels, with `Picture`s for pictures."""


@dataclass(frozen=True, slots=True)
class WrittenSample:
    """A sample in a template of its own: `source` is read, `target` is learned; words and pictures in order."""

    record: str
    source: Written
    target: Written
    caption: str | None = None

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, those that are seen first."""
        return tuple(part for part in (*self.source, *self.target) if not isinstance(part, str))

    def encode(self, tokenizer: Tokenizer, num_vokens: int = NUM_VOKENS) -> Encoded:
        """The official ids."""
        return encode_written(_parts(self.source), _parts(self.target), tokenizer, num_vokens=num_vokens)


@dataclass(frozen=True, slots=True)
class ChatSample:
    """A sample in the chat's own template; the last message, the assistant's, is learned."""

    record: str
    messages: tuple[Message, ...]
    system: str
    caption: str | None = None

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, in order."""
        return tuple(p.image for m in self.messages for p in m.parts if isinstance(p, ImagePart))

    def encode(self, tokenizer: Tokenizer, num_vokens: int = NUM_VOKENS) -> Encoded:
        """The ids that a chat would have."""
        return encode(self.messages, tokenizer, target=True, system=self.system, num_vokens=num_vokens)


def _parts(written: Written) -> list[str | ImagePart]:
    return [part if isinstance(part, str) else ImagePart(part) for part in written]


@dataclass
class Findings:
    """What a reader left out: a line for each record, counted by reason; and `faults`, for which the whole data
    set is refused, the place and the sentence of each."""

    source: str
    lines: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str]] = field(default_factory=list)

    def skip(self, record: str, reason: str, detail: str = "") -> None:
        """Leave one record out. `reason` is the kind, `detail` what was got."""
        self.reasons[reason] += 1
        self.lines.append(f"skipped {record}: {reason}{f' ({detail})' if detail else ''}")

    def fault(self, place: str, sentence: str) -> None:
        """Note that what stands at `place` ("line 3") is wrong; `sentence` is "got ..., expected ..."."""
        self.faults.append((place, sentence))

    def refusal(self) -> str:
        """The first fault of each kind (what was expected), and how many more there are of it."""
        kinds: dict[str, list[tuple[str, str]]] = {}
        for place, sentence in self.faults:
            kinds.setdefault(sentence.partition(", expected")[2], []).append((place, sentence))
        told = [
            f"{place}: {sentence}{f' (and {len(rest)} more like it)' if rest else ''}"
            for (place, sentence), *rest in list(kinds.values())[:MAX_FAULTS]
        ]
        others = sum(map(len, list(kinds.values())[MAX_FAULTS:]))
        return "; ".join([*told, *([f"and {others} other faults"] if others else [])])

    def report(self, kept: int) -> str:
        """A line with the counts, then the skipped records, the first `MAX_LINES` of them."""
        counts = "".join(f", {count} {reason}" for reason, count in self.reasons.most_common())
        skipped = sum(self.reasons.values())
        head = f"{self.source}: {kept} samples, {skipped} records skipped{counts}"
        more = [f"... and {skipped - MAX_LINES} more"] if skipped > MAX_LINES else []
        return "\n".join([head, *self.lines[:MAX_LINES], *more])


class Samples(Sequence[Sample]):
    """The records of one data set, in the order of its files, and what was left out."""

    def __init__(self, samples: Sequence[Sample], findings: Findings) -> None:
        if not samples:
            raise DataError(f"{findings.report(0)}\nexpected at least one sample")
        self.samples = samples
        self.findings = findings

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]  # no slices
        return self.samples[index]

    @property
    def report(self) -> str:
        """Counts, and what was skipped and why."""
        return self.findings.report(len(self.samples))


def joined(sets: Iterable[Samples]) -> Samples:
    """Several data sets as one."""
    several = list(sets)
    findings = Findings(" + ".join(one.findings.source for one in several))
    for one in several:
        findings.lines += one.findings.lines
        findings.reasons += one.findings.reasons
    return Samples([sample for one in several for sample in one], findings)


def verified(
    samples: Samples,
    tokenizer: Tokenizer,
    max_tokens: int,
    tokens_per_image: int,
    num_vokens: int = NUM_VOKENS,
) -> Samples:
    """Only those records whose pictures open and whose ids fit into `max_tokens`; every picture is read."""
    kept: list[Sample] = []
    for sample in samples:
        try:
            verify_length(sample.encode(tokenizer, num_vokens), max_tokens, tokens_per_image)
            for picture in sample.pictures:
                picture.open()
        except DataError as error:
            reason, _, detail = str(error).partition(" (")
            samples.findings.skip(sample.record, reason, detail.removesuffix(")"))
        else:
            kept.append(sample)
    return Samples(kept, samples.findings)


def verify_length(encoded: Encoded, max_tokens: int, tokens_per_image: int) -> None:
    """Raise `DataError` for a record that the model cannot read whole."""
    length = len(encoded.input_ids) + len(encoded.images) * (tokens_per_image - 1)
    if length > max_tokens:
        raise DataError(f"too long (got {length} tokens, expected <= {max_tokens})")
