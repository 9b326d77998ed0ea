"""The examples of the empty page: `examples.json` of a folder, each with words, and pictures where it has some.

`chat.page` shows them, and `ChatHandlers.use_example` sends one by its number.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "examples"


def load_examples(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """The examples in `folder` whose pictures are there, in the chat's format; none where there is no such folder.

    A record is `{"text", "label"?, "files"?: [name, ...], "icon"?: name}`; names are files of the folder. The label, a
    line above the words, says what the example is of.
    """
    index = folder / "examples.json"
    if not index.is_file():
        return []
    records = json.loads(index.read_text(encoding="utf-8"))
    found = (_example(record, folder) for record in records)
    return [example for example in found if example is not None]


def _example(record: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    files = [folder / name for name in record.get("files", [])]
    if not all(path.is_file() for path in files):
        return None
    lines = filter(None, (record.get("label"), record["text"]))
    example: dict[str, Any] = {"text": record["text"], "display_text": "\n".join(lines)}
    if files:
        example["files"] = [str(path) for path in files]
    icon = folder / record.get("icon", "")
    if icon.is_file():
        example["icon"] = str(icon)
    return example
