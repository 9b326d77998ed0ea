"""The pages' words in other languages: tables of English sentences and their translations, for Gradio and for the
scripts.

English stands in the code and is the key; `translations/*.json` have Japanese and simplified Chinese. Gradio
translates its components' labels by `translations`, `static/shared/wording.js` everything else. Called by `theme`,
`site`, the arena and the story pages; knows nothing of where a sentence is shown.
"""

import json
from pathlib import Path

import gradio as gr

FOLDER = Path(__file__).resolve().parent / "translations"
LANGUAGES = ("ja", "zh")  # the columns of the tables
TAGS = {"ja": ("ja",), "zh": ("zh", "zh-CN", "zh-TW")}  # as Gradio names them
CHAT_PAGES = ("chat", "inspector", "story")
ARENA_PAGES = ("chat", "arena")

Table = dict[str, list[str]]


def read_words(*names: str) -> Table:
    """The tables of these names in one: English -> its wordings, in the order of `LANGUAGES`."""
    words: Table = {}
    for name in names:
        words |= json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return words


def words_script(*names: str) -> str:
    """The tables as a script that must load before `static/shared/wording.js`."""
    table = json.dumps(read_words(*names), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f"(window.minigpt5 ||= {{}}).words = {table};"


def translations(*names: str) -> gr.I18n:
    """The tables for Gradio, which chooses by the browser's language as `static/shared/wording.js` does."""
    words = read_words(*names)
    tables = {"en": {english: english for english in words}}
    for column, language in enumerate(LANGUAGES):
        worded = {english: wordings[column] for english, wordings in words.items()}
        tables |= {tag: worded for tag in TAGS[language]}
    return gr.I18n(**tables)
