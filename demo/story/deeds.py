"""What an author can do to a story: have scenes told and drawn, and change what is there. No page, no protocol.

Everything that takes away or replaces something can be undone.
"""

import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from PIL import Image

from demo.engine_type import ChatEngine
from demo.store.chats import new_id
from demo.store.files import PictureFiles
from demo.store.records import Drawing, Picture
from demo.story.cast import read_cast
from demo.story.desk import BUSY, Deed, Live, Work
from demo.story.premise import MAX_SCENES, Premise, StoryError, Told, conversation
from demo.story.records import Scene, Story
from demo.story.writer import SceneFinished, SceneStarted, SceneWords, StoryEvent, write_scene
from minigpt5 import (
    Event,
    GenerationOptions,
    ImageFinished,
    ImageProgress,
    ImageStarted,
    TextDelta,
    TurnFinished,
)

MAX_SCENE_LETTERS = 4000
FULL = f"A story has at most {MAX_SCENES} scenes"


class Author:
    """The deeds of one author's desk over one engine. Slow ones are returned as `Deed` for `Desk.start`."""

    def __init__(self, engine: ChatEngine, files: PictureFiles) -> None:
        self._engine, self._files = engine, files

    def write(self, ask: str = "", *, all_scenes: bool = False) -> Deed:
        """The next scene, in which what `ask` says shall happen; or all that the plan asks for and are missing."""

        def deed(live: Live) -> None:
            if len(live.story.scenes) >= MAX_SCENES:
                raise StoryError(FULL)
            self._tell(live, len(live.story.scenes), ask)
            while all_scenes and len(live.story.scenes) < live.story.plan.scenes:
                if live.stopped.is_set():
                    return
                self._tell(live, len(live.story.scenes), "")

        return deed

    def go_on_from(self, place: int) -> Deed:
        """All that comes after scene `place` is told anew, as many scenes as there were or as the plan asks for."""

        def deed(live: Live) -> None:
            _scene(live.story, place)
            wanted = max(len(live.story.scenes), live.story.plan.scenes)
            live.change(replace(live.story, scenes=live.story.scenes[: place + 1]), undoable=True)
            while len(live.story.scenes) < wanted and not live.stopped.is_set():
                self._tell(live, len(live.story.scenes), "")

        return deed

    def retell(self, place: int, ask: str | None = None) -> Deed:
        """Scene `place` is told anew, words and picture; the others stay."""

        def deed(live: Live) -> None:
            before = _scene(live.story, place)
            live.change(live.story, undoable=True)
            self._tell(live, place, before.ask if ask is None else ask, before)

        return deed

    def redraw(self, place: int) -> Deed:
        """Scene `place` gets another drawing of the same vokens: the same words, a new seed."""

        def deed(live: Live) -> None:
            scene = _scene(live.story, place)
            if scene.picture is None or not scene.picture.vokens:
                return self._illustrate(live, place)
            vokens = self._files.vokens(scene.picture.vokens)
            live.work = Work(place, "drawing")
            choice = _options(live.story, seed=secrets.randbelow(2**32))
            finished = self._follow(live, self._engine.redraw(vokens, [choice]))
            if finished is not None:
                drawings = (*scene.picture.drawings, self._drawing(finished))
                picture = replace(scene.picture, drawings=drawings, chosen=len(drawings) - 1)
                live.put(place, replace(scene, picture=picture))

        return deed

    def illustrate(self, place: int) -> Deed:
        """Scene `place` gets a picture of its words as they are now."""
        return lambda live: self._illustrate(live, place)

    def _illustrate(self, live: Live, place: int) -> None:
        scene = _scene(live.story, place)
        live.work = Work(place, "drawing")
        premise, told = self._premise(live.story), self._told(live.story, place)
        words = f"Draw the next scene: {scene.text}"
        options = _options(live.story, seed=secrets.randbelow(2**32), pictures="always")
        finished = self._follow(live, self._engine.stream(conversation(premise, told, words), options))
        if finished is not None:
            live.change(live.story, undoable=True)
            live.put(place, replace(scene, picture=self._picture(finished)))

    def _follow(self, live: Live, events: Iterator[Event]) -> ImageFinished | None:
        """Show a picture while it forms; None when it was stopped."""
        with closing(events):  # type: ignore[type-var]  # an engine's stream is a generator
            for event in events:
                if live.stopped.is_set():
                    return None
                match event:
                    case ImageStarted(num_inference_steps=steps):
                        live.show(0, steps, None)
                    case ImageProgress(step=step, num_inference_steps=steps, preview=preview):
                        live.show(step, steps, preview)
                    case ImageFinished():
                        return event
                    case TextDelta() | TurnFinished():
                        pass
        return None

    def _tell(self, live: Live, place: int, ask: str, before: Scene | None = None) -> None:
        """Tell scene `place`; stopped before its first word it is `before` again, or not there."""
        told = self._told(live.story, place)
        live.work = Work(place, "writing")
        scene = Scene(before.id if before else new_id(), ask=ask, ending="")
        live.put(place, scene)
        events = write_scene(self._engine, self._premise(live.story), told, _options(live.story), ask)
        try:
            with closing(events):  # type: ignore[type-var]
                for event in events:
                    scene = self._shown(live, place, scene, event)
                    if live.stopped.is_set():
                        break
        finally:
            if not scene.ending:
                _leave(live, place, scene, before)

    def _shown(self, live: Live, place: int, scene: Scene, event: StoryEvent) -> Scene:
        """The scene after `event`."""
        match event:
            case SceneStarted() | ImageFinished():
                return scene
            case SceneWords(text=text):
                scene = replace(scene, text=text)
                live.put(place, scene)
            case ImageStarted(num_inference_steps=steps):
                live.put(place, scene)
                live.show(0, steps, None)
            case ImageProgress(step=step, num_inference_steps=steps, preview=preview):
                live.show(step, steps, preview)
            case SceneFinished(text=text, picture=drawn, seed=seed):
                picture = self._picture(drawn) if drawn else None
                scene = replace(scene, text=text, picture=picture, seed=seed, ending="stop")
                live.put(place, scene)
        return scene

    def _premise(self, story: Story) -> Premise:
        plan = story.plan
        images = tuple(self._files.image(file) for file in plan.uploads if self._files.sound(file))
        return Premise(plan.premise, images, read_cast(plan.cast), plan.scenes, plan.tone)

    def _told(self, story: Story, place: int) -> list[Told]:
        return [
            Told(scene.text, self._image(scene), scene.ask)
            for scene in story.scenes[:place]
            if scene.text or self._image(scene)
        ]

    def _image(self, scene: Scene) -> Image.Image | None:
        """The picture of a scene, as far as its file is whole."""
        file = scene.drawing.file if scene.drawing else ""
        return self._files.image(file) if file and self._files.sound(file) else None

    def _picture(self, drawn: ImageFinished) -> Picture:
        return Picture(self._files.save_vokens(drawn.vokens), (self._drawing(drawn),))

    def _drawing(self, drawn: ImageFinished) -> Drawing:
        file = self._files.save(drawn.image)
        return Drawing(file, drawn.seed, drawn.guidance_scale, drawn.num_inference_steps, drawn.scheduler)


