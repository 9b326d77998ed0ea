"""Values that nobody sends who means well, as hypothesis draws them, and what no answer may hold."""

import json
from pathlib import Path
from typing import Any

import httpx
from hypothesis import strategies as st

CANARY = "canary-3c1f-of-a-file-outside"
MARK = {"_type": "gradio.FileData"}
UNKEPT = "went wrong"

_odd = st.sampled_from(
    ["", " ", "\ud800", "a\udfffb", "\x00", "\x1b[0m", "../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "%00", "{0}",
     "${1}", "<img src=x>", "' OR 1=1 --", "--5", "NaN", "1e-320", "\u202e", "\U0001f468\u200d", "draw", "long", "x" * 9000,
     "http://127.0.0.1:1/x.png", "__class__", "constructor", "data:image/png;base64,AAAA", "auto", "always", "a" * 32]
)  # fmt: skip
texts = st.one_of(_odd, st.text(max_size=20))
numbers = st.one_of(
    st.integers(-3, 30),
    st.sampled_from([2**31, 2**63, 2**64, -(2**64), 10**400, 1e-320, 1e308, 1e999, -0.0, float("nan")]),
    st.floats(),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
NAMES = ["path", "meta", "url", "text", "files", "node", "part", "chosen", "choices", "id", "title", "index", "value", "type", "role",
         "content", "image", "shape", "data", "seed", "temperature", "place", "to", "version", "ask", "slide", "address"]  # fmt: skip


def files(path: Path) -> st.SearchStrategy[Any]:
    """Files that were never uploaded, under every mark."""
    paths = st.sampled_from(
        [str(path), f"/proc/self/root{path}", f"file://{path}", "/etc/passwd", ".", "http://127.0.0.1/x"]
    )
    marks = st.sampled_from([MARK, {}, None, 5, {"_type": "x"}])
    return st.builds(lambda path, meta: {"path": path, "meta": meta, "orig_name": "a.png"}, paths, marks)


def values(path: Path) -> st.SearchStrategy[Any]:
    """Any JSON, files among it."""
    leaves = st.one_of(scalars, files(path))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.one_of(st.sampled_from(NAMES), texts), inner, max_size=4),
        ),
        max_leaves=8,
    )


def sent(value: Any) -> bytes:
    """`value` as JSON, with what is no JSON in it: lone surrogates as they are, NaN, numbers without end."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def verify(answer: httpx.Response, asked: object) -> None:
    """An answer is no 500, tells what was wrong in words, and holds nothing from outside."""
    assert answer.status_code < 500, (asked, answer.status_code, answer.text[:500])
    text = answer.text
    assert CANARY not in text and "root:x:0" not in text, asked
    assert '"error":null' not in text.replace(" ", ""), (asked, text[:500])
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        told = json.loads(text) if "json" in answer.headers.get("content-type", "") else {"error": text}
        words = told.get("error") or told.get("detail")
        assert isinstance(words, str) and len(words) > 4 and UNKEPT not in words, (asked, text[:500])
