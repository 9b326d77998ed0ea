"""A story as a stream of events: scene by scene, words and a picture each, every scene told with all before it in
view.

Called by `story.commands` and the endpoint `/story`. Knows the engine by `minigpt5`'s public names alone and nothing
of pages or of what is kept. Pulled like the engine: closing the iterator ends the work at the engine's next step.
What an engine draws and reports on the way is passed on as its own events.
"""

import secrets
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Protocol

from demo.story.writing.cast import christen, faults, finished
from demo.story.writing.continuity import HeroCheck
from demo.story.writing.premise import Premise, StoryError, Told, conversation, verify_ask
from minigpt5 import (
    Conversation,
    Event,
    GenerationOptions,
    ImageFinished,
    ImageProgress,
    ImageStarted,
    TextDelta,
)

MAX_DRAFTS = 10
MAX_SCENE_TOKENS = 320  # of one draft, whatever the options say; a scene has a few sentences
LOST_HERO = 1  # faults of a picture without the hero
DEFAULTS = GenerationOptions()
_DRAFT_STEP = 0x9E3779B1  # between the seeds of two drafts: coprime to 2**32, so that no seed comes twice


@dataclass(frozen=True, slots=True)
class SceneStarted:
    """Scene `place` (from 0) is about to be told."""

    place: int


@dataclass(frozen=True, slots=True)
class SceneWords:
    """All words of scene `place` so far; fewer than before when the writer begins it anew."""

    place: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class SceneFinished:
    """Scene `place` is told. `picture` is None when the model drew none; `seed` tells the scene again."""

    place: int
    text: str
    picture: ImageFinished | None
    seed: int
    ask: str = ""

    @property
    def told(self) -> Told:
        return Told(self.text, self.picture.image if self.picture else None, self.ask)


StoryEvent = SceneStarted | SceneWords | ImageStarted | ImageProgress | ImageFinished | SceneFinished


class StoryEngine(Protocol):
    """What writing asks of an engine."""

    def stream(self, conversation: Conversation, options: GenerationOptions) -> Iterator[Event]:
        """The events of the reply to `conversation`."""


@dataclass(frozen=True, slots=True)
class _Flawed:
    """A draft that was given up."""

    faults: int


def write_story(
    engine: StoryEngine,
    premise: Premise,
    told: Sequence[Told] = (),
    options: GenerationOptions = DEFAULTS,
) -> Generator[StoryEvent, None, None]:
    """The scenes that `premise` asks for and that are not `told` yet, one after the other."""
    scenes = list(told)
    while len(scenes) < premise.scenes:
        for event in write_scene(engine, premise, scenes, options):
            yield event
        assert isinstance(event, SceneFinished)
        scenes.append(event.told)


def write_scene(
    engine: StoryEngine,
    premise: Premise,
    told: Sequence[Told],
    options: GenerationOptions = DEFAULTS,
    ask: str = "",
) -> Iterator[StoryEvent]:
    """The scene that follows `told`; `ask` says what shall happen in it.

    Up to MAX_DRAFTS are read for `cast.faults`, sentence by sentence before each is shown; the first without any is
    told, or the one with the fewest. A picture that lost the hero (see `continuity`) makes a draft faulty too. Raises as
    `Engine.stream` does, and `StoryError` when `ask` is too long or the model has nothing to say.
    """
    verify_ask(ask)
    place, options = len(told), replace(options, max_new_tokens=min(options.max_new_tokens, MAX_SCENE_TOKENS))
    yield SceneStarted(place)
    seed = secrets.randbelow(2**32) if options.seed is None else (options.seed + place) % 2**32
    chat = conversation(premise, told, ask)
    flaws: dict[int, int] = {}  # seed -> faults
    hero_check = HeroCheck(engine, premise, told)
    for number in range(MAX_DRAFTS + 1):
        patient = number == MAX_DRAFTS  # every draft had a flaw: the best of them is told to its end
        chosen = min(flaws, key=lambda draft: flaws[draft]) if patient else _draft_seed(seed, number)
        events = engine.stream(chat, replace(options, seed=chosen, pictures="always"))
        draft = _Draft(premise, told, ask, chosen, None if patient else hero_check)
        with closing(events):  # type: ignore[type-var]  # an engine's stream is a generator
            verdict = yield from draft.tell(events)
        if verdict is None:
            return
        flaws[chosen] = verdict.faults
        yield SceneWords(place, "")


def _draft_seed(seed: int, number: int) -> int:
    return (seed + number * _DRAFT_STEP) % 2**32


class _Draft:
    """One way of telling a scene, read while it comes; without `hero_check` it is told as it is."""

    def __init__(
        self, premise: Premise, told: Sequence[Told], ask: str, seed: int, hero_check: HeroCheck | None
    ) -> None:
        self._premise, self._ask, self._seed, self._hero_check = premise, ask, seed, hero_check
        self._told = [scene.text for scene in told]
        self._place = len(told)
        self._known = " ".join((premise.text, ask, *(scene.ask for scene in told), *map(str, premise.cast)))
        self._raw, self._shown = "", ""
        self._judged: tuple[str, int] | None = None  # what was read last, and its faults

    def tell(self, events: Iterator[Event]) -> Generator[StoryEvent, None, _Flawed | None]:
        """The scene's events; returns `_Flawed` when it is given up, None when it is told."""
        picture: ImageFinished | None = None
        for event in events:
            match event:
                case TextDelta(text):
                    self._raw += text
                case ImageStarted() | ImageProgress() | ImageFinished() if picture is not None:
                    break  # one picture a scene
            whole = not isinstance(event, TextDelta)
            if self._hero_check and self._faults(whole):
                return _Flawed(self._all_faults(events))
            yield from self._words(whole)
            if isinstance(event, ImageStarted | ImageProgress | ImageFinished):
                yield event
            if isinstance(event, ImageFinished):
                if self._hero_check and self._hero_check.miss(event.image):
                    return _Flawed(LOST_HERO)
                picture = event
                if self._shown:
                    break
        yield self._finished(picture)
        return None

    def _all_faults(self, events: Iterator[Event]) -> int:
        """The faults of the whole draft, whose words are read to their end for that."""
        for event in events:
            if not isinstance(event, TextDelta):
                break
            self._raw += event.text
        return self._faults(whole=True)

    def _ready(self, whole: bool) -> str:
        """The words that may be judged: finished sentences, or all."""
        return self._raw.strip() if whole else finished(self._raw)

    def _faults(self, whole: bool) -> int:
        """The faults of what is ready, which is judged once for each new sentence and not for each token."""
        ready = self._ready(whole)
        if self._judged is None or self._judged[0] != ready:
            draft = christen(ready, self._told, self._premise.members)
            last = self._place >= self._premise.scenes - 1
            members = len(self._premise.members)
            self._judged = ready, faults(draft, self._told, self._known, members=members, last=last)
        return self._judged[1]

    def _words(self, whole: bool) -> Iterator[SceneWords]:
        text = christen(self._ready(whole), self._told, self._premise.members)
        if text != self._shown:
            self._shown = text
            yield SceneWords(self._place, text)

    def _finished(self, picture: ImageFinished | None) -> SceneFinished:
        if not self._shown and picture is None:
            raise StoryError("The model had nothing to say: try again, or say what shall happen")
        return SceneFinished(self._place, self._shown, picture, self._seed, self._ask)
