"""The addresses of stories beside Gradio's own: what the story page, the stage and the remotes ask for.

A browser proves whose stories it may see with its secret in a header, which no foreign page can send; a remote with
the code in its address.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo.guard.browsers import prove_owner
from demo.guard.gate import read_body
from demo.guard.input.text import read_json
from demo.guard.presence import network_of
from demo.store.chats import owner_of
from demo.story.archive import MAX_ARCHIVE
from demo.story.desk import Live
from demo.story.office import Office
from demo.story.pages import remote_page, stage_page
from demo.story.premise import StoryError
from demo.story.shown import author_view, remote_view

OWNER_HEADER = "x-story-owner"
MAX_BODY = 48 * 2**20  # four pictures of 8 MB, as text
LOOK_SECONDS = 0.1  # how often a look at a story is compared with what was shown
ALIVE_SECONDS = 15
_SECRET = re.compile(r"[0-9a-f]{32}")
NOT_KNOWN = "This browser is not known: load the page again"
# pictures and words come from people and models, so these pages may fetch nothing from elsewhere
CONTENT_POLICY = (
    "default-src 'none'; img-src 'self' data: blob:; font-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'"
)

Endpoint = Callable[[Request], Awaitable[Response]]


def story_routes(office: Office) -> list[Route]:
    """The routes, for the app that serves the pages."""
    desk = StoryRoutes(office)
    routes: list[tuple[str, str, Endpoint]] = [
        ("GET", "/stories", desk.list),
        ("POST", "/stories", desk.create),
        ("POST", "/stories/import", desk.take_in),
        ("GET", "/stories/{story}/events", desk.events),
        ("GET", "/stories/{story}/as/{kind}", desk.export),
        ("POST", "/stories/{story}/{deed}", desk.do),
        ("GET", "/stage", desk.stage),
        ("GET", "/remote/{code}", desk.remote),
        ("GET", "/remote/{code}/events", desk.remote_events),
        ("POST", "/remote/{code}/{deed}", desk.remote_do),
    ]
    return [Route(path, endpoint, methods=[method]) for method, path, endpoint in routes]


class StoryRoutes:
    """The endpoints over an `Office`."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def list(self, request: Request) -> Response:
        found = await run_in_threadpool(self._office.list, _owner(request))
        return JSONResponse([{"id": info.id, "title": info.title, "updated": info.updated} for info in found])

    async def create(self, request: Request) -> Response:
        owner, values = _owner(request), await _values(request)
        return JSONResponse({"id": await run_in_threadpool(self._office.create, owner, values)})

    async def take_in(self, request: Request) -> Response:
        owner, content = _owner(request), await read_body(request.receive, MAX_ARCHIVE)
        return JSONResponse({"id": await run_in_threadpool(self._office.take_in, owner, content)})

    async def events(self, request: Request) -> Response:
        live = await self._live(request)
        return _stream(live, lambda: author_view(live, self._office.files))

    async def export(self, request: Request) -> Response:
        live, kind = await self._live(request), request.path_params["kind"]
        name, media_type, content = await run_in_threadpool(self._office.export, live, kind)
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Response(content, media_type=media_type, headers=headers)

    async def do(self, request: Request) -> Response:
        live, values = await self._live(request), await _values(request)
        done = await run_in_threadpool(self._office.do, live, request.path_params["deed"], values)
        return JSONResponse(done)

    async def stage(self, request: Request) -> Response:
        return _page(stage_page())

    async def remote(self, request: Request) -> Response:
        return _page(remote_page())  # a wrong code is told by the page, when it asks for its events

    async def remote_events(self, request: Request) -> Response:
        live = await self._on_stage(request)
        return _stream(live, lambda: remote_view(live))

    async def remote_do(self, request: Request) -> Response:
        values = await _values(request)
        live = await self._on_stage(request)
        await run_in_threadpool(self._office.remote_do, live, request.path_params["deed"], values)
        return JSONResponse({})

    async def _on_stage(self, request: Request) -> Live:
        address = network_of(request.client.host if request.client else "")
        return await run_in_threadpool(self._office.on_stage, request.path_params["code"], address)

    async def _live(self, request: Request) -> Live:
        return await run_in_threadpool(self._office.open, _owner(request), request.path_params["story"])


def _owner(request: Request) -> str:
    secret = request.headers.get(OWNER_HEADER, "")
    if not _SECRET.fullmatch(secret):
        raise StoryError(NOT_KNOWN)
    owner = owner_of(secret)
    prove_owner(request.scope, owner)
    return owner


async def _values(request: Request) -> dict[str, Any]:
    body = await read_body(request.receive, MAX_BODY)
    values = read_json(body or b"{}")
    if not isinstance(values, dict):
        raise StoryError(f"The request holds a {type(values).__name__}, expected an object")
    return values


def _stream(live: Live, view: Callable[[], dict[str, Any]]) -> Response:
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_looks(live, view), media_type="text/event-stream", headers=headers)


async def _looks(live: Live, view: Callable[[], dict[str, Any]]) -> AsyncIterator[str]:
    """A view of the story whenever there is something new, for as long as somebody looks."""
    seen, quiet = -1, 0.0
    while not live.closing.is_set():
        if live.revision != seen:
            seen, quiet = live.revision, 0.0
            yield f"data: {json.dumps(view(), ensure_ascii=False)}\n\n"
        elif quiet >= ALIVE_SECONDS:
            quiet = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_SECONDS)
        quiet += LOOK_SECONDS


def _page(html: str) -> Response:
    headers = {"content-security-policy": CONTENT_POLICY, "referrer-policy": "no-referrer"}
    return HTMLResponse(html, headers=headers)
