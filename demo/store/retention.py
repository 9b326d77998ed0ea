"""How long chats and stories stay: which of them are to be deleted, by age and by the size of all files together.

`ChatStore.tidy` asks and deletes; this module decides on plain values and deletes nothing.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

DAY = 24 * 3600
GIGABYTE = 10**9
MEGABYTE = 10**6
FEW = 4  # so many may go at once, whatever their share

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A chat or a story: whose it is, when it was last touched (seconds since 1970), and the files that it needs."""

    id: str
    owner: str
    updated: float
    files: frozenset[str] = frozenset()
    story: bool = False


@dataclass(frozen=True)
class Retention:
    """`keep_days` since a chat or story was last touched, `keep_gb` of files of all of them together, `owner_mb` of
    files of one owner; None is no limit."""

    keep_days: float | None = None
    keep_gb: float | None = None
    owner_mb: float | None = None

    def beyond(
        self, kept: Iterable[Kept], sizes: Mapping[str, int], now: float, at_work: Collection[str] = ()
    ) -> list[Kept]:
        """What to delete of `kept`, the longest untouched first; `sizes` are the bytes of each file.

        What is at work, by id, is never among it. At most half of all goes for its age at once, the rest another time.
        """
        oldest_first = sorted(kept, key=lambda one: (one.updated, one.id))
        old = self._too_old([one for one in oldest_first if one.id not in at_work], len(oldest_first), now)
        left = [one for one in oldest_first if one not in old]
        return old + self._too_large(left, sizes, at_work)

    def _too_old(self, idle: list[Kept], count: int, now: float) -> list[Kept]:
        if self.keep_days is None:
            return []
        old = [one for one in idle if one.updated < now - self.keep_days * DAY]
        if 2 * len(old) <= count:
            return old
        going = len(old) if len(old) < FEW else count // 2
        log.warning(
            "RETENTION: %d of %d chats and stories are older than %g days; %d are deleted now. If that cannot be, the "
            "clock of this machine is wrong: stop the app and set it.",
            len(old),
            count,
            self.keep_days,
            going,
        )
        return old[:going]

    def _too_large(
        self, oldest_first: list[Kept], sizes: Mapping[str, int], at_work: Collection[str]
    ) -> list[Kept]:
        """As few as it takes, and none whose files are all needed by something that stays."""
        if self.keep_gb is None:
            return []
        users = Counter(file for one in oldest_first for file in one.files)
        excess = sum(sizes.get(file, 0) for file in users) - self.keep_gb * GIGABYTE
        going = []
        for one in oldest_first:
            if excess <= 0:
                break
            if one.id in at_work:
                continue
            going.append(one)
            users.subtract(one.files)
            excess -= sum(sizes.get(file, 0) for file in one.files if not users[file])
        return [one for one in going if any(not users[file] and sizes.get(file, 0) for file in one.files)]
