"""A reply as a Python script that makes it again: the model, the whole conversation, every option with the seed.

Called by `inspector.handlers`; makes text of plain values and knows no engine.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from demo.store.records import Role
from minigpt5 import GenerationOptions

HEAD = """\
# Makes the reply again, words and pictures; exactly so on the same kind of machine.
from pathlib import Path

import minigpt5
from minigpt5 import Conversation, GenerationOptions
"""
TAIL = """\
reply = engine.reply(chat, options)

print(reply.text)
for number, image in enumerate(reply.images, start=1):
    image.save(f"picture-{number}.png")
"""


@dataclass(frozen=True, slots=True)
class Loading:
    """What `minigpt5.load` is given, as the engine's description names it; `quantize` "none" for none."""

    folder: Path
    device: str
    dtype: str
    quantize: str


def snippet(
    loading: Loading,
    pictures: Path,
    turns: Sequence[tuple[Role, Sequence[str | Path]]],
    options: GenerationOptions,
) -> str:
    """The script for the reply to `turns`, whose pictures are files in the folder `pictures`."""
    shown = any(isinstance(part, Path) for _, parts in turns for part in parts)
    where = (
        "# Where the chat keeps its pictures. On another machine: save them there under the names below.\n"
        f"PICTURES = Path({str(pictures)!r})\n\n"
    )
    quantize = None if loading.quantize == "none" else loading.quantize
    load = (
        f"engine = minigpt5.load({str(loading.folder)!r}, device={loading.device!r}, dtype={loading.dtype!r}, "
        f"quantize={quantize!r})\n"
    )
    said = "".join(f"    .{role}({', '.join(map(_part, parts))})\n" for role, parts in turns)
    chosen = "".join(f"    {name}={value!r},\n" for name, value in asdict(options).items())
    talk = f"chat = (\n    Conversation()\n{said})\noptions = GenerationOptions(\n{chosen})\n"
    return f"{HEAD}\n{where if shown else ''}{load}{talk}{TAIL}"


def _part(part: str | Path) -> str:
    return f"PICTURES / {part.name!r}" if isinstance(part, Path) else repr(part)
