"""`RateLimit` in one process: never more than so many in a period, in the order in which they were asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Api, Clock, Colour, Reply
from queueing import Gauge, Shop, in_threads
from stubwire import CallNext, ConfigurationError, FixedDelay, LimitExceededError, Request, Response, Retry, _clock
from stubwire.plugins import RateLimit
from stubwire.plugins._slots import Slot, Slots

MakeApi = Callable[..., Api]


WAITS: list[tuple[dict[str, Any], list[float]]] = [
    ({"per_second": 2}, [0, 0, 1, 0, 1]),
    ({"per_second": 2, "burst": 1}, [0, 0.5, 0.5, 0.5, 0.5]),
    ({"per_second": 2, "burst": 4}, [0, 0, 0, 0, 2]),
    ({"per_second": 0.5}, [0, 2, 2, 2, 2]),
    ({"per_second": 2.5}, [0, 0, 0.8, 0, 0.8]),
    ({"per_minute": 60, "burst": 2}, [0, 0, 2, 0, 2]),
    ({"per_hour": 3, "max_wait": None}, [0, 0, 0, 3600, 0]),
    ({"per_day": 1, "max_wait": 86400}, [0, 86400, 86400, 86400, 86400]),
]


@pytest.mark.parametrize(("settings", "waits"), WAITS, ids=str)
def test_it_waits(api: MakeApi, colour: Colour, clock: Clock, settings: dict[str, Any], waits: list[float]) -> None:
    server = api(Reply(content=b"cups"))
    shop = Shop(transport=server.transport, plugins=[RateLimit(**settings)])
    for wait in waits:
        began = clock.time
        assert colour.run(shop.order, 1) == "cups"
        assert clock.time - began == pytest.approx(wait, abs=1e-6)
    assert len(server.requests) == len(waits)


def test_who_would_wait_too_long_is_refused_at_once(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """It takes nothing away from those who come later."""
    server = api(Reply(content=b"cups"))
    shop = Shop(transport=server.transport, plugins=[RateLimit(per_minute=1, max_wait=10)], retry=Retry())
    assert colour.run(shop.order, 1) == "cups"
    clock.advance(48.5)
    with pytest.raises(LimitExceededError) as caught:
        colour.run(shop.order, 2)
    assert str(caught.value) == (
        "Shop.order: GET https://shop.test/orders/2 was not sent: RateLimit(per_minute=1) is used up for 11.5 s, "
        "longer than max_wait=10"
    )
    assert (clock.waits, len(server.requests)) == ([], 1)
    clock.advance(2)
    assert colour.run(shop.order, 3) == "cups"
    assert clock.waits == [pytest.approx(9.5)]


def test_each_attempt_counts(api: MakeApi, colour: Colour, clock: Clock) -> None:
    """A retry is a request that the server counts."""
    shop = Shop(
        transport=api(Reply(503), Reply(503), Reply(content=b"cups")).transport,
        retry=Retry(backoff=FixedDelay(1)),
        plugins=[RateLimit(per_minute=2)],
    )
    assert colour.run(shop.order, 1) == "cups"
    assert clock.waits == [1, 1, pytest.approx(58)]


def test_views_and_colours_share_it_and_origins_do_not(api: MakeApi, clock: Clock) -> None:
    shop = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[RateLimit(per_minute=2)])
    assert shop.order(1) == "cups"
    assert Colour("trio").drive(shop.with_options(timeout=1.0).order.aio, 1) == "cups"
    assert shop.call("GET", "https://other.test/x").text == "cups"
    assert clock.waits == []
    assert Colour("asyncio").drive(shop.order.aio, 1) == "cups"
    assert clock.waits == [pytest.approx(60)]


def test_what_is_not_used_is_given_back(api: MakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that is interrupted leaves its moment to the next."""
    shop = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[RateLimit(per_minute=1)])
    assert shop.order(1) == "cups"

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_clock, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            shop.order(1)
    assert shop.order(1) == "cups"
    assert clock.waits == [pytest.approx(60)]


