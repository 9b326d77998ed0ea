"""One token out of one row of logits."""

import torch

from minigpt5.generation.sampling import choose, keep_top_k, keep_top_p, penalise_repetition
from minigpt5.options import GenerationOptions

NONE = torch.tensor([], dtype=torch.long)
LOGITS = torch.tensor([0.0, 3.0, 2.0, 1.0])


def draw(
    options: GenerationOptions, seed: int = 0, banned: torch.Tensor = NONE, history: tuple[int, ...] = ()
) -> int:
    generator = torch.Generator().manual_seed(seed)
    return choose(LOGITS, options, history=history, banned=banned, generator=generator)


def test_temperature_zero_takes_the_likeliest() -> None:
    assert {draw(GenerationOptions(temperature=0), seed) for seed in range(5)} == {1}


def test_a_banned_token_never_comes() -> None:
    banned = torch.tensor([1, 2])
    assert draw(GenerationOptions(temperature=0), banned=banned) == 3
    assert {draw(GenerationOptions(temperature=2, top_p=1), seed, banned) for seed in range(60)} == {0, 3}


def test_the_same_seed_draws_the_same_tokens() -> None:
    options = GenerationOptions(temperature=2, top_p=1)
    assert [draw(options, seed) for seed in range(30)] == [draw(options, seed) for seed in range(30)]
    assert len({draw(options, seed) for seed in range(60)}) == 4


def test_repetition_is_penalised_once_for_each_token() -> None:
    scores = torch.tensor([2.0, -2.0, 1.0])
    penalise_repetition(scores, [0, 0, 1], 2.0)
    assert scores.tolist() == [1.0, -4.0, 1.0]
    assert draw(GenerationOptions(temperature=0, repetition_penalty=2.0), history=(1,)) == 2


def test_top_k_leaves_the_k_highest() -> None:
    scores = LOGITS.clone()
    keep_top_k(scores, 2)
    assert scores.isfinite().tolist() == [False, True, True, False]


def test_top_p_leaves_the_fewest_that_reach_p() -> None:
    scores = torch.tensor([0.1, 0.5, 0.4]).log()
    keep_top_p(scores, 0.6)
    assert scores.isfinite().tolist() == [False, True, True]
    keep_top_p(scores, 0.01)
    assert scores.isfinite().tolist() == [False, True, False]
