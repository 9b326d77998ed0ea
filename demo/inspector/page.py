"""The inspector on the page: what it shows is put together in `handlers`, drawn in `static/inspector/inspector.js`."""

import gradio as gr

from demo.chat.handlers import ChatHandlers
from demo.chat.page import ChatComponents
from demo.inspector.handlers import InspectorHandlers
from demo.web.actions import add_action


def wire_inspector(chat: ChatHandlers, components: ChatComponents) -> None:
    """Put the inspector on the page."""
    add_action(
        "inside",
        InspectorHandlers(chat).look,
        components.session,
        [gr.HTML("", elem_classes="data", padding=False)],
    )