def test_a_call_inside_an_attempt_counts_too(api: MakeApi, colour: Colour, clock: Clock) -> None:
    shop = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[RateLimit(per_second=1)])

    async def ask_first(request: Request, call_next: CallNext) -> Response:
        if request.arguments["number"]:
            await shop.order.aio(0)
        return await call_next(request)

    shop.use(ask_first, per="attempt")
    assert colour.run(shop.order, 1) == "cups"
    assert clock.waits == [1]


@pytest.mark.parametrize("max_wait", [0.0, None])
def test_twenty_threads_share_it(api: MakeApi, clock: Clock, max_wait: float | None) -> None:
    """Each has a moment of its own, or is refused."""
    server = api(Reply(content=b"cups"))
    shop = Shop(transport=server.transport, plugins=[RateLimit(per_day=5, max_wait=max_wait)])

    def call(number: int) -> str:
        try:
            return shop.order(number)
        except LimitExceededError:
            return "refused"

    results = in_threads(20, call)
    assert results.count("cups") == len(server.requests) == (20 if max_wait is None else 5)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_two_hundred_tasks_are_sent_in_order(
    engine: str, loop: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time goes on when all of them wait; each is sent at its own moment, ten at a time."""
    gauge, sent, started = Gauge(), list[tuple[int, float]](), list[int]()
    wakes: list[tuple[float, anyio.Event]] = []
    library = importlib.import_module(engine)

    async def asleep(seconds: float) -> None:
        wakes.append((clock.time + seconds, anyio.Event()))
        await wakes[-1][1].wait()

    async def answer(request: Any) -> Any:
        gauge.enter()
        sent.append((int(str(request.url).rpartition("/")[2]), clock.time))
        return library.Response(200, text="cups")

    async def call(shop: Shop, number: int) -> None:
        started.append(number)
        await shop.order.aio(number)

    async def main() -> None:
        shop = Shop(transport=library.MockTransport(answer), plugins=[RateLimit(per_second=10)])
        async with anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon(call, shop, number)
            while gauge.total < 200:
                await anyio.wait_all_tasks_blocked()
                clock.time = min((at for at, event in wakes if not event.is_set()), default=clock.time)
                for at, event in wakes:
                    if at <= clock.time:
                        event.set()

    monkeypatch.setattr(_clock, "asleep", asleep)
    began = clock.time
    Colour(loop).drive(main)
    tenth = {number: position // 10 for position, number in enumerate(started)}
    assert [round(at - began) for _, at in sent] == [second for second in range(20) for _ in range(10)]
    assert [tenth[number] for number, _ in sent] == [second for second in range(20) for _ in range(10)]


# ---- the moments themselves

STEPS = st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=60)


@given(count=st.integers(1, 5), window=st.integers(1, 20), steps=STEPS)
def test_no_window_has_more_than_its_count(count: int, window: int, steps: list[tuple[int, bool]]) -> None:
    """Whatever comes when, and whatever is given back; and nobody overtakes."""
    slots, now, used = Slots(count, window), 0.0, list[float]()
    for pause, gives_back in steps:
        now += pause
        slot = slots.take(now, None)
        assert slot.at is not None
        assert slot.at == now + slot.wait >= max([now, *used])
        if gives_back:
            slots.give_back(slot.at)
        else:
            used.append(slot.at)
    assert all(later - earlier >= window for earlier, later in zip(used, used[count:], strict=False))


def test_a_moment_is_given_back_once() -> None:
    slots = Slots(1, 10.0)
    assert slots.take(0.0, 0) == Slot(0.0, 0.0)
    assert slots.take(1.0, None) == Slot(9.0, 10.0)
    slots.give_back(10.0)
    slots.give_back(10.0)
    assert slots.take(2.0, 7.9) == Slot(8.0, None)
    assert slots.take(2.0, 8.0) == Slot(8.0, 10.0)


def test_nobody_overtakes_who_waits_already() -> None:
    """Not even with what was given back."""
    slots = Slots(3, 10.0)
    assert [slots.take(0.0, None).at for _ in range(7)] == [0, 0, 0, 10, 10, 10, 20]
    for _ in range(2):
        slots.give_back(10.0)
    assert slots.take(10.5, None) == Slot(9.5, 20.0)


# ---- settings

NO_LIMIT = "RateLimit needs a limit such as per_second=5, or adaptive=True alone"
WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, NO_LIMIT),
    ({"burst": 5}, NO_LIMIT),
    ({"burst": 5, "adaptive": True}, NO_LIMIT),
    ({"per_second": 0}, "RateLimit per_second=0 must be a finite number above 0"),
    ({"per_minute": -1}, "RateLimit per_minute=-1 must be a finite number above 0"),
    ({"per_hour": float("inf")}, "RateLimit per_hour=inf must be a finite number above 0"),
    ({"per_day": float("nan")}, "RateLimit per_day=nan must be a finite number above 0"),
    ({"per_second": "5"}, "RateLimit per_second='5' must be a finite number above 0"),
    ({"per_second": True}, "RateLimit per_second=True must be a finite number above 0"),
    ({"per_second": 1, "per_day": 9}, "RateLimit takes one of per_second and per_day: install one for each"),
    ({"per_second": 1, "burst": 0}, "RateLimit burst=0 must be a whole number from 1"),
    ({"per_second": 1, "burst": 1.5}, "RateLimit burst=1.5 must be a whole number from 1"),
    ({"per_second": 1, "max_wait": -1}, "RateLimit max_wait=-1 must be a finite number from 0, or None for no limit"),
    ({"per_second": 10**400}, f"RateLimit per_second={10**400} must be at most 1e+09"),
    ({"per_second": 1e10}, "RateLimit per_second=10000000000.0 must be at most 1e+09"),
    ({"per_second": 1, "burst": 2 * 10**9}, "RateLimit burst=2000000000 must be at most 1e+09"),
    ({"per_second": 1, "burst": -1}, "RateLimit burst=-1 must be a whole number from 1"),
    (
        {"per_second": 1, "max_wait": 1e10},
        "RateLimit max_wait=10000000000.0 must be at most 1e+09, or None for no limit",
    ),
    ({"per_day": 1e-5}, "RateLimit per_day=1e-05 allows 1 in more than 1e+09 s"),
    ({"per_hour": 0.5, "burst": 10**9}, "RateLimit per_hour=0.5 allows 1000000000 in more than 1e+09 s"),
    ({"per_second": 1, "adaptive": "no"}, "RateLimit adaptive='no' must be True or False"),
    ({"per_second": 1, "key": ""}, "RateLimit key='' must be a name, or None for the origin"),
    ({"per_second": 1, "key": 5}, "RateLimit key=5 must be a name, or None for the origin"),
    ({"per_second": 1, "on_error": None}, "RateLimit on_error=None: write 'allow' or 'refuse'"),
    ({"per_second": 1, "on_error": "ignore"}, "RateLimit on_error='ignore': write 'allow' or 'refuse'"),
    ({"per_second": 1, "key": "a"}, "RateLimit key='a' names a shared limit: pass redis=... too"),
    (
        {"adaptive": True, "redis": "redis://localhost"},
        "RateLimit redis=... shares a limit: pass one too, such as per_second=5",
    ),
    *(
        ({"per_second": 1, "redis": url}, "RateLimit redis=... must be a URL such as redis://host:6379/0")
        for url in ("http://localhost", "", 5, b"redis://localhost", "redis://h:port", "redis://:s3cret@h/0?bogus=1")
    ),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=str)
def test_a_wrong_setting_says_which_and_why(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RateLimit(**arguments)
    assert str(caught.value) == message


REPRS: list[tuple[RateLimit, str]] = [
    (RateLimit(per_second=5), "RateLimit(per_second=5)"),
    (RateLimit(per_minute=2.5, burst=3, adaptive=True), "RateLimit(per_minute=2.5, burst=3)"),
    (RateLimit(adaptive=True), "RateLimit(adaptive=True)"),
]


@pytest.mark.parametrize(("limit", "text"), REPRS, ids=str)
def test_it_shows_its_limit(limit: RateLimit, text: str) -> None:
    assert repr(limit) == text
