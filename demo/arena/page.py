"""The arena's page: two anonymous continuations side by side, three questions, live results (the paper's human
evaluation). `app.py --arena` starts it instead of the chat.

Which system stands on which side is decided anew for each rater and pair; the page never holds a system's name before
the vote, file names included: pictures are sent inside the page.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.i18n import I18nData

from demo.arena.comparisons import read_comparisons
from demo.arena.handlers import SIDES, ArenaHandlers
from demo.arena.votes import QUESTIONS, VoteStore
from demo.guard.failures import ToldBlocks
from demo.guard.gate import LOOPBACK, Protection, guarded
from demo.guard.picture_access import PrivatePictures
from demo.guard.presence import Presence
from demo.web.actions import QUIET
from demo.web.theme import STATIC, logo_svg, page_head, storybook_theme
from demo.web.wording import ARENA_PAGES, translations

ASKED = {
    "language": "Whose words go on more naturally from what came before?",
    "pictures": "Whose picture is better drawn and clearer?",
    "coherence": "Where do words and picture belong together, and to the story, more closely?",
}
CHOICES = [("A", "left"), (I18nData("Tie"), "tie"), ("B", "right")]
REFRESH_SECONDS = 5
ARENA_SHARE = 16  # jobs of one address at once
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
