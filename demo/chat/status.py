"""The present stage of one answer in a few plain words: waiting, reading, writing, drawing, time left.

`GrowingReply` and the picture dialog update it by events; knows nothing of how it is shown.
"""

from collections.abc import Callable

from minigpt5 import Event, ImageFinished, ImageProgress, ImageStarted, TextDelta, TurnFinished

SHORTEST_TOLD = 1.5  # seconds; less is over before it is read


class Status:
    """The present stage of one answer; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.text = "Waiting for a turn"
        self._clock = clock
        self._began = 0.0

    def wait(self, ahead: int) -> None:
        """So many others come first."""
        self.text = f"{ahead} before you" if ahead else "Your turn is next"

    def read(self, pictures: int) -> None:
        """The model takes in the chat, with so many pictures in it."""
        counted = "a picture" if pictures == 1 else f"{pictures} pictures"
        self.text = f"Reading {counted}" if pictures else "Reading"

    def show(self, event: Event) -> None:
        """What that event means for whoever waits."""
        match event:
            case ImageStarted(num_inference_steps=steps):
                self._began = self._clock()
                self.text = f"Drawing 0/{steps}"
            case ImageProgress(step=step, num_inference_steps=steps):
                self.text = f"Drawing {step}/{steps}{self._left(step, steps)}"
            case TextDelta() | ImageFinished():
                self.text = "Writing"
            case TurnFinished():
                self.text = ""

    def _left(self, step: int, steps: int) -> str:
        left = (self._clock() - self._began) / step * (steps - step)
        return f" · {left:.0f} s left" if left >= SHORTEST_TOLD else ""
