"""Requests in wordings that the grammar lacks, each with a rule of what answers it.

{"phrases": {name: [phrase, ...]},
 "requests": [{"text", "expect": "draw" | "story" | "text",
               "picture": {attribute: value},    what its first picture must show; "text" must have none
               "says": [[name, ...], ...],       of each group at least one phrase must occur
               "never": [name, ...],             of these lists no phrase may occur
               "least_words": 8}]}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from minigpt5.errors import DataError
from minigpt5.evaluation.judge import AttributeJudge
from minigpt5.generation.engine import Reply

Phrases = dict[str, list[str]]


@dataclass(frozen=True)
class Request:
    """One request and its rule; see above."""

    text: str
    expect: Literal["draw", "story", "text"]
    picture: dict[str, str] = field(default_factory=dict)
    says: tuple[tuple[str, ...], ...] = ()  # phrases
    never: tuple[str, ...] = ()  # phrases
    least_words: int = 1


def read_requests(path: Path) -> list[Request]:
    """The requests of a file; raises `DataError`."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [_request(record, data["phrases"]) for record in data["requests"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: got {error!r}, expected requests and their rules") from error


def _request(record: dict, phrases: Phrases) -> Request:
    groups = [tuple(phrase for name in group for phrase in phrases[name]) for group in record.get("says", [])]
    never = tuple(phrase for name in record.get("never", []) for phrase in phrases[name])
    return Request(**{**record, "says": tuple(groups), "never": never})


def is_sensible(request: Request, reply: Reply, judge: AttributeJudge) -> bool:
    """Whether words and picture keep the request's rule."""
    words = reply.text.replace("’", "'")
    if len(words.split()) < request.least_words or _occurs(request.never, words):
        return False
    if not all(_occurs(group, words) for group in request.says):
        return False
    if request.expect == "text":
        return not reply.images
    if not reply.images:
        return False
    seen = judge.name([reply.images[0]])[0]
    return all(seen[name] == value for name, value in request.picture.items())


def _occurs(phrases: tuple[str, ...], words: str) -> bool:
    return any(re.search(rf"\b{re.escape(phrase)}\b", words, re.IGNORECASE) for phrase in phrases)
