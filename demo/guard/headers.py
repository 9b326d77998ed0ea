"""The headers of every answer: load nothing from elsewhere, guess no types, show in no foreign frame. Called by
`gate`.
"""

from collections.abc import Iterable

API = "/gradio_api/"
# Gradio needs 'unsafe-eval' and 'unsafe-inline'; words come from people and models, so nothing else leads outside.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; frame-src 'none'; object-src 'none'; base-uri 'self'; form-action 'self'; "
)
# a file or an answer that is opened as if it were a page can do nothing at all
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox; "
POLICY = "content-security-policy"


class SecurityHeaders:
    """The headers of an app that `frames`, addresses of pages, may show in a frame beside its own pages."""

    def __init__(self, frames: Iterable[str] = ()) -> None:
        frames = tuple(frames)
        self._ancestors = " ".join(("frame-ancestors 'self'", *frames))
        self._always = {
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        }
        if not frames:
            self._always["x-frame-options"] = "SAMEORIGIN"

    def add(self, path: str, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """`headers` of the answer to a request for `path`, with those that are not in them yet."""
        policy = FILE_POLICY if path.startswith(API) else PAGE_POLICY
        given = {name.lower() for name, _ in headers}
        # of two policies both hold, so a page's own needs no words about frames
        policy = self._ancestors if POLICY.encode() in given else policy + self._ancestors
        return [
            *headers,
            *(
                (name.encode(), value.encode())
                for name, value in self._always.items()
                if name.encode() not in given
            ),
            (POLICY.encode(), policy.encode()),
        ]
