"""The codes of remotes: a short code that turns the pages of one story and asks for its next scene, and nothing else.

`service` opens, finds and closes them. Codes live in memory; what a remote may do is `StoryService.remote_do`.
"""

import secrets
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass

from demo.story.writing.premise import StoryError

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike
CODE_LENGTH = 6
MAX_CODES = 500
MAX_SECONDS = 12 * 3600
MAX_WRONG, WRONG_SECONDS = 10, 60  # wrong codes of one address that are answered in a while
MAX_ADDRESSES = 2000  # that are remembered for their wrong codes, the latest
UNKNOWN = "There is no stage with this code: look at the stage for the right one"
TOO_MANY = "Too many wrong codes were tried: wait a minute"


@dataclass(frozen=True, slots=True)
class Stage:
    """A story whose stage is open."""

    owner: str
    story: str
    opened: float


class Remotes:
    """The codes of all stages that are open."""

    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()  # by address
        self._lock = threading.Lock()

    def open(self, owner: str, story: str) -> str:
        """The code of the story's stage, a new one where it has none."""
        with self._lock:
            self._forget()
            for code, stage in self._stages.items():
                if (stage.owner, stage.story) == (owner, story):
                    return code
            code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
            self._stages[code] = Stage(owner, story, time.monotonic())
            return code

    def close(self, owner: str, story: str) -> None:
        """The story leaves the stage; its code is worth nothing from now on."""
        with self._lock:
            gone = [c for c, stage in self._stages.items() if (stage.owner, stage.story) == (owner, story)]
            for code in gone:
                del self._stages[code]

    def find(self, code: str, address: str) -> Stage:
        """The stage of `code`, which somebody at `address` has typed.

        Raises `StoryError` for a wrong code, and for any code while that address has tried too many wrong ones. What
        other addresses try does not matter: 32 ** 6 codes are too many to be guessed by any number of them in the
        hours that a code lives.
        """
        now = time.monotonic()
        with self._lock:
            self._forget()
            wrong = self._wrong.get(address, deque())
            if len(wrong) == MAX_WRONG and now - wrong[0] < WRONG_SECONDS:
                raise StoryError(TOO_MANY)
            stage = self._stages.get(code.upper())
            if stage is None:
                self._note_wrong(address, now)
                raise StoryError(UNKNOWN)
            return stage

    def _note_wrong(self, address: str, now: float) -> None:
        wrong = self._wrong.pop(address, None) or deque(maxlen=MAX_WRONG)
        wrong.append(now)
        self._wrong[address] = wrong  # the latest stands last
        while len(self._wrong) > MAX_ADDRESSES:
            self._wrong.popitem(last=False)

    def _forget(self) -> None:
        oldest = time.monotonic() - MAX_SECONDS
        old = [code for code, stage in self._stages.items() if stage.opened < oldest]
        for code in old + list(self._stages)[: max(0, len(self._stages) - MAX_CODES)]:
            self._stages.pop(code, None)
