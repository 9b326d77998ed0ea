"""An app in this process over the scripted engine, and callers of it: browsers and strangers, without a page."""

import gc
import json
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import httpx
from running_app import free_port
from scripted_engine import ScriptedEngine

from demo.chat.settings import default_values
from demo.guard.gate import LOOPBACK, Protection
from demo.site import create_demo, launch_options
from demo.store import ChatStore

SECRET = "a1" * 16
SETTINGS = default_values()


@dataclass(repr=False)
class Served:
    """A running app: its pages, its address, the store and the engine behind it."""

    demo: gr.Blocks
    address: str
    store: ChatStore
    engine: ScriptedEngine

    def number(self, name: str) -> int:
        """Which function of the page is called `name`."""
        return next(number for number, fn in self.demo.fns.items() if fn.api_name == name)


@contextmanager
def serving(
    store: ChatStore | None = None,
    engine: ScriptedEngine | None = None,
    protection: Protection = LOOPBACK,
    queue_size: int = 32,
    **options: Any,
) -> Iterator[Served]:
    """The app while it runs; `options` are further ones of `launch`."""
    engine, store = engine or ScriptedEngine(), store or ChatStore()
    with _litter():
        demo = create_demo(engine, store=store, max_users=2, queue_size=queue_size)
        port = free_port()
        demo.launch(
            prevent_thread_lock=True,
            quiet=True,
            server_port=port,
            **launch_options(demo, protection) | options,
        )
    try:
        yield Served(demo, f"http://127.0.0.1:{port}", store, engine)
    finally:
        with _litter():
            demo.close(verbose=False)


@contextmanager
def _litter() -> Iterator[None]:
    """Gradio leaves sockets and event loops behind when it starts and when it ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()


@dataclass(repr=False)
class Caller:
    """Somebody with a session of the page's functions; `client` keeps what cookies it is given."""

    app: Served
    session: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.app.address, timeout=30)

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_error: object) -> None:
        self.client.close()

    def run(self, name: str, *values: Any, event: Any = None, **more: Any) -> httpx.Response:
        """Call a function at once. `values` stand for its inputs after the session."""
        body = {
            "fn_index": self.app.number(name),
            "session_hash": self.session,
            "data": [None, *values],
            "event_data": event,
        }
        return self.client.post("/gradio_api/run/predict", json=body | more)

    def join(self, name: str, *values: Any, event: Any = None) -> httpx.Response:
        """Put a call into the queue."""
        body = {
            "fn_index": self.app.number(name),
            "session_hash": self.session,
            "data": [None, *values],
            "event_data": event,
        }
        return self.client.post("/gradio_api/queue/join", json=body)

    def stream(self) -> list[dict[str, Any]]:
        """What the queue says until it closes the stream."""
        where = f"/gradio_api/queue/data?session_hash={self.session}"
        with self.client.stream("GET", where) as answer:
            if answer.status_code != 200:
                return [{"msg": "refused", "status": answer.status_code}]
            lines = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
        return lines

    def enter(self, secret: str = SECRET, chat: str = "") -> httpx.Response:
        """Load the page, and tell whose chats shall be shown."""
        self.client.get("/")
        return self.run("restore", secret, chat)

    def say(self, text: str, files: tuple[str, ...] = ()) -> httpx.Response:
        """Send a message and have it answered."""
        shown = [{"path": path, "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}} for path in files]
        answer = self.run("submit", {"text": text, "files": shown}, *SETTINGS)
        self.join("answer")
        self.stream()
        return answer
