"""Parts of a message <-> plain values for a column of JSON: the only place that knows the stored form. Called by
`chats`.
"""

from dataclasses import asdict
from typing import Any

from demo.store.records import Drawing, Part, Picture, Sketch, Upload, Words

KINDS: dict[str, type[Words | Upload | Sketch]] = {"words": Words, "upload": Upload, "sketch": Sketch}


def dump_parts(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """The parts as plain values, each with its `kind`."""
    return [{"kind": type(part).__name__.lower(), **asdict(part)} for part in parts]


def load_parts(values: list[dict[str, Any]]) -> tuple[Part, ...]:
    """The parts that `dump_parts` made `values` of."""
    return tuple(_load_part(dict(value)) for value in values)


def _load_part(value: dict[str, Any]) -> Part:
    kind = value.pop("kind")
    if kind == "picture":
        drawings = tuple(Drawing(**drawing) for drawing in value.pop("drawings"))
        return Picture(drawings=drawings, **value)
    return KINDS[kind](**value)
