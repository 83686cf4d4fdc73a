"""What servers say of their limits, and what is made of it."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

import pytest

from queueing import in_threads
from stubwire import Headers, Response
from stubwire.plugins._follow import Flight, Follower
from stubwire.plugins._quota import Quota, quota

if TYPE_CHECKING:
    from conftest import Clock

SAID: list[tuple[dict[str, str], Quota | None]] = [
    ({}, None),
    # the IETF draft, since version 08
    ({"RateLimit": '"default";r=50;t=30'}, Quota(50, 30)),
    ({"RateLimit": "default; r=0 ; t=3"}, Quota(0, 3)),
    ({"RateLimit": '"hour";r=7;t=900, "minute";r=2;t=30'}, Quota(2, 30)),
    ({"RateLimit": '"a;r=0,t=9";r=7;t=9;pk=:c2VjcmV0:, "b";t=5;r=7'}, Quota(7, 9)),
    ({"RateLimit": '"hour";r=0;t=900, "minute";r=0;t=30'}, Quota(0, 900)),
    ({"RateLimit": '"default";r=50'}, None),
    ({"RateLimit": '"default";t=50'}, None),
    ({"RateLimit": '"default";r=-1;t=5'}, None),
    ({"RateLimit": '"default";r=1.5;t=5'}, None),
    # version 07
    ({"RateLimit": "limit=100, remaining=50, reset=5", "RateLimit-Policy": "100;w=60"}, Quota(50, 5)),
    # up to version 06
    ({"RateLimit-Limit": "100", "RateLimit-Remaining": "50", "RateLimit-Reset": "50"}, Quota(50, 50)),
    ({"RateLimit-Limit": "10, 10;w=1, 50;w=60", "RateLimit-Remaining": "0", "RateLimit-Reset": "1"}, Quota(0, 1)),
    ({"RateLimit-Remaining": "5"}, None),
    ({"RateLimit-Reset": "5"}, None),
    ({"RateLimit-Remaining": "-5", "RateLimit-Reset": "5"}, None),
    ({"RateLimit-Remaining": "five", "RateLimit-Reset": "5"}, None),
    ({"RateLimit-Remaining": "5", "RateLimit-Reset": "inf"}, None),
    # everybody else
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000060"}, Quota(0, 60)),
    ({"X-RateLimit-Remaining": "9", "X-RateLimit-Reset": "2.5"}, Quota(9, 2.5)),
    ({"X-RateLimit-Remaining": "9, 30", "X-RateLimit-Reset": "2, 60"}, Quota(9, 2)),
    ({"x-rate-limit-remaining": "9", "x-rate-limit-reset": "1600000000"}, Quota(9, 0)),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "Tue, 14 Nov 2023 22:14:20 GMT"}, Quota(0, 60)),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "later, 5"}, None),
    ({"RateLimit": "nonsense", "X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "2"}, Quota(1, 2)),
]


@pytest.mark.parametrize(("headers", "left"), SAID, ids=str)
def test_what_is_left(clock: Clock, headers: dict[str, str], left: Quota | None) -> None:
    assert quota(Headers(headers)) == left


class Server:
    """Requests and their answers at moments of a test's own."""

    def __init__(self) -> None:
        self.follower = Follower()
        self.flights: list[Flight] = []

    def ask(self, now: float, *, blocks: bool = False) -> float:
        """0 where a request is let through."""
        asked = self.follower.ask(now, blocks=blocks)
        if not isinstance(asked, Flight):
            return asked
        self.flights.append(asked)
        return 0.0

    def answer(self, now: float, status: int = 200, headers: dict[str, str] | None = None, flight: int = 0) -> None:
        self.follower.answer(self.flights.pop(flight), Response(status, headers=headers or {}), now)

    def asks(self, now: float, count: int) -> list[float]:
        return [self.ask(now) for _ in range(count)]


def left(remaining: int, reset: float) -> dict[str, str]:
    return {"RateLimit-Remaining": str(remaining), "RateLimit-Reset": str(reset)}


def test_a_server_that_tells_nothing_is_met_by_one_then_by_twice_as_many() -> None:
    server = Server()
    for width in (1, 2, 4, 8, 16):
        assert server.asks(0, width + 1) == [0] * width + [math.inf]
        for _ in range(width):
            server.answer(1, 404)
    assert server.asks(1, 32) == [0] * 32


def test_each_answer_of_such_a_server_lets_two_more_go() -> None:
    server = Server()
    server.ask(0)
    server.answer(1)
    assert server.asks(1, 3) == [0, 0, math.inf]
    server.answer(2)
    assert server.asks(2, 3) == [0, 0, math.inf]


def test_a_request_that_fails_lets_no_more_go() -> None:
    server = Server()
    server.ask(0)
    server.answer(1)
    server.asks(1, 2)
    server.follower.answer(server.flights.pop(), None, 1)
    assert server.asks(2, 2) == [0, math.inf]


