"""Samples of data sets on disk, in an order that is shuffled anew each time through and known in advance."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset
from transformers import PreTrainedTokenizerFast

from minigpt5.data.samples import PictureFile, Sample, Samples, verify_length
from minigpt5.errors import DataError
from minigpt5.images import pad_to_square, preprocess, to_tensor
from minigpt5.prompt import Encoded
from minigpt5.training.batches import Example
from minigpt5.vokens import NUM_VOKENS

TRIES = 10  # records in a row that may be unusable


@dataclass(frozen=True)
class Reading:
    """How records become examples: sizes in pixels, lengths in tokens.

    With `flipped_share` that share of the pictures is mirrored, each on its own (the official training does it to
    half of them, also to those with letters in them).
    """

    image_size: int
    eye_size: int
    max_tokens: int
    tokens_per_image: int
    num_vokens: int = NUM_VOKENS
    flipped_share: float = 0.0
    seed: int = 0


class FileSource:
    """The examples of `samples`, read by `workers` processes (0: by this one)."""

    def __init__(
        self, samples: Samples, tokenizer: PreTrainedTokenizerFast, reading: Reading, workers: int = 0
    ) -> None:
        self.dataset = Examples(samples, tokenizer, reading)
        self.workers = workers

    def batches(self, batch_size: int, first: int, stride: int) -> Iterator[list[Example]]:
        """Batches number `first`, `first + stride`, ... of an endless walk through the data."""
        loader = DataLoader(
            self.dataset,
            batch_sampler=_Places(batch_size, first, stride),
            num_workers=self.workers,
            collate_fn=list,
            prefetch_factor=2 if self.workers else None,
        )
        return iter(loader)

    def __len__(self) -> int:
        return len(self.dataset.samples)

    def once(self, batch_size: int, first: int, stride: int) -> Iterator[list[Example]]:
        """Batches number `first`, `first + stride`, ... of the first walk alone, the last of all shorter."""
        starts = range(first * batch_size, len(self), stride * batch_size)
        for start in starts:
            yield [self.dataset[place] for place in range(start, min(start + batch_size, len(self)))]


class _Places:
    """The places of each batch in the walk."""

    def __init__(self, batch_size: int, first: int, stride: int) -> None:
        self.batch_size, self.first, self.stride = batch_size, first, stride

    def __iter__(self) -> Iterator[list[int]]:
        number = self.first
        while True:
            yield list(range(number * self.batch_size, (number + 1) * self.batch_size))
            number += self.stride


class Examples(Dataset[Example]):
    """Place `n` of an endless walk: each time through the data has an order of its own.

    A record that turns out to be unusable is told once and gives way to the next one, so that batches keep their
    size and a resumed run its data.
    """

    def __init__(self, samples: Samples, tokenizer: PreTrainedTokenizerFast, reading: Reading) -> None:
        self.samples, self.tokenizer, self.reading = samples, tokenizer, reading
        self.told: set[str] = set()

    def __getitem__(self, place: int) -> Example:
        epoch, position = divmod(place, len(self.samples))
        order = _order(self.reading.seed, epoch, len(self.samples))
        for offset in range(TRIES):
            sample = self.samples[order[(position + offset) % len(order)]]
            try:
                return self._example(sample, place)
            except DataError as error:
                reason = str(error)
                if sample.record not in self.told:
                    self.told.add(sample.record)
                    print(f"skipped {sample.record}: {reason}", file=sys.stderr, flush=True)
        raise DataError(
            f"got {TRIES} records in a row that cannot be used, the last {sample.record}: {reason}"
        )

    def _example(self, sample: Sample, place: int) -> Example:
        reading = self.reading
        encoded = sample.encode(self.tokenizer, reading.num_vokens)
        verify_length(encoded, reading.max_tokens, reading.tokens_per_image)
        seed = reading.seed * 2**40 + place
        generator = torch.Generator().manual_seed(seed)
        seen = tuple(preprocess(self._open(p, generator), reading.eye_size) for p in encoded.images)
        drawn = tuple(self._to_draw(p, generator) for p in encoded.drawn)
        return Example(sample.record, encoded, seen, drawn, _captions(sample, encoded), seed)

    def _open(self, picture: PictureFile, generator: torch.Generator) -> Image.Image:
        image = picture.open()
        flipped = torch.rand((), generator=generator).item() < self.reading.flipped_share
        return ImageOps.mirror(image) if flipped else image

    def _to_draw(self, picture: PictureFile, generator: torch.Generator) -> torch.Tensor:
        """(3,S,S) in [-1,1], on a white square (official `expand2square`)."""
        side = self.reading.image_size
        square = pad_to_square(self._open(picture, generator))
        return to_tensor(square.resize((side, side), Image.Resampling.BILINEAR))


def _captions(sample: Sample, encoded: Encoded) -> tuple[str | None, ...]:
    """One for each picture to draw; a sample's caption tells the last one."""
    return (None,) * (len(encoded.drawn) - 1) + (sample.caption,) * min(1, len(encoded.drawn))


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed * 10**6 + epoch)
    return torch.randperm(count, generator=generator).tolist()
