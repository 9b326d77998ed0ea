"""What happens when the user does something: the handlers behind the page, without the page.

Every handler gets the reader's `Session`, changes it in place, and returns what the chat, the composer and the notice
shall show. All of them show the session's present state, so that it does not matter in which order they come back.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr

from demo.engine_type import ChatEngine
from demo.pictures import PictureFolder
from demo.render import ChatMessage, Reply, escape_markdown, user_message
from demo.sessions import Session, Sessions, Turn
from demo.settings import read_settings
from minigpt5 import (
    ImageFinished,
    ImagePart,
    ImageStarted,
    Message,
    MiniGPT5Error,
    TextPart,
    TurnFinished,
    open_image,
)

YIELD_SECONDS = 0.09
MAX_PICTURES = 8
MAX_LETTERS = 8000
BUSY = "Still answering. Press Stop first, or wait for the end; what you typed is kept."

Shown = tuple[list[ChatMessage], Any, str]  # chat, composer, notice

log = logging.getLogger(__name__)


class ChatHandlers:
    """The handlers of one page over one engine."""

    def __init__(
        self, engine: ChatEngine, pictures: PictureFolder, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._pictures = pictures
        self._clock = clock
        self._sessions = Sessions()

    def submit(self, session: Session, composer: dict[str, Any] | None, *settings: object) -> Shown:
        """Take the composer's words and pictures as a new turn; refuse with a sentence and keep them otherwise."""
        composer = composer or {}
        text, uploads = (composer.get("text") or "").strip(), list(composer.get("files") or [])
        if session.active is not None:
            return _refused(session, BUSY)
        try:
            turn = self._turn(text, uploads, settings)
        except MiniGPT5Error as error:
            return _refused(session, escape_markdown(sentence(error)))
        if turn is None:
            return _refused(session, "")
        session.turns.append(turn)
        return self._start(session, turn, {"text": "", "files": []})

    def use_example(self, session: Session, event: gr.SelectData, *settings: object) -> Shown:
        """Send an example as if it had been typed."""
        files = [file["path"] if isinstance(file, dict) else file for file in event.value.get("files") or []]
        return self.submit(session, {"text": event.value.get("text"), "files": files}, *settings)

    def answer(self, session: Session) -> Iterator[list[ChatMessage]]:
        """Answer the session's active turn, a few views a second; ends within one engine step of a stop."""
        turn = session.active
        if turn is None or turn.reply is None or turn.reply.started:
            return  # refused, stopped while it waited, or in somebody's hands already
        reply = turn.reply
        reply.started = True
        try:
            yield from self._follow(session, turn, reply)
        except MiniGPT5Error as error:
            reply.remark(sentence(error))
        except Exception:
            log.exception("the engine failed")
            reply.remark(
                "Something went wrong on this side. Your message is kept: try again, or take it back."
            )
        finally:
            reply.close()
            if _is_current(session, turn, reply):
                session.active = None
                session.notice = _notice(reply.finished)
        yield session.view()

    def _follow(self, session: Session, turn: Turn, reply: Reply) -> Iterator[list[ChatMessage]]:
        last = float("-inf")
        with closing(self._engine.stream(session.conversation(turn), turn.options)) as events:
            for event in events:
                if not _is_current(session, turn, reply):
                    return
                reply.show(event)
                now = self._clock()
                if now - last >= YIELD_SECONDS or isinstance(event, ImageStarted | ImageFinished):
                    last = now
                    yield session.view()

    def ready(self, session: Session) -> Shown:
        """After an answer: the composer sends again, unless the next turn is already under way."""
        composer = gr.update() if session.active else _sending(True)
        return session.view(), composer, session.notice

    def stop(self, session: Session) -> Shown:
        """Tell whoever answers to stop, and show what there is."""
        turn, session.active = session.active, None
        if turn is not None and turn.reply is not None and not turn.reply.started:
            turn.reply.close()
        session.notice = ""
        return session.view(), _sending(True), ""

    def retry(self, session: Session, *settings: object) -> Shown:
        """Answer the last user message once more, with the settings as they are now."""
        if session.active is not None:
            return _refused(session, BUSY)
        if not session.turns:
            return _refused(session, "")
        try:
            session.turns[-1].options = read_settings(*settings)
        except MiniGPT5Error as error:
            return _refused(session, escape_markdown(sentence(error)))
        return self._start(session, session.turns[-1], None)

    def undo(self, session: Session) -> Shown:
        """Take the last turn back into the composer, words and pictures."""
        turn = session.drop_last()
        if turn is None:
            return _refused(session, "")
        if turn.reply is not None:
            self._pictures.forget(turn.reply.files)
        files = [path for path in turn.uploads if Path(path).is_file()]
        session.notice = ""
        return session.view(), _sending(True, {"text": turn.text, "files": files}), ""

    def clear(self, session: Session) -> Shown:
        """An empty chat; its pictures are deleted. What is being typed stays."""
        while (turn := session.drop_last()) is not None:
            self._pictures.forget([*turn.files, *(turn.reply.files if turn.reply else [])])
        session.notice = ""
        return [], _sending(True), ""

    def restore(self, tab: str, fresh: Session) -> tuple[Session, list[ChatMessage], Any, str]:
        """The chat that this tab had before it was loaded again."""
        session = self._sessions.find(tab, fresh)
        session.active = None
        return session, session.view(), _sending(True), session.notice

    def _turn(self, text: str, uploads: list[str], settings: tuple[object, ...]) -> Turn | None:
        if not text and not uploads:
            return None
        verify_size(text, uploads)
        images = [open_image(path) for path in uploads]
        parts = [ImagePart(image) for image in images] + ([TextPart(text)] if text else [])
        options = read_settings(*settings)
        files = [self._pictures.save_for_display(image) for image in images]
        shown = user_message(text, files)
        return Turn(text, uploads, Message("user", tuple(parts)), shown, files, options)

    def _start(self, session: Session, turn: Turn, composer: dict[str, Any] | None) -> Shown:
        if turn.reply is not None:
            self._pictures.forget(turn.reply.files)
        turn.reply = Reply(self._pictures, self._clock)
        session.active, session.notice = turn, ""
        return session.view(), _sending(False, composer), ""


def _is_current(session: Session, turn: Turn, reply: Reply) -> bool:
    return session.active is turn and turn.reply is reply


def _refused(session: Session, why: str) -> Shown:
    """Nothing happens, and the composer keeps what is in it."""
    session.notice = why
    return session.view(), gr.update(), why


def sentence(error: MiniGPT5Error) -> str:
    """The error as a sentence for the page."""
    words = str(error).strip() or "That did not work"
    if words.split()[0].isalpha():  # not the name of a file or an option
        words = words[0].upper() + words[1:]
    return words + ("" if words.endswith((".", "!", "?")) else ".")


def verify_size(text: str, uploads: list[str]) -> None:
    if len(text) > MAX_LETTERS:
        raise MiniGPT5Error(f"The message has {len(text)} letters, at most {MAX_LETTERS} are allowed")
    if len(uploads) > MAX_PICTURES:
        raise MiniGPT5Error(
            f"There are {len(uploads)} pictures, at most {MAX_PICTURES} are allowed in one message"
        )


def _sending(allowed: bool, value: dict[str, Any] | None = None) -> Any:
    changes: dict[str, Any] = {"submit_btn": allowed, "stop_btn": not allowed}
    return gr.update(**changes) if value is None else gr.update(value=value, **changes)


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
