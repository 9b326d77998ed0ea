"""An open story as JSON for those who look at it: its author's page and stage, and a remote, which sees less.

Called by `routes`; `book_of` makes the exports' form for `service`. Changes nothing.
"""

from pathlib import Path
from typing import Any

from demo.store.files import PictureFiles
from demo.story.document import Scene, Story
from demo.story.export.book import Book, Page
from demo.story.open_stories import OpenStory
from demo.web.image_urls import file_url


def author_view(opened: OpenStory, files: PictureFiles) -> dict[str, Any]:
    """Everything that the page and the stage show."""
    story, plan = opened.story, opened.story.plan
    return {
        "id": story.id,
        "title": story.title,
        "plan": {"premise": plan.premise, "cast": plan.cast, "scenes": plan.scenes, "tone": plan.tone},
        "pictures": [file_url(Path(files.path(file))) for file in plan.uploads],
        "scenes": [_scene_view(scene, files) for scene in story.scenes],
        "can_undo": bool(story.past),
        "slide": opened.slide,
        "problem": opened.problem,
        "work": _progress_view(opened),
    }


def remote_view(opened: OpenStory) -> dict[str, Any]:
    """What whoever holds the remote may know: the words on the stage and those that come."""
    progress = opened.progress
    return {
        "title": opened.story.title,
        "scenes": [scene.text for scene in opened.story.scenes],
        "slide": opened.slide,
        "problem": opened.problem,
        "work": None
        if progress is None
        else {"state": progress.state, "step": progress.step, "steps": progress.steps},
    }


def book_of(story: Story, files: PictureFiles, model: str) -> Book:
    """The story for an export."""
    pages = (
        Page(scene.text, files.image(scene.drawing.file) if scene.drawing else None) for scene in story.scenes
    )
    return Book(story.title, tuple(pages), model)


def _progress_view(opened: OpenStory) -> dict[str, Any] | None:
    progress = opened.progress
    if progress is None:
        return None
    return {
        "place": progress.place,
        "state": progress.state,
        "step": progress.step,
        "steps": progress.steps,
        "preview": progress.preview,
        "pausing": opened.stopped.is_set(),
    }


def _scene_view(scene: Scene, files: PictureFiles) -> dict[str, Any]:
    picture, drawing = scene.picture, scene.drawing
    view: dict[str, Any] = {"id": scene.id, "text": scene.text, "ask": scene.ask, "ending": scene.ending}
    if picture is None or drawing is None:
        return {**view, "picture": None}
    return {
        **view,
        "picture": {
            "url": file_url(files.path(drawing.file)),
            "version": picture.chosen,
            "versions": len(picture.drawings),
            "seed": drawing.seed,
            "guidance_scale": drawing.guidance_scale,
        },
    }
