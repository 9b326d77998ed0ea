"""What rules are made of: figures and things as the judge names them, words as replies have them."""

import pytest

from minigpt5.data.storybook.world.attributes import values_of
from minigpt5.data.storybook.world.scene import Figure, Scene, Thing
from minigpt5.evaluation.wide.rules import (
    changed_attributes,
    figures_in,
    has_thing,
    kinds_in,
    kinds_named,
    occurs,
    sentences,
    shows,
    shows_cast,
    shows_thing,
    things_in,
)

TWO = Scene(
    (Figure("cat", "pink", position="left"), Figure("owl", "blue", "sitting", "right")),
    "beach",
    things=(Thing("kite", "beside", "red"), Thing("moon", "sky")),
)
SEEN = values_of(TWO)


def test_a_picture_tells_its_figures_and_things():
    assert [(f["figure"], f["colour"], f["action"]) for f in figures_in(SEEN)] == [
        ("cat", "pink", "standing"),
        ("owl", "blue", "sitting"),
    ]
    assert things_in(SEEN) == {"kite": "red", "moon": "none"}
    assert kinds_in(SEEN) == {"cat", "owl", "kite", "moon"}
    assert not figures_in({}) and not kinds_in({})


@pytest.mark.parametrize(
    ("cast", "exactly", "right"),
    [
        ([{"figure": "owl"}, {"figure": "cat"}], True, True),
        ([{"figure": "owl", "colour": ["blue", "grey"]}], False, True),
        ([{"figure": "owl"}], True, False),
        ([{"figure": "owl", "colour": "pink"}, {"figure": "cat"}], True, False),
        ([{"figure": "cat"}, {"figure": "cat"}], True, False),
        ([{}, {}, {}], False, False),
    ],
)
def test_a_cast_is_there_in_any_order_each_of_it_once(cast, exactly, right):
    assert shows_cast(SEEN, cast, exactly) == right


@pytest.mark.parametrize(
    ("thing", "right"),
    [("kite", True), ("red kite", True), ("blue kite", False), ("moon", True), ("ball", False)],
)
def test_a_thing_counts_in_any_slot_and_in_its_colour(thing, right):
    assert shows_thing(SEEN, thing) == right


def test_a_thing_of_a_scene_counts_in_its_own_slot_alone():
    assert has_thing(SEEN, Thing("kite", "beside", "red"))
    assert not has_thing(SEEN, Thing("kite", "hand", "red"))
    assert not has_thing(SEEN, Thing("kite", "beside", "blue"))


def test_any_of_several_values_will_do_and_no_picture_shows_anything():
    assert shows(SEEN, {"place": ["beach", "lake"], "time": "day"})
    assert not shows({}, {"place": "beach"})
    assert shows({}, {})


def test_scenes_differ_in_the_attributes_that_differ():
    assert changed_attributes(TWO, TWO) == set()
    moved = Scene(TWO.figures, "lake", "night", things=TWO.things)
    assert changed_attributes(TWO, moved) == {"place", "time"}


@pytest.mark.parametrize(
    ("phrase", "words", "right"),
    [
        ("hat", "What a hat!", True),
        ("hat", "that", False),
        ("can't draw", "I CAN’T draw that", True),
        ("英語", "英語しか話せません", True),
        ("inglés", "Solo hablo Inglés.", True),
    ],
)
def test_phrases_count_as_whole_words_and_east_asian_ones_anywhere(phrase, words, right):
    assert occurs([phrase], words) == right


def test_words_name_kinds_by_their_longest_names():
    assert kinds_named("A bunny with a teddy bear and two kites.") == {"rabbit", "teddy-bear", "kite"}
    assert kinds_named("I have no owlish. Here is an owl.", without=("owlish",)) == {"owl"}


def test_sentences_are_told_apart_without_their_marks():
    assert sentences('“Go!” said Pip. He went…  "Why?"') == ["go", "said pip", "he went why"]
