"""Encoded dialogues -> one padded batch. Knows ids and slots, neither models nor where the dialogues come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from minigpt5.prompt import IGNORED, Encoded


@dataclass(frozen=True)
class Batch:
    """B dialogues of up to T tokens, each placeholder repeated once for every query token of its picture.

    `seen` and `drawn` are the pictures (whatever the data set puts there) of all dialogues in reading order;
    `voken_positions` (G,2) are (dialogue, index of `[IMG0]`) of the G = len(drawn) voken groups.
    """

    input_ids: torch.Tensor  # (B,T)
    labels: torch.Tensor  # (B,T), -100 where nothing is learned
    attention_mask: torch.Tensor  # (B,T)
    seen: tuple[Any, ...]
    drawn: tuple[Any, ...]
    voken_positions: torch.Tensor  # (G,2)

    def to(self, device: torch.device) -> Batch:
        """The same with its tensors on `device`."""
        names = ("input_ids", "labels", "attention_mask", "voken_positions")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def collate(
    examples: list[Encoded], placeholder_id: int, first_voken_id: int, tokens_per_image: int, pad_id: int
) -> Batch:
    """Pad on the right, as the official training does; the mask hides the padding."""
    rows = [_widen(example, placeholder_id, tokens_per_image) for example in examples]
    length = max(len(ids) for ids, _ in rows)
    input_ids = torch.full((len(rows), length), pad_id)
    labels = torch.full((len(rows), length), IGNORED)
    attention_mask = torch.zeros((len(rows), length), dtype=torch.long)
    for index, (ids, row_labels) in enumerate(rows):
        input_ids[index, : len(ids)] = torch.tensor(ids)
        labels[index, : len(ids)] = torch.tensor(row_labels)
        attention_mask[index, : len(ids)] = 1
    return Batch(
        input_ids,
        labels,
        attention_mask,
        tuple(picture for example in examples for picture in example.images),
        tuple(picture for example in examples for picture in example.drawn),
        (input_ids == first_voken_id).nonzero(),
    )


def _widen(example: Encoded, placeholder_id: int, tokens_per_image: int) -> tuple[list[int], list[int]]:
    ids: list[int] = []
    labels: list[int] = []
    for token, label in zip(example.input_ids, example.labels, strict=True):
        times = tokens_per_image if token == placeholder_id else 1
        ids += [token] * times
        labels += [label] * times
    return ids, labels
