"""One reader's chat on the server: the turns, which of them is being answered, and what the page shows of them.

The browser never sends the history back, it only looks at it. A session outlives a reload of its tab: the tab keeps
a random id and `Sessions` finds the chat again.
"""

import re
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from demo.render import ChatMessage, Reply
from minigpt5 import Conversation, GenerationOptions, Message

SHOWN_TURNS = 50
MAX_SESSIONS = 500
MAX_IDLE_SECONDS = 12 * 3600
_TAB_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(eq=False)
class Turn:
    """What the user said (`text` and `uploads` as typed, for undo) and the reply to it."""

    text: str
    uploads: list[str]
    message: Message
    shown: ChatMessage
    files: list[Path]
    options: GenerationOptions
    reply: Reply | None = None


@dataclass(eq=False)
class Session:
    """A chat. `active` is the turn being answered; whoever answers it must stop once it is another one."""

    turns: list[Turn] = field(default_factory=list)
    active: Turn | None = None
    notice: str = ""

    def view(self) -> list[ChatMessage]:
        """The messages for the chat, the newest SHOWN_TURNS turns."""
        messages: list[ChatMessage] = []
        for turn in self.turns[-SHOWN_TURNS:]:
            messages.append(turn.shown)
            if turn.reply is not None:
                messages.append(turn.reply.chat_message())
        return messages

    def conversation(self, turn: Turn) -> Conversation:
        """The history as the model gets it: the answered turns before `turn`, then its user message."""
        conversation = Conversation()
        for earlier in self.turns[: self.turns.index(turn)]:
            answer = earlier.reply.message() if earlier.reply else None
            if answer is not None:
                conversation = conversation.add(earlier.message).add(answer)
        return conversation.add(turn.message)

    def drop_last(self) -> Turn | None:
        """Take back the newest turn, together with whatever is still being answered."""
        self.active = None
        return self.turns.pop() if self.turns else None


class Sessions:
    """The chats of all open tabs by the tab's id; the longest unused ones are forgotten."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, tuple[Session, float]] = OrderedDict()

    def find(self, tab: str, fresh: Session) -> Session:
        """The chat of `tab`, or `fresh` which becomes it. An id that no page made belongs to nobody."""
        if not _TAB_ID.fullmatch(tab or ""):
            return fresh
        session = self._found.pop(tab, (fresh, 0.0))[0]
        self._found[tab] = (session, time.monotonic())
        self._forget_unused()
        return session

    def _forget_unused(self) -> None:
        oldest = time.monotonic() - MAX_IDLE_SECONDS
        while self._found:
            tab, (_, used) = next(iter(self._found.items()))
            if used >= oldest and len(self._found) <= MAX_SESSIONS:
                return
            del self._found[tab]