def test_as_many_go_as_are_left_and_then_the_next_window_begins_with_one() -> None:
    server = Server()
    server.ask(0)
    server.answer(1, headers=left(3, 10))
    assert server.asks(1, 5) == [0, 0, 0, 10, 10]
    server.answer(2, headers=left(0, 9))
    assert server.ask(3) == 8
    assert server.asks(11, 2) == [0, math.inf]


def test_answers_overtake_each_other() -> None:
    """The least of one window is the latest; another window, or one that goes on and on, replaces it."""
    server = Server()
    server.ask(0)
    server.answer(0, headers=left(3, 10))
    server.asks(0, 3)
    server.answer(1, headers=left(1, 9))
    server.answer(1, headers=left(2, 9.5))
    assert server.ask(1) == 9.5
    server.answer(2, headers=left(2, 30))
    assert server.asks(2, 3) == [0, 0, 30]


def test_an_answer_that_says_nothing_takes_one() -> None:
    server = Server()
    server.ask(0)
    server.answer(0, headers=left(2, 10))
    server.ask(0)
    server.answer(1)
    assert server.asks(1, 2) == [0, 9]
    server.answer(2)
    assert server.ask(2) == 8


def test_a_request_without_an_answer_makes_room_for_the_next() -> None:
    server = Server()
    server.ask(0)
    server.follower.answer(server.flights.pop(), None, 1)
    assert server.asks(1, 2) == [0, math.inf]


PAUSES: list[tuple[int, dict[str, str], float]] = [
    (429, {"Retry-After": "7"}, 7),
    (429, {"retry-after-ms": "1500"}, 1.5),
    (429, left(0, 4), 4),
    (429, {}, 1),
    (503, {"Retry-After": "7"}, 7),
    (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "5"}, 5),
    (503, {}, 0),
    (503, {"Retry-After": "1e300"}, 86_400),
    (429, left(0, 10**11), 86_400),
    (200, {"Retry-After": "7"}, 0),
]


@pytest.mark.parametrize(("status", "headers", "pause"), PAUSES, ids=str)
def test_what_makes_all_wait(clock: Clock, status: int, headers: dict[str, str], pause: float) -> None:
    server = Server()
    server.ask(0)
    server.answer(10, status, headers)
    assert server.ask(10) == pause
    assert server.ask(10 + pause) == 0


def test_a_reset_later_than_in_a_day_is_not_believed() -> None:
    server = Server()
    server.ask(0)
    server.answer(0, headers=left(0, 10**8))
    assert server.ask(1) == 86_399
    assert server.ask(86_400) == 0


def test_what_was_let_through_and_not_sent_may_go_until_something_changes() -> None:
    server = Server()
    server.ask(0)
    server.answer(0, headers=left(2, 10))
    server.asks(0, 2)
    first, second = server.flights
    assert server.follower.allows(second, 9)
    assert not server.follower.allows(second, 10)
    server.answer(1, headers=left(0, 9))
    assert not server.follower.allows(second, 1)
    server.follower.answer(second, None, 1)
    assert server.ask(10) == 0
    assert not server.follower.allows(first, 10)


def test_what_was_let_through_may_go_where_nothing_is_limited() -> None:
    server = Server()
    server.ask(0)
    server.answer(0)
    server.asks(0, 2)
    assert server.follower.allows(server.flights[1], 5)
    server.answer(6, 429, {"Retry-After": "5"})
    assert not server.follower.allows(server.flights[0], 20)


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    server = Server()
    server.ask(0)
    server.answer(0)
    server.asks(0, 2)
    server.answer(1, 429, {"Retry-After": "10"})
    server.answer(2, 503, {"Retry-After": "1"})
    assert server.ask(4) == 7


def test_after_a_pause_one_goes_first_whatever_comes_from_before() -> None:
    server = Server()
    server.ask(0)
    server.answer(0, headers=left(4, 100))
    server.asks(0, 4)
    server.answer(1, 429, {"Retry-After": "5"})
    server.answer(2)
    server.answer(2, headers=left(90, 100))
    assert server.ask(3) == 3
    assert server.asks(6, 2) == [0, math.inf]
    server.answer(7, 429, {"Retry-After": "1"}, flight=0)
    assert server.ask(7) == 1
    assert server.asks(8, 2) == [0, math.inf]
    server.answer(9, flight=1)
    assert server.asks(9, 3) == [0, 0, math.inf]


def test_who_blocks_its_thread_does_not_wait_for_an_answer_in_it() -> None:
    server = Server()
    assert server.ask(0, blocks=True) == 0
    assert server.ask(0, blocks=False) == math.inf
    assert server.ask(0, blocks=True) == 0
    assert in_threads(1, lambda _: server.ask(0, blocks=True)) == [math.inf]


def test_an_answer_is_told_to_who_waits() -> None:
    server = Server()
    server.ask(0)
    changed = server.follower.changed
    assert server.follower.changed is changed
    assert not changed.done()
    server.answer(1)
    assert changed.done()
    assert not server.follower.changed.done()


def test_answers_are_noted_in_any_thread() -> None:
    server: Any = Server()
    server.ask(0)
    assert server.flights[0].thread == threading.get_ident()
    in_threads(1, lambda _: server.answer(1))
    assert server.asks(1, 3) == [0, 0, math.inf]
