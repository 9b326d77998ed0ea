"""Is a scene drawn as it is told, seen as it is, and told on? Held-out combinations, through the whole chain.

What the words leave out has its default (`texts.phrases`), so every attribute of the picture is right or wrong.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from minigpt5.data.storybook.texts.phrases import phrase
from minigpt5.data.storybook.texts.story.exchanges import plan
from minigpt5.data.storybook.texts.words.lexicon import FIGURES
from minigpt5.data.storybook.world.attributes import TRAITS, values_of
from minigpt5.data.storybook.world.scene import Figure, Scene, repaint, sample_scene
from minigpt5.data.storybook.world.things import SLOTS
from minigpt5.evaluation.wide.rules import SURROUNDINGS, has_thing, occurs, shows
from minigpt5.evaluation.wide.trials import Answer, Ask, Case, Rule, Seen

LOOKS = ("figure", "colour")
ORDINALS = ("first", "second")
NEXT = "What happens next?"


def told_scenes(count: int) -> Iterator[Case]:
    """ "Draw ..." with everything that is no default named in free words."""
    for index in range(count):
        rng = random.Random(f"told scenes {index}")
        scene = sample_scene(rng, held_out=True)
        yield Case((Ask((f"Draw {phrase(scene, rng, full=True)}",)),), drawn_as(scene), index)


def drawn_as(scene: Scene) -> Rule:
    """The rule that the first picture shows the scene, by attribute; all is wrong where there is no picture."""

    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        seen = answers[-1].first
        return {"drawn": bool(seen), **scene_right(scene, seen)}

    return rule


def scene_right(scene: Scene, seen: Seen) -> dict[str, bool]:
    """Of the first figure each trait, the surroundings, the things in the order of their words, the number of figures;
    of one figure where it stands, of two or three who each is and of which colour; of one figure with one thing
    everything that there is."""
    wanted, number = values_of(scene), len(scene.figures)
    names = [*TRAITS, *SURROUNDINGS, *(["position"] if number == 1 else [])]
    right = {name: seen.get(name) == wanted[name] for name in names}
    right["number of figures"] = seen.get("count") == wanted["count"]
    for ordinal, thing in zip(ORDINALS, scene.things, strict=False):
        right[f"{ordinal} thing"] = has_thing(seen, thing)
    if not scene.things:
        right["no thing"] = shows(seen, {slot: wanted[slot] for slot in SLOTS})
    if number > 1:
        others = ("", "second_", "third_")[:number]
        cast = {f"{other}{trait}": wanted[f"{other}{trait}"] for other in others for trait in LOOKS}
        right["both figures" if number == 2 else "all three figures"] = shows(seen, cast)
    right["everything"] = seen == wanted
    if number == 1 and len(scene.things) == 1:
        right["everything, one figure and one thing"] = seen == wanted
    return right


def who_is_this(count: int) -> Iterator[Case]:
    """Asked who is in a held-out picture, does the reply name the figure and its colour, and no other figure?"""
    for index in range(count):
        rng = random.Random(f"who {index}")
        scene = sample_scene(rng, held_out=True, figures=1)
        yield Case(
            (Ask((scene, "Who is this?"), drawn=False),), _named(scene.figures[0]), rng.randrange(2**31)
        )


def _named(hero: Figure) -> Rule:
    others = [kind for kind in FIGURES if kind != hero.kind]

    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        said = answers[-1].said
        right = {
            "figure": occurs([hero.kind], said) and not occurs(others, said),
            "colour": occurs([hero.colour], said),
        }
        return {**right, "figure and colour": all(right.values()), "no picture": not answers[-1].seen}

    return rule


def next_scenes(count: int, pictures_only: bool) -> Iterator[Case]:
    """The next scene of a story that the user brings: the same hero in the same colour?"""
    for index in range(count):
        rng = random.Random(f"next scene {pictures_only} {index}")
        parts, scene = (_shown if pictures_only else _told)(rng)
        yield Case((Ask(parts, pictures="always"),), _kept(scene.figures[0]), index)


def _kept(hero: Figure) -> Rule:
    def rule(answers: tuple[Answer, ...]) -> dict[str, bool]:
        seen = answers[-1].first
        right = {"figure": seen.get("figure") == hero.kind, "colour": seen.get("colour") == hero.colour}
        return {**right, "figure and colour": all(right.values())}

    return rule


def _told(rng: random.Random) -> tuple[tuple[str | Scene, ...], Scene]:
    """One to three scenes of a story of words and pictures."""
    _, _, told = plan(rng)
    count = min(rng.choice((1, 2, 3)), len(told) - 1)
    parts = [part for words, scene in told[:count] for part in (words, scene)]
    return (*parts, NEXT), told[0][1]


def _shown(rng: random.Random) -> tuple[tuple[str | Scene, ...], Scene]:
    """One to three pictures of one held-out figure, and no words but the question."""
    first = sample_scene(rng, held_out=True, figures=1)
    hero, scenes = first.figures[0], [first]
    for _ in range(rng.randrange(3)):
        scenes.append(repaint(sample_scene(rng, figures=1), 0, kind=hero.kind, colour=hero.colour))
    return (*scenes, NEXT), first
