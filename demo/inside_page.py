"""Where the look inside a reply meets the page. What it shows is put together in `inside`, drawn in `static/inspector/inspector.js`."""

import gradio as gr

from demo.chat.handlers import ChatHandlers
from demo.inside import InsideHandlers
from demo.web.actions import add_action


def wire_inside(chat: ChatHandlers, session: gr.State) -> None:
    """Put the look inside on the page."""
    add_action(
        "inside", InsideHandlers(chat).look, session, [gr.HTML("", elem_classes="data", padding=False)]
    )
