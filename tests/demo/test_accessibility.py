"""For everyone: axe-core finds nothing, no page is cut off on a small phone, and the keyboard is enough."""

import re
from collections.abc import Iterator

import pytest
from arena_results import write_results
from browser_page import DRAW, LABEL, PICTURE, Browser, Page, expect, open_page, send, wait_until_answered
from running_app import ROOT, running

sync_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALL = {"width": 360, "height": 740}
WIDE = {"width": 1280, "height": 900}
# what may be wider than the screen and scrolls by itself is none of it
CUT_OFF = """() => [...document.querySelectorAll("main *, header *, footer *, #story-book *")].filter((node) => {
  const box = node.getBoundingClientRect(), style = getComputedStyle(node);
  if (!box.width || !box.height || style.visibility === "hidden" || node.closest("[inert], .sidebar:not(.open), .said, .unseen, .skip, svg, [role=tooltip]")) return false;
  for (let up = node.parentElement; up; up = up.parentElement) if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX) && up.scrollWidth > up.clientWidth) return false;
  return box.right > innerWidth + 1 || box.left < -1;
}).map((node) => node.tagName + "." + node.className).slice(0, 5)"""
SIDEWAYS = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth"
WEIGHTS = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((one) => [one.name, one.transferSize])"""
MOVING = """() => [...document.getAnimations()].filter((one) => one.playState === "running" && one.effect.getComputedTiming().duration > 20).length"""


def small_targets(page: Page, controls: str) -> list[str]:
    """Of the visible `controls` those that a thumb would miss."""
    return page.locator(controls).evaluate_all(
        """(nodes) => nodes.map((node) => [node.id || node.className || node.textContent, node.getBoundingClientRect()])
        .filter(([, box]) => box.width && (box.width < 39.5 || box.height < 39.5)).map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
    )


def violations(page: Page, state: str) -> list[str]:
    """What axe-core finds, one line each."""
    page.wait_for_timeout(450)  # what moves has come to rest
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    found = sync_playwright.Axe().run(page, options=options).response["violations"]
    return [f"{state}: {one['id']} {[node['target'] for node in one['nodes'][:4]]}" for one in found]


def chat_states(page: Page) -> Iterator[str]:
    yield "welcome"
    page.click("#history .toggle-button")
    yield "history open"
    page.click("#history .toggle-button")
    page.click("#settings .toggle-button")
    yield "settings open"
    page.click("#settings .toggle-button")
    send(page, DRAW)
    expect(page.locator(LABEL).first).to_contain_text("seed")
    wait_until_answered(page)
    yield "with a picture"
    page.locator(PICTURE).first.click()
    expect(page.locator("#desk .film button")).to_have_count(1)
    yield "picture dialog open"
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    yield "keys"
    page.keyboard.press("Escape")


def story_states(page: Page) -> Iterator[str]:
    yield "new story"
    page.fill("#premise", "Pip the blue rabbit finds a red balloon on the beach")
    page.click("#write-first")
    expect(page.locator("#story-book .spread figure img[src^=gradio_api]")).to_have_count(1)
    expect(page.locator("#write-next")).to_be_visible()
    yield "a story"
    page.click("#open-stage")
    expect(page.locator(".slide.on h1")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1000)
    yield "stage"
    page.keyboard.press("r")
    link = page.locator("dialog[open] a").inner_text()
    yield "remote's code"
    page.goto(link)
    expect(page.locator("#now")).not_to_be_empty()
    yield "remote"


def arena_states(page: Page) -> Iterator[str]:
    expect(page.locator("#sides article img")).to_have_count(2)
    yield "arena"
    page.get_by_role("tab").nth(1).click()
    expect(page.locator("#results .empty")).to_be_visible()
    yield "arena results"


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    results = write_results(tmp_path_factory.mktemp("arena"))
    with running((str(ROOT / "app.py"), "--arena", str(results))) as url:
        yield url


@pytest.mark.parametrize(("scheme", "size"), [("light", SMALL), ("dark", WIDE)])
def test_every_state_is_clean_and_fits(
    browser: Browser, address: str, arena: str, foreign: list[str], scheme: str, size: dict[str, int]
) -> None:
    options = {"color_scheme": scheme, "viewport": size, "reduced_motion": "reduce"}
    page = open_page(browser, address, foreign, **options)
    found = list(look(page, chat_states, size))
    page.goto(f"{address}story")
    page.wait_for_selector("#premise")
    found += look(page, story_states, size)
    page.context.close()
    context = browser.new_context(**options)
    context.on(
        "request",
        lambda request: (
            None if request.url.startswith((arena, "data:", "blob:")) else foreign.append(request.url)
        ),
    )
    page = context.new_page()
    page.goto(arena)
    found += look(page, arena_states, size)
    context.close()
    assert not found, "\n".join(found)


CONTROLS = (
    "#new, #composer button.submit-button, #composer .upload-button, .sidebar .toggle-button, #desk .making button, #desk .taking button, "
    "#story-book .actions button, #story-book .composer button, #story-book .scene-actions button, #controls button, #asking button, #vote"
)


def look(page: Page, states, size: dict[str, int]) -> Iterator[str]:
    for state in states(page):
        yield from violations(page, state)
        if page.evaluate(SIDEWAYS) > 0:
            yield f"{state}: scrolls sideways"
        if cut := page.evaluate(CUT_OFF):
            yield f"{state}: cut off {cut}"
        if moving := page.evaluate(MOVING):
            yield f"{state}: {moving} things move, although the reader wants none to"
        if size is SMALL and (small := small_targets(page, CONTROLS)):
            yield f"{state}: too small for a thumb {small}"


def test_the_keyboard_has_its_ways(page: Page) -> None:
    first = "[...document.querySelectorAll('a, button, input, textarea')].find((node) => node.offsetParent || node.matches('.skip')).className"
    assert page.evaluate(first) == "skip"
    page.locator("a.skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#composer textarea")).to_be_focused()
    page.keyboard.type("/n?")
    expect(page.locator("#composer textarea")).to_have_value("/n?")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.locator("#keyboard kbd").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keyboard")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.locator("#composer textarea")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.locator("#history .search")).to_be_focused()


def test_the_pages_weigh_little_beyond_gradios_own_files(page: Page, address: str) -> None:
    for path in ("", "story", "stage"):
        page.goto(f"{address}{path}")
        page.wait_for_timeout(2000)
        weights = dict(page.evaluate(WEIGHTS))
        own = {name: size for name, size in weights.items() if not re.search("/(assets|static)/", name)}
        assert 0 < sum(own.values()) < 2**20, own
