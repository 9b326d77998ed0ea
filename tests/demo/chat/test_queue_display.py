"""Who waits is counted, and who has left is not."""

from demo.chat.queue_display import FORGOTTEN_SECONDS, QueueDisplay


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_everyone_stands_behind_those_who_came_before() -> None:
    queue = QueueDisplay(Clock())
    assert [queue.ahead(name) for name in "abc"] == [0, 1, 2]
    queue.leave("a")
    assert queue.ahead("c") == 1


def test_who_is_not_seen_again_has_left_but_not_who_is_being_served() -> None:
    clock = Clock()
    queue = QueueDisplay(clock)
    for name in "abc":
        queue.ahead(name)
    queue.serve("a")
    clock.now = FORGOTTEN_SECONDS + 1
    assert queue.ahead("c") == 1
