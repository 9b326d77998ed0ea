"""Sampled ids as text that may be shown: whole characters only, and no letter of a stop string.

Text is held back only while it ends with white space, with a beginning of the stop string, or inside a
character that byte tokens spell out. One `TextStretch` covers the words between two pictures.
"""

from minigpt5.prompt import STOP, Tokenizer

INCOMPLETE = "\ufffd"  # what a decoder writes for bytes that are not yet a character


class TextStretch:
    """Grows by one id at a time; `push` and `rest` return each letter once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._shown = 0
        self.stopped = False

    def push(self, token_id: int) -> str:
        """Take one more id; return what may be shown now. Sets `stopped` when the stop string is complete."""
        self._ids.append(token_id)
        text = self._decoded(len(self._ids))
        self.stopped = STOP in text
        if self.stopped:
            return self._show(text.partition(STOP)[0].rstrip())
        return self._show(text[: len(text) - _held_back(text)])

    def rest(self) -> str:
        """What was held back and is now known to be text (a picture or the end comes)."""
        return self._show(self._decoded(len(self._ids)).partition(STOP)[0].rstrip())

    def tokens_of_stop(self) -> int:
        """How many of the last ids spell the complete stop string or the white space before it."""
        words = len(self._decoded(len(self._ids)).partition(STOP)[0].rstrip())
        kept = len(self._ids)
        while kept and len(self._decoded(kept).rstrip()) > words:
            kept -= 1
        return len(self._ids) - kept

    def _decoded(self, count: int) -> str:
        return str(self._tokenizer.decode(self._ids[:count], skip_special_tokens=True)).lstrip()

    def _show(self, text: str) -> str:
        new = text[self._shown :]
        self._shown = max(self._shown, len(text))
        return new


def _held_back(text: str) -> int:
    """How many letters at the end of `text` may still change or belong to a stop string."""
    visible = text.rstrip(INCOMPLETE)
    for length in range(len(STOP) - 1, 0, -1):
        if visible.endswith(STOP[:length]):
            visible = visible[:-length]
            break
    return len(text) - len(visible.rstrip())
