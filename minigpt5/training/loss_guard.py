"""A training whose loss is no number, or many times what it was, is stopped before it overwrites what it has learned."""

from __future__ import annotations

from typing import Any

from accelerate.utils import gather_object

from minigpt5.errors import TrainingError

EXPLODED = 20.0  # times its running mean: a loss that will not come back
SETTLED = 20  # steps before that mean is trusted
MEMORY = 100  # steps that the running mean is taken over


class LossGuard:
    """The running mean of a run's loss; every process asks it about every step."""

    def __init__(self, name: str) -> None:
        """`name` is the run's, for the message."""
        self.name = name
        self.typical = 0.0
        self.seen = 0

    def verify(self, loss: float, step: int, batches: list[Any]) -> None:
        """Raise `TrainingError`, with the records of the step's batches on all processes, at a loss that is wrong."""
        wrong = loss != loss or loss == float("inf")
        exploded = self.seen >= SETTLED and loss > EXPLODED * self.typical > 0
        if wrong or exploded:
            records = gather_object([record for batch in batches for record in getattr(batch, "records", ())])
            expected = f"less than {EXPLODED:.0f} times {self.typical:.4f}" if exploded else "a number"
            told = f"; its records: {', '.join(records)}" if records else ""
            raise TrainingError(f"{self.name}: got loss {loss} at step {step}, expected {expected}{told}")
        self.seen += 1
        self.typical += (loss - self.typical) / min(self.seen, MEMORY)
