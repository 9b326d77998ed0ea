"""The shapes of the bodies that may be sent about stories, verified before anything is done; read by `service`."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints, TypeAdapter

from demo.guard.input.shapes import Clean, OpenShape, Text
from demo.story.writing.premise import MAX_LETTERS, MAX_PICTURES

MAX_TITLE = 2000
MAX_ADDRESS = 2000

Ask = Annotated[str, Clean, StringConstraints(max_length=MAX_LETTERS)]
Title = Annotated[str, Clean, StringConstraints(max_length=MAX_TITLE)]
Address = Annotated[str, Clean, StringConstraints(max_length=MAX_ADDRESS, pattern=r"^https?://\S+$")]
Pictures = Annotated[list[str], Field(max_length=MAX_PICTURES)]


class NewStory(OpenShape):
    """A story to be begun; `pictures` are data URLs, `options` fields of `GenerationOptions`, None for the default."""

    premise: Text | None = None
    cast: Text | None = None
    pictures: Pictures | None = None
    scenes: int = 6
    tone: Text = "plain"
    options: dict[str, Any] | None = None


class Details(OpenShape):
    """What a command is about: a scene by its place, another place or drawing, words. Each command looks at its own."""

    place: int = -1
    to: int = -1
    version: int = -1
    slide: int | None = None
    ask: Ask | None = None
    text: Text | None = None
    title: Title | None = None
    address: Address | None = None


NEW_STORY: TypeAdapter[NewStory] = TypeAdapter(NewStory)
DETAILS: TypeAdapter[Details] = TypeAdapter(Details)
