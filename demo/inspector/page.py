"""The action of the inspector, added to the chat page by `site`. Its facts come from `handlers`;
`static/inspector/inspector.js` shows them.
"""

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
