"""How long chats stay: by age, and by the size of all pictures together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

DAY = 24 * 3600
GIGABYTE = 10**9


@dataclass(frozen=True)
class Retention:
    """`keep_days` since a chat was last touched, `keep_gb` of files of all chats together; None is no limit."""

    keep_days: float | None = None
    keep_gb: float | None = None

    def beyond(
        self, oldest_first: Iterable[tuple[str, str, float]], size: Callable[[], int], now: float
    ) -> Iterable[tuple[str, str]]:
        """(owner, chat) of the chats to delete, of (owner, chat, updated); `size` in bytes is asked anew before each."""
        for owner, chat, updated in oldest_first:
            too_old = self.keep_days is not None and updated < now - self.keep_days * DAY
            too_large = self.keep_gb is not None and size() > self.keep_gb * GIGABYTE
            if not too_old and not too_large:
                return
            yield owner, chat
