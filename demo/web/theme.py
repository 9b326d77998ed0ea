"""How the pages look: Gradio's theme, the lists of style and script files, and the page's head.

`site`, the arena and the story pages call it. The colours are in `static/shared/style.css`, light and dark; the theme
sets Gradio's variables to ours, so that a colour is defined once. Knows nothing of what stands on a page.
"""

import base64
from pathlib import Path

import gradio as gr
from gradio.themes.utils.fonts import LocalFont

from demo.web.wording import words_script

STATIC = Path(__file__).resolve().parent / "static"
# Model and user words may hold Markdown pictures; none may be fetched from elsewhere.
CONTENT_POLICY = '<meta http-equiv="Content-Security-Policy" content="img-src \'self\' data: blob:">'

STORY_WEIGHTS = (400, 600)

# The chat page's files in the order in which they load; a new style or script gets a line here.
STYLES = (
    "shared/style.css",
    "chat/chat.css",
    "chat/chat_list.css",
    "picture/dialog.css",
    "inspector/inspector.css",
    "shared/keys.css",
)
SCRIPTS = (
    "shared/wording.js",
    "shared/bridge.js",
    "chat/enhancements.js",
    "chat/rows.js",
    "chat/chat_list.js",
    "picture/dialog.js",
    "inspector/inspector.js",
    "chat/composer.js",
    "shared/keys.js",
)

# Gradio's variable -> ours; the same in light and dark, where ours change.
VARIABLES = {
    "body_background_fill": "var(--paper)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--ink-soft)",
    "background_fill_primary": "var(--sheet)",
    "background_fill_secondary": "var(--paper)",
    "border_color_primary": "var(--line)",
    "border_color_accent": "var(--accent)",
    "color_accent_soft": "var(--accent-wash)",
    "block_background_fill": "transparent",
    "block_border_color": "var(--line)",
    "block_info_text_color": "var(--ink-soft)",
    "block_label_background_fill": "transparent",
    "block_label_text_color": "var(--ink-soft)",
    "block_title_text_color": "var(--ink)",
    "block_border_width": "0px",
    "input_background_fill": "var(--sheet)",
    "input_background_fill_focus": "var(--sheet)",
    "input_border_color": "var(--line)",
    "input_border_color_focus": "var(--accent)",
    "input_placeholder_color": "var(--ink-soft)",
    "panel_background_fill": "var(--sheet)",
    "link_text_color": "var(--accent)",
    "link_text_color_hover": "var(--accent)",
    "link_text_color_visited": "var(--accent)",
    "link_text_color_active": "var(--accent)",
    "slider_color": "var(--accent)",
    "loader_color": "var(--accent)",
    "button_primary_background_fill": "var(--accent)",
    "button_primary_background_fill_hover": "var(--accent-strong)",
    "button_primary_text_color": "var(--on-accent)",
    "button_secondary_background_fill": "transparent",
    "button_secondary_background_fill_hover": "var(--accent-wash)",
    "button_secondary_border_color": "var(--line-strong)",
    "button_secondary_text_color": "var(--ink)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_hover": "var(--accent-wash)",
    "checkbox_label_background_fill_selected": "var(--accent-wash)",
    "checkbox_label_text_color": "var(--ink)",
    "checkbox_label_text_color_selected": "var(--ink)",
    "checkbox_label_border_color": "var(--line)",
    "checkbox_background_color_selected": "var(--accent)",
    "checkbox_border_color": "var(--line-strong)",
    "error_background_fill": "var(--sheet)",
    "error_border_color": "var(--accent)",
    "error_text_color": "var(--ink)",
    "error_icon_color": "var(--accent)",
}


def storybook_theme() -> gr.themes.Base:
    """The theme, with fonts that come with Gradio: nothing is fetched from elsewhere."""
    theme = gr.themes.Base(
        primary_hue="orange",
        neutral_hue="stone",
        radius_size="lg",
        font=[LocalFont("Quicksand", weights=(400, 700)), "ui-rounded", "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
    )
    both = {f"{name}{mode}": value for name, value in VARIABLES.items() for mode in ("", "_dark")}
    return theme.set(**both)


def logo_svg() -> str:
    """The logo as SVG markup, to be put into a page."""
    return (STATIC / "logo.svg").read_text(encoding="utf-8")


def style_paths() -> list[Path]:
    """The files of style, in their order."""
    return [STATIC / name for name in STYLES]


def page_head(*words: str) -> str:
    """What goes into the page's head: the policy for pictures, the story font, our scripts and their tables `words`."""
    files = ((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS)
    scripts = "".join(f"<script>{script}</script>" for script in (words_script(*words), *files))
    return (
        f'{CONTENT_POLICY}<meta name="color-scheme" content="light dark">'
        f"<style>{''.join(map(_font_face, STORY_WEIGHTS))}</style>{scripts}"
    )


def _font_face(weight: int) -> str:
    """The story font inside the page itself, so that no address for it has to be opened."""
    data = base64.b64encode(
        (STATIC / "fonts" / f"fraunces-latin-{weight}-normal.woff2").read_bytes()
    ).decode()
    return (
        f'@font-face{{font-family:"Fraunces";font-weight:{weight};font-style:normal;font-display:swap;'
        f'src:url(data:font/woff2;base64,{data}) format("woff2")}}'
    )
