"""How much may be uploaded: by one address in an hour, and by all together at a time. Called by `gate`.

Uploads lie in Gradio's upload folder until they are used or a day old; anybody can send them. Knows sizes, no
contents.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from starlette.datastructures import Headers

from demo.guard.input.text import RequestError
from demo.guard.presence import network_of

MB = 2**20
MAX_OF_ADDRESS = 256 * MB  # in an hour
MAX_IN_ALL = 1024 * MB
HOUR = 3600.0
COUNT_SECONDS = 10.0  # between two looks at the whole folder
MAX_ADDRESSES = 2000
UPLOAD = "/gradio_api/upload"
LENGTH = "An upload says how long it is (Content-Length)"
TOO_MUCH = f"Your address has uploaded {MAX_OF_ADDRESS // MB} MB within an hour, the most that is taken: try again later"
NO_ROOM = "The room for uploads is used up: try again in a while"


class QuotaError(RequestError):
    """An upload for which there is no room."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class UploadQuota:
    """What each address has sent in the present hour, and the size of the upload folder."""

    def __init__(
        self, folder: Callable[[], str] = get_upload_folder, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder, self._clock = folder, clock
        self._sent: OrderedDict[str, tuple[float, int]] = OrderedDict()  # network -> since when, bytes
        self._lying, self._counted = 0, float("-inf")  # bytes in the folder, and when they were counted
        self._lock = threading.Lock()

    def verify(self, scope: Any) -> None:
        """Raise `QuotaError` when there is no room for the upload that the request is; count it otherwise."""
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdigit():
            raise QuotaError(LENGTH)
        size, address = int(length), network_of((scope.get("client") or ("",))[0])
        now = self._clock()
        with self._lock:
            since, sent = self._sent.pop(address, (now, 0))
            since, sent = (since, sent) if now - since < HOUR else (now, 0)
            self._sent[address] = (since, sent)
            if sent + size > MAX_OF_ADDRESS:
                raise QuotaError(TOO_MUCH)
            if now - self._counted >= COUNT_SECONDS:
                self._lying, self._counted = self._count(), now
            if size + self._lying > MAX_IN_ALL:
                raise QuotaError(NO_ROOM)
            self._lying += size
            self._sent[address] = (since, sent + size)
            while len(self._sent) > MAX_ADDRESSES:
                self._sent.popitem(last=False)

    def _count(self) -> int:
        """Bytes in the folder; when they are too many, what is older than an hour goes first."""
        files = list(_files(Path(self._folder())))
        if sum(size for _, size, _ in files) > MAX_IN_ALL // 2:
            old = {path for path, _, changed in files if self._clock() - changed > HOUR}
            for path in old:
                path.unlink(missing_ok=True)
            files = [file for file in files if file[0] not in old]
        return sum(size for _, size, _ in files)


def is_upload(scope: Any) -> bool:
    """Whether the request brings a file."""
    return scope["method"] == "POST" and scope["path"].rstrip("/") == UPLOAD


def _files(folder: Path) -> list[tuple[Path, int, float]]:
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                about = (Path(place) / name).stat()
            except FileNotFoundError:
                continue
            found.append((Path(place) / name, about.st_size, about.st_mtime))
    return found
