"""The figures of `gpu_full_size` as markdown: each beside what was planned, what is asked, and what is possible."""

from collections.abc import Iterator
from typing import Any

Figures = dict[str, Any]

PLAN_BARS = {"4bit": 10.5, "8bit": 13.5, "bf16": 20.0}  # GB, planned
WITHIN = 0.10  # of the plan, the measured peak
RATE_BAR = 35  # tokens a second, 4-bit, eager
SPEED_UP_BAR = 2  # of it by compiling
BANDWIDTH_BAR = 0.60  # of the limit, bf16, compiled
PICTURE_BAR = 0.5  # seconds at 25 steps


def markdown(report: Figures) -> str:
    """The whole report."""
    return "\n".join(
        [*_heading(report["facts"]), *_memory(report), *_words(report), *_pictures(report), *_bars(report)]
    )


def _heading(facts: Figures) -> Iterator[str]:
    yield (
        "# Full size on a GPU" if not facts["reduced"] else "# A reduced model: no measurement of the paper's"
    )
    yield ""
    yield (
        f"{facts['device']}, torch {facts['torch']}; measured in the same run: {facts['bytes per second'] / 1e9:.0f}"
        f" GB/s (copy), {facts['flops per second'] / 1e12:.1f} TFLOP/s (bfloat16 product). Random weights; replies are"
        " greedy, of a fixed length, with a forced picture at the end."
    )


def _memory(report: Figures) -> Iterator[str]:
    yield from ("", "## Memory", "")
    yield from _header("LLM", "part", "planned, GB", "measured, GB", "measured / planned")
    for mode, figures in report["modes"].items():
        for row in figures.get("memory", {}).get("rows", []):
            planned, measured = row["planned"], row["measured"]
            found = ["not measured"] * 2
            if measured is not None:
                found = [f"{measured / 1e9:.2f}", f"{measured / planned:.2f}"]
            yield _row(mode, row["part"], f"{planned / 1e9:.2f}", *found)
    if any(row["measured"] is None for row in _memory_rows(report)):
        yield from ("", "A CPU does not tell what its tensors take, so that nothing is measured here.")


def _words(report: Figures) -> Iterator[str]:
    yield from ("", "## Words", "")
    yield from _header(
        "LLM",
        "built in, s",
        "how",
        "first token, s",
        "tokens/s",
        "limit, tokens/s",
        "of the limit",
        "compiled in, s",
    )
    for mode, figures in report["modes"].items():
        for section, how in (("words", "eager"), ("words, compiled", "compiled")):
            if section in figures:
                values = figures[section]
                yield _row(
                    mode,
                    f"{figures['load']['seconds']:.1f}",
                    how,
                    f"{values['time to first token']:.3f}",
                    f"{values['tokens per second']:.1f}",
                    f"{_rate_limit(report, values):.1f}",
                    f"{values['tokens per second'] / _rate_limit(report, values):.0%}",
                    f"{values['compile seconds']:.0f}" if "compile seconds" in values else "",
                )
        if "error" in figures:
            yield _row(mode, "", f"failed: {figures['error']}", "", "", "", "", "")
    yield from ("", "The limit: the weights that a token reads, over the bandwidth.")


def _pictures(report: Figures) -> Iterator[str]:
    yield from ("", "## Pictures", "")
    yield from _header("how", "scheduler", "steps", "seconds", "limit, s", "of the limit")
    peak = report["facts"]["flops per second"]
    for row in _picture_rows(report):
        limit = row["flops"] / peak
        cells = (row["scheduler"], str(row["steps"]), f"{row['seconds']:.3f}", f"{limit:.3f}")
        yield _row(row["how"], *cells, f"{limit / row['seconds']:.0%}")
    yield from (
        "",
        "The limit: the operations of all steps, with guidance, and of the decoder, over the peak rate.",
    )


def _bars(report: Figures) -> Iterator[str]:
    yield from ("", "## Bars", "")
    yield from _header("bar", "measured", "met")
    if report["facts"]["reduced"]:
        yield _row("those of the full size", "not measured: this model is reduced", "")
        return
    for bar, measured, met in _measured_bars(report):
        yield _row(bar, measured, "yes" if met else "no")


def _measured_bars(report: Figures) -> Iterator[tuple[str, str, bool]]:
    modes = report["modes"]
    for mode, bar in PLAN_BARS.items():
        if rows := modes.get(mode, {}).get("memory", {}).get("rows"):
            planned, measured = rows[-1]["planned"] / 1e9, (rows[-1]["measured"] or 0) / 1e9
            yield f"{mode}: plan <= {bar} GB", f"{planned:.2f} GB", planned <= bar
            yield (
                f"{mode}: peak within {WITHIN:.0%} of it",
                f"{measured:.2f} GB",
                abs(measured / planned - 1) <= WITHIN,
            )
    eager, compiled = (modes.get("4bit", {}).get(section) for section in ("words", "words, compiled"))
    if eager:
        rate = eager["tokens per second"]
        yield f"4bit: >= {RATE_BAR} tokens/s eager", f"{rate:.1f}", rate >= RATE_BAR
    if eager and compiled:
        gain = compiled["tokens per second"] / eager["tokens per second"]
        yield f"4bit: >= {SPEED_UP_BAR}x compiled", f"{gain:.2f}x", gain >= SPEED_UP_BAR
    if half := modes.get("bf16", {}).get("words, compiled"):
        share = half["tokens per second"] / _rate_limit(report, half)
        yield (
            f"bf16: >= {BANDWIDTH_BAR:.0%} of the bandwidth limit, compiled",
            f"{share:.0%}",
            share >= BANDWIDTH_BAR,
        )
    if drawn := [row["seconds"] for row in _picture_rows(report) if row["steps"] == 25]:
        yield f"a picture of 25 steps <= {PICTURE_BAR} s", f"{min(drawn):.2f} s", min(drawn) <= PICTURE_BAR


def _rate_limit(report: Figures, values: Figures) -> float:
    return report["facts"]["bytes per second"] / values["weights read per token, bytes"]


def _memory_rows(report: Figures) -> list[Figures]:
    return [row for figures in report["modes"].values() for row in figures.get("memory", {}).get("rows", [])]


def _picture_rows(report: Figures) -> list[Figures]:
    return [
        row for figures in report["modes"].values() for row in figures.get("pictures", {}).get("rows", [])
    ]


def _header(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield _row(*["---"] * len(names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
