"""Scenes as data: what can be is covered, what cannot be is refused with the reason, the split holds."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from minigpt5.data.storybook.world.attributes import ATTRIBUTES, labels_of, values_of
from minigpt5.data.storybook.world.scene import (
    COLOURS,
    FIGURES,
    PLACES,
    TIMES,
    Figure,
    Scene,
    Thing,
    is_held_out,
    random_scene,
    repaint,
    sample_scene,
    verify,
)
from minigpt5.data.storybook.world.things import ANIMALS, FOODS, IN_SLOT, SLOTS, THINGS, TOYS

RABBIT = Figure("rabbit", "blue")
BASE = Scene((RABBIT,))
PAIR = (replace(RABBIT, position="left"), Figure("owl", "red", position="right"))


def holding(figure: Figure) -> Figure:
    return replace(figure, action="holding")


def test_random_scenes_are_valid_and_show_every_value_of_every_attribute():
    rng = random.Random(0)
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for _ in range(12_000):
        scene = random_scene(rng)
        verify(scene)
        for name, value in values_of(scene).items():
            seen[name][value] += 1
    for name, classes in ATTRIBUTES.items():
        assert set(seen[name]) == set(classes), name


def test_a_scene_has_the_asked_number_of_figures_from_left_to_right():
    rng = random.Random(1)
    for count, positions in ((2, ("left", "right")), (3, ("left", "centre", "right"))):
        scene = random_scene(rng, count)
        assert tuple(figure.position for figure in scene.figures) == positions


def test_several_figures_are_often_of_one_kind():
    rng = random.Random(2)
    scenes = [random_scene(rng, 3) for _ in range(300)]
    twins = sum(len({(f.kind, f.colour, f.action, f.mood) for f in scene.figures}) == 1 for scene in scenes)
    assert 50 < twins < 150


def test_sampling_keeps_to_its_half_of_the_split():
    rng = random.Random(3)
    for held_out in (False, True):
        assert all(sample_scene(rng, held_out).held_out == held_out for _ in range(50))


def test_three_figures_are_as_frequent_in_training_as_in_all_scenes():
    rng = random.Random(4)
    counts = Counter(len(sample_scene(rng).figures) for _ in range(3000))
    assert 0.12 < counts[3] / 3000 < 0.18


def test_the_split_holds_out_the_documented_share_of_combinations():
    flags = [is_held_out(f, c, p, t) for f in FIGURES for c in COLOURS for p in PLACES for t in TIMES]
    assert sum(flags) / len(flags) == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize(
    ("scene", "reason"),
    [
        (replace(BASE, figures=()), "1 to 3 figures, got 0"),
        (replace(BASE, figures=(RABBIT,) * 4), "1 to 3 figures, got 4"),
        (repaint(BASE, 0, kind="wolf"), "the figure is one of .*; got 'wolf'"),
        (repaint(BASE, 0, colour="turquoise"), "the colour is one of .*; got 'turquoise'"),
        (repaint(BASE, 0, action="flying"), "the action is one of .*; got 'flying'"),
        (repaint(BASE, 0, mood="bored"), "the mood is one of .*; got 'bored'"),
        (repaint(BASE, 0, wear="boots"), "the wear is one of .*; got 'boots'"),
        (repaint(BASE, 0, position="top"), "the position is one of .*; got 'top'"),
        (replace(BASE, figures=(RABBIT, RABBIT)), "2 figures are at 'left', 'right', got 'centre', 'centre'"),
        (replace(BASE, place="moon"), "the place is one of .*; got 'moon'"),
        (replace(BASE, time="noon"), "the time is one of .*; got 'noon'"),
        (replace(BASE, weather="hail"), "the weather is one of .*; got 'hail'"),
        (replace(BASE, place="space", weather="rain"), "'space' is always 'clear', got 'rain'"),
        (
            replace(BASE, things=(Thing("log", "beside"), Thing("bed", "beside"))),
            "different slots, got 'beside', 'beside'",
        ),
        (
            replace(BASE, things=(Thing("log", "beside"), Thing("bee", "sky"), Thing("hut", "behind"))),
            "at most 2 things, got 3",
        ),
        (replace(BASE, things=(Thing("wolf", "beside"),)), "the thing is one of .*; got 'wolf'"),
        (
            replace(BASE, things=(Thing("hut", "sky"),)),
            "slot of the thing 'hut' is one of 'behind'; got 'sky'",
        ),
        (replace(BASE, things=(Thing("hut", "behind", "red"),)), "colour of the thing 'hut' .*; got 'red'"),
        (
            replace(BASE, things=(Thing("ball", "beside"),)),
            "colour of the thing 'ball' is one of 'red'.*; got ''",
        ),
        (
            replace(repaint(BASE, 0, wear="hat"), things=(Thing("bird", "head"),)),
            "no thing sits on a head that wears a hat",
        ),
        (repaint(BASE, 0, action="eating"), "eating needs a thing in the slot 'hand'"),
        (replace(BASE, things=(Thing("key", "hand"),)), "'key' in the slot 'hand' needs a figure"),
        (
            replace(BASE, figures=tuple(map(holding, PAIR)), things=(Thing("key", "hand"),)),
            "only one figure .* got 2",
        ),
        (
            replace(repaint(BASE, 0, action="eating"), things=(Thing("key", "hand"),)),
            "eats food only, got 'key'",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(scene: Scene, reason: str):
    with pytest.raises(ValueError, match=reason):
        verify(scene)


def test_the_tables_of_things_are_whole():
    words = Counter(word.lower() for kind in THINGS.values() for word in kind.words)
    assert max(words.values()) == 1
    assert len(THINGS) > 120 and set(IN_SLOT) == set(SLOTS)
    assert all(
        kind.id == name and kind.slots and (kind.emoji == "") == (name in TOYS)
        for name, kind in THINGS.items()
    )
    assert set(FOODS) <= set(IN_SLOT["hand"]) and set(ANIMALS) <= set(IN_SLOT["beside"])
    assert THINGS["teddy-bear"].noun == "teddy bear" and THINGS["grapes"].some


def test_labels_name_figures_that_are_not_there_and_toys_in_their_slots():
    scene = Scene(
        (holding(PAIR[0]), PAIR[1]), things=(Thing("kite", "hand", "green"), Thing("log", "beside"))
    )
    values = values_of(scene)
    assert (values["count"], values["second_figure"], values["third_figure"]) == ("2", "owl", "none")
    assert (values["second_wear"], values["third_wear"]) == ("none", "absent")
    assert (values["hand"], values["hand_colour"], values["beside"], values["beside_colour"]) == (
        "kite",
        "green",
        "log",
        "none",
    )
    named = {name: ATTRIBUTES[name][label] for name, label in zip(ATTRIBUTES, labels_of(scene), strict=True)}
    assert named == values
