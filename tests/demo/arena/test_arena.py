"""The arena: pairs from a folder, votes in a database, and the page in a real browser at two widths."""

import csv
from pathlib import Path

import pytest
from arena_results import SYSTEMS, write_results
from running_app import ROOT, running

from demo.arena.comparisons import ArenaError, in_order_of, read_comparisons
from demo.arena.views import results_html
from demo.arena.votes import Tally, Vote, VoteStore, wilson

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")


def vote(pair: str = "p", rater: str = "r", left: str = "MiniGPT-5", **choices: str) -> Vote:
    right = next(name for name in SYSTEMS if name != left)
    return Vote(
        rater, pair, left, right, **({"language": "left", "pictures": "tie", "coherence": "right"} | choices)
    )


@pytest.fixture
def store(tmp_path):
    return VoteStore(f"sqlite:///{tmp_path / 'votes.sqlite'}")


def test_every_task_that_two_systems_answered_is_a_pair(tmp_path):
    pairs = read_comparisons(write_results(tmp_path))
    assert [{pair.left.system, pair.right.system} for pair in pairs] == [set(SYSTEMS)] * 2
    assert read_comparisons(tmp_path / "steps") == pairs


def test_a_folder_without_pairs_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ArenaError, match="expected a folder that `evaluate --paper` has written"):
        read_comparisons(write_results(tmp_path, rated=False))


def test_order_and_sides_differ_between_raters_and_stay_for_one(tmp_path):
    pairs = read_comparisons(write_results(tmp_path, tasks=40))
    one, again, other = (in_order_of(rater, pairs) for rater in ("ada", "ada", "grace"))
    assert one == again != other
    assert {pair.id for pair in one} == {pair.id for pair in other}
    assert 10 < sum(pair.left.system == "MiniGPT-5" for pair in one) < 30


def test_a_rater_votes_once_on_a_pair(store):
    assert store.cast(vote())
    assert not store.cast(vote(language="tie"))
    assert store.cast(vote(rater="another"))
    assert store.rated("r") == {"p"}
    assert [kept.language for _, kept in store.votes()] == ["left", "left"]


def test_a_choice_that_is_none_is_refused():
    with pytest.raises(ValueError, match="pictures: got 'both'"):
        vote(pictures="both")


def test_wins_are_counted_for_the_system_whichever_side_it_stood_on(store):
    store.cast(vote("p1", left="MiniGPT-5"))
    store.cast(vote("p2", left="two-stage", language="right"))
    tallies = {tally.question: tally for tally in store.tallies()}
    assert (tallies["language"].first, tallies["language"].wins, tallies["language"].losses) == (
        "MiniGPT-5",
        2,
        0,
    )
    assert tallies["pictures"].ties == 2
    assert (tallies["coherence"].wins, tallies["coherence"].losses) == (1, 1)


def test_wilson_is_the_textbook_interval():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0, 1)


def test_votes_can_be_taken_away_as_csv(store, tmp_path):
    store.cast(vote())
    with store.export(tmp_path / "votes.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["rater"], row["left"], row["language"]) == ("r", "MiniGPT-5", "left")


def test_results_name_the_systems_and_escape_them():
    table = results_html([Tally("<a>", "b", "language", 3, 1, 2)])
    assert "&lt;a&gt; wins" in table
    assert "75% of 4" in table


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_a_rater_compares_by_keyboard_and_sees_the_results(tmp_path, width, height):
    results = write_results(tmp_path)
    with (
        running((str(ROOT / "app.py"), "--arena", str(results))) as address,
        sync_api.sync_playwright() as playwright,
    ):
        where = {"executable_path": str(CHROMIUM)} if CHROMIUM.exists() else {}
        browser = playwright.chromium.launch(args=["--no-sandbox", "--disable-gpu"], **where)
        page = browser.new_page(viewport={"width": width, "height": height})
        expect = sync_api.expect
        expect.set_options(timeout=60_000)
        page.goto(address)
        expect(page.locator("#sides article img")).to_have_count(2)
        expect(page.locator("#progress")).to_contain_text("pair 1 of 2")
        expect(page.locator("#history b")).to_have_count(0)  # words are words, whatever is in them
        assert "two-stage" not in page.content()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("Enter")
        expect(page.locator("#notice")).to_contain_text("language continuity, picture quality")
        for key in ("1", "2", "3", "ArrowLeft"):  # the arrow changes the last answer from B to a tie
            page.keyboard.press(key)
        expect(page.locator("input:checked")).to_have_count(3)
        page.keyboard.press("Enter")
        expect(page.locator("#progress")).to_contain_text("pair 2 of 2")
        expect(page.locator("input:checked")).to_have_count(0)
        page.reload()
        expect(page.locator("#progress")).to_contain_text("pair 2 of 2")
        page.get_by_role("tab", name="Results").click()
        expect(page.locator("#results")).to_contain_text("MiniGPT-5 or two-stage")
        browser.close()
    ((_, kept),) = VoteStore(f"sqlite:///{results / 'votes.sqlite'}").votes()
    assert (kept.language, kept.pictures, kept.coherence) == ("left", "tie", "tie")
