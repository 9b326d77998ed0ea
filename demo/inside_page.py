"""Where the look inside a reply meets the page. What it shows is put together in `inside`, drawn in `static/inside.js`."""

import gradio as gr

from demo.chat import ChatHandlers
from demo.deeds import deed
from demo.inside import InsideHandlers


def wire_inside(chat: ChatHandlers, session: gr.State) -> None:
    """Put the look inside on the page."""
    deed("inside", InsideHandlers(chat).look, session, [gr.HTML("", elem_classes="data", padding=False)])
