"""The precision of what is computed once, outside of the training loop: bfloat16 where that is fast.

Used by `pictures` and `mapper`; the loop itself leaves this to accelerate.
"""

import torch

from minigpt5.checkpoint.placement import has_fast_bfloat16


def fast_precision() -> torch.autocast:
    """A context in which matrix products and convolutions on the CPU are in bfloat16, if it has instructions for it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bfloat16())
