"""What the author brings to a story, its limits, and the words in which the model is asked for its scenes.

Called by the writer, the commands, the service and the endpoints. Knows the form of a conversation; no engine, no
store.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from demo.story.writing.cast import Member, named_in
from minigpt5 import Conversation, ImagePart, MiniGPT5Error, TextPart

MIN_SCENES, MAX_SCENES = 2, 12
MAX_LETTERS = 2000
MAX_CAST_LETTERS = 300
MAX_PICTURES = 4
# tone -> how a story of that tone is asked for
TONES = {
    "plain": "a story",
    "bedtime": "a bedtime story",
    "funny": "a funny story",
    "adventure": "an adventure story",
    "fairy tale": "a fairy tale",
}
NEXT = "What happens next?"
LAST = "How does it end?"
_OWN_REQUESTS = ("tell ", "write ", "make ", "invent ", "once ", "a story", "read ", "create ", "begin ")


class StoryError(MiniGPT5Error):
    """A premise, a scene or a file of a story is not what it must be."""


@dataclass(frozen=True, slots=True, eq=False)
class Premise:
    """The author's part: words or pictures or both, the cast, how many scenes, and the tone (see `TONES`).

    Raises `StoryError` when there is nothing to tell of or a value is outside its range.
    """

    text: str = ""
    images: tuple[Image.Image, ...] = ()
    cast: tuple[Member, ...] = ()
    scenes: int = 6
    tone: str = "plain"

    def __post_init__(self) -> None:
        verify_plan(self.text, len(self.images), str(self.cast) if self.cast else "", self.scenes, self.tone)

    @property
    def members(self) -> tuple[Member, ...]:
        """The cast, or whoever the words of the premise name."""
        return self.cast or named_in(self.text)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A scene that has been told: what was asked for ("" for whatever comes), its words, its picture if it has one."""

    text: str
    image: Image.Image | None = None
    ask: str = ""


def verify_plan(text: str, pictures: int, cast: str, scenes: int, tone: str) -> None:
    """Raise `StoryError` unless a story can be asked for with these."""
    if not text.strip() and not pictures and not cast.strip():
        raise StoryError("The story has no premise: expected words, a picture or a cast")
    if len(text) > MAX_LETTERS:
        raise StoryError(f"The premise has {len(text)} letters, at most {MAX_LETTERS} are allowed")
    if len(cast) > MAX_CAST_LETTERS:
        raise StoryError(f"The cast has {len(cast)} letters, at most {MAX_CAST_LETTERS} are allowed")
    if pictures > MAX_PICTURES:
        raise StoryError(f"The premise has {pictures} pictures, at most {MAX_PICTURES} are allowed")
    if not isinstance(scenes, int) or not MIN_SCENES <= scenes <= MAX_SCENES:
        raise StoryError(f"scenes: got {scenes!r}, expected a whole number from {MIN_SCENES} to {MAX_SCENES}")
    if tone not in TONES:
        raise StoryError(f"tone: got {tone!r}, expected one of {', '.join(map(repr, TONES))}")


def verify_ask(ask: str) -> None:
    """Raise `StoryError` when what shall happen next takes more letters than a premise may have."""
    if len(ask) > MAX_LETTERS:
        raise StoryError(f"What shall happen has {len(ask)} letters, at most {MAX_LETTERS} are allowed")


def request(premise: Premise) -> str:
    """The words that ask for the first scene."""
    text = premise.text.strip()
    if text.lower().startswith(_OWN_REQUESTS) and not premise.cast:
        return text
    if not text and not premise.cast:
        return NEXT
    cast = " and ".join(map(str, premise.cast))
    is_sentence = text.endswith((".", "!", "?"))
    subject = cast or ("" if is_sentence else text[:1].lower() + text[1:])
    asked = f"Tell me {TONES[premise.tone]}" + (f" about {subject}" if subject else "")
    return f"{asked}. {text}" if text and (cast or is_sentence) else asked


def conversation(premise: Premise, told: Sequence[Told], ask: str = "") -> Conversation:
    """The story so far as the paper's multi-step setting has it: each scene an answer, and the request for the next.

    Without `ask` the scene is the next one, or the end when it is the premise's last.
    """
    asked = [*(scene.ask for scene in told), ask]
    chat = Conversation()
    for place, words in enumerate(asked):
        if place:
            last = place == premise.scenes - 1
            chat = chat.user(words.strip() or (LAST if last else NEXT))
        else:
            opening = request(premise)
            chat = chat.user(*map(ImagePart, premise.images), f"{opening} {words}".strip())
        if place < len(told):
            chat = chat.assistant(*_scene_parts(told[place]))
    return chat


def _scene_parts(scene: Told) -> list[TextPart | ImagePart]:
    words: list[TextPart | ImagePart] = [TextPart(scene.text)] if scene.text.strip() else []
    return words + ([ImagePart(scene.image)] if scene.image is not None else [])
