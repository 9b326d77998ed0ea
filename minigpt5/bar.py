"""A long work in the terminal: a bar with the time that is left. Nothing where nobody watches (no terminal)."""

from __future__ import annotations

from tqdm import tqdm


class Bar:
    """Called as `progress`: done, of how much in all, of what."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.what = ""

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show so much; a work of another name gets a bar of its own."""
        if self.bar is None or self.what != what:
            self.close()
            self.bar, self.what = tqdm(total=total, desc=what, unit="B", unit_scale=True, disable=None), what
        self.bar.update(done - self.bar.n)
        if done >= total:
            self.close()

    def close(self) -> None:
        """End the line."""
        if self.bar is not None:
            self.bar.close()
        self.bar = None
