"""Links that a user types lead to what was typed, and nothing else that is typed becomes one."""

import pytest
from browser_page import Browser, open_page, send, wait_until_answered
from served import Served

from demo.chat.views.messages import escape_markdown

LINKS = {
    "https://example.org/a_b/c*d*e?x=1&y=_2_~z": None,
    "see http://example.org/~me/a__b__c.": "http://example.org/~me/a__b__c",
    "(https://en.wikipedia.org/wiki/Fox_(animal))": "https://en.wikipedia.org/wiki/Fox_(animal)",
    "https://example.org/#-+!a|b": None,
    "mail a_b.c@example.org, please": "mailto:a_b.c@example.org",
    "www.example.org/a_b*c*": "http://www.example.org/a_b*c",
    "[words](https://example.org/a_b)": "https://example.org/a_b",
    "**https://example.org/a_b**": "https://example.org/a_b",
    "https://example.org/\u00e9_\u4e2d": None,
}
NONE = [
    "javascript:alert(1)",
    "<https://",
    "https://",
    "http:// x_y",
    "data:text/html,_x_",
    "a_b *c* <b>d</b> [e](f)",
    "www.",
]


@pytest.mark.parametrize("typed", LINKS)
def test_a_typed_link_leads_where_it_says(browser: Browser, app: Served, typed: str) -> None:
    page = open_page(browser, app.address, [])
    send(page, typed)
    wait_until_answered(page)
    link = page.locator("#chat .user-row a[href]").first
    wanted = LINKS[typed] or typed
    same = "([a, b]) => decodeURI(new URL(a).href) === decodeURI(new URL(b).href)"
    assert page.evaluate(same, [link.get_attribute("href"), wanted]), link.get_attribute("href")
    assert page.locator("#chat .user-row").first.inner_text().strip() == typed
    page.context.close()


def test_what_is_no_link_stays_text(browser: Browser, app: Served) -> None:
    page = open_page(browser, app.address, [])
    for number, typed in enumerate(NONE, 1):
        send(page, typed)
        wait_until_answered(page, number)
    rows = page.locator("#chat .user-row")
    assert [text.strip() for text in rows.all_inner_texts()] == NONE
    assert page.locator("#chat .user-row a[href]").count() == 0
    page.context.close()


def test_escaping_keeps_every_character_of_a_long_text_of_nothing_but_marks() -> None:
    for typed in ("https://" * 5000, "a@" * 20_000, "www." * 20_000, "_*`" * 20_000, "." * 60_000 + "@"):
        assert escape_markdown(typed).replace("\\", "").replace("<", "").replace(">", "").count(
            typed[0]
        ) >= typed.count(typed[0])
