"""What a story consists of, as plain frozen values that become JSON and come back: no database, no model, no page.

Read by most of `demo.story`; `writing` does without.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from demo.store.records import Drawing, Ending, Picture

MAX_PAST = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What the author asked for. `uploads` are files of the picture folder; see `premise.Premise` for the rest."""

    premise: str = ""
    uploads: tuple[str, ...] = ()
    cast: str = ""
    scenes: int = 6
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene: what was asked for ("" for whatever comes), its words, its picture, and how it came to its end."""

    id: str
    text: str = ""
    ask: str = ""
    picture: Picture | None = None
    seed: int | None = None
    ending: Ending = "stop"

    @property
    def drawing(self) -> Drawing | None:
        """The drawing that is shown."""
        return self.picture.drawings[self.picture.chosen] if self.picture else None


@dataclass(frozen=True, slots=True)
class Story:
    """A story. `past` holds what its scenes were before each of the last changes, so that every change can be undone."""

    id: str
    title: str
    plan: Plan
    scenes: tuple[Scene, ...] = ()
    past: tuple[tuple[Scene, ...], ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


def story_json(story: Story) -> dict[str, Any]:
    """`story` as JSON values."""
    return asdict(story)


def story_from_json(values: dict[str, Any]) -> Story:
    """The story that `story_json` wrote; raises KeyError, TypeError or ValueError for anything else."""
    return Story(
        values["id"],
        values["title"],
        Plan(**(values["plan"] | {"uploads": tuple(values["plan"]["uploads"])})),
        tuple(map(scene_from_json, values["scenes"])),
        tuple(tuple(map(scene_from_json, scenes)) for scenes in values["past"]),
        dict(values["options"]),
    )


def scene_from_json(values: dict[str, Any]) -> Scene:
    """One scene of `story_json`; raises as `story_from_json`."""
    picture = values["picture"]
    if picture is not None:
        drawings = tuple(Drawing(**drawing) for drawing in picture["drawings"])
        picture = Picture(picture["vokens"], drawings, picture["chosen"])
    return Scene(**(values | {"picture": picture}))


def files_of(story: Story) -> set[str]:
    """The names of all files that `story` needs, those of its undone changes too."""
    files = set(story.plan.uploads)
    for scene in (scene for scenes in (story.scenes, *story.past) for scene in scenes):
        if scene.picture:
            files |= {scene.picture.vokens, *(drawing.file for drawing in scene.picture.drawings)}
    return files - {""}
