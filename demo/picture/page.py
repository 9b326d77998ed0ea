"""The picture dialog on the page: the actions that its script asks for. The dialog itself is `static/picture/dialog.js`."""

from typing import Any

import gradio as gr
from gradio.components import Component

from demo.chat.handlers import ChatHandlers
from demo.picture.handlers import PictureHandlers
from demo.web.actions import QUIET, add_action


def wire_picture_dialog(
    chat: ChatHandlers,
    session: gr.State,
    shown: list[Component],
    status: Component,
    controls: list[Component],
    concurrency: dict[str, Any],
) -> None:
    """Put the dialog on the page; `shown` and `status` are the chat's, `concurrency` bounds the work on the engine."""
    handlers = PictureHandlers(chat)
    dialog, restored = (gr.HTML("", elem_classes="data", padding=False) for _ in range(2))
    chatbot, composer = shown[:2]
    add_action("look", handlers.look, session, [dialog])
    add_action("choose", handlers.choose, session, [*shown, dialog])
    add_action("stop", lambda session, about: chat.stop(session), session, shown)
    add_action("use", handlers.use, session, [composer], [composer])
    add_action("reorder", handlers.reorder, session, [composer], [composer])
    add_action("restore", handlers.restore, session, [*controls, restored], controls)
    add_action("redraw", handlers.start, session, [*shown, dialog]).success(
        handlers.redraw,
        session,
        [chatbot, status, dialog],
        trigger_mode="multiple",
        show_progress="hidden",
        api_visibility="private",
        **concurrency,
    ).then(chat.ready, session, shown, **QUIET)
