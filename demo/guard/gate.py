"""The middleware that every request passes first: who asks, for what, with which body; and what is added to the
answer.

A plain ASGI middleware, so that streams are passed on unchanged. `site` and the arena put it before their app; the
other modules of `guard` hold the single checks. Knows Gradio's addresses, nothing of chats or stories.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.guard.browsers import SCOPE, Browsers, Visitor, set_cookie
from demo.guard.calls import API, MAX_BODY, MCP, UNUSED, read_call, sessions_of
from demo.guard.failures import REFUSED, UNEXPECTED, failure, sentence
from demo.guard.headers import SecurityHeaders
from demo.guard.hosts import Hosts
from demo.guard.input.shapes import shape_sentence
from demo.guard.input.text import RequestError
from demo.guard.picture_access import PrivatePictures
from demo.guard.presence import Presence
from demo.guard.quota import UploadQuota, is_upload
from minigpt5 import MiniGPT5Error

UNCLEAR = "The request could not be understood (number {number})."
MAX_NAME = 255  # bytes between two slashes, as of a file
NO_COOKIE = (MCP, "/assets/", "/static/", "/gradio_api/file", "/theme.css", "/favicon.ico")


@dataclass(frozen=True)
class Protection:
    """What an operator sets: the names of the app, and the pages that may show it in a frame."""

    hosts: Hosts = field(default_factory=Hosts)
    frames: tuple[str, ...] = ()


LOOPBACK = Protection()


class Refused(RequestError):
    """A request that is not answered; `status` says why to a program."""

    def __init__(self, status: HTTPStatus, words: str) -> None:
        super().__init__(words)
        self.status = status


def guarded(
    blocks: Any, protection: Protection, pictures: PrivatePictures, presence: Presence
) -> dict[str, Any]:
    """What the app of `blocks` must be made with (Gradio's `app_kwargs`) to have the gate in front of it."""
    door = Middleware(Gate, blocks=blocks, protection=protection, pictures=pictures, presence=presence)
    return {"middleware": [door], "exception_handlers": {RequestValidationError: _tell_shape}}


async def _tell_shape(_request: Request, error: Exception) -> Response:
    """What one of Gradio's addresses was not given as it must be."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    raise RequestError(shape_sentence("", found[0]) if found else "The request is not as it must be")


class Gate:
    """See the module; `blocks` are the pages, whose sessions and functions requests name."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        blocks: Any,
        protection: Protection,
        pictures: PrivatePictures,
        presence: Presence,
    ) -> None:
        self._app, self._blocks, self._pictures, self._presence = app, blocks, pictures, presence
        self._hosts, self._framed = protection.hosts, bool(protection.frames)
        self._headers = SecurityHeaders(protection.frames)
        self._browsers = Browsers(self._alive)
        self._uploads = UploadQuota()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or have it answered."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        answer = Answer(scope, send, self._headers)
        try:
            await self._admit(scope, Headers(scope=scope), answer)
            receive = await self._read(scope, receive, answer)
            self._presence.verify_share(scope)
            if is_upload(scope):
                await run_in_threadpool(self._uploads.verify, scope)
            with self._presence.listening(scope):
                await self._app(scope, receive, answer.send)
        except MiniGPT5Error as error:
            status = getattr(error, "status", HTTPStatus.BAD_REQUEST)
            await answer.refuse(status, sentence(error))
        except Exception as error:
            await self._fail(scope, answer, error)

    async def _fail(self, scope: Scope, answer: "Answer", error: Exception) -> None:
        """Gradio's functions tell their own errors, so at its addresses only the request's form is left to be wrong."""
        if answer.started and isinstance(error.__cause__, HTTPException):
            return await answer.end()  # a stream of events that has said so itself
        form = scope["path"].startswith(API)
        words = failure(error, UNCLEAR if form else UNEXPECTED)
        await answer.refuse(HTTPStatus.BAD_REQUEST if form else HTTPStatus.INTERNAL_SERVER_ERROR, words)

    async def _admit(self, scope: Scope, headers: Headers, answer: "Answer") -> None:
        """Raise `Refused` unless the request may be answered."""
        path, hosts = scope["path"], headers.getlist("host")
        if len(hosts) != 1 or not self._hosts.answers(hosts[0]):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "This name is not one of the app's: whoever runs it allows one with --allowed-host",
            )
        for origin in headers.getlist("origin"):
            if not self._hosts.trusts(origin, hosts[0], headers.get("sec-fetch-site", "")):
                raise Refused(
                    HTTPStatus.FORBIDDEN,
                    "Another page may not ask here: whoever runs the app allows one with --allowed-host",
                )
        named = path.isprintable() and all(len(name.encode()) <= MAX_NAME for name in path.split("/"))
        if UNUSED.match(path) or not named:
            raise Refused(HTTPStatus.NOT_FOUND, "There is nothing here")
        visitor = scope[SCOPE] = self._browsers.visitor(headers.getlist("cookie"))
        answer.offer(visitor, self._framed)
        name = self._pictures.name(path)
        answer.private = name is not None
        if name is not None and not await run_in_threadpool(self._pictures.may_see, visitor, name):
            raise Refused(HTTPStatus.FORBIDDEN, "This picture is in a chat of another browser")

    async def _read(self, scope: Scope, receive: Receive, answer: "Answer") -> Receive:
        """The body as the app shall read it: that of a call is read, verified and cleaned first."""
        path, body, content = scope["path"], None, b""
        if not path.startswith(API):
            return receive
        kind = Headers(scope=scope).get("content-type", "")
        called = scope["method"] not in ("GET", "HEAD", "OPTIONS") and not kind.startswith("multipart/")
        if called:
            content = await read_body(receive, MAX_BODY)
            if content:
                body, content = read_call(path, content, self._blocks)
                _set_length(scope, len(content))
        for session in sessions_of(path, scope["query_string"].decode("latin-1"), body, self._blocks):
            self._verify_session(scope[SCOPE], session, answer)
        return _replayed(content, receive) if called else receive

    def _verify_session(self, visitor: Visitor, session: str, answer: "Answer") -> None:
        allowed, first = self._browsers.admit(visitor, session)
        if not allowed:
            raise Refused(HTTPStatus.FORBIDDEN, "This page was opened by another browser: load it again")
        if not first:
            answer.cookie = ""  # a second cookie would lock out who was given the first

    def _alive(self, session: str) -> bool:
        queue, holder = self._blocks._queue, getattr(self._blocks, "state_holder", ())
        return session in holder or session in queue.pending_messages_per_session


