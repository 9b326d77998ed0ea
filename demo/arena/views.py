"""What the arena shows: the story so far, both continuations and the results, as plain HTML with every fact escaped;
called by `arena.handlers`.
"""

import base64
import io
from functools import lru_cache
from html import escape
from pathlib import Path

from PIL import Image

from demo.arena.comparisons import Comparison, Parts
from demo.arena.votes import QUESTIONS, Tally


def progress_html(text: str) -> str:
    """How far the rater has come."""
    return f'<p class="progress" role="status">{escape(text)}</p>'


def history_html(pair: Comparison) -> str:
    """What came before, as both systems saw it."""
    turns = "".join(
        f'<div class="turn {escape(role)}">{_parts_html(parts, pair.folder, "Picture of the story so far")}</div>'
        for role, parts in pair.history
    )
    return f'<section aria-label="What came before">{turns}</section>'


def side_html(name: str, parts: Parts, folder: Path) -> str:
    """One continuation, under the name of its side."""
    shown = _parts_html(parts, folder, f"Picture of {name}") or "<p><em>No reply.</em></p>"
    return f'<article aria-label="Continuation {name}"><h2>{name}</h2>{shown}</article>'


def _parts_html(parts: Parts, folder: Path, alt: str) -> str:
    return "".join(
        f"<p>{escape(part['text'])}</p>"
        if "text" in part
        else f'<img src="{_inline(folder / part["image"])}" alt="{escape(alt)}">'
        for part in parts
    )


@lru_cache(maxsize=512)
def _inline(path: Path) -> str:
    """The picture as a data address: without its file's name, which would tell the system."""
    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(buffer, "WEBP", quality=92)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def results_html(tallies: list[Tally]) -> str:
    """A table for every two systems: share of the decided votes with its Wilson interval, ties, and votes."""
    if not tallies:
        return '<p class="empty">No votes yet.</p>'
    pairs = dict.fromkeys((tally.first, tally.second) for tally in tallies)
    return "".join(
        _pair_html(*names, [t for t in tallies if (t.first, t.second) == names]) for names in pairs
    )


def _pair_html(first: str, second: str, tallies: list[Tally]) -> str:
    rows = "".join(_row_html(tally) for tally in tallies)
    return (
        f'<div class="pair"><h3>{escape(first)} <span>or</span> {escape(second)}</h3><table><thead><tr><th>Question</th>'
        f"<th>{escape(first)} wins</th><th>95 % interval</th><th>Ties</th><th>Votes</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row_html(tally: Tally) -> str:
    low, high = tally.interval
    share = tally.wins / tally.decided if tally.decided else 0.5
    bar = (
        f'<span class="bar" aria-hidden="true"><i style="left:{low:.1%};width:{high - low:.1%}"></i>'
        f'<b style="left:{share:.1%}"></b></span>'
    )
    wins = f"{share:.0%} of {tally.decided}" if tally.decided else "none decided"
    return (
        f'<tr><th scope="row">{QUESTIONS[tally.question]}</th><td>{bar}{wins}</td><td>{low:.0%} to {high:.0%}</td>'
        f"<td>{tally.ties}</td><td>{tally.decided + tally.ties}</td></tr>"
    )
