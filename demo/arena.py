"""The arena: two anonymous continuations side by side, three questions, live results (the paper's human evaluation).

Which system stands on which side is decided anew for each rater and pair; the page never holds a system's name before
the vote, file names included: pictures are sent inside the page.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import gradio as gr
from gradio.i18n import I18nData
from PIL import Image

from demo.arena_pairs import Comparison, Parts, in_order_of, read_comparisons
from demo.arena_votes import QUESTIONS, Tally, Vote, VoteStore
from demo.guard.failures import ToldBlocks
from demo.guard.gate import LOOPBACK, Protection, guarded
from demo.guard.input.shapes import ID, read
from demo.guard.picture_access import PrivatePictures
from demo.guard.presence import Presence
from demo.web.theme import STATIC, logo_svg, page_head, storybook_theme
from demo.web.wording import ARENA_PAGES, translations

ASKED = {
    "language": "Whose words go on more naturally from what came before?",
    "pictures": "Whose picture is better drawn and clearer?",
    "coherence": "Where do words and picture belong together, and to the story, more closely?",
}
CHOICES = [("A", "left"), (I18nData("Tie"), "tie"), ("B", "right")]
SIDES = ("A", "B")
REFRESH_SECONDS = 5
ARENA_SHARE = 16  # jobs of one address at once
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# A rater is a browser. The number is of no person, and stays in the browser.
RATER_JS = """() => {
  let id = localStorage.getItem("minigpt5-rater");
  if (!id) {
    id = [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, "0")).join("");
    localStorage.setItem("minigpt5-rater", id);
  }
  return id;
}"""
TOP_JS = "() => { document.activeElement?.blur(); window.scrollTo({ top: 0 }); }"  # a new pair is read from its top


@dataclass(frozen=True)
class ArenaHandlers:
    """What the page does; it holds the pairs and the votes, and nothing of a rater."""

    comparisons: list[Comparison]
    store: VoteStore

    def show(self, rater: str) -> tuple[Any, ...]:
        """The rater's next pair: state, progress, history, both sides, the questions unanswered, the form."""
        rater = read(ID, rater, "rater")
        done = self.store.rated(rater)
        left = [pair for pair in in_order_of(rater, self.comparisons) if pair.id not in done]
        total = len(self.comparisons)
        clear = [gr.Radio(value=None) for _ in QUESTIONS]
        if not left:
            thanks = f"You have compared all {total} pairs. Thank you! The results are in the next tab."
            return None, _progress(thanks), "", "", "", *clear, gr.Column(visible=False)
        pair = left[0]
        progress = _progress(f"{pair.title} · pair {total - len(left) + 1} of {total}")
        sides = [
            _side(name, a.parts, pair.folder) for name, a in zip(SIDES, (pair.left, pair.right), strict=True)
        ]
        return pair, progress, _history(pair), *sides, *clear, gr.Column(visible=True)

    def vote(self, rater: str, pair: Comparison | None, *choices: str | None) -> tuple[Any, ...]:
        """Keep the vote and go on; with a question unanswered stay, and say so."""
        if pair is None:
            return "", *self.show(rater)
        rater = read(ID, rater, "rater")
        answered = dict(zip(QUESTIONS, choices, strict=True))
        if missing := [QUESTIONS[name].lower() for name, choice in answered.items() if not choice]:
            return f"Please say also: {', '.join(missing)}.", *(gr.skip() for _ in range(6 + len(QUESTIONS)))
        given = {name: str(choice) for name, choice in answered.items()}
        kept = self.store.cast(Vote(rater, pair.id, pair.left.system, pair.right.system, **given))
        return "" if kept else "You had voted on that pair before.", *self.show(rater)

    def results(self) -> str:
        """The table of all votes so far."""
        return results_html(self.store.tallies())

    def export(self) -> str:
        """A CSV file of all votes."""
        return str(self.store.export(Path(mkdtemp()) / "votes.csv"))


