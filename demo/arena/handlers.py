"""What happens in the arena: the next pair of a rater, a vote, the results. `arena.page` wires it."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import gradio as gr

from demo.arena.comparisons import Comparison, in_order_of
from demo.arena.views import history_html, progress_html, results_html, side_html
from demo.arena.votes import QUESTIONS, Vote, VoteStore
from demo.guard.input.shapes import ID, read

SIDES = ("A", "B")


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
            return None, progress_html(thanks), "", "", "", *clear, gr.Column(visible=False)
        pair = left[0]
        progress = progress_html(f"{pair.title} · pair {total - len(left) + 1} of {total}")
        sides = [
            side_html(name, a.parts, pair.folder)
            for name, a in zip(SIDES, (pair.left, pair.right), strict=True)
        ]
        return pair, progress, history_html(pair), *sides, *clear, gr.Column(visible=True)

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
