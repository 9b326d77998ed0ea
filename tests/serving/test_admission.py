"""Who comes next, on a clock that the test moves."""

from collections.abc import Iterator

import pytest

from minigpt5.errors import BusyError
from minigpt5.serving.admission import AGING_SECONDS, Admission
from minigpt5.serving.request import Caller, Request, RequestKind, Work


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def nothing() -> Work:
    yield from ()


def request(owner: str, kind: RequestKind = "chat") -> Request:
    return Request(nothing(), None, Caller(owner, kind))


def let_in(admission: Admission) -> Iterator[str]:
    while (chosen := admission.next()) is not None:
        yield chosen.caller.owner


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(clock: Clock) -> Admission:
    return Admission(2, max_waiting=12, max_of_owner=8, clock=clock)


def test_eight_requests_of_one_do_not_push_back_one_of_another(admission: Admission) -> None:
    for owner in [*"aaaaaaaa", "b", "c"]:
        admission.offer(request(owner))
    assert "".join(let_in(admission)) == "abcaaaaaaa"


def test_who_comes_back_again_and_again_does_not_starve_who_waits(admission: Admission) -> None:
    for owner in "bbb":
        admission.offer(request(owner))
    order = ""
    for _ in range(6):
        admission.offer(request("a"))
        chosen = admission.next()
        assert chosen is not None
        order += chosen.caller.owner
    assert order.count("b") == 3


def test_a_chat_comes_before_a_story_before_the_api(admission: Admission) -> None:
    for owner, kind in (("x", "api"), ("y", "story"), ("z", "chat")):
        admission.offer(request(owner, kind))
    assert "".join(let_in(admission)) == "zyx"


def test_who_waits_long_comes_before_who_is_new(admission: Admission, clock: Clock) -> None:
    admission.offer(request("x", "api"))
    clock.now = 2 * AGING_SECONDS
    admission.offer(request("z", "chat"))
    assert "".join(let_in(admission)) == "xz"


def test_the_place_and_the_seconds_left_are_told_from_measured_times(admission: Admission) -> None:
    first, second = request("a"), request("b")
    admission.offer(first)
    admission.offer(second)
    assert admission.places() == [(first, 0, None), (second, 1, None)]
    admission.was_held(4.0)  # a place; there are two
    assert admission.places() == [(first, 0, 2.0), (second, 1, 4.0)]


def test_too_many_of_one_person_and_of_all_are_refused_with_a_time(admission: Admission) -> None:
    admission.was_held(10.0)
    for _ in range(8):
        admission.offer(request("a"))
    with pytest.raises(
        BusyError, match="got 8 requests of yours that wait, expected fewer; come back in about 45 s"
    ):
        admission.offer(request("a"))
    for owner in "bcde":
        admission.offer(request(owner))
    with pytest.raises(BusyError, match="got 12 requests that wait"):
        admission.offer(request("f"))


def test_who_gives_up_leaves_the_line(admission: Admission) -> None:
    first, second = request("a"), request("b")
    admission.offer(first)
    admission.offer(second)
    first.cancelled = True
    assert admission.remove_cancelled() == [first]
    assert admission.places() == [(second, 0, None)]
