"""Short forms of what `python -m benchmarks.soak` does at length: a server that fails at random, and counts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest
from benchmarks import repeats, soak
from benchmarks.echoes import Echoes, Tally, jobs, work
from benchmarks.flaky import HARDLY_EVER, IN_VAIN, LEFT, MOSTLY_WELL, Flaky, Seen, running
from benchmarks.repeats import Faults
from benchmarks.soak import Pooled, Soaked

from stubwire import FixedDelay, Retry

if TYPE_CHECKING:
    from conftest import EngineName


@pytest.fixture
def state() -> Iterator[None]:
    """Other tests draw what they would have drawn."""
    before = random.getstate()
    yield
    random.setstate(before)


@pytest.mark.usefixtures("state")
def test_no_post_without_a_key_is_sent_twice_unless_the_server_says_that_it_did_not_act(engine: EngineName) -> None:
    server = Flaky(HARDLY_EVER, seed=4)
    with running(server) as url:
        result = repeats.meet_faults(url, lambda: server.seen, 300, engines=(engine,))
    assert result.wrong() == []
    assert server.seen.faults >= 300
    again = [id for id, kinds in server.seen.arrivals.items() if len(kinds) > 1]
    assert server.seen.unsafe.intersection(again), "some were sent again, as they may"
    assert not server.seen.unsafe.issuperset(again), "and others, which always may"


@pytest.mark.usefixtures("state")
def test_a_client_that_repeats_what_it_may_not_is_seen() -> None:
    server = Flaky(HARDLY_EVER, seed=4)
    careless = Retry(when=lambda outcome: outcome.error is not None, backoff=FixedDelay(0.0), budget=None)
    with running(server) as url:
        result = repeats.meet_faults(url, lambda: server.seen, 100, engines=("httpx",), retry=careless)
    assert len(result.wrong()) == len(server.seen.wrongly_repeated()) > 0


def test_what_comes_on_a_connection_that_is_being_closed_has_come() -> None:
    """A server that leaves may have acted on it."""
    server = Flaky({LEFT: 1}, seed=4)
    with running(server) as url, Echoes(base_url=url, engine="httpx") as client:
        while IN_VAIN not in server.seen.by_kind():
            work(jobs(client, count(), "left"), Tally(), partial(next, iter([True] * 8 + [False])))
    assert server.seen.wrongly_repeated() == {}


@pytest.mark.usefixtures("state")
def test_threads_and_tasks_share_a_client_while_its_server_fails(engine: EngineName) -> None:
    """No answer is lost or crossed, no connection is left, and the budget pays for each retry."""
    server = Flaky(MOSTLY_WELL, seed=5)
    with running(server) as url:
        result = soak.soak(url, lambda: server.seen, 0.5, engine=engine, threads=5, tasks=30, hang=0.3)
    assert (result.tally.crossed, result.lost) == (0, 0)
    assert (result.pooled.busy, result.pooled.places) == (0, 0)
    assert result.kept <= result.pooled.connections
    assert 0 < result.tally.answered <= server.seen.answered
    assert (server.seen.opened, server.seen.wrongly_repeated()) == (server.seen.closed, {})
    assert server.seen.repeated <= result.tally.retries <= result.affordable
    assert "connections opened" in "\n".join(result.lines())


# ---- what is wrong is seen


def test_a_request_that_came_twice_is_judged_by_what_was_done_to_it_first() -> None:
    seen = Seen(unsafe={"a", "b", "c"})
    seen.arrivals = {"a": ["503", "307", "200"], "b": ["503", "cut", "200"], "c": ["500"], "d": ["cut", "200"]}
    assert seen.wrongly_repeated() == {"b": ["503", "cut", "200"]}
    assert (seen.requests, seen.answered, seen.faults, seen.repeated) == (9, 3, 6, 4)
    tally = Tally()
    tally.crossed = 2
    assert Faults(tally, seen).wrong() == [
        "b was sent again after ['503', 'cut', '200']",
        "2 calls were given the answer of another",
    ]


def test_whatever_should_not_be_is_said() -> None:
    seen, pooled = Seen(opened=3, closed=1), Pooled(connections=3, busy=1)
    result = Soaked(Tally(), seen, pooled=pooled, kept=4, files=(5, 6), traced=[1.0, 9.0])
    result.tally.retries = 36
    result.tally.failed = {"a", "never came"}
    result.seen.arrivals = {"a": ["200"] * 40}
    result.seen.unsafe = {"a"}
    assert result.wrong() == [
        "1 answers were lost",
        "2 connections are still open",
        "4 connections were open, of which the pool had 3",
        "1 connections and 0 places were taken by nobody",
        "1 files are still open",
        "36 retries cost more than the budget has",
        "39 requests came again, and 36 were sent",
        "1 POSTs were sent twice",
        "memory grew:      1.0, then      9.0 MB",
    ]
