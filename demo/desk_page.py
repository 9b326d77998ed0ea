"""Where the picture desk meets the page: the deeds that its script asks for. The desk itself is `static/desk.js`."""

from typing import Any

import gradio as gr
from gradio.components import Component

from demo.chat import ChatHandlers
from demo.deeds import QUIET, deed
from demo.desk import DeskHandlers


def wire_desk(
    chat: ChatHandlers,
    session: gr.State,
    shown: list[Component],
    status: Component,
    controls: list[Component],
    concurrency: dict[str, Any],
) -> None:
    """Put the desk on the page; `shown` and `status` are the chat's, `concurrency` bounds the work on the engine."""
    handlers = DeskHandlers(chat)
    desk, restored = (gr.HTML("", elem_classes="data", padding=False) for _ in range(2))
    chatbot, composer = shown[:2]
    deed("look", handlers.look, session, [desk])
    deed("choose", handlers.choose, session, [*shown, desk])
    deed("stop", lambda session, about: chat.stop(session), session, shown)
    deed("use", handlers.use, session, [composer], [composer])
    deed("reorder", handlers.reorder, session, [composer], [composer])
    deed("restore", handlers.restore, session, [*controls, restored], controls)
    deed("redraw", handlers.start, session, [*shown, desk]).success(
        handlers.redraw,
        session,
        [chatbot, status, desk],
        trigger_mode="multiple",
        show_progress="hidden",
        api_visibility="private",
        **concurrency,
    ).then(chat.ready, session, shown, **QUIET)
