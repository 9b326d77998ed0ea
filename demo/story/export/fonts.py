"""The fonts of exports: Fraunces, and Noto Serif for Greek and Cyrillic, and which of them has a letter.

Called by PDF and GIF (TrueType) and by HTML and the pages that stand alone (WOFF2). The fonts lie in
`web/static/fonts` as subsets in WOFF2; TrueType is made of them on use.
"""

import base64
import io
from functools import lru_cache

from fontTools.ttLib import TTFont

from demo.story.writing.premise import StoryError
from demo.web.theme import STATIC

_FILES = STATIC / "fonts"
FACES = (
    "fraunces-latin",
    "fraunces-latin-ext",
    "fraunces-vietnamese",
    "noto-serif-cyrillic",
    "noto-serif-greek",
)
_NAME_IDS = (1, 3, 4, 6, 16)  # family, identifier, full name, PostScript name, typographic family
_INVISIBLE = dict.fromkeys((0x200B, 0x200D, 0xFE0E, 0xFE0F, 0xFEFF))


@lru_cache
def true_type(face: str, weight: int) -> bytes:
    """The file of `face` (see FACES) in weight 400 or 600 as TrueType."""
    font = TTFont(_FILES / f"{face}-{weight}-normal.woff2")
    font.flavor = None
    for record in font[
        "name"
    ].names:  # subsets of one family share a name, by which viewers take one for the other
        if record.nameID in _NAME_IDS:
            record.string = f"{face}-{weight}"
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()


@lru_cache
def _covered(face: str) -> frozenset[int]:
    with TTFont(_FILES / f"{face}-400-normal.woff2") as font:
        return frozenset(font.getBestCmap())


def face_of(letter: str) -> str | None:
    """The first face that has `letter`."""
    return next((face for face in FACES if ord(letter) in _covered(face)), None)


def runs(text: str, what: str) -> list[tuple[str, str]]:
    """`text` as stretches of one face each.

    Raises `StoryError`, which names `what` is being made, for letters that no face has.
    """
    stretches: list[tuple[str, str]] = []
    missing: dict[str, None] = {}
    for letter in text.translate(_INVISIBLE):
        face = face_of(letter)
        if letter.isspace():
            face = stretches[-1][0] if stretches else FACES[0]
        if face is None:
            missing[letter] = None
        elif stretches and stretches[-1][0] == face:
            stretches[-1] = (face, stretches[-1][1] + letter)
        else:
            stretches.append((face, letter))
    if missing:
        shown = " ".join(list(missing)[:8])
        raise StoryError(
            f"{what} has no letters for {shown}: save the story as HTML, which shows every letter and can be printed"
        )
    return stretches


def font_faces() -> str:
    """CSS with the story font embedded, for pages that need no other file."""
    faces = ""
    for weight in (400, 600):
        data = base64.b64encode((_FILES / f"fraunces-latin-{weight}-normal.woff2").read_bytes()).decode()
        faces += (
            f'@font-face{{font-family:"Fraunces";font-weight:{weight};font-display:swap;'
            f'src:url(data:font/woff2;base64,{data}) format("woff2")}}'
        )
    return faces
