"""Who waits is counted, and who has left is not."""

from demo.line import FORGOTTEN_SECONDS, Line


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_everyone_stands_behind_those_who_came_before() -> None:
    line = Line(Clock())
    assert [line.ahead(name) for name in "abc"] == [0, 1, 2]
    line.leave("a")
    assert line.ahead("c") == 1


def test_who_is_not_seen_again_has_left_but_not_who_is_being_served() -> None:
    clock = Clock()
    line = Line(clock)
    for name in "abc":
        line.ahead(name)
    line.serve("a")
    clock.now = FORGOTTEN_SECONDS + 1
    assert line.ahead("c") == 1
