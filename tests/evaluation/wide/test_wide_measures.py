"""The measures measure: answers that do as they are told are right, each mistake is counted where it belongs."""

import json
import random
from dataclasses import replace

import pytest

from minigpt5.data.storybook.texts.words.lexicon import PLACES, said
from minigpt5.data.storybook.world.attributes import ATTRIBUTES, NOTHING, labels_of, values_of
from minigpt5.data.storybook.world.scene import Figure, Scene, Thing, is_held_out, sample_scene
from minigpt5.data.storybook.world.things import IN_SLOT, TOYS
from minigpt5.errors import DataError
from minigpt5.evaluation.wide.capabilities import ABILITIES, ability
from minigpt5.evaluation.wide.conversations import drawn_or_not, said_back
from minigpt5.evaluation.wide.edits import CHANGES, changed, edits, read_edits
from minigpt5.evaluation.wide.measures import MEASURES, judge_accuracy
from minigpt5.evaluation.wide.scenes import drawn_as, next_scenes, scene_right, told_scenes, who_is_this
from minigpt5.evaluation.wide.stories import (
    TIMES_SAID,
    guided_scenes,
    holds_together,
    premise_kept,
    pronouns_of,
    whole_stories,
    wordings,
)
from minigpt5.evaluation.wide.trials import Answer

CAT = Scene(
    (Figure("cat", "pink", "jumping", "left"),), "forest", "night", "snow", (Thing("kite", "beside", "red"),)
)


def shown(*scenes, said=""):
    return Answer(said, tuple(values_of(scene) for scene in scenes))


# ---- scenes ----------------------------------------------------------------------------------------------------------


def test_a_picture_that_shows_the_scene_is_right_in_everything():
    right = drawn_as(CAT)((shown(CAT),))
    assert set(right) >= {"figure", "mood", "position", "first thing", "everything, one figure and one thing"}
    assert all(right.values())


def test_one_wrong_attribute_spoils_everything_but_the_others():
    right = drawn_as(CAT)((shown(replace(CAT, weather="rain")),))
    assert {name for name, value in right.items() if not value} == {
        "weather",
        "everything",
        "everything, one figure and one thing",
    }


def test_a_reply_without_a_picture_is_wrong_in_every_attribute():
    assert not any(drawn_as(CAT)((Answer("no"),)).values())


def test_both_figures_are_right_only_when_each_is_where_it_was_named():
    two = Scene((Figure("cat", "pink", position="left"), Figure("owl", "blue", position="right")))
    swapped = Scene((Figure("owl", "blue", position="left"), Figure("cat", "pink", position="right")))
    assert scene_right(two, values_of(two))["both figures"]
    assert not scene_right(two, values_of(swapped))["both figures"]


def test_things_are_told_by_the_order_of_their_words():
    scene = replace(CAT, things=(Thing("kite", "beside", "red"), Thing("moon", "sky")))
    right = scene_right(scene, {**values_of(scene), "sky": NOTHING})
    assert right["first thing"] and not right["second thing"]
    assert not scene_right(replace(CAT, things=()), values_of(CAT))["no thing"]


def test_scenes_are_held_out_and_told_in_words():
    for case in told_scenes(20):
        assert case.asks[0].text.startswith("Draw ")
    for case in who_is_this(5):
        assert case.asks[0].parts[0].held_out


def test_who_is_named_alone_is_right():
    (case,) = who_is_this(1)
    hero = case.asks[0].parts[0].figures[0]
    assert all(case.rule((Answer(f"This is a {hero.colour} {hero.kind}."),)).values())
    wrong = case.rule((Answer(f"A {hero.colour} {hero.kind} or a wolf and a lion and an owl."),))
    assert wrong["colour"] and not wrong["figure"]


@pytest.mark.parametrize("pictures_only", [True, False])
def test_the_next_scene_is_of_the_hero_of_the_pictures(pictures_only):
    (case,) = next_scenes(1, pictures_only)
    scenes = [part for part in case.asks[0].parts if isinstance(part, Scene)]
    assert all(case.rule((shown(scenes[0]),)).values())
    assert not any(case.rule((Answer(""),)).values())


# ---- stories ---------------------------------------------------------------------------------------------------------


STORY = {
    "text": "x",
    "figure": "cat",
    "colour": "pink",
    "place": "forest",
    "time": "night",
    "thing": "kite",
    "name": "Mo",
}


