"""Samples of the storybook world for each kind that the settings ask for; those of real data sets: `data_sets`.

The last picture of each is a combination that training never saw; seeds are fixed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from minigpt5.conversation import Conversation, ImagePart, Message
from minigpt5.data.storybook.captions import EVERYTHING, phrase
from minigpt5.data.storybook.documents import sample
from minigpt5.data.storybook.drawing import render
from minigpt5.data.storybook.scene import Scene, sample_scene
from minigpt5.data.storybook.stories import any_story
from minigpt5.data.storybook.texts.turns import Document, Picture, Turn, user
from minigpt5.data.storybook.worlds import SHIPPED
from minigpt5.evaluation.rendered import to_conversation
from minigpt5.evaluation.settings import Sample

REQUEST = "What happens next?"
DRAWN_ANEW, OTHER_SCENES = "truth, drawn anew", "other true scenes"
JITTER = 10**6
MAX_SCENES = 5  # VIST's stories have five


def storybook_samples(
    source: str, count: int, size: int, first: int = 0, jitter: int = 0
) -> Iterator[Sample]:
    """`count` samples of "captions", "scenes", "stories", "told" or "dialogues" from number `first` on, pictures of
    `size` pixels. Another `jitter` draws the same scenes anew: all small chances of the drawing fall otherwise."""
    build = BUILDERS[source]
    for index in range(first, first + count):
        yield build(random.Random(f"{source} {index}"), size, index + jitter)


def true_pictures(source: str, count: int, size: int) -> dict[str, Iterator[Sample]]:
    """What true pictures have against true pictures, the two ends of every distance: the same scenes drawn anew, and
    as many other scenes."""
    return {
        DRAWN_ANEW: storybook_samples(source, count, size, jitter=JITTER),
        OTHER_SCENES: storybook_samples(source, count, size, first=count),
    }


def caption_sample(rng: random.Random, size: int, seed: int) -> Sample:
    """A wording of a scene; the reply is its picture alone."""
    scene = sample_scene(rng, held_out=True)
    return Conversation().user(phrase(scene, rng, EVERYTHING)), _picture(scene, size, seed)


def _picture(scene: Scene, size: int, seed: int) -> Message:
    return Message("assistant", (ImagePart(render(scene, size, seed)),))


def held_out_story(rng: random.Random) -> list[tuple[str, Scene]]:
    """The scenes of a story, of which the last alone is held out, and not the first."""
    while True:
        _, told = any_story(rng)
        told = told[:MAX_SCENES]
        held_out = [scene.held_out for _, scene in told]
        if len(told) > 2 and held_out[-1] and not any(held_out[:-1]):
            return told


def story_sample(rng: random.Random, size: int, seed: int) -> Sample:
    """All scenes but the last in one message of the user, as the official VIST task has them, and the last."""
    *before, (text, scene) = held_out_story(rng)
    parts = [part for words, shown in before for part in (words, Picture(shown))]
    history = to_conversation(SHIPPED, (user(*parts, REQUEST),), size, seed)
    return history, Message(
        "assistant", Conversation().assistant(text).messages[0].parts + _picture(scene, size, seed).parts
    )


def scenes_sample(rng: random.Random, size: int, seed: int) -> Sample:
    """Every scene of a story a reply, the first too."""
    turns: list[Turn] = []
    for words, shown in held_out_story(rng):
        turns += [user(REQUEST), Turn("assistant", (words, Picture(shown)))]
    return _sample(Document(tuple(turns)), size, seed)


def told_sample(rng: random.Random, size: int, seed: int) -> Sample:
    """The same told scene by scene: the first as the user's, each of the others a reply."""
    (text, scene), *after = held_out_story(rng)
    turns = [user(text, Picture(scene), REQUEST)]
    for words, shown in after:
        turns += [Turn("assistant", (words, Picture(shown))), user(REQUEST)]
    return _sample(Document(tuple(turns[:-1])), size, seed)


def dialogue_sample(rng: random.Random, size: int, seed: int) -> Sample:
    """A chat of any kind but a story, half of them after another topic."""
    kind = rng.choice(("draw", "edit", "edit", "question", "chat", "outside"))
    before = sample(rng, kind=rng.choice(("draw", "chat"))).messages if rng.random() < 0.5 else ()
    return _sample(Document((*before, *sample(rng, held_out=True, kind=kind).messages)), size, seed)


BUILDERS = {
    "captions": caption_sample,
    "scenes": scenes_sample,
    "stories": story_sample,
    "told": told_sample,
    "dialogues": dialogue_sample,
}


def _sample(document: Document, size: int, seed: int) -> Sample:
    *history, truth = to_conversation(SHIPPED, document.messages, size, seed).messages
    return Conversation(tuple(history)), truth
