"""The head of the chat page and the text of an empty chat, as plain HTML with every fact escaped; called by
`chat.page`.
"""

from collections.abc import Mapping
from html import escape

from demo.web.theme import logo_svg

QUANTIZATIONS = {"none": "not quantized", "4bit": "4-bit weights", "8bit": "8-bit weights"}
KNOWS = "words and pictures"
PAGES = (("Chat", "./"), ("Stories", "story"))  # what the head links to; all pages lie side by side


def header_html(name: str, description: Mapping[str, object], page: str = "Chat") -> str:
    """Which model runs, on what, in which precision; and the way to the other pages from `page`."""
    quantization = str(description.get("quantization") or "none")
    facts = (
        description.get("model") or name,
        f"on {description.get('device', 'an unknown device')}",
        description.get("dtype", "unknown precision"),
        QUANTIZATIONS.get(quantization, quantization),
    )
    chips = "".join(f'<span class="chip">{escape(str(fact))}</span>' for fact in facts)
    brand = f'<div class="brand">{logo_svg()}<div><h1>MiniGPT-5</h1><p class="facts">{chips}</p></div></div>'
    return f"{brand}{_links(page)}"


def _links(page: str) -> str:
    if len(PAGES) < 2:
        return ""
    links = (
        f'<a href="{address}"{" aria-current=page" if name == page else ""}>{escape(name)}</a>'
        for name, address in PAGES
    )
    return f'<nav class="pages" aria-label="Pages">{"".join(links)}</nav>'


def placeholder_html(description: Mapping[str, object]) -> str:
    """The empty chat: what can be done here, and what the model knows."""
    knows = str(description.get("knows") or KNOWS).strip().rstrip(".")
    return (
        '<div class="welcome"><h2>Say what you would like to see.</h2>'
        "<p>Words and pictures come in one reply. Show a picture, and the story goes on from it.</p>"
        f'<p class="knows">This model knows {escape(knows)}.</p></div>'
    )
