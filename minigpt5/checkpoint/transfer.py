"""One file over HTTP, whole and checked, or not at all.

A file grows under a name of its own beside its place, from where a later run goes on (Range), and gets its
final name once its size and digest are those that the server told.
"""

import base64
import errno
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import get_session, hf_raise_for_status

from minigpt5.errors import CheckpointError

HEAD_SECONDS = 30.0
PLAIN = {"Accept-Encoding": "identity"}  # packed on the way, a file has another size
READ_BYTES = 2**22
FAILURES = (httpx2.HTTPError, OSError)
HTTP_REASONS = {
    401: "access refused (HTTP 401: a wrong name, or one that needs its terms accepted and `hf auth login`)",
    403: "access refused (HTTP 403: accept the terms on its page, then `hf auth login`)",
    404: "nothing there (HTTP 404)",
    416: "another file than the one begun (HTTP 416)",
    429: "too many requests (HTTP 429: wait some minutes, then run this again)",
}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on a server. `digest` is its kind ("sha256", "md5", or git's "sha1") and the hex digits, if told."""

    url: str
    path: Path
    size: int
    digest: tuple[str, str] | None
    headers: dict[str, str]

    @property
    def partial(self) -> Path:
        """Where it grows; another version of the file grows elsewhere."""
        stamp = hashlib.sha256(repr((self.url, self.size, self.digest)).encode()).hexdigest()[:8]
        return self.path.with_name(f".{self.path.name}.{stamp}.part")


def bytes_left(file: RemoteFile) -> int:
    """How many bytes are still to be transferred."""
    if _size_of(file.path) == file.size:
        return 0
    return file.size - min(file.size, _size_of(file.partial))


def look_up(url: str, path: Path) -> RemoteFile:
    """What the server tells of a plain URL; raises `CheckpointError`.

    `#sha256=...` at the URL's end says what to expect; Google's storage tells an MD5 of its own; without either the size
    alone is verified.
    """
    url, _, wanted = url.partition("#sha256=")
    try:
        response = get_session().head(url, headers=PLAIN, follow_redirects=True, timeout=HEAD_SECONDS)
        hf_raise_for_status(response)
    except FAILURES as error:
        raise CheckpointError(f"{url}: got {reason(error)}, expected the file") from error
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise CheckpointError(f"{url}: got a web page, expected the address of the file itself")
    size = response.headers.get("Content-Length", "")
    if not size.isdigit():
        raise CheckpointError(f"{url}: got no Content-Length, expected the size of a file")
    digest = ("sha256", wanted.lower()) if wanted else _storage_digest(response.headers)
    return RemoteFile(url, path, int(size), digest, PLAIN)


def fetch(file: RemoteFile) -> Path:
    """The file at its place, transferred if it is not there already; raises `CheckpointError`."""
    if _size_of(file.path) == file.size and _digest_of(file.path, file) == file.digest:
        return file.path
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        _transfer(file)
        _verify(file)
        file.partial.replace(file.path)
    except FAILURES as error:
        raise CheckpointError(
            f"{file.url}: got {reason(error)}, expected {file.size} bytes; run the same command again to go on"
        ) from error
    return file.path


def reason(error: Exception) -> str:
    """Why a request or a transfer failed, in plain words without line breaks."""
    if isinstance(error, OfflineModeIsEnabled):
        return "no network (HF_HUB_OFFLINE is set)"
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        status = error.response.status_code
        return HTTP_REASONS.get(status, f"HTTP {status}")
    if isinstance(error, httpx2.ConnectError | httpx2.TimeoutException):
        return "no answer (is the network up?)"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "a full disk"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "a transfer that broke off"


def _transfer(file: RemoteFile) -> None:
    """All bytes in the partial file; what an earlier run left of them is kept."""
    if _size_of(file.partial) > file.size:
        file.partial.unlink()
    with file.partial.open("ab") as growing:
        http_get(
            file.url,
            growing,
            resume_size=growing.tell(),
            headers=dict(file.headers),
            expected_size=file.size,
            displayed_filename=file.path.name,
        )


def _verify(file: RemoteFile) -> None:
    """Raise `CheckpointError` unless the partial file is the one that was told; a wrong one is removed."""
    got, digest = _size_of(file.partial), _digest_of(file.partial, file)
    if got == file.size and digest == file.digest:
        return
    file.partial.unlink()
    if got != file.size:
        raise CheckpointError(f"{file.url}: got {got} bytes, expected {file.size}")
    kind, expected = file.digest or ("", "")
    found = digest[1] if digest else ""
    raise CheckpointError(
        f"{file.url}: got a file with {kind} {found}, expected {expected}; it was removed, so run this again"
    )


def _digest_of(path: Path, file: RemoteFile) -> tuple[str, str] | None:
    """The digest of the kind that is known of `file`, None if there is none to compare with."""
    if file.digest is None:
        return None
    kind = file.digest[0]
    digest = hashlib.new(kind, usedforsecurity=False)
    if kind == "sha1":  # git's, of small files
        digest.update(b"blob %d\0" % file.size)
    with path.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
    return kind, digest.hexdigest()


def _storage_digest(headers: httpx2.Headers) -> tuple[str, str] | None:
    for item in headers.get("x-goog-hash", "").replace(" ", "").split(","):
        kind, _, value = item.partition("=")
        if kind == "md5":
            return kind, base64.b64decode(value).hex()
    return None


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def free_bytes(folder: Path) -> tuple[int, int]:
    """The disk on which `folder` is or will be (its device number), and the bytes free there."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return there.stat().st_dev, shutil.disk_usage(there).free
