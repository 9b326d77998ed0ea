"""Sequences in slots against each of them read alone."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from minigpt5.config import LoraConfig, ModelConfig
from minigpt5.model.language import LanguageModel
from minigpt5.model.slots import SlotCache

LENGTHS = (7, 2, 5)
WIDTH = 64


def make(config: ModelConfig, prefix_length: int = 0) -> LanguageModel:
    torch.manual_seed(0)
    language = LanguageModel(config.language, prefix_length).eval().double()
    if prefix_length:
        torch.nn.init.normal_(language.prefix_keys)
        torch.nn.init.normal_(language.prefix_values)
    return language


def sequences(total: int = 12) -> Tensor:
    return torch.randn(len(LENGTHS), total, WIDTH, generator=torch.Generator().manual_seed(1)).double()


@torch.inference_mode()
def alone(language: LanguageModel, embeds: Tensor) -> Tensor:
    """States (B,T,D) without a cache."""
    return torch.cat([language(row[None])[0] for row in embeds])


def read_ragged(
    language: LanguageModel, slots: SlotCache, rows: Sequence[int], embeds: Tensor
) -> list[Tensor]:
    """The beginnings in one padded pass, then one position a pass, then the rest at once: states (T,D) a row."""
    padded = torch.stack(
        [
            torch.cat([row[:n], row.new_full((max(LENGTHS) - n, WIDTH), 9.0)])
            for row, n in zip(embeds, LENGTHS, strict=True)
        ]
    )
    first = language.read(slots, rows, padded, LENGTHS)
    states = [[row[:n]] for row, n in zip(first, LENGTHS, strict=True)]
    for step in range(2):
        new = torch.stack([row[n + step] for row, n in zip(embeds, LENGTHS, strict=True)])[:, None]
        for kept, state in zip(states, language.read(slots, rows, new), strict=True):
            kept.append(state)
    rest = torch.stack([row[n + 2 : n + 5] for row, n in zip(embeds, LENGTHS, strict=True)])
    for kept, state in zip(states, language.read(slots, rows, rest), strict=True):
        kept.append(state)
    return [torch.cat(kept) for kept in states]


@pytest.mark.parametrize("rows", [(0, 1, 2), (3, 0, 4)], ids=["neighbours", "anywhere"])
@pytest.mark.parametrize("prefix_length", [0, 3])
def test_each_row_reads_as_if_it_were_alone(
    rows: tuple[int, ...], prefix_length: int, config: ModelConfig
) -> None:
    language, embeds = make(config, prefix_length), sequences()
    slots = language.make_slots(5, 12)
    for states, whole, n in zip(
        read_ragged(language, slots, rows, embeds), alone(language, embeds), LENGTHS, strict=True
    ):
        assert torch.allclose(states, whole[: n + 5], atol=1e-12)
    assert [slots.lengths[row] for row in rows] == [n + 5 for n in LENGTHS]


def test_float32_differs_in_last_bits_only(config: ModelConfig) -> None:
    language, embeds = make(config).float(), sequences().float()
    states = read_ragged(language, language.make_slots(3, 12), (0, 1, 2), embeds)
    for row, whole, n in zip(states, alone(language, embeds), LENGTHS, strict=True):
        assert torch.allclose(row, whole[: n + 5], atol=1e-5)


def test_adapters_that_are_not_merged_go_through(config: ModelConfig) -> None:
    language = make(config)
    language.add_lora(LoraConfig())
    for name, parameter in language.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    language.eval().double()
    embeds = sequences()
    states = read_ragged(language, language.make_slots(3, 12), (0, 1, 2), embeds)
    for row, whole, n in zip(states, alone(language, embeds), LENGTHS, strict=True):
        assert torch.allclose(row, whole[: n + 5], atol=1e-12)


def test_a_slot_that_was_used_before_remembers_nothing(config: ModelConfig) -> None:
    language, embeds = make(config), sequences()
    slots = language.make_slots(1, 12)
    language.read(slots, [0], torch.randn(1, 12, WIDTH).double())
    slots.crop(0, 0)
    states = language.read(slots, [0], embeds[:1])
    assert torch.allclose(states, alone(language, embeds[:1]), atol=1e-12)


@pytest.mark.parametrize("prefix_length", [0, 3])
def test_a_beginning_is_read_once_and_copied_into_other_slots(
    prefix_length: int, config: ModelConfig
) -> None:
    language, embeds = make(config, prefix_length), sequences()
    slots = language.make_slots(3, 12)
    language.read(slots, [2], embeds[:1])
    stretch = slots.copy(2)
    slots.put(0, stretch, 6)
    states = language.read(slots, [0], embeds[:1, 6:])
    assert torch.allclose(states, alone(language, embeds[:1])[:, 6:], atol=1e-12)
    assert stretch.nbytes == 2 * 2 * 12 * WIDTH * 8


def test_padding_at_the_end_of_a_full_slot_touches_nothing(config: ModelConfig) -> None:
    language, embeds = make(config), sequences()
    slots = language.make_slots(2, 12)
    language.read(slots, [0, 1], embeds[:2, :11])
    slots.crop(1, 4)
    new = torch.zeros(2, 5, WIDTH).double()
    new[0, 0], new[1] = embeds[0, 11], embeds[1, 4:9]
    states = language.read(slots, [0, 1], new, [1, 5])
    whole = alone(language, embeds[:2])
    assert torch.allclose(states[0, 0], whole[0, 11], atol=1e-12)
    assert torch.allclose(states[1], whole[1, 4:9], atol=1e-12)