class Answer:
    """What goes out: with the headers of every answer, the browser's cookie where it has none, and a fitting status."""

    def __init__(self, scope: Scope, send: Send, headers: SecurityHeaders) -> None:
        self.started = False
        self.cookie, self.private = "", False
        self._scope, self._send, self._headers = scope, send, headers

    def offer(self, visitor: Visitor, framed: bool) -> None:
        """Give the visitor a cookie with the answer, unless it has one or asks for a file alone."""
        if visitor.fresh and not self._scope["path"].startswith(NO_COOKIE):
            forwarded = Headers(scope=self._scope).get("x-forwarded-proto", "")
            secure = "https" in (self._scope["scheme"], forwarded.split(",")[0].strip())
            self.cookie = set_cookie(visitor.fresh, secure=secure, framed=framed)

    async def send(self, message: Message) -> None:
        """Pass on a message of the app's answer."""
        if message["type"] == "http.response.start":
            self.started = True
            headers = self._headers.add(self._scope["path"], list(message.get("headers", ())))
            if self.cookie:
                headers.append((b"set-cookie", self.cookie.encode()))
            if (self.cookie or self.private) and not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"private, no-cache"))  # no proxy may give it to others
            status = message["status"]
            if status == HTTPStatus.INTERNAL_SERVER_ERROR and self._scope.get(REFUSED):
                status = HTTPStatus.BAD_REQUEST  # Gradio has one status for all errors
            message = {**message, "status": status, "headers": headers}
        await self._send(message)

    async def end(self) -> None:
        """Nothing more comes."""
        await self._send({"type": "http.response.body", "body": b""})

    async def refuse(self, status: HTTPStatus, words: str) -> None:
        """Answer with a sentence, unless an answer is already on its way."""
        if self.started:
            return await self.end()
        content = json.dumps({"error": words, "detail": words}).encode()
        size = str(len(content)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", size)]
        await self.send({"type": "http.response.start", "status": int(status), "headers": headers})
        await self._send({"type": "http.response.body", "body": content})


async def read_body(receive: Receive, limit: int) -> bytes:
    """The body, which is given up as soon as it is larger than `limit` bytes; raises `RequestError` then."""
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError("The request did not arrive whole")
        pieces.append(message.get("body", b""))
        size, more = size + len(pieces[-1]), message.get("more_body", False)
        if size > limit:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request is larger than {limit // 2**20} MB"
            )
    return b"".join(pieces)


def _replayed(content: bytes, receive: Receive) -> Receive:
    """`receive` of a request whose body was read already."""
    waiting: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _set_length(scope: Scope, length: int) -> None:
    other: Iterable[tuple[bytes, bytes]] = (
        (name, value)
        for name, value in scope["headers"]
        if name not in (b"content-length", b"transfer-encoding")
    )
    scope["headers"] = [*other, (b"content-length", str(length).encode())]