def test_a_story_that_shows_its_premise_is_right_whoever_else_is_there():
    friend = replace(
        CAT, figures=(Figure("owl", "blue", position="left"), Figure("cat", "pink", position="right"))
    )
    right = premise_kept(STORY)((shown(friend, said="Mo flew a kite."),))
    assert all(right.values())
    assert "weather" not in right


def test_a_thing_that_is_only_told_is_not_shown():
    right = premise_kept(STORY)((shown(replace(CAT, things=()), said="Tom had a kite."),))
    assert right["thing told"] and right["hero"]
    assert not right["thing"] and not right["all"] and not right["name"]


def test_all_hundred_wordings_are_asked(tmp_path):
    assert len(list(wordings(1000))) == 100
    with pytest.raises(DataError, match="expected wordings of stories"):
        list(wordings(1, tmp_path / "none.json"))


def test_a_guided_scene_keeps_its_hero_and_gains_what_was_asked():
    (case,) = guided_scenes(1)
    first, then = case.asks
    name, colour, kind = first.text.removeprefix("Tell me a story about ").replace(" the ", " ").split()
    place = next(place for place in PLACES if PLACES[place][0][0] in then.text)
    time = next(time for time, words in TIMES_SAID.items() if words in then.text.lower())
    thing = next(
        Thing(k, "beside") for k in IN_SLOT["beside"] if f" {said(k)}" in then.text and k not in TOYS
    )
    assert name in then.text
    assert is_held_out(kind, colour, place, time)
    hero = Figure(kind, colour)
    before, after = Scene((hero,)), Scene((hero,), place, time, things=(thing,))
    assert all(case.rule((shown(before), shown(after))).values())
    wrong = case.rule((shown(replace(before, figures=(replace(hero, colour="black"),))), shown(after)))
    assert not wrong["hero kept"] and wrong["place"] and wrong["new thing"]


PAGES = (
    "Tamsin the red fox found a lantern.", "She took the lantern home.", "Tamsin met Rollo. He was a small owl.",
    "“He is nice,” said Tamsin to herself.", "Tamsin put the lantern down.", "And Tamsin slept.",
)  # fmt: skip
NAMES = {"Tamsin": "fox", "Rollo": "owl"}


def together(*pages):
    return holds_together(NAMES, "lantern")(tuple(shown(CAT, said=page) for page in pages))


def test_a_story_that_holds_together_is_right():
    assert all(together(*PAGES).values())


@pytest.mark.parametrize(
    ("page", "words", "wrong"),
    [
        (2, "Tamsin met a small owl.", "names kept"),
        (5, "And Luna the red fox slept.", "names kept"),
        (5, "And Tamsin forgot his hat.", "one pronoun each"),
        (4, "Tamsin was tired.", "thing"),
        (5, "She took the lantern home!", "no sentence twice"),
        (5, "", "six scenes"),
    ],
)
def test_each_mistake_of_a_story_is_counted_where_it_belongs(page, words, wrong):
    pages = list(PAGES)
    pages[page] = words
    if wrong == "one pronoun each":
        pages[1] = "Tamsin took her lantern home."
    right = together(*pages)
    assert not right[wrong]
    assert {name for name, value in right.items() if not value} == {wrong, "all"}


def test_pronouns_in_speech_and_beside_other_figures_do_not_count():
    scenes = [
        '"He is late," said Tamsin.',
        "Tamsin saw that the bear had lost his hat.",
        "Tamsin lost her hat.",
    ]
    assert pronouns_of("Tamsin", NAMES, scenes) == {"she"}


def test_whole_stories_have_six_scenes_and_half_of_them_a_friend():
    cases = list(whole_stories(10))
    assert all(len(case.asks) == 6 for case in cases)
    endings = ("should be in it too.", "And there is a friend", "Don't forget")
    told = [any(ending in case.asks[0].text for ending in endings) for case in cases]
    assert told == [False, True] * 5


# ---- changes ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_change_is_asked_for_in_words_of_its_own():
    cases = list(edits(2 * len(CHANGES)))
    assert {name for case in cases for name in case.rule((Answer(""),) * 2)} >= {
        f"change made, {kind}" for kind in CHANGES
    }
    assert all("{" not in ask.text for case in cases for ask in case.asks)


def test_a_change_alone_is_right_and_what_else_changes_is_counted():
    after = replace(CAT, time="day")
    rule = changed("time", CAT, after)
    assert all(rule((shown(CAT), shown(after))).values())
    more = rule((shown(CAT), shown(replace(after, weather="rain"))))
    assert more["change made"] and not more["nothing else changed"]
    same = rule((shown(CAT), shown(CAT)))
    assert not same["change made"] and same["nothing else changed"]
    assert not any(rule((Answer(""), Answer(""))).values())


