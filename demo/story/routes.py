"""The addresses of stories beside Gradio's own: what the story page, the stage and the remotes ask for. `site` adds
them.

A browser proves whose stories it may see with its secret in a header, which no foreign page can send; a remote with
the code in its address. Knows HTTP, and hands everything else to `StoryService`.
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
from demo.story.export.zip_import import MAX_ARCHIVE
from demo.story.open_stories import OpenStory
from demo.story.page import remote_page, stage_page
from demo.story.service import StoryService
from demo.story.views import author_view, remote_view
from demo.story.writing.premise import StoryError

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


def story_routes(service: StoryService) -> list[Route]:
    """The routes, for the app that serves the pages."""
    answers = StoryRoutes(service)
    routes: list[tuple[str, str, Endpoint]] = [
        ("GET", "/stories", answers.list),
        ("POST", "/stories", answers.create),
        ("POST", "/stories/import", answers.take_in),
        ("GET", "/stories/{story}/events", answers.events),
        ("GET", "/stories/{story}/as/{kind}", answers.export),
        ("POST", "/stories/{story}/{command}", answers.do),
        ("GET", "/stage", answers.stage),
        ("GET", "/remote/{code}", answers.remote),
        ("GET", "/remote/{code}/events", answers.remote_events),
        ("POST", "/remote/{code}/{command}", answers.remote_do),
    ]
    return [Route(path, endpoint, methods=[method]) for method, path, endpoint in routes]


class StoryRoutes:
    """The endpoints over a `StoryService`."""

    def __init__(self, service: StoryService) -> None:
        self._service = service

    async def list(self, request: Request) -> Response:
        found = await run_in_threadpool(self._service.list, _owner(request))
        return JSONResponse([{"id": info.id, "title": info.title, "updated": info.updated} for info in found])

    async def create(self, request: Request) -> Response:
        owner, values = _owner(request), await _values(request)
        return JSONResponse({"id": await run_in_threadpool(self._service.create, owner, values)})

    async def take_in(self, request: Request) -> Response:
        owner, content = _owner(request), await read_body(request.receive, MAX_ARCHIVE)
        return JSONResponse({"id": await run_in_threadpool(self._service.take_in, owner, content)})

    async def events(self, request: Request) -> Response:
        opened = await self._opened(request)
        return _stream(opened, lambda: author_view(opened, self._service.files))

    async def export(self, request: Request) -> Response:
        opened, kind = await self._opened(request), request.path_params["kind"]
        name, media_type, content = await run_in_threadpool(self._service.export, opened, kind)
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Response(content, media_type=media_type, headers=headers)

    async def do(self, request: Request) -> Response:
        opened, values = await self._opened(request), await _values(request)
        done = await run_in_threadpool(self._service.do, opened, request.path_params["command"], values)
        return JSONResponse(done)

    async def stage(self, request: Request) -> Response:
        return _page(stage_page())

    async def remote(self, request: Request) -> Response:
        return _page(remote_page())  # a wrong code is told by the page, when it asks for its events

    async def remote_events(self, request: Request) -> Response:
        opened = await self._on_stage(request)
        return _stream(opened, lambda: remote_view(opened))

    async def remote_do(self, request: Request) -> Response:
        values = await _values(request)
        opened = await self._on_stage(request)
        await run_in_threadpool(self._service.remote_do, opened, request.path_params["command"], values)
        return JSONResponse({})

    async def _on_stage(self, request: Request) -> OpenStory:
        address = network_of(request.client.host if request.client else "")
        return await run_in_threadpool(self._service.on_stage, request.path_params["code"], address)

    async def _opened(self, request: Request) -> OpenStory:
        return await run_in_threadpool(self._service.open, _owner(request), request.path_params["story"])


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


def _stream(opened: OpenStory, view: Callable[[], dict[str, Any]]) -> Response:
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_looks(opened, view), media_type="text/event-stream", headers=headers)


async def _looks(opened: OpenStory, view: Callable[[], dict[str, Any]]) -> AsyncIterator[str]:
    """A view of the story whenever there is something new, for as long as somebody looks."""
    seen, quiet = -1, 0.0
    while not opened.closing.is_set():
        if opened.revision != seen:
            seen, quiet = opened.revision, 0.0
            yield f"data: {json.dumps(view(), ensure_ascii=False)}\n\n"
        elif quiet >= ALIVE_SECONDS:
            quiet = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_SECONDS)
        quiet += LOOK_SECONDS


def _page(html: str) -> Response:
    headers = {"content-security-policy": CONTENT_POLICY, "referrer-policy": "no-referrer"}
    return HTMLResponse(html, headers=headers)
