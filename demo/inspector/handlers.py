"""The facts about one reply: its prompt and tokens, the seconds of its parts, what its vokens do, and a script that
makes it again.

`inspector.page` wires it. What the model was given is computed anew from the stored chat; only the reply's own token
ids are kept with it. Changes nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo.chat.handlers import ChatHandlers
from demo.chat.session import Session, conversation, heard
from demo.guard.failures import failure, sentence
from demo.guard.input.shapes import ID, read
from demo.inspector.snippet import Loading, snippet
from demo.store.records import Node, Picture
from demo.web.image_urls import file_url
from demo.web.page_data import data_html
from minigpt5 import GenerationOptions, MiniGPT5Error, Token

FAILED = "This reply could not be looked into. (Number {number})"
DIGITS = 4


class InspectorHandlers:
    """What can be asked about a reply; the chat's handlers keep the engine and the files."""

    def __init__(self, chat: ChatHandlers) -> None:
        self._chat = chat

    def look(self, session: Session, about: object) -> str:
        """Everything about the reply `about`, for the script; a sentence where that is not to be had."""
        try:
            facts = self._facts(session, _answer(session, read(ID, about, "reply")))
        except MiniGPT5Error as error:
            facts = {"problem": sentence(error)}
        except Exception as error:
            facts = {"problem": failure(error, FAILED)}
        return data_html("inspection", {"node": about if isinstance(about, str) else "", **facts})

    def _facts(self, session: Session, node: Node) -> dict[str, Any]:
        asked = str(node.parent)
        options = GenerationOptions(**node.options)  # type: ignore[arg-type]  # made of an earlier one
        seen = self._chat.engine.inspect(
            conversation(session.tree, asked, self._chat.files), node.token_ids, options
        )
        pictures = [part for part in node.parts if isinstance(part, Picture)]
        return {
            "prompt": _plain(seen.prompt),
            "reply": _plain(seen.reply),
            "tokens_per_picture": seen.tokens_per_picture,
            "dropped_turns": seen.dropped_turns,
            "timings": node.timings,
            "ending": node.ending,
            "pictures": [self._picture(part) for part in pictures],
            "snippet": self._snippet(session, node, options) if node.token_ids else "",
        }

    def _picture(self, picture: Picture) -> dict[str, Any]:
        influence = self._chat.engine.voken_influence(self._chat.files.vokens(picture.vokens))
        url = file_url(self._chat.files.path(picture.drawings[picture.chosen].file))
        return {"url": url, "influence": influence.round(DIGITS).astype(float).round(DIGITS).tolist()}

    def _snippet(self, session: Session, node: Node, options: GenerationOptions) -> str:
        facts = {name: str(value) for name, value in self._chat.engine.description.items()}
        loading = Loading(Path(facts["folder"]), facts["device"], facts["dtype"], facts["quantization"])
        turns = heard(session.tree, str(node.parent), self._chat.files)
        return snippet(loading, self._chat.files.folder, turns, options)


def _answer(session: Session, about: str) -> Node:
    """The model's message that the script means; raises `MiniGPT5Error` when there is none."""
    if about in session.tree:
        node = session.tree.node(about)
        if node.role == "assistant" and node.ending:
            return node
    raise MiniGPT5Error("That reply is not in this chat any more, or is not finished")


def _plain(tokens: Sequence[Token]) -> list[tuple[int, str, str]]:
    return [(token.id, token.text, token.kind) for token in tokens]
