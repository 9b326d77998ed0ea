"""Vokens from outside: numbers of which a picture can be drawn."""

import numpy as np

from minigpt5 import OptionError

MAX_VOKEN = 1e4  # hidden states of a language model stay far below


def verify_vokens(vokens: np.ndarray) -> None:
    """Raise `OptionError` unless `vokens` (V,D) are finite and no larger than a model makes them."""
    if not np.isfinite(vokens).all() or np.abs(vokens).max(initial=0) > MAX_VOKEN:
        raise OptionError(
            f"vokens: got numbers that are not finite or beyond {MAX_VOKEN:g}, as no model makes"
        )
