"""Chats by script: the model answers what is not given, the records outlive the run, the shares have intervals."""

import json
from dataclasses import replace

import pytest

from minigpt5.data.storybook.texts.turns import Picture, assistant, user
from minigpt5.data.storybook.world.scene import Figure, Scene
from minigpt5.evaluation.wide.measures import Measure, figures_of, table, trials_of
from minigpt5.evaluation.wide.trials import Answer, Ask, Case, Records, Share, Trial, answer, given, shares
from minigpt5.options import GenerationOptions

SHORT = GenerationOptions(num_inference_steps=1, max_new_tokens=4)
BEAR = Scene((Figure("bear", "brown"),))


class Watching:
    """A judge that sees a bear in every picture, and counts them."""

    def __init__(self):
        self.pictures = 0

    def name(self, pictures):
        self.pictures += len(pictures)
        return [{"figure": "bear"} for _ in pictures]


def saying(*words):
    """A rule that wants the first answer to be one of these words."""
    return lambda answers: {"right": answers[0].said in words}


def test_every_turn_that_is_not_given_is_answered_and_its_pictures_are_judged(engine):
    judge = Watching()
    case = Case(
        (Ask(("Draw a bear",), pictures="always"), Ask(("Hello",), ("Hi.", BEAR)), Ask((BEAR, "Who?"))),
        saying(""),
    )
    answers, _ = answer(engine, judge, case, replace(SHORT, pictures="auto"))
    assert len(answers) == 2
    assert answers[0].first == {"figure": "bear"}
    assert judge.pictures == len(answers[0].seen) + len(answers[1].seen)


def test_a_picture_that_nobody_looks_at_is_not_judged(engine):
    judge = Watching()
    answers, pictures = answer(
        engine, judge, Case((Ask(("x",), pictures="always", drawn=False),), saying()), SHORT
    )
    assert pictures and answers[0].seen
    assert not answers[0].first
    assert judge.pictures == 0


def test_exchanges_of_a_document_become_given_answers():
    turns = (
        user("Draw a bear"),
        assistant("Here is a bear.", Picture(BEAR)),
        user("Hi"),
        assistant("Hello!"),
    )
    assert given(turns) == (Ask(("Draw a bear",), ("Here is a bear.", BEAR)), Ask(("Hi",), ("Hello!",)))


@pytest.fixture
def measured(tmp_path):
    """What a measure of two greetings asks, run after run, in one folder."""
    asked = []

    def run(*greetings):
        records = Records(tmp_path, "greetings")
        for number, words in enumerate(greetings):

            def ask(words=words):
                asked.append(words)
                return (Answer(words.upper()),), []

            yield records.trial(number, Case((Ask((words,)),), saying("HI")), ask)
        records.tidy()

    return run, asked, tmp_path / "greetings.jsonl"


def test_what_has_a_record_is_not_asked_again(measured):
    run, asked, path = measured
    first, second = list(run("hi", "hello")), list(run("hi", "hello"))
    assert first == second
    assert asked == ["hi", "hello"]
    assert [json.loads(line)["right"]["right"] for line in path.read_text().splitlines()] == [True, False]


def test_a_case_in_other_words_is_asked_anew(measured):
    run, asked, path = measured
    list(run("hi", "hello"))
    list(run("hi", "hey"))
    assert asked == ["hi", "hello", "hey"]
    assert [json.loads(line)["asked"] for line in path.read_text().splitlines()] == [["hi"], ["hey"]]


def test_a_record_that_was_cut_off_is_asked_anew(measured):
    run, asked, path = measured
    list(run("hi", "hello"))
    path.write_text(path.read_text()[:-9])
    list(run("hi", "hello"))
    assert asked == ["hi", "hello", "hello"]
    assert len(path.read_text().splitlines()) == 2


def test_a_rule_that_changed_is_asked_of_the_kept_answers(tmp_path):
    case = Case((Ask(("hi",)),), saying("HI"))
    Records(tmp_path, "x").trial(0, case, lambda: ((Answer("HI"),), []))
    again = Records(tmp_path, "x").trial(0, replace(case, rule=saying("BYE")), lambda: 1 / 0)
    assert again.right == {"right": False}


def test_shares_count_only_the_trials_that_have_the_name():
    trials = [Trial([], (), right) for right in ({"a": True}, {"a": False, "b": True})]
    assert shares(trials) == {"a": Share(1, 2), "b": Share(1, 1)}


@pytest.mark.parametrize(
    ("right", "trials", "low", "high"),
    [(95, 100, 0.8882, 0.9785), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)],
)
def test_intervals_are_those_of_wilson(right, trials, low, high):
    assert Share(right, trials).interval == pytest.approx((low, high), abs=2e-4)


def test_the_table_says_which_bar_is_reached():
    figures = figures_of([Trial([], (), {"all": True, "draw": False})])
    rows = table({"visitors' requests": figures, "the VAE": {"PSNR, dB": {"value": 30.1, "trials": 8}}})
    assert "| visitors' requests | all | 1.000 | 0.206 - 1.000 | 1 | 0.9 reached |" in rows
    assert "| the VAE | PSNR, dB | 30.10 | | 8 | |" in rows


def test_a_measure_leaves_its_records_and_a_sheet_of_its_pictures(engine, tmp_path):
    measure = Measure(
        "it draws, always",
        lambda count: (Case((Ask((f"Draw {i}",), pictures="always"),), saying(), i) for i in range(count)),
        most=2,
    )
    trials = trials_of(measure, 5, engine, Watching(), tmp_path, SHORT)
    assert len(trials) == 2
    assert (tmp_path / "it-draws-always.png").exists()
    assert len((tmp_path / "it-draws-always.jsonl").read_text().splitlines()) == 2
