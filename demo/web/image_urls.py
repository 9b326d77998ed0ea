"""Addresses of images for the page: of stored files, and `data:` addresses that hold a preview or an empty frame.

Called by whatever shows pictures: views and handlers of chat, picture, inspector and story. Knows nothing of who may
see a file, which is `guard.picture_access`.
"""

import base64
import io
import os
from pathlib import Path

from PIL import Image


def file_url(path: Path) -> str:
    """The address at which the page fetches `path`, relative so that it holds behind any proxy."""
    return f"gradio_api/file={path.as_posix()}" if os.sep == "/" else f"gradio_api/file={path}"


def preview_url(image: Image.Image) -> str:
    """`image` inside an address of its own: no request, so a slow connection never cancels a newer preview."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "WEBP", quality=60, method=0)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def frame_url(width: int, height: int) -> str:
    """An empty frame of `width` x `height`, a placeholder for a picture to come."""
    cx, cy, unit = width / 2, height / 2, min(width, height) / 16
    strokes = "".join(
        f'<circle cx="{cx + (i - 1) * unit * 1.6:.1f}" cy="{cy:.1f}" r="{unit * 0.42:.1f}" '
        f'style="animation-delay:{i * 0.25}s"/>'
        for i in range(3)
    )
    style = (
        "circle{fill:#a8452b;opacity:.25;animation:b 1.5s ease-in-out infinite}"
        "@keyframes b{40%{opacity:.95}}@media(prefers-reduced-motion:reduce){circle{animation:none;opacity:.6}}"
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><style>{style}</style>'
        f'<rect width="100%" height="100%" fill="#f3e7cd"/>{strokes}</svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
