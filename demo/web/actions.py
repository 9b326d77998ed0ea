"""Actions that no component of Gradio has: a script says what they are about and clicks a hidden button.

The `page` modules of chat, picture and inspector add theirs; the browser's half is `static/shared/bridge.js`. Knows
nothing of what an action does.
"""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

ACTION_JS = "(session, about, ...rest) => [session, window.minigpt5.about['NAME'], ...rest]"
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def add_action(
    name: str,
    handler: Callable[..., Any],
    session: gr.State,
    outputs: Sequence[Component],
    inputs: Sequence[Component] = (),
) -> Dependency:
    """`handler(session, about, *inputs)` happens when the script asks for the action `name`."""
    button, about = gr.Button(name, elem_id=f"do-{name}", elem_classes="data"), gr.JSON(visible=False)
    script = ACTION_JS.replace("NAME", name)
    return button.click(handler, [session, about, *inputs], list(outputs), js=script, **QUIET)
