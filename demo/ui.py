"""The pages: what stands where, and which handler answers which action. The handlers are in `chat`."""

from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency
from gradio.i18n import I18nData

from demo.api import add_endpoints
from demo.chat.examples import load_examples
from demo.chat.handlers import ChatHandlers
from demo.chat.list_handlers import ChatListHandlers
from demo.chat.session import Session
from demo.chat.settings import settings_panel
from demo.chat.views.header import header_html, placeholder_html
from demo.engine_type import ChatEngine
from demo.guard.failures import ToldBlocks
from demo.guard.gate import LOOPBACK, Protection, guarded
from demo.guard.picture_access import PrivatePictures, owners_in
from demo.guard.presence import Presence
from demo.inspector.page import wire_inspector
from demo.picture.page import wire_picture_dialog
from demo.store import ChatStore
from demo.store.picture_folder import PictureFolder
from demo.story.office import Office
from demo.story.pages import build_story_page
from demo.story.routes import story_routes
from demo.web.actions import QUIET, add_action
from demo.web.theme import STATIC, page_head, storybook_theme, style_paths
from demo.web.wording import CHAT_PAGES, translations

ENGINE_QUEUE = "engine"
UPLOAD_SECONDS = 24 * 3600
MAX_SESSIONS = 400  # tabs whose state is held; an older one wakes up from the store
# The script keeps the browser's secret and the tab's chat, see `static/chat/chat_list.js`.
WHO_JS = "(session) => [session, ...window.minigpt5.who()]"
# what goes on, above the composer; `static/chat/rows.js` fills it
STAGE_HTML = '<div class="stage"></div><span class="said" role="status"></span>'


def create_demo(
    engine: ChatEngine, *, store: ChatStore | None = None, max_users: int = 1, queue_size: int = 32
) -> gr.Blocks:
    """The pages over `engine`; `max_users` replies are made at once, `queue_size` more may wait.

    Chats are kept in `store`; without one they go with the process. Launch it with `launch_options(demo)`.
    """
    store = store or ChatStore()
    folder = PictureFolder()
    with ToldBlocks(
        title=f"{engine.name} · MiniGPT-5",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(3600, UPLOAD_SECONDS),
    ) as demo:
        presence = demo.presence = Presence(demo, share=max(2, queue_size // 2))
        add_endpoints(
            engine, folder, presence.heard, {"concurrency_id": ENGINE_QUEUE, "concurrency_limit": max_users}
        )
        _build_chat_page(demo, engine, ChatHandlers(engine, store, slots=max_users), max_users)
    # Further pages are plugged in here.
    with demo.route("Stories", "/story", show_in_navbar=False):
        build_story_page()
    demo.story_routes = story_routes(Office(engine, store, at_once=max_users))
    demo.queue(max_size=queue_size, default_concurrency_limit=max_users)
    demo.picture_folders = [folder.path, store.files.folder]
    demo.private_pictures = PrivatePictures(store.files.folder, owners_in(store.engine))
    return demo


def launch_options(demo: gr.Blocks, protection: Protection = LOOPBACK) -> dict[str, Any]:
    """What `demo.launch` must be given for the page to look and behave as it is meant to, safely and offline.

    Without another `protection` the pages answer under the names of this machine alone, and in no foreign frame.
    """
    return {
        "theme": storybook_theme(),
        "css_paths": style_paths(),
        "head": page_head(*CHAT_PAGES),
        "i18n": translations(*CHAT_PAGES),
        "app_kwargs": {"routes": demo.story_routes}
        | guarded(demo, protection, demo.private_pictures, demo.presence),
        "favicon_path": STATIC / "logo.svg",
        "allowed_paths": [str(folder) for folder in demo.picture_folders],
        "max_file_size": "10mb",
        "state_session_capacity": MAX_SESSIONS,
        "show_error": False,
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "pwa": False,
        "strict_cors": True,
    }


def _build_chat_page(demo: gr.Blocks, engine: ChatEngine, chat: ChatHandlers, max_users: int) -> None:
    session = gr.State(Session())
    with gr.Row(elem_id="header"):
        gr.HTML(header_html(engine.name, engine.description), elem_id="title", padding=False)
        new = gr.Button(I18nData("New chat"), elem_id="new", variant="secondary", size="sm", min_width=0)
    with gr.Sidebar(open=False, position="left", width=300, elem_id="history", label=I18nData("Chats")):
        gr.HTML('<div class="chats"></div>', padding=False)
    chatbot = _chatbot(engine)
    notice = gr.Markdown("", elem_id="notice", container=False)
    gr.HTML(STAGE_HTML, elem_id="stage", padding=False)
    status, outline, history = (gr.HTML("", elem_classes="data", padding=False) for _ in range(3))
    composer = _composer()
    with gr.Sidebar(open=False, position="right", width=340, elem_id="settings", label=I18nData("Settings")):
        controls = settings_panel()
    shown = [chatbot, composer, notice, outline, history]
    past = ChatListHandlers(chat)
    starts = [
        composer.submit(chat.submit, [session, composer, *controls], shown, **QUIET),
        chatbot.example_select(chat.use_example, [session, *controls], shown, **QUIET),
        add_action("retry", chat.retry, session, shown, controls),
    ]
    for start in starts:
        _wire_answer(start, chat, session, shown, status, max_users)
    add_action("edit", chat.edit, session, shown)
    add_action("flip", chat.flip, session, shown)
    add_action("cancel", chat.cancel_edit, session, shown)
    for name, handler in (
        ("open", past.open),
        ("rename", past.rename),
        ("delete", past.delete),
        ("search", past.search),
        ("older", past.older),
        ("earlier", past.earlier),
    ):
        add_action(name, handler, session, shown)
    wire_picture_dialog(
        chat,
        session,
        shown,
        status,
        controls,
        {"concurrency_id": ENGINE_QUEUE, "concurrency_limit": max_users},
    )
    wire_inspector(chat, session)
    new.click(past.new, session, shown, **QUIET)
    composer.stop(chat.stop, session, shown, **QUIET)
    who = [gr.JSON(visible=False), gr.JSON(visible=False)]  # the browser's secret, the tab's chat
    wake = gr.Button("wake", elem_id="do-wake", elem_classes="data")
    gr.on([demo.load, wake.click], past.restore, [session, *who], [session, *shown], js=WHO_JS, **QUIET)


def _wire_answer(
    start: Dependency,
    chat: ChatHandlers,
    session: gr.State,
    shown: list[Component],
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
        [shown[0], status],
        concurrency_id=ENGINE_QUEUE,
        concurrency_limit=max_users,
        **waiting,
    )
    queued.failure(chat.turned_away, session, shown, **QUIET)
    answered.failure(chat.turned_away, session, shown, **QUIET)
    answered.success(chat.ready, session, shown, **QUIET)


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
