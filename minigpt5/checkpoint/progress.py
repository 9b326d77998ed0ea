"""How far a long work has come, told to whoever shows it: a bar in a terminal, or a page."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]  # done, of how much in all, of what ("loading language")


class Counted:
    """Work of `total` bytes, told piece by piece; `what` may change on the way."""

    def __init__(self, progress: Progress | None, total: int, what: str) -> None:
        self.progress, self.total, self.what = progress, total, what
        self.done = 0

    def add(self, amount: int) -> None:
        """So many bytes more are done."""
        self.done = min(self.total, self.done + amount)
        if self.progress:
            self.progress(self.done, self.total, self.what)
