"""Which files a request may name: those that were uploaded, and no others, whatever the request says of them.

Called by the gate, `ToldBlocks` and the endpoints; knows Gradio's upload folder.
"""

from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from demo.guard.input.text import RequestError

EXPECTED = "expected an uploaded file, as gradio_client.handle_file makes one"
MARK = "gradio.FileData"


def uploaded_path(file: object, place: str) -> str:
    """The path of the uploaded `file`, `{"path", "meta"}` as Gradio has them; raises `RequestError` for anything else.

    Links are followed first: only what lies in Gradio's upload folder itself will do.
    """
    if isinstance(file, dict) and isinstance(meta := file.get("meta"), dict) and meta.get("_type") == MARK:
        path = file.get("path")
        if isinstance(path, str) and is_uploaded(path):
            return path
    raise RequestError(f"{place}: {EXPECTED}")


def is_uploaded(path: str) -> bool:
    """Whether `path` is a file in the upload folder, links followed."""
    try:
        found = Path(path).resolve(strict=True)
        return found.is_file() and found.is_relative_to(Path(get_upload_folder()).resolve())
    except (OSError, ValueError, RuntimeError):
        return False  # not there, no name of a file, or a link to itself


def verify_files(value: Any, place: str) -> None:
    """Raise `RequestError` where `value` has a file that was not uploaded, however deep in it and however marked."""
    if isinstance(value, list | tuple):
        for item in value:
            verify_files(item, place)
    elif isinstance(value, dict):
        path, meta = value.get("path"), value.get("meta")
        if isinstance(path, str) and not (isinstance(meta, dict | None) and is_uploaded(path)):
            raise RequestError(f"{place}: {EXPECTED}")
        for item in value.values():
            verify_files(item, place)