def test_what_the_first_picture_has_wrong_may_stay():
    wrong = replace(CAT, weather="rain")
    right = changed("time", CAT, replace(CAT, time="day"))((shown(wrong), shown(replace(wrong, time="day"))))
    assert all(right.values())


def test_a_new_thing_may_stand_anywhere():
    alone = replace(CAT, things=())
    rule = changed("add", alone, replace(alone, things=(Thing("moon", "sky"),)))
    assert all(rule((shown(alone), shown(replace(alone, things=(Thing("moon", "sky"),))))).values())
    held = replace(CAT, figures=(Figure("cat", "pink", "holding", "left"),), things=(Thing("apple", "hand"),))
    plain = replace(held, figures=(Figure("cat", "pink", "standing", "left"),), things=())
    beside = replace(plain, things=(Thing("apple", "beside"),))
    assert all(changed("add", plain, held)((shown(plain), shown(beside))).values())
    assert not changed("add", plain, held)((shown(plain), shown(plain)))["change made"]


def test_a_file_without_a_kind_of_change_is_refused(tmp_path):
    path = tmp_path / "edits.json"
    path.write_text(json.dumps({"time": {"day": ["x"]}}))
    with pytest.raises(DataError, match=r"edits\.json: got .*expected texts for each of time, weather"):
        read_edits(path)


# ---- words and abilities ---------------------------------------------------------------------------------------------


def test_an_unknown_word_is_said_back_and_what_the_reply_names_is_drawn():
    rule, dog = said_back("wolf", "dog"), Scene((Figure("dog", "grey"),))
    assert all(rule((shown(dog, said="I have never seen a wolf. Here is a grey dog."),)).values())
    other = rule((shown(dog, said="There is no wolf here, so here is a cat."),))
    assert other["said back"] and not other["drawn as named"] and other["nearest of WordNet"]
    assert not rule((shown(dog, said="Here you are."),))["drawn as named"]


def test_chats_that_need_no_picture_end_with_a_turn_that_has_none():
    for case in drawn_or_not(8, wanted=False):
        assert case.asks[-1].given is None and all(ask.given for ask in case.asks[:-1])
        assert case.rule((Answer("Hello."),))["right"]
        assert not case.rule((Answer("Here.", ({},)),))["right"]


@pytest.mark.parametrize("name", ABILITIES)
def test_an_ability_is_asked_for_in_other_ways_and_silence_is_wrong(name):
    cases = list(ability(name, 12))
    assert len({" ".join(case.asked) for case in cases}) > 3
    for case in cases:
        answers = sum(ask.given is None for ask in case.asks)
        assert not any(case.rule((Answer(""),) * answers).values())


def test_counting_recolouring_and_sides_want_the_whole_cast():
    red, blue = Figure("cat", "red", position="left"), Figure("cat", "blue", position="right")
    for name in ("counting", "recolouring the second of two", "left and right, drawn"):
        for case in ability(name, 5):
            answers = (shown(Scene((red, blue))),) * len(case.asks)
            assert not case.rule(answers)["right"]


def test_titles_and_files_of_measures_are_their_own():
    assert (
        len({measure.title for measure in MEASURES})
        == len({measure.slug for measure in MEASURES})
        == len(MEASURES)
    )


# ---- the judge -------------------------------------------------------------------------------------------------------


def test_a_perfect_judge_is_right_and_what_is_not_always_there_counts_by_itself():
    class Oracle:
        def name(self, pictures):
            return [values_of(next(scenes))]

    class Blind:
        def name(self, pictures):
            return [{name: "absent" if "wear" in name else NOTHING for name in values_of(CAT)}]

    scenes = (sample_scene(random.Random(f"judge {index}"), held_out=True) for index in range(9))
    assert all(share.value == 1 for share in judge_accuracy(Oracle(), 9, 32).values())
    blind = judge_accuracy(Blind(), 9, 32)
    assert blind["beside, where there is one"].value == 0 < blind["beside"].value


def test_labels_are_the_class_numbers_of_the_values():
    scene = sample_scene(random.Random(3))
    for number, (name, classes) in zip(labels_of(scene), ATTRIBUTES.items(), strict=True):
        assert classes[number] == values_of(scene)[name]
