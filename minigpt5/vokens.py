"""The generative vokens: a few tokens that stand for one picture to be drawn, and the slot for one picture to
be seen. The paper has eight; `MapperConfig.num_vokens` is a model's own number.

The one-position-earlier rule, told here once: `voken_hidden` (B,V,D), the features that become a picture, are
the LLM states that *predict* the vokens. The state at position p predicts token p + 1, so the states of eight
are the one just before `[IMG0]` and those at `[IMG0]` .. `[IMG6]`. The state at `[IMG7]` predicts what
follows the picture and is no feature of it. Training and generation both count this way.

`[IMG0]` is the only voken that is ever sampled; the others are forced after it.
"""

import re

NUM_VOKENS = 8  # the paper's
FIRST_VOKEN = "[IMG0]"
IMAGE_PLACEHOLDER = "<ImageHere>"


def voken_names(count: int = NUM_VOKENS) -> tuple[str, ...]:
    """`[IMG0]`, `[IMG1]`, ... of a model with `count` vokens."""
    return tuple(f"[IMG{index}]" for index in range(count))


def control_tokens(count: int = NUM_VOKENS) -> tuple[str, ...]:
    """The vokens and the slot, in the order in which they follow the base vocabulary; what a model has beyond eight
    comes after the slot, whose id stays."""
    vokens = voken_names(count)
    return (*vokens[:NUM_VOKENS], IMAGE_PLACEHOLDER, *vokens[NUM_VOKENS:])


def is_voken(token: str) -> bool:
    """Whether a token of a vocabulary is a voken, of this model or of one with more."""
    return re.fullmatch(r"\[IMG\d+\]", token) is not None
