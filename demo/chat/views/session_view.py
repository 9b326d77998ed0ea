"""What the page shows of a session: the chat's messages, the outline by which scripts find their rows, the list of
chats.

Called by `ChatHandlers`; reads a session and changes nothing.
"""

from typing import Any

from demo.chat.session import Session
from demo.chat.views.messages import ChatMessage, node_message
from demo.store.files import PictureFiles
from demo.store.records import ChatInfo, Node, Picture
from demo.store.tree import Tree


def messages(session: Session, files: PictureFiles) -> list[ChatMessage]:
    """The messages for the chat, the newest `session.turns` turns of the path that is shown."""
    live = session.live
    return [
        live.chat_message()
        if live is not None and node.id == live.node.id
        else node_message(node, files, _forming(session, node))
        for node in _visible_path(session)
    ]


def outline(session: Session) -> dict[str, Any]:
    """The rows of the chat in order, and the state of the composer."""
    return {
        "chat": session.chat,
        "busy": session.active is not None,
        "editing": session.editing,
        "hidden": max(0, len(session.tree.path()) - 2 * session.turns),
        "rows": [_row(session.tree, node) for node in _visible_path(session)],
    }


def history(session: Session, found: list[ChatInfo], more: bool) -> dict[str, Any]:
    """The list of chats: those that were found, the open one, and whether there are older ones."""
    chats = [{"id": chat.id, "title": chat.title, "updated": chat.updated} for chat in found]
    return {"chats": chats, "open": session.chat, "query": session.query, "more": more}


def _visible_path(session: Session) -> list[Node]:
    return session.tree.path()[-2 * session.turns :]


def _forming(session: Session, node: Node) -> dict[int, Any]:
    return {index: part for (owner, index), part in session.forming.items() if owner == node.id}


def _row(tree: Tree, node: Node) -> dict[str, Any]:
    versions = tree.versions(node.id)
    return {
        "id": node.id,
        "role": node.role,
        "version": versions.index(node.id),
        "versions": versions,
        "ending": node.ending,
        "text": node.text,
        "timings": node.timings,
        "seed": str(node.options.get("seed", "")),  # a number of 63 bits is too large for a script
        "pictures": [
            {"part": index, "chosen": part.chosen, "drawings": len(part.drawings)}
            for index, part in enumerate(node.parts)
            if isinstance(part, Picture)
        ],
    }