def create_arena(results: Path, votes: str | None = None) -> gr.Blocks:
    """The arena page over a results folder; `votes` is an SQLAlchemy URL, `votes.sqlite` in the folder by default.

    Raises `ArenaError` where there are no two systems to compare. Launch it with `arena_launch_options()`.
    """
    comparisons = read_comparisons(results)
    handlers = ArenaHandlers(
        comparisons, VoteStore(votes or f"sqlite:///{results.resolve() / 'votes.sqlite'}")
    )
    with ToldBlocks(title="Arena · MiniGPT-5", analytics_enabled=False, fill_width=True) as demo:
        gr.HTML(_header(), elem_id="arena-header", padding=False)
        with gr.Tabs(elem_id="arena-tabs"):
            with gr.Tab(I18nData("Compare"), id="compare"):
                _compare_tab(demo, handlers)
            with gr.Tab(I18nData("Results"), id="results") as tab:
                _results_tab(tab, handlers)
    demo.queue()
    return demo


def arena_launch_options(demo: gr.Blocks, protection: Protection = LOOPBACK) -> dict[str, Any]:
    """What `demo.launch` must be given for the arena to look as it is meant to, safely and offline."""
    return {
        "theme": storybook_theme(),
        "css_paths": [STATIC / name for name in ("shared/style.css", "arena/arena.css", "shared/keys.css")],
        "i18n": translations(*ARENA_PAGES),
        "head": page_head(*ARENA_PAGES)
        + f"<script>{(STATIC / 'arena/arena.js').read_text(encoding='utf-8')}</script>",
        "app_kwargs": guarded(demo, protection, PrivatePictures(), Presence(demo, share=ARENA_SHARE)),
        "favicon_path": STATIC / "logo.svg",
        "show_error": False,
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "strict_cors": True,
    }


def _compare_tab(demo: gr.Blocks, handlers: ArenaHandlers) -> None:
    rater, pair = gr.Textbox(visible=False), gr.State(None)
    progress = gr.HTML("", elem_id="progress", padding=False)
    history = gr.HTML("", elem_id="history", padding=False)
    with gr.Row(elem_id="sides", equal_height=True):
        sides = [gr.HTML("", elem_classes="side", padding=False) for _ in SIDES]
    with gr.Column(elem_id="form") as form:
        questions = [
            gr.Radio(CHOICES, label=I18nData(title), info=I18nData(ASKED[name]), elem_id=name)
            for name, title in QUESTIONS.items()
        ]
        notice = gr.Markdown("", elem_id="notice", container=False)
        button = gr.Button(I18nData("Vote"), elem_id="vote", variant="primary")
        gr.HTML(
            "<p>Keyboard: 1, 2 and 3 answer the next question with A, Tie or B; arrows change an answer; Enter votes.</p>",
            elem_id="keys",
            padding=False,
        )
    shown = [pair, progress, history, *sides, *questions, form]
    demo.load(lambda known: known, rater, rater, js=RATER_JS, **QUIET).then(
        handlers.show, rater, shown, **QUIET
    )
    voted = button.click(handlers.vote, [rater, pair, *questions], [notice, *shown], **QUIET)
    voted.success(None, None, None, js=TOP_JS, **QUIET)


def _results_tab(tab: gr.Tab, handlers: ArenaHandlers) -> None:
    table = gr.HTML(handlers.results, elem_id="results", padding=False)
    download = gr.DownloadButton(I18nData("All votes as CSV"), elem_id="export", size="sm")
    download.click(handlers.export, None, download, **QUIET)
    refresh: Callable[[], str] = handlers.results
    gr.Timer(REFRESH_SECONDS).tick(refresh, None, table, **QUIET)
    tab.select(refresh, None, table, **QUIET)


def _header() -> str:
    return (
        f'<div class="brand">{logo_svg()}<div><h1>Which continuation is better?</h1>'
        "<p>Two models went on from the same story. You are not told which is which.</p></div></div>"
    )


def _progress(text: str) -> str:
    return f'<p class="progress" role="status">{escape(text)}</p>'


def _history(pair: Comparison) -> str:
    turns = "".join(
        f'<div class="turn {escape(role)}">{_parts_html(parts, pair.folder, "Picture of the story so far")}</div>'
        for role, parts in pair.history
    )
    return f'<section aria-label="What came before">{turns}</section>'


def _side(name: str, parts: Parts, folder: Path) -> str:
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
