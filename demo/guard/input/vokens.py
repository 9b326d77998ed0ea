"""Vokens from outside: numbers of which a picture can be drawn. Called by the endpoints and
`story.export.zip_import`.
"""

import io

import numpy as np

from minigpt5 import OptionError

MAX_VOKEN = 1e4  # hidden states of a language model stay far below


def verify_vokens(vokens: np.ndarray) -> None:
    """Raise `OptionError` unless `vokens` (V,D) are finite and no larger than a model makes them."""
    if not np.isfinite(vokens).all() or np.abs(vokens).max(initial=0) > MAX_VOKEN:
        raise OptionError(
            f"vokens: got numbers that are not finite or beyond {MAX_VOKEN:g}, as no model makes"
        )


def read_npy(content: bytes) -> np.ndarray:
    """The array (V,D) float32 of a .npy file, whose stated shape is compared with its size first; raises ValueError."""
    stream = io.BytesIO(content)
    headers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        shape, by_column, kind = headers[np.lib.format.read_magic(stream)](stream)
    except Exception as error:  # NumPy has Python's own parser read the header, which raises all kinds
        raise ValueError("no sound .npy file") from error
    rest = content[stream.tell() :]
    sound = kind == np.float32 and len(shape) == 2 and not by_column and min(shape) > 0
    if not sound or len(rest) != 4 * shape[0] * shape[1]:
        raise ValueError("no float32 numbers of two dimensions")
    return np.frombuffer(rest, kind).reshape(shape)
