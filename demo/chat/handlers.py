"""What happens when the user does something with a message: the handlers behind the chat page, without its
components.

`page` wires them; the picture dialog and the inspector use them for the engine, the store and the page's updates.
Every handler gets the tab's `Session`, changes it in place, and returns what the chat, the composer, the notice, the
outline and the list of chats show. All of them show the session's present state, so the order in which they return
does not matter.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gradio as gr
from pydantic import TypeAdapter

from demo.chat.examples import load_examples
from demo.chat.growing_reply import GrowingReply
from demo.chat.queue_display import QueueDisplay
from demo.chat.session import Session, conversation, lost_pictures
from demo.chat.settings import read_settings
from demo.chat.views import session_view as view
from demo.chat.views.messages import ChatMessage, escape_markdown
from demo.engine_type import ChatEngine
from demo.guard.failures import failure, sentence
from demo.guard.input.shapes import ID, Count, OpenShape, read
from demo.guard.input.text import RequestError, clean_text
from demo.store.chats import ChatStore, new_id, title_of
from demo.store.errors import StoreError
from demo.store.provenance import Origin
from demo.store.records import Ending, Node, Part, Picture, Upload, Words
from demo.store.tree import Tree
from demo.web.page_data import data_html
from minigpt5 import (
    GenerationOptions,
    ImageFinished,
    ImageStarted,
    MiniGPT5Error,
    TurnFinished,
    open_image,
)

YIELD_SECONDS = 0.09
TROUBLE_SECONDS = 10.0  # between two tries to keep an answer in a database that does not take it
WAIT_SECONDS = 0.4
LISTED_CHATS = 100
MAX_PICTURES = 8
MAX_LETTERS = 8000
BUSY = "Still answering. Press Stop first, or wait for the end; what you typed is kept."
FULL = "So many people are waiting that no more can be taken in now. Your message is kept: retry in a minute."
MANY = "Four of your answers are being made already, in other tabs. Your message is kept: retry when one of them is done."
ASLEEP = "The page has slept for long and is waking up. Send it once more."
FAILED = "Something went wrong on this side. Your message is kept: retry this answer, or edit what you said. (Number {number})"

PageUpdate = tuple[list[ChatMessage], Any, str, str, str]  # chat, composer, notice, outline, history
Streamed = tuple[list[ChatMessage], str]  # chat, status


class ExampleClick(OpenShape):
    """Which example was clicked; what else the page sends with it is not read."""

    index: Count


EXAMPLE_CLICK = TypeAdapter(ExampleClick)


class ChatHandlers:
    """The handlers of one page over one engine and one store; `slots` answers are made at once."""

    def __init__(
        self,
        engine: ChatEngine,
        store: ChatStore,
        clock: Callable[[], float] = time.monotonic,
        slots: int = 1,
    ) -> None:
        self.engine = engine
        self.store = store
        self.files = store.files
        self.clock = clock
        self._slots = slots
        self._queue = QueueDisplay(clock)

    def submit(self, session: Session, composer: dict[str, Any] | None, *settings: object) -> PageUpdate:
        """Take the composer's words and pictures as a new message, or as another version of the one being edited."""
        composer = composer or {}
        text = clean_text(composer.get("text") or "").strip()
        uploads = list(composer.get("files") or [])
        if session.active is not None or not session.owner:
            return self.refused(session, BUSY if session.owner else ASLEEP)
        try:
            options = read_settings(*settings)
            self.store.verify_room(session.owner)
            parts = self._parts(text, uploads)
        except MiniGPT5Error as error:
            return self.refused(session, escape_markdown(sentence(error)))
        if not parts:
            return self.refused(session, "")
        asked = Node(new_id(), self._parent(session), "user", parts, asdict(options))
        before = session.chat
        try:
            if session.chat is None:
                session.chat = self.store.create(session.owner, title_of(text))
            self.save(session, asked)
        except StoreError as error:  # the composer keeps the words
            session.chat = before
            return self.refused(session, escape_markdown(sentence(error)))
        session.editing = None
        return self._start(session, asked, options, {"text": "", "files": []})

    def use_example(self, session: Session, event: gr.EventData, *settings: object) -> PageUpdate:
        """Send an example as if it had been typed: its number is all that is taken from the event."""
        clicked, examples = read(EXAMPLE_CLICK, event._data, "example").index, load_examples()
        if clicked >= len(examples):
            raise RequestError(f"example: got {clicked}, expected a number below {len(examples)}")
        example = examples[clicked]
        return self.submit(session, {"text": example["text"], "files": example.get("files")}, *settings)

    def retry(self, session: Session, node_id: str, *settings: object) -> PageUpdate:
        """Another answer beside `node_id` (an answer, or a message that has none), with the settings as they are now."""
        if session.active is not None:
            return self.refused(session, BUSY)
        if read(ID, node_id, "message") not in session.tree:
            return self.refused(session, "")
        node = session.tree.node(node_id)
        asked = node if node.role == "user" else session.tree.node(str(node.parent))
        try:
            options = read_settings(*settings)
            self.store.verify_room(session.owner)
        except MiniGPT5Error as error:
            return self.refused(session, escape_markdown(sentence(error)))
        return self._start(session, asked, options, None)

    async def wait(self, session: Session) -> AsyncIterator[str]:
        """Until it is the turn of the session's answer: how many come first."""
        reply = session.live
        while reply is not None and session.active is reply and not reply.started:
            ahead = self._queue.ahead(reply)
            if ahead < self._slots:
                return
            reply.status.wait(ahead - self._slots + 1)
            yield status_html(reply)
            await asyncio.sleep(WAIT_SECONDS)

    def answer(self, session: Session) -> Iterator[Streamed]:
        """Make the session's answer, a few views a second; ends within one engine step of a stop."""
        reply = session.live
        if reply is None or session.active is not reply or reply.started:
            return  # refused, stopped while it waited, or being made by another call already
        reply.started = True
        with self.store.at_work(str(session.chat)):
            yield from self._answer(session, reply)
        yield self.messages(session), ""

    def _answer(self, session: Session, reply: GrowingReply) -> Iterator[Streamed]:
        """Make the answer and keep it, whatever comes of it."""
        owner, chat, tree = session.owner, str(session.chat), session.tree
        self._queue.serve(reply)
        ending: Ending = "stopped"
        lost = _lost(lost_pictures(tree, str(reply.node.parent), self.files))
        try:
            yield from self._follow(session, reply)
        except MiniGPT5Error as error:
            ending = "failed"
            reply.remark(sentence(error))
        except Exception as error:
            ending = "failed"
            reply.remark(failure(error, FAILED))
        finally:
            self._queue.leave(reply)
            reply.close(ending)
            tree.put(reply.node)
            problem = self._keep(owner, chat, reply.node)
            if session.active is reply:
                session.active = None
                session.notice = " ".join(filter(None, (problem, lost, _notice(reply.finished))))
            if session.live is reply:
                session.live = None

    def _follow(self, session: Session, reply: GrowingReply) -> Iterator[Streamed]:
        asked, owner, chat = str(reply.node.parent), session.owner, str(session.chat)
        heard = conversation(session.tree, asked, self.files)
        reply.status.read(sum(len(message.images) for message in heard.messages))
        yield self.messages(session), status_html(reply)
        shown, kept_from = float("-inf"), float("-inf")
        with closing(self.engine.stream(heard, _options(reply.node))) as events:
            for event in events:
                if session.active is not reply or self.store.closing.is_set():
                    return
                reply.show(event)
                now, landmark = self.clock(), isinstance(event, ImageStarted | ImageFinished)
                if now - shown >= YIELD_SECONDS or landmark:
                    shown = now
                    # what is shown is kept before, so that no crash takes it back
                    if now >= kept_from and self._keep(owner, chat, reply.node):
                        kept_from = now + TROUBLE_SECONDS
                    yield self.messages(session), status_html(reply)

    def turned_away(self, session: Session) -> PageUpdate:
        """The queue did not take the session's answer in: the message stays, and can be answered later."""
        reply = session.live
        if reply is None or session.active is not reply or reply.started:
            return self.ready(session)
        return self._given_up(session, reply, FULL, None)

    def _given_up(
        self, session: Session, reply: GrowingReply, why: str, composer: dict[str, Any] | None
    ) -> PageUpdate:
        """The answer is not made; `why` stands in its place, with *Retry* beside it. Without `composer` what was typed
        meanwhile stays."""
        self._queue.leave(reply)
        reply.remark(why)
        reply.close("failed")
        self.save(session, reply.node)
        session.active = session.live = None
        session.notice = ""
        return self.page_update(session, sending(True, composer))

    def ready(self, session: Session) -> PageUpdate:
        """After an answer: the composer sends again, unless the next one is already under way."""
        return self.page_update(session, gr.update() if session.active else sending(True))

    def stop(self, session: Session) -> PageUpdate:
        """Tell whoever works to stop, and show what there is."""
        reply, session.active = session.active, None
        if isinstance(reply, GrowingReply) and not reply.started:
            self._queue.leave(reply)
            reply.close()
            session.tree.put(reply.node)
            session.live = None
            session.notice = self._keep(session.owner, str(session.chat), reply.node)
            return self.page_update(session, sending(True))
        session.notice = ""
        return self.page_update(session, sending(True))

    def edit(self, session: Session, node_id: str) -> PageUpdate:
        """Take a message of the user into the composer, words and pictures; sending makes another version of it."""
        if session.active is not None:
            return self.refused(session, BUSY)
        if read(ID, node_id, "message") not in session.tree or session.tree.node(node_id).role != "user":
            return self.refused(session, "")
        node = session.tree.node(node_id)
        session.editing, session.notice = node_id, ""
        paths = [self.files.path(part.file) for part in node.parts if isinstance(part, Upload)]
        files = [str(path) for path in paths if path.is_file()]
        return self.page_update(session, sending(True, {"text": node.text, "files": files}))

    def cancel_edit(self, session: Session, _about: object = None) -> PageUpdate:
        """Leave the message as it is; the composer is empty again."""
        session.editing, session.notice = None, ""
        return self.page_update(session, gr.update(value={"text": "", "files": []}))

    def flip(self, session: Session, node_id: str) -> PageUpdate:
        """Show the version `node_id` of a message, and the chat that goes on from it."""
        if session.active is not None:
            return self.refused(session, BUSY)
        if read(ID, node_id, "message") in session.tree:
            session.tree.show(node_id)
            session.notice = ""
            self.store.show(session.owner, str(session.chat), session.tree.leaf)
        return self.page_update(session, gr.update())

    def change_picture(self, session: Session, node_id: str, index: int, picture: Picture) -> None:
        """Put `picture`, an earlier one with more drawings or another choice, in the place of part `index`, for good.

        Raises `MiniGPT5Error` when there is no picture there.
        """
        session.picture(node_id, index)
        node = session.tree.node(node_id)
        parts = (*node.parts[:index], picture, *node.parts[index + 1 :])
        self.save(session, replace(node, parts=parts))

    def save(self, session: Session, node: Node) -> None:
        """Keep a message, new or changed, in the store and in the session; raises `StoreError` and changes nothing."""
        new = node.id not in session.tree
        self.store.save(session.owner, str(session.chat), node)
        session.tree.put(node)
        if new:
            self.store.show(session.owner, str(session.chat), session.tree.leaf)

    def _keep(self, owner: str, chat: str, node: Node) -> str:
        """Keep an answer, which the page shows whatever comes of that; returns the sentence that tells of it."""
        try:
            self.store.save(owner, chat, node)
        except StoreError as error:
            return escape_markdown(f"This answer is not kept. {sentence(error)}")
        return ""

    def messages(self, session: Session) -> list[ChatMessage]:
        """What the chat shows now."""
        return view.messages(session, self.files)

    def page_update(self, session: Session, composer: Any) -> PageUpdate:
        """Everything that the page shows of the session; `composer` is the composer's update."""
        limit = session.listed or LISTED_CHATS
        found = self.store.find(session.owner, session.query, limit + 1)
        history = view.history(session, found[:limit], len(found) > limit)
        outline = data_html("outline", view.outline(session))
        return self.messages(session), composer, session.notice, outline, data_html("history", history)

    def refused(self, session: Session, why: str) -> PageUpdate:
        """Nothing happens, and the composer keeps what is in it."""
        session.notice = why
        return self.page_update(session, gr.update())

    def _parent(self, session: Session) -> str | None:
        if session.editing is not None:
            return session.tree.node(session.editing).parent
        leaf = session.tree.leaf
        if leaf is not None and session.tree.node(leaf).role == "user":
            return session.tree.node(leaf).parent  # it never got an answer: this is another version of it
        return leaf

    def _parts(self, text: str, uploads: list[str]) -> tuple[Part, ...]:
        verify_size(text, uploads)
        images = [open_image(Path(path)) for path in uploads]
        words = (Words(text),) if text else ()
        return (*(Upload(self.files.save_for_display(image)) for image in images), *words)

    def _start(
        self, session: Session, asked: Node, options: GenerationOptions, composer: dict[str, Any] | None
    ) -> PageUpdate:
        node = Node(new_id(), asked.id, "assistant", (), asdict(options), "")
        try:
            self.save(session, node)
        except StoreError as error:
            session.notice = escape_markdown(sentence(error))
            return self.page_update(session, gr.update() if composer is None else gr.update(value=composer))
        reply = GrowingReply(node, self.files, self.clock, origin(self.engine.name, session.tree, node.id))
        if not self._queue.join(reply, session.owner):
            return self._given_up(session, reply, MANY, composer)
        session.active = session.live = reply
        session.notice = ""
        return self.page_update(session, sending(False, composer))


