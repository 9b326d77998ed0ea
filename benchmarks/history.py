"""How fast the list of chats opens and is searched: `python -m benchmarks.history [--database URL]`.

1,000 chats of 20 messages each, 20,000 in all, of one owner, beside as many of another; the median of several runs.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert

from demo.store import ChatStore, Node, Words
from demo.store.chats import new_id, owner_of
from demo.store.sql.codec import dump_parts
from demo.store.sql.database import chats, nodes

CHATS, MESSAGES, RUNS = 1000, 20, 15
WORDS = (
    "a brown bear lost his red kite in the village and the blue rabbit helped to find it on the beach at "
    "sunset while snow fell over the mountains"
).split()


def fill(store: ChatStore, owner: str) -> list[str]:
    """CHATS chats of `owner`; returns their ids, oldest first. One in a hundred has a rare word."""
    rng = random.Random(owner)
    ids = []
    for number in range(CHATS):
        chat, parent, rows = new_id(), None, []
        for turn in range(MESSAGES):
            text = " ".join(rng.choices(WORDS, k=40)) + (
                " lighthouse" if not number % 100 and turn == 7 else ""
            )
            node = Node(new_id(), parent, "assistant" if turn % 2 else "user", (Words(text),))
            rows.append(row_of(node, chat))
            parent = node.id
        title = " ".join(rng.choices(WORDS, k=6))
        chat_row = {"id": chat, "owner": owner, "title": title, "folded_title": title, "updated": number}
        with store.engine.begin() as connection:
            connection.execute(insert(chats), {**chat_row, "leaf": parent})
            connection.execute(insert(nodes), rows)
        ids.append(chat)
    return ids


def row_of(node: Node, chat: str) -> dict[str, object]:
    """The row of a message, as the store writes it."""
    return {
        "id": node.id,
        "chat": chat,
        "parent": node.parent,
        "role": node.role,
        "parts": dump_parts(node.parts),
        "folded": node.text,
        "options": {},
        "ending": "stop",
        "timings": {},
    }


def median(action: Callable[[], object]) -> float:
    """Milliseconds that `action` takes."""
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return 1000 * statistics.median(seconds)


def main() -> None:
    """Fill a store, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--database", default=None, metavar="URL", help="default: SQLite in a temporary folder"
    )
    with tempfile.TemporaryDirectory() as folder:
        store = ChatStore.in_folder(Path(folder), parser.parse_args().database)
        mine, theirs = owner_of("a" * 32), owner_of("b" * 32)
        ids = fill(store, mine)
        fill(store, theirs)
        growing = Node(new_id(), None, "assistant", (Words("once more " * 60),), ending="")
        actions: dict[str, Callable[[], object]] = {
            "list of chats, newest 100": lambda: store.find(mine),
            "list of chats, all 1,000": lambda: store.find(mine, limit=CHATS),
            "search, a rare word": lambda: store.find(mine, "lighthouse"),
            "search, a common word": lambda: store.find(mine, "rabbit"),
            "search, nothing found": lambda: store.find(mine, "submarine"),
            "one chat opened": lambda: store.load(mine, ids[0]),
            "a growing answer saved": lambda: store.save(mine, ids[0], growing),
        }
        for name, action in actions.items():
            print(f"{name:28} {median(action):8.1f} ms")
        store.engine.dispose()


if __name__ == "__main__":
    main()
