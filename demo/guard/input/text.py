"""The one place where text from outside is cleaned and JSON from outside is read. Called by the gate and by whatever
else reads input.

After it no string holds what a database, a JSON answer or a document could not take: lone surrogates become U+FFFD,
control characters other than tab and line ends are dropped. Knows no shapes: see `shapes`.
"""

import json
import math
import re
from typing import Any

from minigpt5 import MiniGPT5Error

MAX_DEPTH = 32
MAX_ITEMS = 100_000
MAX_WHOLE = 2**64
BRIEF = 60  # letters of a wrong value that an error repeats
_LONE = re.compile("[\ud800-\udfff\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class RequestError(MiniGPT5Error):
    """A request is not what it must be; the message says what was got and what was expected."""


def clean_text(text: str) -> str:
    """`text` without characters that cannot be stored or sent."""
    if text.isprintable():  # quick, and false for everything that is looked for
        return text
    return _CONTROL.sub("", _LONE.sub("\ufffd", text))


def read_json(content: bytes) -> Any:
    """The value of the JSON `content`, its texts cleaned.

    Raises `RequestError` for what is no JSON, is nested more than MAX_DEPTH deep, has more than MAX_ITEMS values or a
    number that is not finite or has more than 64 bits.
    """
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_ITEMS:
        raise RequestError(f"The request holds more than {MAX_ITEMS} values")
    try:
        value = json.loads(content, parse_constant=_constant, parse_int=_whole, parse_float=_finite)
    except RecursionError as error:
        raise RequestError(
            f"The request is nested too deeply, at most {MAX_DEPTH} levels are read"
        ) from error
    except ValueError as error:
        raise RequestError("The request is no JSON") from error
    return cleaned(value)


def cleaned(value: Any, depth: int = MAX_DEPTH) -> Any:
    """`value`, as JSON has them, with every text in it cleaned; raises `RequestError` beyond `depth` levels."""
    if isinstance(value, str):
        return clean_text(value)
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        raise RequestError(f"The request is nested too deeply, at most {MAX_DEPTH} levels are read")
    if isinstance(value, list):
        return [cleaned(item, depth - 1) for item in value]
    return {clean_text(name): cleaned(item, depth - 1) for name, item in value.items()}


def brief(value: object) -> str:
    """`value` for an error's sentence: short ones as they are, of long ones the beginning, of lists the kind alone."""
    match value:
        case str():
            return repr(value if len(value) <= BRIEF else value[:BRIEF] + "…")
        case int() if not isinstance(value, bool) and abs(value) > MAX_WHOLE:
            return "a number of more than 64 bits"
        case bool() | int() | float() | None:
            return repr(value)
    return f"a {type(value).__name__}"


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) <= 21 else MAX_WHOLE
    if abs(number) >= MAX_WHOLE:
        raise ValueError("a whole number of more than 64 bits")
    return number


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number that is not finite")
    return number