def _leave(live: Live, place: int, scene: Scene, before: Scene | None) -> None:
    """A scene that was stopped: its words stay, without any it was never there."""
    if scene.text:
        return live.put(place, replace(scene, ending="stopped"))
    if before is not None:
        return live.put(place, before)
    live.change(replace(live.story, scenes=live.story.scenes[:place]))


def edit(live: Live, place: int, text: str) -> None:
    """Scene `place` has these words from now on."""
    if len(text) > MAX_SCENE_LETTERS:
        raise StoryError(f"The scene has {len(text)} letters, at most {MAX_SCENE_LETTERS} are allowed")
    scene = replace(_scene(_at_rest(live), place), text=text.strip(), ending="stop")
    _replace_scenes(live, (*live.story.scenes[:place], scene, *live.story.scenes[place + 1 :]))


def move(live: Live, place: int, to: int) -> None:
    """Scene `place` comes to stand at `to`."""
    scenes = list(_at_rest(live).scenes)
    scene = _scene(live.story, place)
    _scene(live.story, to)
    del scenes[place]
    _replace_scenes(live, (*scenes[:to], scene, *scenes[to:]))


def remove(live: Live, place: int) -> None:
    """Scene `place` goes."""
    scenes = _at_rest(live).scenes
    _scene(live.story, place)
    _replace_scenes(live, scenes[:place] + scenes[place + 1 :])


def choose(live: Live, place: int, version: int) -> None:
    """Another of the drawings of scene `place` is shown."""
    scene = _scene(_at_rest(live), place)
    if scene.picture is None or not 0 <= version < len(scene.picture.drawings):
        raise StoryError(f"The picture of this scene has no version {version}")
    live.put(place, replace(scene, picture=replace(scene.picture, chosen=version)))


def undo(live: Live) -> None:
    """The scenes are what they were before the last change."""
    story = _at_rest(live)
    if not story.past:
        raise StoryError("There is nothing to undo")
    live.change(replace(story, scenes=story.past[-1], past=story.past[:-1]))


def rename(live: Live, title: str) -> None:
    """Another title; an empty one changes nothing."""
    if title.strip():
        with live.lock:
            live.change(replace(live.story, title=" ".join(title.split())[:200]))


def _replace_scenes(live: Live, scenes: tuple[Scene, ...]) -> None:
    live.change(replace(live.story, scenes=scenes), undoable=True)


def _at_rest(live: Live) -> Story:
    if live.work is not None:
        raise StoryError(BUSY)
    return live.story


def _scene(story: Story, place: int) -> Scene:
    if not isinstance(place, int) or not 0 <= place < len(story.scenes):
        raise StoryError(f"The story has no scene {place!r}, expected 0 to {len(story.scenes) - 1}")
    return story.scenes[place]


def _options(story: Story, **changes: Any) -> GenerationOptions:
    return GenerationOptions(**(story.options | changes))
