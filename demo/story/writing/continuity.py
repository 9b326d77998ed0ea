"""Whether a picture still shows the hero: the model itself is asked who is in it. Called by the writer for each
picture.

Its answers count only where they name the hero in the story's first picture, so a model that sees other words in
pictures than it was asked for judges nothing. Knows an engine by its `stream` alone.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Protocol

from PIL import Image

from demo.story.writing.premise import Premise, Told
from minigpt5 import Conversation, Event, GenerationOptions, TextDelta

QUESTION = "Who is this?"
HOW = GenerationOptions(temperature=0.0, max_new_tokens=40, pictures="never")
MAX_MISSES = 2  # scenes told anew for their picture's sake; each costs a picture
_SHOWN = re.compile(r"\b[Aa]n? (\w+ \w+)")


class SeeingEngine(Protocol):
    """What the check asks of an engine."""

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Iterator[Event]:
        """The events of the reply to `conversation`."""


class HeroCheck:
    """The check of one scene: it knows the hero by the looks that the author gave, or else the first scene's words."""

    def __init__(self, engine: SeeingEngine, premise: Premise, told: Sequence[Told]) -> None:
        self._engine, self._misses = engine, 0
        self._first = told[0].image if told else None
        looks = premise.members[0].looks if premise.members else ""
        shown = _SHOWN.search(told[0].text) if told else None
        self._hero = set((looks or (shown[1] if shown else "")).lower().split())
        self._trusted: bool | None = None

    def miss(self, image: Image.Image) -> bool:
        """Whether `image` lacks the hero, as far as the model can tell; False after MAX_MISSES misses."""
        if self._first is None or not self._hero or self._misses == MAX_MISSES:
            return False
        if self._trusted is None:
            self._trusted = self._knows(self._first)
        missed = self._trusted and not self._knows(image)
        self._misses += missed
        return missed

    def _knows(self, image: Image.Image) -> bool:
        events = self._engine.stream(Conversation().user(image, QUESTION), HOW)
        with closing(events):  # type: ignore[type-var]  # an engine's stream is a generator
            said = "".join(event.text for event in events if isinstance(event, TextDelta))
        return self._hero <= set(re.findall(r"\w+", said.lower()))
