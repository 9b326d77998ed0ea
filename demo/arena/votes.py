"""The votes of the arena in a database, one a pair and rater, and what they say. SQLite by default, any SQLAlchemy
URL.

Called by `arena.handlers`. Has a database of its own and knows nothing of chats.
"""

import csv
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path

from sqlalchemy import URL, DateTime, Engine, String, UniqueConstraint, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

QUESTIONS = {
    "language": "Language continuity",
    "pictures": "Picture quality",
    "coherence": "Multimodal coherence",
}
CHOICES = ("left", "tie", "right")
Z_95 = 1.959964


@dataclass(frozen=True)
class Vote:
    """What a rater chose of a pair: "left", "right" or "tie" for each of `QUESTIONS`."""

    rater: str
    pair: str
    left: str  # the systems
    right: str
    language: str
    pictures: str
    coherence: str

    def __post_init__(self) -> None:
        for question in QUESTIONS:
            if (choice := getattr(self, question)) not in CHOICES:
                raise ValueError(f"{question}: got {choice!r}, expected one of {', '.join(CHOICES)}")


@dataclass(frozen=True)
class Tally:
    """The votes on one question about two systems."""

    first: str
    second: str
    question: str
    wins: int  # of the first
    losses: int
    ties: int

    @property
    def decided(self) -> int:
        """Votes that are no ties."""
        return self.wins + self.losses

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the first's share of the decided votes."""
        return wilson(self.wins, self.decided)


class Table(DeclarativeBase):
    """All tables of the arena."""


class VoteRow(Table):
    """A `Vote` and when it was cast."""

    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("rater", "pair"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    rater: Mapped[str] = mapped_column(String(64))
    pair: Mapped[str] = mapped_column(String(255))
    left: Mapped[str] = mapped_column(String(100))
    right: Mapped[str] = mapped_column(String(100))
    language: Mapped[str] = mapped_column(String(5))
    pictures: Mapped[str] = mapped_column(String(5))
    coherence: Mapped[str] = mapped_column(String(5))


COLUMNS = [field.name for field in fields(Vote)]


class VoteStore:
    """Votes are added and counted, never changed. The database makes sure that a rater votes once on a pair."""

    def __init__(self, url: str | URL) -> None:
        self.engine: Engine = create_engine(url)
        Table.metadata.create_all(self.engine)

    def cast(self, vote: Vote) -> bool:
        """Keep the vote; False, and nothing kept, if this rater has voted on this pair."""
        values = dict(zip(COLUMNS, astuple(vote), strict=True))
        with Session(self.engine) as session:
            session.add(VoteRow(at=datetime.now(UTC), **values))
            try:
                session.commit()
            except IntegrityError:
                return False
        return True

    def rated(self, rater: str) -> set[str]:
        """The pairs that the rater has voted on."""
        with Session(self.engine) as session:
            return set(session.scalars(select(VoteRow.pair).where(VoteRow.rater == rater)))

    def votes(self) -> Iterator[tuple[datetime, Vote]]:
        """All votes, oldest first."""
        with Session(self.engine) as session:
            for row in session.scalars(select(VoteRow).order_by(VoteRow.id)):
                yield row.at, Vote(*(getattr(row, name) for name in COLUMNS))

    def tallies(self) -> list[Tally]:
        """The count for every two systems and every question."""
        counts: dict[tuple[str, str], dict[str, list[int]]] = {}
        for _, vote in self.votes():
            first, second = sorted((vote.left, vote.right))
            outcomes = {"tie": 2, "left": int(vote.left != first), "right": int(vote.right != first)}
            rows = counts.setdefault((first, second), {question: [0, 0, 0] for question in QUESTIONS})
            for question in QUESTIONS:
                rows[question][outcomes[getattr(vote, question)]] += 1
        return [
            Tally(first, second, question, *numbers)
            for (first, second), rows in counts.items()
            for question, numbers in rows.items()
        ]

    def export(self, path: Path) -> Path:
        """Write all votes as CSV."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["at", *COLUMNS])
            writer.writerows([at.isoformat(), *astuple(vote)] for at, vote in self.votes())
        return path


def wilson(wins: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927); all of [0, 1] of no votes."""
    if count == 0:
        return 0.0, 1.0
    share, z = wins / count, Z_95
    centre = share + z * z / (2 * count)
    spread = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