def origin(model: str, tree: Tree, answer: str) -> Origin:
    """Where the pictures of an answer come from."""
    return Origin(model, tree.node(str(tree.node(answer).parent)).text)


def _options(node: Node) -> GenerationOptions:
    return GenerationOptions(**node.options)  # type: ignore[arg-type]  # made of an earlier one


def status_html(reply: GrowingReply) -> str:
    """The answer's status, for the script."""
    return data_html("status", reply.status.text)


def verify_size(text: str, uploads: list[str]) -> None:
    if len(text) > MAX_LETTERS:
        raise MiniGPT5Error(f"The message has {len(text)} letters, at most {MAX_LETTERS} are allowed")
    if len(uploads) > MAX_PICTURES:
        raise MiniGPT5Error(
            f"There are {len(uploads)} pictures, at most {MAX_PICTURES} are allowed in one message"
        )


def sending(allowed: bool, value: dict[str, Any] | None = None) -> Any:
    """The composer's update: whether it sends or stops, and what is in it."""
    changes: dict[str, Any] = {"submit_btn": allowed, "stop_btn": not allowed}
    return gr.update(**changes) if value is None else gr.update(value=value, **changes)


def _lost(count: int) -> str:
    """What the user should know about pictures that are gone."""
    if not count:
        return ""
    gone = "1 picture of this chat is" if count == 1 else f"{count} pictures of this chat are"
    return f"{gone} gone from the server's folder: the model answers without."


def _notice(finished: TurnFinished | None) -> str:
    """What the user should know about a reply that came to its end."""
    if finished is None:
        return ""
    notices = []
    if finished.dropped_turns:
        turns = "turn no longer fits" if finished.dropped_turns == 1 else "turns no longer fit"
        notices.append(
            f"The chat has grown long: its oldest {finished.dropped_turns} {turns} in the model's memory."
        )
    if finished.finish_reason == "length":
        notices.append("The reply reached its longest length, which the settings can raise.")
    return " ".join(notices)
