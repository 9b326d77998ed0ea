"""The pages' words in three languages: the tables are whole, nothing is said outside of them, and a browser sees them."""

import ast
import re
from pathlib import Path

import pytest
from browser_page import DRAW, PICTURE, Browser, Page, expect, open_page, send, wait_until_answered

from demo.chat.handlers import sentence
from demo.story.page_text import REMOTE, STAGE, STORY
from demo.web.theme import STATIC
from demo.web.wording import FOLDER, LANGUAGES, read_words, translations
from minigpt5 import MiniGPT5Error

DEMO = STATIC.parents[1]
SLOT = re.compile(r"\{(\w+)\}")
CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
TABLES = sorted(path.stem for path in FOLDER.glob("*.json"))
# Text in the scripts that nobody reads: names of keys, events, requests and attributes.
UNREAD = (
    "Enter Shift Ctrl Escape Esc Delete Backspace Home End PageDown PageUp ArrowLeft ArrowRight ArrowUp ArrowDown Arrow "
    "Files POST GET IDAT DPM-Solver++ DDIM PNDM X-Story-Owner Event Shift Ctrl"
).split()


def test_every_sentence_is_worded_in_every_language_with_the_same_slots() -> None:
    for table in TABLES:
        for english, wordings in read_words(table).items():
            assert len(wordings) == len(LANGUAGES) and all(wordings), english
            for worded in wordings:
                assert set(SLOT.findall(worded)) <= set(SLOT.findall(english)), (english, worded)
    assert len({len(table) for table in translations(*TABLES).translations.values()}) == 1


def test_two_tables_word_a_sentence_alike() -> None:
    seen: dict[str, object] = {}
    for table in TABLES:
        for english, wordings in read_words(table).items():
            assert seen.setdefault(english, wordings) == wordings, english


@pytest.mark.parametrize("script", sorted(STATIC.glob("**/*.js")), ids=lambda path: path.name)
def test_no_script_says_anything_outside_of_the_tables(script: Path) -> None:
    known = read_words(*TABLES)
    code = re.sub(
        r"^\s*//.*$|\s//\s.*$|/\*.*?\*/", "", script.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    said = re.findall(r'"((?:[^"\\\n]|\\.)*)"', code)
    sentences = {words for words in said if re.match(r"[A-Z][a-z]+|.*[a-z] [a-z]+ [a-z]+ [a-z]", words)}
    unknown = {words for words in sentences if words not in known and words.split(" ")[0] not in UNREAD}
    assert not {words for words in unknown if not re.search(r"[#<>=;]|^[a-z-]+( [a-z-]+)?$", words)}


def test_the_words_of_the_stories_are_in_the_table() -> None:
    assert {*STORY.values(), *STAGE.values(), *REMOTE.values()} <= set(read_words(*TABLES))


def labels(path: Path) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    named = (call for call in calls if ast.unparse(call.func) == "I18nData")
    return {call.args[0].value for call in named if isinstance(call.args[0], ast.Constant)}


def refusals(path: Path) -> list[str]:
    """The sentences of the user's mistakes in a file, with 7 for whatever is filled in."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        raised = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(raised, ast.Call) and ast.unparse(raised.func).endswith(
            ("StoryError", "ImageError", "MiniGPT5Error")
        ):
            words = raised.args[0]
            pieces = words.values if isinstance(words, ast.JoinedStr) else [words]
            if all(isinstance(piece, ast.Constant | ast.FormattedValue) for piece in pieces):
                found.append(
                    "".join(str(piece.value) if isinstance(piece, ast.Constant) else "7" for piece in pieces)
                )
    return [sentence(MiniGPT5Error(words)) for words in found]


def test_every_label_and_every_mistake_that_a_page_can_show_is_in_the_tables() -> None:
    known = read_words(*TABLES)
    patterns = [re.compile(SLOT.sub(".+", re.sub(r"([.*+?()|\[\]])", r"\\\1", english))) for english in known]
    for path in (DEMO / "chat/page.py", DEMO / "chat/settings.py", DEMO / "arena/page.py"):
        assert labels(path) <= set(known), path.name
    for name in (
        "chat/handlers.py",
        "chat/session.py",
        "store/files.py",
        "story/commands.py",
        "story/remote.py",
        "story/writing/premise.py",
    ):
        for told in refusals(DEMO / name):
            if " got " not in told:  # what only a script that is broken could send
                assert any(pattern.fullmatch(told) for pattern in patterns), told


@pytest.mark.parametrize("locale", ["ja-JP", "zh-CN"])
def test_chat_settings_dialog_list_and_stories_speak_the_readers_language(
    browser: Browser, address: str, foreign: list[str], locale: str
) -> None:
    column = LANGUAGES.index(locale[:2])
    known = read_words(*TABLES)

    def worded(english: str) -> str:
        return known[english][column]

    page = open_page(browser, address, foreign, locale=locale)
    expect(page.locator("html")).to_have_attribute("lang", locale[:2])
    for place, english in (
        (".welcome h2", "Say what you would like to see."),
        ("#new", "New chat"),
        ("nav.pages a[aria-current]", "Chat"),
    ):
        expect(page.locator(place)).to_have_text(worded(english))
    expect(page.locator("#composer textarea")).to_have_attribute(
        "placeholder", worded("Ask for a picture or a story…")
    )
    page.click("#settings .toggle-button")
    assert leftovers(page, "#settings", known, column) == []
    page.click("#settings .toggle-button")
    send(page, DRAW)
    expect(page.locator("#stage .pill")).to_have_text(CJK)
    wait_until_answered(page)
    assert leftovers(page, "#chat .tools, #chat .bot-row [data-testid=block-label]", known, column) == []
    page.locator(PICTURE).first.click()
    expect(page.locator("#desk .film button")).to_have_count(1)
    assert leftovers(page, "#desk", known, column) == []
    page.keyboard.press("Escape")
    page.goto(f"{address}story")
    expect(page.locator("#story-book h1")).to_have_text(worded("What shall the story be about?"))
    assert leftovers(page, "#story-book", known, column) == []
    page.context.close()


LEFT = """(nodes) => nodes.flatMap((root) => [...root.querySelectorAll("*")].flatMap((node) => [
  ...[...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.nodeValue.trim()),
  ...["aria-label", "title", "placeholder"].map((name) => node.getAttribute(name))])).filter(Boolean)"""


def leftovers(page: Page, place: str, known: dict[str, list[str]], column: int) -> list[str]:
    """English sentences of the tables that are still to be read there."""
    page.wait_for_timeout(300)
    shown = page.locator(place).evaluate_all(LEFT)
    return [words for words in shown if words in known and known[words][column] != words]
