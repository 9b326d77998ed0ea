"""One token out of one row of logits. Order as in the official chain: repetition penalty, temperature, top-k,
top-p.

All of it on the CPU in float32 with the caller's own generator, so that a seed repeats a reply.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from minigpt5.options import GenerationOptions


def choose(
    logits: Tensor,
    options: GenerationOptions,
    *,
    history: Sequence[int],
    banned: Tensor,
    generator: torch.Generator,
) -> int:
    """The next token id. logits (vocabulary,), `banned` (n,) ids that must not come, `history` ids that came
    before.

    Temperature 0 takes the likeliest one and leaves the generator alone.
    """
    scores = logits.detach().float().cpu().clone()
    scores[banned] = -torch.inf
    penalise_repetition(scores, history, options.repetition_penalty)
    if options.temperature == 0:
        return int(scores.argmax())
    scores = scores / options.temperature
    keep_top_k(scores, options.top_k)
    keep_top_p(scores, options.top_p)
    return int(torch.multinomial(scores.softmax(0), 1, generator=generator))


def penalise_repetition(scores: Tensor, history: Sequence[int], penalty: float) -> None:
    """Make each distinct id of `history` less likely, in place: positive scores / penalty, negative ones *
    penalty."""
    if penalty == 1.0 or not history:
        return
    ids = torch.tensor(sorted(set(history)))
    old = scores[ids]
    scores[ids] = torch.where(old > 0, old / penalty, old * penalty)


def keep_top_k(scores: Tensor, k: int) -> None:
    """Leave the `k` highest scores, in place; 0 leaves all."""
    if 0 < k < len(scores):
        scores[scores < scores.topk(k).values[-1]] = -torch.inf


def keep_top_p(scores: Tensor, p: float) -> None:
    """Leave the fewest likeliest ids whose probabilities reach `p` together, at least one, in place."""
    if p >= 1.0:
        return
    ordered, order = scores.sort(descending=True)
    probabilities = ordered.softmax(0)
    before = probabilities.cumsum(0) - probabilities  # the probability of all that are likelier
    scores[order[before >= p]] = -torch.inf
