"""A story as a ZIP that people can read (Markdown and PNG), and that `zip_import` reads back to go on with it.

`story.md`, `pictures/01.png` ... and, for the way back, `story.json` with every scene, drawing and version. Called by
`service`.
"""

import io
import json
import zipfile
from dataclasses import replace

from demo.store import PictureFiles
from demo.story.document import Story, story_json
from demo.story.export.book import Book

FORMAT, VERSION = "minigpt5-story", 1
MANIFEST = "story.json"


def write_zip(story: Story, book: Book, files: PictureFiles) -> bytes:
    """The file: the story as it is now, with every drawing of its pictures."""
    members, names = _members(story, files)
    values = story_json(replace(story, past=()))
    manifest = {"format": FORMAT, "version": VERSION, "model": book.model, "story": values, "files": names}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("story.md", _markdown(book))
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _members(story: Story, files: PictureFiles) -> tuple[dict[str, bytes], dict[str, str]]:
    """The members for pictures and vokens, and which stored file is which of them."""
    names: dict[str, str] = {}
    for number, upload in enumerate(story.plan.uploads, 1):
        names.setdefault(upload, f"premise/{number:02}.png")
    for number, scene in enumerate(story.scenes, 1):
        if scene.picture is None:
            continue
        assert scene.drawing is not None
        names.setdefault(scene.drawing.file, f"pictures/{number:02}.png")
        for version, drawing in enumerate(scene.picture.drawings, 1):
            names.setdefault(drawing.file, f"drawings/{number:02}-{version:02}.png")
        if scene.picture.vokens:
            names.setdefault(scene.picture.vokens, f"vokens/{number:02}.npy")
    return {member: files.path(file).read_bytes() for file, member in names.items()}, names


def _markdown(book: Book) -> str:
    pages = []
    for number, page in enumerate(book.pages, 1):
        picture = f"![Scene {number}](pictures/{number:02}.png)\n\n" if page.image else ""
        pages.append(f"## {number}\n\n{picture}{page.text}\n")
    return f"# {book.title}\n\n" + "\n".join(pages) + f"\n*{book.colophon}*\n"
