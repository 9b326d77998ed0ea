"""The two picture-book worlds as one interface: what a recipe and its trainings need of either.

`SHIPPED` is the world of the shipped weights, `WIDE` that of the next ones. Called by `training`; knows no model. A scene is
the world's own, so scenes are `Any` here.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from PIL import Image

from minigpt5.data.storybook import attributes, captions, dialogs, documents, drawing, scene
from minigpt5.data.storybook.texts import chats, phrases, requests
from minigpt5.data.storybook.texts.turns import Document, Turn
from minigpt5.data.storybook.world import attributes as wide_attributes
from minigpt5.data.storybook.world import drawing as wide_drawing
from minigpt5.data.storybook.world import scene as wide_scene


class Sample(Protocol):
    """A document of the training half, of the asked kind or of any."""

    def __call__(self, rng: random.Random, *, kind: str | None = None) -> Document: ...


@dataclass(frozen=True)
class World:
    """A world's attributes (name to classes), pictures and words.

    `training_scene` and `opening` take the number of figures or None, `any_scene` is of both halves of the split,
    `chat` are turns of which the last is to be learned. `short_kinds` (with weights) are documents of one exchange that
    the LLM's training begins with; `canonical_share` of the painter's captions are in the one canonical wording.
    """

    attributes: Mapping[str, tuple[str, ...]]
    labels_of: Callable[[Any], list[int]]
    render: Callable[[Any, int, int], Image.Image]  # scene, side in pixels, seed of the jitter
    training_scene: Callable[[random.Random, int | None], Any]
    held_out_scene: Callable[[random.Random], Any]
    any_scene: Callable[[random.Random], Any]
    max_figures: int
    caption: Callable[[Any], str]
    phrase: Callable[[Any, random.Random], str]
    canonical_share: float
    sample: Sample
    opening: Callable[[random.Random, int | None], tuple[Turn, Turn]]
    chat: Callable[[random.Random], tuple[Turn, ...]]
    short_kinds: Mapping[str, int] = field(default_factory=dict)


def _shipped_chat(rng: random.Random) -> tuple[Turn, ...]:
    """A document, cut after one of the assistant's turns; some come after another topic."""
    before = documents.sample(rng).messages if rng.random() < 0.3 else ()
    return before + documents.sample(rng).cut(rng)


SHIPPED = World(
    attributes=attributes.ATTRIBUTES,
    labels_of=attributes.labels_of,
    render=drawing.render,
    training_scene=lambda rng, figures: scene.sample_scene(rng, characters=figures),
    held_out_scene=lambda rng: scene.sample_scene(rng, held_out=True),
    any_scene=scene.random_scene,
    max_figures=2,
    caption=captions.caption,
    phrase=captions.phrase,
    canonical_share=0.6,
    sample=documents.sample,
    opening=lambda rng, figures: dialogs.opening(rng, characters=figures),
    chat=_shipped_chat,
)
WIDE = World(
    attributes=wide_attributes.ATTRIBUTES,
    labels_of=wide_attributes.labels_of,
    render=wide_drawing.render,
    training_scene=lambda rng, figures: wide_scene.sample_scene(rng, figures=figures),
    held_out_scene=lambda rng: wide_scene.sample_scene(rng, held_out=True),
    any_scene=wide_scene.random_scene,
    max_figures=wide_scene.MAX_FIGURES,
    caption=phrases.caption,
    phrase=phrases.phrase,
    canonical_share=0.85,
    sample=chats.sample,
    opening=lambda rng, figures: requests.opening(rng, figures=figures),
    chat=lambda rng: chats.sample(rng).cut(rng),
    short_kinds={"draw": 40, "unknown": 30, "edit": 15, "question": 10, "names": 5},
)
