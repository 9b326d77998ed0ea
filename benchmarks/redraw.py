"""How long a redraw takes on the server, from the click's arrival to the first preview and to the stored picture.

python -m benchmarks.redraw
"""

import statistics
import time
from pathlib import Path

import minigpt5
from demo.chat.handlers import ChatHandlers
from demo.chat.session import Session
from demo.chat.settings import default_values
from demo.picture.handlers import PictureHandlers
from demo.store import ChatStore
from demo.store.records import Picture

WEIGHTS = Path("weights/storybook")
REQUEST = "Draw a blue rabbit with a red balloon on the beach at sunset"
ROUNDS = 9
KINDS = {
    "one picture": [{"seed": "{n}"}],
    "four variations": [{"seed": f"{seed}{{n}}"} for seed in range(1, 5)],
    "guidance strip": [{"seed": "{n}", "guidance_scale": scale} for scale in (1, 3, 5, 7.5, 12)],
}


def drawn_chat() -> tuple[ChatHandlers, Session, dict[str, object]]:
    """A chat with one picture, and the reference to it as the page sends it."""
    chat, session = ChatHandlers(minigpt5.load(WEIGHTS), ChatStore()), Session(owner="benchmark")
    chat.submit(session, {"text": REQUEST, "files": []}, *default_values())
    for _ in chat.answer(session):
        pass
    answer = session.tree.path()[-1]
    part = next(index for index, part in enumerate(answer.parts) if isinstance(part, Picture))
    return chat, session, {"node": answer.id, "part": part}


def timed(dialog: PictureHandlers, session: Session, about: dict[str, object]) -> tuple[float, float]:
    """Seconds to the first preview and to the end of one redraw."""
    began = time.perf_counter()
    dialog.start(session, about)
    views = dialog.redraw(session)
    next(views)
    first = time.perf_counter() - began
    for _ in views:
        pass
    return first, time.perf_counter() - began


def main() -> None:
    """Print the medians, 20 steps each; the first round warms up and does not count."""
    chat, session, picture = drawn_chat()
    dialog = PictureHandlers(chat)
    for kind, choices in KINDS.items():
        rounds = []
        for number in range(ROUNDS + 1):
            asked = [{**choice, "seed": str(choice["seed"]).format(n=number)} for choice in choices]
            rounds.append(timed(dialog, session, {**picture, "choices": asked}))
        first, done = (statistics.median(values) for values in zip(*rounds[1:], strict=True))
        print(f"{kind}: first preview {first:.2f} s, done {done:.2f} s")


if __name__ == "__main__":
    main()
