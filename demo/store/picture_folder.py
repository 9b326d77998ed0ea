"""Pictures of no chat, as the public endpoints return them: files of a temporary folder under random names.

Called by `api`. Gradio's cache deletes files that a chat still shows, so finished pictures stay out of it. File names
are random (128 bits), since whoever knows a name can fetch the file.
"""

import secrets
import shutil
import weakref
from collections import deque
from pathlib import Path

from PIL import Image

from demo.store.private_files import make_scratch

MAX_FILES = 2000


class PictureFolder:
    """A temporary folder that goes with this object, the process or `close`; beyond `max_files` the oldest pictures are deleted."""

    def __init__(self, max_files: int = MAX_FILES) -> None:
        self.path = make_scratch("pictures")
        self.close = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
        self._paths: deque[Path] = deque()
        self._max_files = max_files

    def save(self, image: Image.Image) -> Path:
        """Write `image` as PNG, untouched, under an unguessable name."""
        path = self.path / f"{secrets.token_urlsafe(16)}.png"
        path.touch(mode=0o600)
        image.save(path)
        self._paths.append(path)
        while len(self._paths) > self._max_files:
            self._paths.popleft().unlink(missing_ok=True)
        return path
