"""The story page inside Gradio, and the two pages that stand alone: the stage and the remote.

`site` builds the first, `routes` serves the others. Knows which files and words a page is made of, nothing of any
story.
"""

import json
from html import escape

import gradio as gr

from demo.story.export.fonts import font_faces
from demo.story.export.html import fill
from demo.story.page_text import REMOTE, STAGE, STORY
from demo.story.writing.premise import MAX_PICTURES, MAX_SCENES, MIN_SCENES, TONES
from demo.web.theme import STATIC, logo_svg
from demo.web.wording import words_script


def build_story_page() -> None:
    """Draw the story page where the caller stands; `static/story/page.js` brings it to life.

    Its style stands in the page itself: Gradio rewrites the selectors of its own style files, and not for the better.
    """
    limits = {"min_scenes": MIN_SCENES, "max_scenes": MAX_SCENES, "pictures": MAX_PICTURES}
    values = {"words": STORY, "tones": list(TONES), "limits": limits, "logo": logo_svg()}
    data = escape(json.dumps(values, ensure_ascii=False))
    style = f"<style>{_read('story/story.css')}</style>"
    script = "".join(map(_read, ("story/follow.js", "story/book.js", "story/page.js")))
    gr.HTML(
        f'{style}<div id="story-book" data-values="{data}"></div>', js_on_load=script, elem_id="story-page"
    )


def stage_page() -> str:
    """The stage: one file with everything in it, so that it stands when the network goes."""
    return _alone("stage", STAGE)


def remote_page() -> str:
    """The remote, for a phone."""
    return _alone("remote", REMOTE)


def _alone(name: str, words: dict[str, str]) -> str:
    data = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
    files = {"css": _read(f"{name}/{name}.css") + _read("shared/keys.css"), "js": _read(f"{name}/{name}.js")}
    shared = words_script("chat", "story") + "".join(
        map(_read, ("shared/wording.js", "shared/keys.js", "story/follow.js"))
    )
    return fill(f"{name}/{name}.html", {"fonts": font_faces(), "words": data, "shared": shared, **files})


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
