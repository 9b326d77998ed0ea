"""What happens when the user does something with the list of chats: open, new, rename, delete, search, load the page.

`chat.page` wires them, beside `ChatHandlers`, whose updates they return. Knows nothing of how an answer is made.
"""

import re
import secrets

import gradio as gr
from pydantic import TypeAdapter

from demo.chat.handlers import LISTED_CHATS, ChatHandlers, PageUpdate, sending
from demo.chat.session import SHOWN_TURNS, Session
from demo.guard.browsers import prove_owner
from demo.guard.input.shapes import ID, TEXT, Id, Shape, Text, read
from demo.store.chats import owner_of
from demo.store.tree import Tree

MAX_QUERY = 200
_SECRET = re.compile(r"[0-9a-f]{32}")


class Rename(Shape):
    """A chat and the title that it shall have."""

    id: Id
    title: Text


RENAME = TypeAdapter(Rename)


class ChatListHandlers:
    """The handlers of the list of chats, beside those of the chat. Each shows the session's present state."""

    def __init__(self, chat: ChatHandlers) -> None:
        self._chat = chat
        self._store = chat.store

    def restore(
        self, session: Session, secret: object, chat: object, request: gr.Request | None = None
    ) -> tuple[Session, *PageUpdate]:
        """The page has loaded, or its session has expired: the chats of the browser that knows `secret`.

        The chat that this tab had open is shown again.
        """
        if session.owner:
            _prove(request, session.owner)
            return session, *self._chat.page_update(session, gr.update())
        known = read(TEXT, secret or "", "secret")
        wanted = read(ID, chat or "", "chat")
        session.owner = owner_of(known if _SECRET.fullmatch(known) else secrets.token_hex())
        _prove(request, session.owner)
        return session, *self.open(session, wanted)

    def open(self, session: Session, chat: str) -> PageUpdate:
        """Show a chat; one that is not there, or another's, opens as a new one."""
        tree = self._store.load(session.owner, chat) if read(ID, chat, "chat") else None
        session.open(None if tree is None else chat, tree or Tree())
        return self._chat.page_update(session, sending(True))

    def new(self, session: Session) -> PageUpdate:
        """An empty chat. What is being typed stays, and so does the chat before, in the list."""
        session.open(None, Tree())
        return self._chat.page_update(session, sending(True))

    def rename(self, session: Session, change: object) -> PageUpdate:
        """Give the chat `change["id"]` the title `change["title"]`."""
        wanted = read(RENAME, change, "chat")
        self._store.rename(session.owner, wanted.id, wanted.title)
        return self._chat.page_update(session, gr.update())

    def delete(self, session: Session, chat: str) -> PageUpdate:
        """Delete a chat for good; when it was the open one, a new one takes its place."""
        if read(ID, chat, "chat") == session.chat:
            session.open(None, Tree())
            composer = sending(True)
        else:
            composer = gr.update()
        self._store.delete(session.owner, chat)
        return self._chat.page_update(session, composer)

    def search(self, session: Session, query: str) -> PageUpdate:
        """List only the chats that hold `query` in their title or words; all of them when it is empty."""
        session.query, session.listed = read(TEXT, query, "query")[:MAX_QUERY], LISTED_CHATS
        return self._chat.page_update(session, gr.update())

    def older(self, session: Session, _about: object = None) -> PageUpdate:
        """List more chats."""
        session.listed = (session.listed or LISTED_CHATS) + LISTED_CHATS
        return self._chat.page_update(session, gr.update())

    def earlier(self, session: Session, _about: object = None) -> PageUpdate:
        """Show more of a long chat."""
        session.turns += SHOWN_TURNS
        return self._chat.page_update(session, gr.update())


def _prove(request: gr.Request | None, owner: str) -> None:
    """From now on the pictures of `owner` are shown to the browser that sent the request."""
    if request is not None and request.request is not None:
        prove_owner(request.request.scope, owner)
