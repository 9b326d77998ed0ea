"""The files of stored pictures and vokens, named by a keyed hash of their content.

The same content is one file. Without the folder's key nobody can work a name out, not even from the picture itself.
Called by the store, the handlers and the stories, which know which files they need; this module does not.
"""

import hashlib
import io
import math
import os
import re
import secrets
import shutil
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from demo.store.errors import on_disk
from demo.store.private_files import make_private, make_scratch, sweep_parts, write_private
from minigpt5 import ImageError, MiniGPT5Error, open_image

NAME_BYTES = 16
KEY_BYTES = 32
RESERVE = 2**20
SHOWN_SIDE = 1024
IN_HAND_SECONDS = 3600
_NAME = re.compile(r"[0-9a-f]{32}\.(png|npy)")


class PictureFiles:
    """Pictures (PNG) and vokens (.npy) under `root`; without one in a temporary folder that goes with this object.

    Only `folder`, which holds the pictures, may be served. A file that was saved and is not yet part of a stored
    message is kept until it is claimed, however often others delete the same content.
    """

    def __init__(self, root: Path | None = None) -> None:
        if root is None:
            root = make_scratch("chats")
            self.close = weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
        self.folder = (root / "pictures").resolve()
        self._vokens = root.resolve() / "vokens"
        for folder in (root, self.folder, self._vokens):
            make_private(folder)
            sweep_parts(folder)
        self._key = _key(root / "key")
        self._reserve = root / "reserve"
        self._refill()
        self.written = 0  # bytes since the last `sizes`
        self._unclaimed: dict[str, float] = {}  # since when, by a clock that never jumps
        self._lock = threading.Lock()
        self._batch = threading.local()  # `made`: the names of new files, while `all_or_none` lasts

    def save(self, image: Image.Image, provenance: Mapping[str, str] | None = None) -> str:
        """Write `image` as PNG, untouched, with `provenance` as its text chunks; returns its name."""
        texts = PngImagePlugin.PngInfo()
        for name, value in (provenance or {}).items():
            texts.add_itxt(name, value)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", pnginfo=texts)
        return self._write(buffer.getvalue(), "png")

    def save_for_display(self, image: Image.Image) -> str:
        """As `save`, at most SHOWN_SIDE pixels wide and high."""
        small = image.copy()
        small.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
        return self.save(small)

    def save_vokens(self, vokens: np.ndarray) -> str:
        """Write vokens (V,D) float32; returns their name."""
        buffer = io.BytesIO()
        np.save(buffer, vokens.astype(np.float32), allow_pickle=False)
        return self._write(buffer.getvalue(), "npy")

    def path(self, name: str) -> Path:
        """Where the file of that name is; raises `MiniGPT5Error` for what is no name."""
        if not _NAME.fullmatch(name):
            raise MiniGPT5Error(f"got {name!r}, expected the name of a stored picture")
        return (self._vokens if name.endswith(".npy") else self.folder) / name

    def image(self, name: str) -> Image.Image:
        """The picture of that name; raises `MiniGPT5Error` when it is gone."""
        path = self.path(name)
        if not path.is_file():
            raise MiniGPT5Error("A picture of this chat is gone from the server's folder")
        try:
            return open_image(path)
        except ImageError as error:
            raise MiniGPT5Error("A picture of this chat is damaged in the server's folder") from error

    def sound(self, name: str) -> bool:
        """Whether the picture of that name is there and whole."""
        try:
            with Image.open(self.path(name)) as picture:
                picture.verify()
        except Exception:  # Pillow's readers raise all kinds of errors for damaged files
            return False
        return True

    def vokens(self, name: str) -> np.ndarray:
        """The vokens (V,D) float32 of that name; raises `MiniGPT5Error` when they are gone."""
        try:
            vokens = np.load(self.path(name), allow_pickle=False)
        except (OSError, ValueError, EOFError, SyntaxError) as error:
            raise MiniGPT5Error("The vokens of this picture are gone, so it cannot be drawn again") from error
        if vokens.dtype != np.float32 or vokens.ndim != 2:
            raise MiniGPT5Error("The vokens of this picture are damaged, so it cannot be drawn again")
        return vokens

    def claim(self, names: Iterable[str]) -> None:
        """These names are part of a stored message from now on."""
        with self._lock:
            for name in names:
                self._unclaimed.pop(name, None)

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Files that are saved inside, by the same thread, and were not there before, go again when an error ends it."""
        made: set[str] = set()
        self._batch.made = made
        try:
            yield
        except BaseException:
            with self._lock:
                for name in made & self._unclaimed.keys():
                    self.path(name).unlink(missing_ok=True)
                    self._unclaimed.pop(name)
            raise
        finally:
            self._batch.made = None

    @contextmanager
    def reserve_freed(self) -> Iterator[None]:
        """While it lasts a full disk has RESERVE bytes of room, so that something can be deleted."""
        self._reserve.unlink(missing_ok=True)
        try:
            yield
        finally:
            self._refill()

    def _refill(self) -> None:
        if not self._reserve.exists():
            with suppress(OSError):  # it stays full: the next start tries again
                write_private(self._reserve, os.urandom(RESERVE))  # a file system might keep no zeros

    def delete(self, names: Iterable[str]) -> None:
        """Delete files that no stored message needs any more."""
        with self._lock:
            for name in set(names) - self._unclaimed.keys():
                self.path(name).unlink(missing_ok=True)

    def sweep(self, names: Iterable[str], before: float) -> None:
        """Delete those of the files that no stored message needs, were written before that time (seconds since 1970),
        and are not unclaimed ones of the last IN_HAND_SECONDS."""
        in_hand = time.monotonic() - IN_HAND_SECONDS
        with self._lock:
            for name in names:
                path = self.path(name)
                held = self._unclaimed.get(name, float("-inf")) >= in_hand
                if not held and path.exists() and path.stat().st_mtime < before:
                    path.unlink(missing_ok=True)
                    self._unclaimed.pop(name, None)

    def names(self, before: float = math.inf) -> set[str]:
        """Every file that was written before that time, in seconds since 1970."""
        return {path.name for path, stat in self._stats() if stat.st_mtime < before}

    def sizes(self) -> dict[str, int]:
        """Every file and its bytes."""
        self.written = 0
        return {path.name: stat.st_size for path, stat in self._stats()}

    def size_of(self, names: Iterable[str]) -> int:
        """Bytes of these files together, those that are gone left out."""
        paths = (self.path(name) for name in set(names))
        return sum(path.stat().st_size for path in paths if path.is_file())

    def _stats(self) -> list[tuple[Path, os.stat_result]]:
        with self._lock:  # nothing is deleted meanwhile
            found = (path for folder in (self.folder, self._vokens) for path in folder.iterdir())
            return [(path, path.stat()) for path in found if _NAME.fullmatch(path.name)]

    def _write(self, content: bytes, kind: str) -> str:
        digest = hashlib.blake2b(content, key=self._key, digest_size=NAME_BYTES)
        name = f"{digest.hexdigest()}.{kind}"
        path = self.path(name)
        with self._lock, on_disk():
            self._unclaimed[name] = time.monotonic()
            if path.exists():
                os.utime(path)  # as good as new
            else:
                write_private(path, content)
                self.written += len(content)
                if (made := getattr(self._batch, "made", None)) is not None:
                    made.add(name)
        return name


def _key(path: Path) -> bytes:
    """The folder's secret, made at its first use; raises `MiniGPT5Error` for one that is damaged."""
    if not path.exists():
        write_private(path, secrets.token_bytes(KEY_BYTES))
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise MiniGPT5Error(
            f"{path}: got {len(key)} bytes, expected the {KEY_BYTES} of the folder's secret: bring the file back from a "
            "copy, or delete it (pictures of before stay, and the same picture sent again is then stored twice)"
        )
    return key
