"""The page: what stands where, and which handler answers which deed. The handlers are in `chat`."""

from typing import Any

import gradio as gr
from gradio.components import Component

from demo.api import add_endpoints
from demo.chat import ChatHandlers
from demo.engine_type import ChatEngine
from demo.examples import load_examples
from demo.header import header_html, placeholder_html
from demo.pictures import PictureFolder
from demo.sessions import Session
from demo.settings import settings_panel
from demo.theme import STATIC, page_head, storybook_theme

ENGINE_QUEUE = "engine"
UPLOAD_SECONDS = 24 * 3600
TAB_JS = """(tab, session) => {
  let id = sessionStorage.getItem("minigpt5-tab");
  if (!id) {
    id = [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("minigpt5-tab", id);
  }
  return [id, session];
}"""
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def create_demo(
    engine: ChatEngine, *, max_users: int = 1, queue_size: int = 32, pictures: PictureFolder | None = None
) -> gr.Blocks:
    """The chat page over `engine`; `max_users` replies are made at once, `queue_size` more may wait.

    Launch it with `launch_options(demo)`.
    """
    folder = pictures or PictureFolder()
    with gr.Blocks(
        title=f"{engine.name} · MiniGPT-5",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(3600, UPLOAD_SECONDS),
    ) as demo:
        add_endpoints(engine, folder, {"concurrency_id": ENGINE_QUEUE, "concurrency_limit": max_users})
        _build_page(demo, engine, ChatHandlers(engine, folder), max_users)
    demo.queue(max_size=queue_size, default_concurrency_limit=max_users)
    demo.picture_folder = folder
    return demo


def launch_options(demo: gr.Blocks) -> dict[str, Any]:
    """What `demo.launch` must be given for the page to look and behave as it is meant to, safely and offline."""
    return {
        "theme": storybook_theme(),
        "css_paths": [STATIC / "style.css", STATIC / "chat.css"],
        "head": page_head(),
        "favicon_path": STATIC / "logo.svg",
        "allowed_paths": [str(demo.picture_folder.path)],
        "max_file_size": "10mb",
        "show_error": False,
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "pwa": False,
        "strict_cors": True,
    }


def _build_page(demo: gr.Blocks, engine: ChatEngine, handlers: ChatHandlers, max_users: int) -> None:
    session = gr.State(Session())
    tab = gr.Textbox(visible=False)
    with gr.Row(elem_id="header"):
        gr.HTML(header_html(engine.name, engine.description), elem_id="title", padding=False)
        clear = gr.Button("New story", elem_id="clear", variant="secondary", size="sm", min_width=0)
    chatbot = _chatbot(engine)
    notice = gr.Markdown("", elem_id="notice", container=False)
    composer = _composer()
    with gr.Sidebar(open=False, position="right", width=340, elem_id="settings", label="Settings"):
        controls = settings_panel()
    shown = [chatbot, composer, notice]
    _wire_answers(handlers, session, shown, controls, max_users)
    clear.click(handlers.clear, session, shown, **QUIET)
    chatbot.clear(handlers.clear, session, shown, **QUIET)
    chatbot.undo(handlers.undo, session, shown, **QUIET)
    composer.stop(handlers.stop, session, shown, **QUIET)
    demo.load(handlers.restore, [tab, session], [session, *shown], js=TAB_JS, **QUIET)


def _wire_answers(
    handlers: ChatHandlers,
    session: gr.State,
    shown: list[Component],
    controls: list[Component],
    max_users: int,
) -> None:
    """Submit, example and retry each set the active turn; what answers it is the same for all three."""
    chatbot, composer, _ = shown
    starts = [
        composer.submit(handlers.submit, [session, composer, *controls], shown, **QUIET),
        chatbot.example_select(handlers.use_example, [session, *controls], shown, **QUIET),
        chatbot.retry(handlers.retry, [session, *controls], shown, **QUIET),
    ]
    for start in starts:
        start.success(
            handlers.answer,
            session,
            chatbot,
            concurrency_id=ENGINE_QUEUE,
            concurrency_limit=max_users,
            trigger_mode="multiple",
            show_progress="hidden",
            api_visibility="private",
        ).then(handlers.ready, session, shown, **QUIET)


def _chatbot(engine: ChatEngine) -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="chat",
        label="The story so far",
        show_label=False,
        container=False,
        height="100%",
        autoscroll=False,
        editable=None,
        allow_tags=False,
        latex_delimiters=[],
        buttons=["copy"],
        layout="bubble",
        feedback_options=None,
        examples=load_examples() or None,
        placeholder=placeholder_html(engine.description),
    )


def _composer() -> gr.MultimodalTextbox:
    return gr.MultimodalTextbox(
        elem_id="composer",
        label="Your message",
        show_label=False,
        placeholder="Ask for a picture or a story…",
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
