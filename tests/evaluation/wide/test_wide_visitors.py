"""The rules of visitors' requests: what they let pass and what not, each on its own request."""

import pytest

from minigpt5.data.storybook.world.attributes import values_of
from minigpt5.data.storybook.world.scene import Figure, Scene, Thing
from minigpt5.errors import DataError
from minigpt5.evaluation.wide.trials import Answer
from minigpt5.evaluation.wide.visitors import Visitors

VISITORS = Visitors.read()
REQUESTS = {request["text"]: request for request in VISITORS.requests}
SPACESHIP = "Fancy putting a spaceship above a green robot in the desert?"
ROBOT = Scene((Figure("robot", "green"),), "desert", things=(Thing("rocket", "sky"),))
PIM = "plot bunny for you: Pim (pink pig) discovers a rocket behind, sorry above, the farm"
PIG = Scene((Figure("pig", "pink"),), "farm", things=(Thing("rocket", "sky"),))


def sensible(text, words, *scenes):
    seen = tuple(values_of(scene) for scene in scenes)
    return VISITORS.is_sensible(REQUESTS[text], Answer(words, seen))


@pytest.mark.parametrize(
    ("scene", "right"),
    [
        (ROBOT, True),
        (Scene(ROBOT.figures, "desert"), False),
        (Scene(ROBOT.figures, "space", things=ROBOT.things), False),
        (Scene((Figure("robot", "red"),), "desert", things=ROBOT.things), False),
        (
            Scene(
                (Figure("robot", "green", position="left"), Figure("cat", "red", position="right")),
                "desert",
                things=ROBOT.things,
            ),
            False,
        ),
    ],
    ids=["as asked", "no spaceship", "another place", "another colour", "one figure too many"],
)
def test_a_picture_must_show_all_that_the_request_names_and_nobody_else(scene, right):
    assert sensible(SPACESHIP, "Here is a green robot under a rocket.", scene) == right


def test_words_beside_a_right_picture_may_neither_refuse_nor_name_another_figure():
    assert not sensible(SPACESHIP, "A green robot and a frog.", ROBOT)
    assert not sensible(SPACESHIP, "I can’t draw a robot.", ROBOT)
    assert not sensible(SPACESHIP, "Here is a green robot.")


def test_a_story_names_its_hero_and_thing_and_is_no_single_line():
    words = "Pim the pink pig looked up. A rocket flew over the farm, and it was as red as a tomato."
    assert sensible(PIM, words, PIG)
    assert not sensible(PIM, words)
    assert not sensible(PIM, "Pim saw a rocket.", PIG)
    assert not sensible(PIM, words.replace("Pim", "Tom"), PIG)


@pytest.mark.parametrize(
    ("text", "words", "right"),
    [
        ("be honest. is there some poor intern typing this?", "No, I am only a small program.", True),
        ("be honest. is there some poor intern typing this?", "Yes please!", False),
        ("Might there be a kindly llama for a llama-mad lady?", "I have never seen a llama.", False),
    ],
)
def test_words_must_answer_the_request_and_not_just_be_words(text, words, right):
    assert sensible(text, words) == right


def test_a_picture_where_words_were_wanted_is_wrong():
    assert not sensible("be honest. is there some poor intern typing this?", "I am a program.", ROBOT)


def test_an_unknown_word_is_said_back_and_one_of_what_is_near_is_drawn():
    text = "hamster pic 4 my desktop thx"
    mouse, lion = (Scene((Figure(kind, "brown"),)) for kind in ("mouse", "lion"))
    assert sensible(text, "I have never seen a hamster. Here is a brown mouse.", mouse)
    assert not sensible(text, "Here is a brown mouse.", mouse)
    assert not sensible(text, "I have never seen a hamster. Here is a lion.", lion)


def test_earlier_turns_are_answered_by_the_model_or_given_with_their_picture():
    cases = [VISITORS.case(request) for request in VISITORS.requests if request.get("before")]
    given = [ask for case in cases for ask in case.asks[:-1] if ask.given]
    assert given and all(isinstance(ask.given[-1], Scene) for ask in given)
    assert any(not ask.given for case in cases for ask in case.asks[:-1])


def test_fewer_cases_are_taken_from_all_kinds():
    kinds = {tuple(case.rule((Answer(""),) * 4))[1] for case in VISITORS.cases(30)}
    assert len(kinds) == 8
    alone = list(VISITORS.cases(9, ("draw",)))
    assert len(alone) == 9 and all(len(case.asks) == 1 for case in alone)


def test_a_file_without_rules_is_refused(tmp_path):
    path = tmp_path / "requests.json"
    for text in (
        "[",
        "[]",
        '{"figures": {}, "phrases": {}, "requests": [{"expect": "draw", "says": [["@x"]]}]}',
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=r"requests\.json: got .*expected requests and their rules"):
            Visitors.read(path)
