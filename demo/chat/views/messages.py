"""Stored messages -> messages of Gradio's chat: the only place that knows both forms.

Called by `session_view` and `GrowingReply`. A message of the chat is `{"role", "content": [part, ...]}`. A text part
is `{"type": "text", "text"}`; a picture part keeps one `<img>` from the empty frame over the previews to the finished
file, so nothing flickers or moves.

How a script finds a picture: the rows `#chat .message-row` stand in the order of `outline["rows"]` (see
`session_view`), and the `.image-container`s of a row in the order of its `pictures`, each of which tells its part of
the message.
"""

import re
from pathlib import Path
from typing import Any, assert_never

from demo.store.files import PictureFiles
from demo.store.records import Drawing, Node, Part, Picture, Sketch, Upload, Words
from demo.web.image_urls import file_url

ALT_LENGTH = 120
NOTHING_SAID = "Stopped before the first word."

ChatPart = dict[str, Any]
ChatMessage = dict[str, Any]

# no character that would end a link in angle brackets is taken as part of one
_LINK = re.compile(
    r"(?<![\w@./])(?:https?://(?=[^\s/])|www\.(?=\w))[^\s<>\\`\x00-\x20]+"
    r"|(?<![\w@./+-])[\w.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    re.IGNORECASE | re.ASCII,
)
_FOLLOWS = "?!.,:;*_~'\"|"
_MARKDOWN = re.compile(r"([\\`*_~|<>])|^(\s*)(#|[-+](?=\s))|(!)(?=\[)|(\])(?=\()", re.MULTILINE)


def node_message(node: Node, files: PictureFiles, forming: dict[int, ChatPart] | None = None) -> ChatMessage:
    """What the chat shows of a message; `forming` stands in for parts that are being drawn at the moment."""
    forming = forming or {}
    content = [
        forming.get(index) or _chat_part(node, index, part, files) for index, part in enumerate(node.parts)
    ]
    if node.role == "assistant" and not content:
        content = [remark_part(NOTHING_SAID)]
    return {"role": node.role, "content": content}


def _chat_part(node: Node, index: int, part: Part, files: PictureFiles) -> ChatPart:
    match part:
        case Words(text, remark):
            if remark:
                return remark_part(text)
            return text_part(escape_markdown(text) if node.role == "user" else text)
        case Upload(file):
            return picture_part(files.path(file), "", f"Your picture {index + 1}")
        case Picture(drawings=drawings, chosen=chosen):
            drawing = drawings[chosen]
            alt = picture_alt(node.parts[: index + 1])
            return picture_part(files.path(drawing.file), drawing_label(drawing), alt)
        case Sketch(file, step, steps):
            return picture_part(
                files.path(file), f"stopped at {step}/{steps}", "A picture that was not finished"
            )
    assert_never(part)


def drawing_label(drawing: Drawing) -> str:
    """The caption below a picture."""
    return f"seed {drawing.seed} · guidance {drawing.guidance_scale:.1f}"


def picture_alt(parts: tuple[Part, ...]) -> str:
    """What a picture shows, in words: those that stand before it. `parts` ends with the picture."""
    number = sum(isinstance(part, Picture) for part in parts)
    spoken = (part.text for part in reversed(parts) if isinstance(part, Words) and not part.remark)
    words = " ".join(next(spoken, "").split())
    words = words if len(words) <= ALT_LENGTH else words[:ALT_LENGTH].rsplit(" ", 1)[0] + "…"
    return f"Picture {number} drawn by the model" + (f" for: {words}" if words else "")


def text_part(text: str) -> ChatPart:
    return {"type": "text", "text": text}


def remark_part(sentence: str) -> ChatPart:
    """A word of the page itself, set apart from those of the model."""
    return text_part(f"*{escape_markdown(sentence)}*")


def picture_part(path: Path, label: str, alt_text: str) -> ChatPart:
    """A picture that is a file, with a caption."""
    return _image(file_url(path), str(path), path.name, label, alt_text)


def forming_part(url: str, label: str, alt_text: str) -> ChatPart:
    """A picture that is not yet there: `url` holds a preview itself."""
    return _image(url, "", "preview.webp", label, alt_text)


def _image(url: str, path: str, name: str, label: str, alt_text: str) -> ChatPart:
    """Without the "meta" key Gradio takes the address as it is, which is far cheaper."""
    return {
        "type": "component",
        "component": "image",
        "value": {"url": url, "path": path, "orig_name": name},
        "constructor_args": {},
        "props": {"alt_text": alt_text, "label": label},
    }


def escape_markdown(text: str) -> str:
    """`text` such that Markdown shows every character of it: `<ImageHere>` or `*` typed by a user stay readable.

    Addresses of pages and of people become links to just what was typed.
    """
    pieces, end = [], 0
    for found in _LINK.finditer(text):
        address = _without_what_follows(found[0])
        pieces += [_escaped(text[end : found.start()]), _link(address)]
        end = found.start() + len(address)
    return "".join((*pieces, _escaped(text[end:])))


def _without_what_follows(address: str) -> str:
    """`address` without the stop or the bracket of the sentence that it stands in."""
    while address:
        closed = address[-1] == ")" and address.count(")") > address.count("(")
        if not closed and address[-1] not in _FOLLOWS:
            break
        address = address[:-1]
    return address


def _link(address: str) -> str:
    """`address` such that Markdown makes a link of it as it is; most are one as they stand."""
    if _escaped(address) == address:
        return address
    if address.lower().startswith("www."):
        return f"[{_escaped(address)}](<http://{address}>)"
    return f"<{address}>"


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(lambda found: (found[2] or "") + "\\" + (found[0][len(found[2] or "") :]), text)
