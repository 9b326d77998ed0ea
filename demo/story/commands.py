"""What an author can do to a story: have scenes told and drawn, and change what is there. Called by `service`.

Everything that takes away or replaces something can be undone. Slow commands run in the thread of `OpenStories`.
Knows no page and no protocol.
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
from demo.story.document import Scene, Story
from demo.story.open_stories import BUSY, Command, OpenStory, Progress
from demo.story.writing.cast import read_cast
from demo.story.writing.premise import MAX_SCENES, Premise, StoryError, Told, conversation
from demo.story.writing.writer import SceneFinished, SceneStarted, SceneWords, StoryEvent, write_scene
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


class AuthorCommands:
    """What one author can have done to a story over one engine. Slow ones are returned as `Command` for `OpenStories.start`."""

    def __init__(self, engine: ChatEngine, files: PictureFiles) -> None:
        self._engine, self._files = engine, files

    def write(self, ask: str = "", *, all_scenes: bool = False) -> Command:
        """The next scene, in which what `ask` says shall happen; or all that the plan asks for and are missing."""

        def command(opened: OpenStory) -> None:
            if len(opened.story.scenes) >= MAX_SCENES:
                raise StoryError(FULL)
            self._tell(opened, len(opened.story.scenes), ask)
            while all_scenes and len(opened.story.scenes) < opened.story.plan.scenes:
                if opened.stopped.is_set():
                    return
                self._tell(opened, len(opened.story.scenes), "")

        return command

    def go_on_from(self, place: int) -> Command:
        """All that comes after scene `place` is told anew, as many scenes as there were or as the plan asks for."""

        def command(opened: OpenStory) -> None:
            _scene(opened.story, place)
            wanted = max(len(opened.story.scenes), opened.story.plan.scenes)
            opened.change(replace(opened.story, scenes=opened.story.scenes[: place + 1]), undoable=True)
            while len(opened.story.scenes) < wanted and not opened.stopped.is_set():
                self._tell(opened, len(opened.story.scenes), "")

        return command

    def retell(self, place: int, ask: str | None = None) -> Command:
        """Scene `place` is told anew, words and picture; the others stay."""

        def command(opened: OpenStory) -> None:
            before = _scene(opened.story, place)
            opened.change(opened.story, undoable=True)
            self._tell(opened, place, before.ask if ask is None else ask, before)

        return command

    def redraw(self, place: int) -> Command:
        """Scene `place` gets another drawing of the same vokens: the same words, a new seed."""

        def command(opened: OpenStory) -> None:
            scene = _scene(opened.story, place)
            if scene.picture is None or not scene.picture.vokens:
                return self._illustrate(opened, place)
            vokens = self._files.vokens(scene.picture.vokens)
            opened.progress = Progress(place, "drawing")
            choice = _options(opened.story, seed=secrets.randbelow(2**32))
            finished = self._follow(opened, self._engine.redraw(vokens, [choice]))
            if finished is not None:
                drawings = (*scene.picture.drawings, self._drawing(finished))
                picture = replace(scene.picture, drawings=drawings, chosen=len(drawings) - 1)
                opened.put(place, replace(scene, picture=picture))

        return command

    def illustrate(self, place: int) -> Command:
        """Scene `place` gets a picture of its words as they are now."""
        return lambda opened: self._illustrate(opened, place)

    def _illustrate(self, opened: OpenStory, place: int) -> None:
        scene = _scene(opened.story, place)
        opened.progress = Progress(place, "drawing")
        premise, told = self._premise(opened.story), self._told(opened.story, place)
        words = f"Draw the next scene: {scene.text}"
        options = _options(opened.story, seed=secrets.randbelow(2**32), pictures="always")
        finished = self._follow(opened, self._engine.stream(conversation(premise, told, words), options))
        if finished is not None:
            opened.change(opened.story, undoable=True)
            opened.put(place, replace(scene, picture=self._picture(finished)))

    def _follow(self, opened: OpenStory, events: Iterator[Event]) -> ImageFinished | None:
        """Show a picture while it forms; None when it was stopped."""
        with closing(events):  # type: ignore[type-var]  # an engine's stream is a generator
            for event in events:
                if opened.stopped.is_set():
                    return None
                match event:
                    case ImageStarted(num_inference_steps=steps):
                        opened.show(0, steps, None)
                    case ImageProgress(step=step, num_inference_steps=steps, preview=preview):
                        opened.show(step, steps, preview)
                    case ImageFinished():
                        return event
                    case TextDelta() | TurnFinished():
                        pass
        return None

    def _tell(self, opened: OpenStory, place: int, ask: str, before: Scene | None = None) -> None:
        """Tell scene `place`; stopped before its first word it is `before` again, or not there."""
        told = self._told(opened.story, place)
        opened.progress = Progress(place, "writing")
        scene = Scene(before.id if before else new_id(), ask=ask, ending="")
        opened.put(place, scene)
        events = write_scene(self._engine, self._premise(opened.story), told, _options(opened.story), ask)
        try:
            with closing(events):  # type: ignore[type-var]
                for event in events:
                    scene = self._scene_after(opened, place, scene, event)
                    if opened.stopped.is_set():
                        break
        finally:
            if not scene.ending:
                _leave(opened, place, scene, before)

    def _scene_after(self, opened: OpenStory, place: int, scene: Scene, event: StoryEvent) -> Scene:
        """The scene after `event`."""
        match event:
            case SceneStarted() | ImageFinished():
                return scene
            case SceneWords(text=text):
                scene = replace(scene, text=text)
                opened.put(place, scene)
            case ImageStarted(num_inference_steps=steps):
                opened.put(place, scene)
                opened.show(0, steps, None)
            case ImageProgress(step=step, num_inference_steps=steps, preview=preview):
                opened.show(step, steps, preview)
            case SceneFinished(text=text, picture=drawn, seed=seed):
                picture = self._picture(drawn) if drawn else None
                scene = replace(scene, text=text, picture=picture, seed=seed, ending="stop")
                opened.put(place, scene)
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


def _leave(opened: OpenStory, place: int, scene: Scene, before: Scene | None) -> None:
    """A scene that was stopped: its words stay, without any it was never there."""
    if scene.text:
        return opened.put(place, replace(scene, ending="stopped"))
    if before is not None:
        return opened.put(place, before)
    opened.change(replace(opened.story, scenes=opened.story.scenes[:place]))


def edit(opened: OpenStory, place: int, text: str) -> None:
    """Scene `place` has these words from now on."""
    if len(text) > MAX_SCENE_LETTERS:
        raise StoryError(f"The scene has {len(text)} letters, at most {MAX_SCENE_LETTERS} are allowed")
    scene = replace(_scene(_at_rest(opened), place), text=text.strip(), ending="stop")
    _replace_scenes(opened, (*opened.story.scenes[:place], scene, *opened.story.scenes[place + 1 :]))


def move(opened: OpenStory, place: int, to: int) -> None:
    """Scene `place` is moved to the place `to`."""
    scenes = list(_at_rest(opened).scenes)
    scene = _scene(opened.story, place)
    _scene(opened.story, to)
    del scenes[place]
    _replace_scenes(opened, (*scenes[:to], scene, *scenes[to:]))


def remove(opened: OpenStory, place: int) -> None:
    """Scene `place` goes."""
    scenes = _at_rest(opened).scenes
    _scene(opened.story, place)
    _replace_scenes(opened, scenes[:place] + scenes[place + 1 :])


def choose(opened: OpenStory, place: int, version: int) -> None:
    """Another of the drawings of scene `place` is shown."""
    scene = _scene(_at_rest(opened), place)
    if scene.picture is None or not 0 <= version < len(scene.picture.drawings):
        raise StoryError(f"The picture of this scene has no version {version}")
    opened.put(place, replace(scene, picture=replace(scene.picture, chosen=version)))


def undo(opened: OpenStory) -> None:
    """The scenes are what they were before the last change."""
    story = _at_rest(opened)
    if not story.past:
        raise StoryError("There is nothing to undo")
    opened.change(replace(story, scenes=story.past[-1], past=story.past[:-1]))


def rename(opened: OpenStory, title: str) -> None:
    """Another title; an empty one changes nothing."""
    if title.strip():
        with opened.lock:
            opened.change(replace(opened.story, title=" ".join(title.split())[:200]))


def _replace_scenes(opened: OpenStory, scenes: tuple[Scene, ...]) -> None:
    opened.change(replace(opened.story, scenes=scenes), undoable=True)


def _at_rest(opened: OpenStory) -> Story:
    if opened.progress is not None:
        raise StoryError(BUSY)
    return opened.story


def _scene(story: Story, place: int) -> Scene:
    if not isinstance(place, int) or not 0 <= place < len(story.scenes):
        raise StoryError(f"The story has no scene {place!r}, expected 0 to {len(story.scenes) - 1}")
    return story.scenes[place]


def _options(story: Story, **changes: Any) -> GenerationOptions:
    return GenerationOptions(**(story.options | changes))
