"""The pages for those who work on the house name only files that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("CONTRIBUTING.md", "docs/architecture.md", "docs/decisions.md")
NAMED = re.compile(r"`([\w./-]+/[\w./-]*|\w+\.md)`")
LINKED = re.compile(r"\]\(([^):#]+)(?:#[^)]*)?\)")
NOT_IN_GIT = ("runs/", "pictures/", "vokens/")
FOLDERS = ("", "demo", "demo/web/static", "demo/story", "minigpt5")  # that a short name may leave out


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = {name for name in NAMED.findall(text) if not name.startswith(("/", *NOT_IN_GIT))}
    missing = {name for name in named if not any((ROOT / folder / name).exists() for folder in FOLDERS)}
    assert not missing
    assert not {link for link in LINKED.findall(text) if not ((ROOT / page).parent / link).exists()}
