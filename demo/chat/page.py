"""The chat page: its components, and which handler answers which event. `site` calls `build_chat_page`.

The handlers are in `handlers` and `list_handlers`; the picture dialog and the inspector add their own actions, see
`ChatComponents`. Knows nothing of what a handler does.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency
from gradio.i18n import I18nData

from demo.chat.examples import load_examples
from demo.chat.handlers import ChatHandlers
from demo.chat.list_handlers import ChatListHandlers
from demo.chat.session import Session
from demo.chat.settings import settings_panel
from demo.chat.views.header import header_html, placeholder_html
from demo.engine_type import ChatEngine
from demo.web.actions import QUIET, add_action

ENGINE_QUEUE = "engine"
# The script keeps the browser's secret and the tab's chat, see `static/chat/chat_list.js`.
WHO_JS = "(session) => [session, ...window.minigpt5.who()]"
# what goes on, above the composer; `static/chat/rows.js` fills it
STATUS_HTML = '<div class="stage"></div><span class="said" role="status"></span>'


@dataclass(frozen=True)
class ChatComponents:
    """The components of the chat page that other rooms read or write: `outputs` are what every handler of the chat fills."""

    session: gr.State
    outputs: list[Component]
    status: gr.HTML
    controls: list[Component]


def build_chat_page(
    demo: gr.Blocks, engine: ChatEngine, chat: ChatHandlers, max_users: int
) -> ChatComponents:
    """Draw the chat page where the caller stands, its handlers those of `chat`."""
    session = gr.State(Session())
    with gr.Row(elem_id="header"):
        gr.HTML(header_html(engine.name, engine.description), elem_id="title", padding=False)
        new = gr.Button(I18nData("New chat"), elem_id="new", variant="secondary", size="sm", min_width=0)
    with gr.Sidebar(open=False, position="left", width=300, elem_id="history", label=I18nData("Chats")):
        gr.HTML('<div class="chats"></div>', padding=False)
    chatbot = _chatbot(engine)
    notice = gr.Markdown("", elem_id="notice", container=False)
    gr.HTML(STATUS_HTML, elem_id="stage", padding=False)
    status, outline, history = (gr.HTML("", elem_classes="data", padding=False) for _ in range(3))
    composer = _composer()
    with gr.Sidebar(open=False, position="right", width=340, elem_id="settings", label=I18nData("Settings")):
        controls = settings_panel(engine.schedulers)
    outputs = [chatbot, composer, notice, outline, history]
    chat_list = ChatListHandlers(chat)
    starts = [
        composer.submit(chat.submit, [session, composer, *controls], outputs, **QUIET),
        chatbot.example_select(chat.use_example, [session, *controls], outputs, **QUIET),
        add_action("retry", chat.retry, session, outputs, controls),
    ]
    for start in starts:
        _wire_answer(start, chat, session, outputs, status, max_users)
    add_action("edit", chat.edit, session, outputs)
    add_action("flip", chat.flip, session, outputs)
    add_action("cancel", chat.cancel_edit, session, outputs)
    for name, handler in (
        ("open", chat_list.open),
        ("rename", chat_list.rename),
        ("delete", chat_list.delete),
        ("search", chat_list.search),
        ("older", chat_list.older),
        ("earlier", chat_list.earlier),
    ):
        add_action(name, handler, session, outputs)
    new.click(chat_list.new, session, outputs, **QUIET)
    composer.stop(chat.stop, session, outputs, **QUIET)
    who = [gr.JSON(visible=False), gr.JSON(visible=False)]  # the browser's secret, the tab's chat
    wake = gr.Button("wake", elem_id="do-wake", elem_classes="data")
    gr.on(
        [demo.load, wake.click], chat_list.restore, [session, *who], [session, *outputs], js=WHO_JS, **QUIET
    )
    return ChatComponents(session, outputs, status, controls)


def _wire_answer(
    start: Dependency,
    chat: ChatHandlers,
    session: gr.State,
    outputs: list[Component],
    status: gr.HTML,
    max_users: int,
) -> None:
    """Message, example and retry each set the session's answer; what makes it is the same for all three."""
    waiting: dict[str, Any] = {
        "trigger_mode": "multiple",
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    queued = start.success(chat.wait, session, status, concurrency_limit=None, **waiting)
    answered = queued.success(
        chat.answer,
        session,
        [outputs[0], status],
        concurrency_id=ENGINE_QUEUE,
        concurrency_limit=max_users,
        **waiting,
    )
    queued.failure(chat.turned_away, session, outputs, **QUIET)
    answered.failure(chat.turned_away, session, outputs, **QUIET)
    answered.success(chat.ready, session, outputs, **QUIET)


def _chatbot(engine: ChatEngine) -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="chat",
        label=I18nData("The chat so far"),
        show_label=False,
        container=False,
        height="100%",
        autoscroll=False,
        editable=None,
        allow_tags=False,
        latex_delimiters=[],
        buttons=[],
        layout="bubble",
        feedback_options=None,
        examples=load_examples() or None,
        placeholder=placeholder_html(engine.description),
    )


def _composer() -> gr.MultimodalTextbox:
    return gr.MultimodalTextbox(
        elem_id="composer",
        label=I18nData("Your message"),
        show_label=False,
        placeholder=I18nData("Ask for a picture or a story…"),
        file_count="multiple",
        file_types=["image"],
        sources=["upload"],
        lines=1,
        max_lines=8,
        autofocus=True,
        max_plain_text_length=100_000,
        submit_btn=True,
        stop_btn=False,
    )
