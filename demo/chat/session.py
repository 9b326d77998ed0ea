"""What one tab of a browser has open: a chat, the work in progress, what is being edited; and the conversation in it.

The handlers of chat, picture and inspector read and change it. The browser never sends the history back. A session
ends with its tab; the chat stays in the store, which this module does not call.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from demo.chat.growing_reply import GrowingReply
from demo.chat.views.messages import ChatPart
from demo.store.files import PictureFiles
from demo.store.records import Node, Part, Picture, Role, Upload, Words
from demo.store.tree import Tree
from minigpt5 import Conversation, MiniGPT5Error

MAX_HEARD = 201  # messages that a prompt is made of: more than any model remembers
SHOWN_TURNS = 50  # a longer view would slow down every word that streams

PictureRef = tuple[str, int]  # the message's id, and which of its parts


@dataclass(eq=False)
class Session:
    """`owner` is the hash of the browser's secret ("" until the page has loaded), `chat` None for a new chat.

    `active` is the work in progress (an answer, a redraw); whoever does it must stop once it is another object.
    `live` is the answer that the chat shows while it grows. `forming` stands in for pictures that are being redrawn.
    """

    owner: str = ""
    chat: str | None = None
    tree: Tree = field(default_factory=Tree)
    active: object | None = None
    live: GrowingReply | None = None
    editing: str | None = None
    notice: str = ""
    query: str = ""
    listed: int = 0
    turns: int = SHOWN_TURNS
    forming: dict[PictureRef, ChatPart] = field(default_factory=dict)

    def open(self, chat: str | None, tree: Tree) -> None:
        """Show another chat; whatever was being made in the one before is stopped."""
        self.chat, self.tree = chat, tree
        self.active = self.live = self.editing = None
        self.turns = SHOWN_TURNS
        self.notice = ""
        self.forming.clear()

    def picture(self, node_id: str, index: int) -> Picture:
        """The picture that is part `index` of a message; raises `MiniGPT5Error` when there is none."""
        parts = self.tree.node(node_id).parts if node_id in self.tree else ()
        if 0 <= index < len(parts) and isinstance(part := parts[index], Picture):
            return part
        raise MiniGPT5Error("That picture is not in this chat any more")


def heard(tree: Tree, node_id: str, files: PictureFiles) -> list[tuple[Role, list[str | Path]]]:
    """Who said what up to the user's message `node_id`, as the model gets it: words, and the files of pictures.

    Messages that nobody answered are left out, and so are pictures whose files are gone or damaged. Raises
    `MiniGPT5Error` when nothing is left of the message itself.
    """
    path = tree.path_to(node_id)[-MAX_HEARD:]
    turns: list[tuple[Role, list[str | Path]]] = []
    for asked, answer in zip(path[:-1:2], path[1::2], strict=False):
        question, said = list(_parts(asked, files)), list(_parts(answer, files))
        if question and said:
            turns += [(asked.role, question), (answer.role, said)]
    last = list(_parts(path[-1], files))
    if not last:
        raise MiniGPT5Error(
            "The picture of this message is gone from the server's folder: edit the message, or send it again"
        )
    return [*turns, (path[-1].role, last)]


def lost_pictures(tree: Tree, node_id: str, files: PictureFiles) -> int:
    """How many pictures up to the message `node_id` the model does not see, since their files are gone or damaged."""
    parts = (part for node in tree.path_to(node_id)[-MAX_HEARD:] for part in node.parts)
    return sum(name is not None and not files.sound(name) for name in map(_seen, parts))


def conversation(tree: Tree, node_id: str, files: PictureFiles) -> Conversation:
    """What was `heard`, with its pictures opened."""
    found = Conversation()
    for role, parts in heard(tree, node_id, files):
        found = found.user(*parts) if role == "user" else found.assistant(*parts)
    return found


def _parts(node: Node, files: PictureFiles) -> Iterator[str | Path]:
    for part in node.parts:
        if isinstance(part, Words) and not part.remark:
            yield part.text
        name = _seen(part)
        if name is not None and files.sound(name):
            yield files.path(name)


def _seen(part: Part) -> str | None:
    """The file that the model sees of a part; a `Sketch` is shown on the page alone."""
    match part:
        case Upload(file):
            return file
        case Picture(drawings=drawings, chosen=chosen):
            return drawings[chosen].file
    return None
