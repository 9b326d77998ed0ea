"""Where the picture desk meets the page: the actions that its script asks for. The desk itself is `static/picture/dialog.js`."""

from typing import Any

import gradio as gr
from gradio.components import Component

from demo.chat.handlers import ChatHandlers
from demo.desk import DeskHandlers
from demo.web.actions import QUIET, add_action


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
    add_action("look", handlers.look, session, [desk])
    add_action("choose", handlers.choose, session, [*shown, desk])
    add_action("stop", lambda session, about: chat.stop(session), session, shown)
    add_action("use", handlers.use, session, [composer], [composer])
    add_action("reorder", handlers.reorder, session, [composer], [composer])
    add_action("restore", handlers.restore, session, [*controls, restored], controls)
    add_action("redraw", handlers.start, session, [*shown, desk]).success(
        handlers.redraw,
        session,
        [chatbot, status, desk],
        trigger_mode="multiple",
        show_progress="hidden",
        api_visibility="private",
        **concurrency,
    ).then(chat.ready, session, shown, **QUIET)
