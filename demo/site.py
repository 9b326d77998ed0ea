"""The whole site: all pages over one engine and one store, and the arguments with which Gradio must launch them.

`app.py` calls `create_demo` and `launch_options`. Knows every page and how they share a queue; not what happens on
them.
"""

from typing import Any

import gradio as gr

from demo.api.endpoints import add_endpoints
from demo.chat.handlers import ChatHandlers
from demo.chat.page import ENGINE_QUEUE, build_chat_page
from demo.engine_type import ChatEngine
from demo.guard.failures import ToldBlocks
from demo.guard.gate import LOOPBACK, Protection, guarded
from demo.guard.picture_access import PrivatePictures, owners_in
from demo.guard.presence import Presence
from demo.inspector.page import wire_inspector
from demo.picture.page import wire_picture_dialog
from demo.store import ChatStore
from demo.store.picture_folder import PictureFolder
from demo.story.page import build_story_page
from demo.story.routes import story_routes
from demo.story.service import StoryService
from demo.web.theme import STATIC, page_head, storybook_theme, style_paths
from demo.web.wording import CHAT_PAGES, translations

UPLOAD_SECONDS = 24 * 3600
MAX_SESSIONS = 400  # tabs whose state is held; an older one is loaded from the store again


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
        chat = ChatHandlers(engine, store, slots=max_users)
        components = build_chat_page(demo, engine, chat, max_users)
        wire_picture_dialog(chat, components, ENGINE_QUEUE, max_users)
        wire_inspector(chat, components)
    # Further pages are added here.
    with demo.route("Stories", "/story", show_in_navbar=False):
        build_story_page()
    demo.story_routes = story_routes(StoryService(engine, store, at_once=max_users))
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
