"""The actions of the picture dialog, added to the chat page by `site`. The dialog itself is
`static/picture/dialog.js`.
"""

import gradio as gr

from demo.chat.handlers import ChatHandlers
from demo.chat.page import ChatComponents
from demo.picture.handlers import PictureHandlers
from demo.web.actions import QUIET, add_action


def wire_picture_dialog(chat: ChatHandlers, components: ChatComponents, queue: str, max_users: int) -> None:
    """Put the dialog on the chat's page; of the redraws `max_users` run at once, in the engine's `queue`."""
    session, outputs, controls = components.session, components.outputs, components.controls
    handlers = PictureHandlers(chat)
    dialog, restored = (gr.HTML("", elem_classes="data", padding=False) for _ in range(2))
    chatbot, composer = outputs[:2]
    add_action("look", handlers.look, session, [dialog])
    add_action("choose", handlers.choose, session, [*outputs, dialog])
    add_action("stop", lambda session, about: chat.stop(session), session, outputs)
    add_action("use", handlers.use, session, [composer], [composer])
    add_action("reorder", handlers.reorder, session, [composer], [composer])
    add_action("restore", handlers.restore_settings, session, [*controls, restored], controls)
    add_action("redraw", handlers.start, session, [*outputs, dialog]).success(
        handlers.redraw,
        session,
        [chatbot, components.status, dialog],
        trigger_mode="multiple",
        show_progress="hidden",
        api_visibility="private",
        concurrency_id=queue,
        concurrency_limit=max_users,
    ).then(chat.ready, session, outputs, **QUIET)
