"""What a request to Gradio's own addresses may be: which of them are used, whose session it names, what it sends.

Called by `gate`. Knows Gradio's protocol; not who is asking.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from pydantic import StrictBool, TypeAdapter

from demo.guard.input.shapes import OpenShape, Text, read
from demo.guard.input.text import RequestError, read_json
from demo.guard.input.uploads import verify_files

API = "/gradio_api/"
MCP = "/gradio_api/mcp"
MAX_BODY = 16 * 2**20
# Gradio has addresses that these pages never ask for, and some of them fetch, keep or show more than they should
UNUSED = re.compile(
    r"/gradio_api/(proxy=|stream/|custom_component/|file=[a-z]+:/|process_recording|(undo-)?vibe-|deep_link|run-history|runs\b|profiling"
    r"|component_server|dev/|token|openapi\.json)|/(monitoring|login|logout|docs|redoc|openapi\.json)\b"
)
_SESSION = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_IN_PATH = re.compile(r"/gradio_api/heartbeat/([^/]+)(?:/|$)")
_EVENT = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/([^/]+)/?")
_NAMED = re.compile(r"/gradio_api/(?:run|api|call|call/v2)/([^/]+)/?")
_CALL = re.compile(r"/gradio_api/(run|api)/|/gradio_api/queue/join")


class Call(OpenShape):
    """A call of a function, as the page makes it."""

    data: list[Any]
    session_hash: Text | None = None
    fn_index: int | None = None
    trigger_id: int | None = None
    simple_format: StrictBool = False
    batched: StrictBool | None = False


CALL = TypeAdapter(Call)


def sessions_of(path: str, query: str, body: Any, blocks: Any) -> Iterator[str]:
    """The sessions that a request names or reads from; raises `RequestError` for what can be no session's name."""
    found: list[Any] = [value for name, value in parse_qsl(query) if name == "session_hash"]
    if match := _IN_PATH.match(path):
        found.append(match[1])
    if isinstance(body, dict):
        found.append(body.get("session_hash"))
    for session in found:
        if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
            raise RequestError("session_hash: expected 1 to 128 letters, digits, dots or dashes")
        if session is not None:
            yield session
    events = [match[1]] if (match := _EVENT.fullmatch(path)) else []
    if isinstance(body, dict) and isinstance(event := body.get("event_id"), str):
        events.append(event)
    yield from (session for event in events for session in _sessions_with(event, blocks))


def _sessions_with(event: str, blocks: Any) -> list[str]:
    pending = blocks._queue.pending_event_ids_session
    return [session for session, events in list(pending.items()) if event in events and session != event]


def read_call(path: str, content: bytes, blocks: Any) -> tuple[Any, bytes]:
    """The value in the body of a request to `path`, and the body that Gradio shall see instead.

    Raises `RequestError` for what is no JSON, and for a call of a function that is not there.
    """
    value = read_json(content)
    if path.startswith(MCP):
        verify_files(value, "arguments")  # its server would upload any file of this machine by itself
    elif not isinstance(value, dict):
        raise RequestError(f"The request holds a {type(value).__name__}, expected an object")
    if _CALL.match(path):
        call = read(CALL, value)
        _verify_function(call.fn_index, path, blocks)
        value |= {"batched": False, "event_id": None}
    elif named := _NAMED.fullmatch(path):
        _verify_name(named[1], blocks)
    return value, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _verify_function(number: int | None, path: str, blocks: Any) -> None:
    if number is not None:
        if number not in blocks.fns:
            raise RequestError(f"fn_index: got {number}, expected a function of the page")
    elif named := _NAMED.fullmatch(path):
        _verify_name(named[1], blocks)
    else:
        raise RequestError("fn_index: got nothing, expected a function of the page")


def _verify_name(name: str, blocks: Any) -> None:
    if name not in {fn.api_name for fn in blocks.fns.values()}:
        raise RequestError(f"There is no function {name[:60]!r} here")
