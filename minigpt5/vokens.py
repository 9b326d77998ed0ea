"""The generative vokens: eight tokens that stand for one picture to be drawn, and the slot for one picture to
be seen.

The one-position-earlier rule, told here once: `voken_hidden` (B,8,D), the features that become a picture, are
the LLM states that *predict* the vokens. The state at position p predicts token p + 1, so the eight states
are the one just before `[IMG0]` and those at `[IMG0]` .. `[IMG6]`. The state at `[IMG7]` predicts what
follows the picture and is no feature of it. Training and generation both count this way.

`[IMG0]` is the only voken that is ever sampled; the other seven are forced after it.
"""

NUM_VOKENS = 8
VOKENS: tuple[str, ...] = tuple(f"[IMG{index}]" for index in range(NUM_VOKENS))
IMAGE_PLACEHOLDER = "<ImageHere>"

# in the order in which they follow the base vocabulary
CONTROL_TOKENS: tuple[str, ...] = (*VOKENS, IMAGE_PLACEHOLDER)
