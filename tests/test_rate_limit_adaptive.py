"""`RateLimit(adaptive=True)`: a 429 is met once, not by every task."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from conftest import Api, Clock, Colour, Reply
from queueing import Shop, in_threads, let_waits_pass
from stubwire import CallNext, FixedDelay, LimitExceededError, RateLimitError, Request, Response, Retry
from stubwire.plugins import RateLimit

MakeApi = Callable[..., Api]
NONE_LEFT = {"RateLimit": '"default";r=0;t=30'}


@pytest.fixture
def passing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that waits let pass."""
    let_waits_pass(clock, monkeypatch)
    return clock


def test_it_waits_as_the_server_says(api: MakeApi, colour: Colour, passing: Clock) -> None:
    server = api(Reply(content=b"1", headers=NONE_LEFT), Reply(429, headers={"Retry-After": "7"}), Reply(content=b"2"))
    shop = Shop(transport=server.transport, plugins=[RateLimit(adaptive=True)])
    assert colour.run(shop.order, 1) == "1"
    with pytest.raises(RateLimitError):
        colour.run(shop.order, 1)
    assert colour.run(shop.order, 1) == "2"
    assert passing.waits == [30, 7]


def test_with_a_limit_of_its_own_the_longer_wait_holds(api: MakeApi, colour: Colour, passing: Clock) -> None:
    server = api(Reply(content=b"1", headers=NONE_LEFT), Reply(content=b"2"))
    shop = Shop(transport=server.transport, plugins=[RateLimit(per_minute=1, adaptive=True)])
    for _ in range(3):
        colour.run(shop.order, 1)
    assert passing.waits == [30, 30, 60]


def test_a_wait_that_is_too_long_is_refused_at_once(api: MakeApi, colour: Colour, passing: Clock) -> None:
    server = api(Reply(429, headers={"Retry-After": "3600"}))
    shop = Shop(transport=server.transport, plugins=[RateLimit(adaptive=True)], retry=Retry())
    with pytest.raises(RateLimitError):
        colour.run(shop.order, 1)
    with pytest.raises(LimitExceededError) as caught:
        colour.run(shop.order, 1)
    assert str(caught.value) == (
        "Shop.order: GET https://shop.test/orders/1 was not sent: the server allows no more requests for 3600.0 s, "
        "longer than max_wait=60"
    )
    assert (len(server.requests), passing.waits) == (1, [])


def test_who_waits_too_long_for_the_first_answer_is_refused(api: MakeApi, colour: Colour, passing: Clock) -> None:
    limit = RateLimit(adaptive=True, max_wait=4)
    server = api(Reply(content=b"cups"))
    shop = Shop(transport=server.transport, plugins=[limit])
    in_threads(1, lambda _: limit._origins.of("https://shop.test").follower.ask(passing.time, blocks=False))
    with pytest.raises(LimitExceededError) as caught:
        colour.run(shop.order, 1)
    assert str(caught.value).endswith(
        "was not sent: the server has not answered those before it, longer than max_wait=4"
    )
    assert (server.requests, passing.waits) == ([], [4])


def test_who_waits_too_long_in_line_is_refused(api: MakeApi, colour: Colour, passing: Clock) -> None:
    limit = RateLimit(adaptive=True, max_wait=4)
    server = api(Reply(content=b"cups"))
    shop = Shop(transport=server.transport, plugins=[limit])
    place = in_threads(1, lambda _: limit._origins.of("https://shop.test").turn.ask(blocks=False))[0]
    with pytest.raises(LimitExceededError) as caught:
        colour.run(shop.order, 1)
    assert str(caught.value).endswith("was not sent: others have been waiting for the server, longer than max_wait=4")
    assert (server.requests, passing.waits) == ([], [4])
    limit._origins.of("https://shop.test").turn.leave(place)
    assert colour.run(shop.order, 1) == "cups"


def test_a_call_inside_an_attempt_does_not_wait_for_it(api: MakeApi, colour: Colour, passing: Clock) -> None:
    """Even where it is the first of all, which goes alone."""
    shop = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[RateLimit(adaptive=True)])

    async def ask_first(request: Request, call_next: CallNext) -> Response:
        if request.arguments["number"]:
            assert await shop.order.aio(0) == "cups"
        return await call_next(request)

    shop.use(ask_first, per="attempt")
    assert colour.run(shop.order, 1) == "cups"


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_synchronous_call_does_not_wait_for_its_own_thread(api: MakeApi, loop: str) -> None:
    """A task stands in line for an answer to another task; a synchronous call in their thread passes both."""
    shop = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[RateLimit(adaptive=True)])
    answers: list[str] = []

    async def main() -> None:
        async def slow(request: Request, call_next: CallNext) -> Response:
            if request.arguments["number"] == 0:
                await go.wait()
            return await call_next(request)

        async def call(number: int) -> None:
            answers.append(await shop.order.aio(number))

        go = anyio.Event()
        shop.use(slow, per="attempt")
        async with anyio.create_task_group() as group:
            for number in range(2):
                group.start_soon(call, number)
                await anyio.wait_all_tasks_blocked()
            assert answers == []
            assert shop.order(2) == "cups"
            go.set()

    Colour(loop).drive(main)
    assert answers == ["cups", "cups"]


class Counting:
    """A server that allows so many requests, then asks for a pause; time goes on when it is told to."""

    def __init__(self, engine: str, limit: int, clock: Clock, *, says_remaining: bool) -> None:
        self._library = importlib.import_module(engine)
        self._clock = clock
        self._limit = limit
        self._says_remaining = says_remaining
        self._resets = clock.time + 10
        self._used = 0
        self.statuses: list[int] = []
        self.transport = self._library.MockTransport(self._answer)

    async def _answer(self, _: object) -> Any:
        await anyio.lowlevel.checkpoint()
        if self._clock.time >= self._resets:
            self._resets, self._used = self._clock.time + 10, 0
        self._used += 1
        left, reset = max(0, self._limit - self._used), self._resets - self._clock.time
        said = {"RateLimit-Remaining": str(left), "RateLimit-Reset": f"{reset:g}"} if self._says_remaining else {}
        if self._used <= self._limit:
            self.statuses.append(200)
            return self._library.Response(200, text="cups", headers=said)
        self.statuses.append(429)
        return self._library.Response(429, headers={"Retry-After": f"{reset:g}"})


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize("says", [{"Retry-After": "5"}, {"RateLimit": '"default";r=0;t=5'}, {}], ids=str)
def test_fifty_tasks_meet_a_429_once(
    engine: str, loop: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, says: dict[str, str]
) -> None:
    """The server sees one request, then none until the time is over, then one, and then the others."""
    waits_among_tasks(clock, monkeypatch)
    library = importlib.import_module(engine)
    began, pause = clock.time, 5.0 if says else 1.0
    seen: list[tuple[float, int, int]] = []
    flying = 0

    async def answer(_: object) -> Any:
        nonlocal flying
        flying += 1
        status = 200 if seen else 429
        seen.append((clock.time - began, flying, status))
        await anyio.lowlevel.checkpoint()
        flying -= 1
        return library.Response(status, headers=says if status == 429 else {}, text="cups")

    shop = Shop(
        transport=library.MockTransport(answer),
        retry=Retry(backoff=FixedDelay(0.1)),
        plugins=[RateLimit(adaptive=True, max_wait=None)],
    )

    async def fifty() -> None:
        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(shop.order.aio, number)

    Colour(loop).drive(fifty)
    assert seen[:2] == [(0, 1, 429), (pause, 1, 200)]
    assert [(at, status) for at, _, status in seen[2:]] == [(pause, 200)] * 49


async def two_hundred(shop: Shop) -> None:
    async with anyio.create_task_group() as group:
        for number in range(200):
            group.start_soon(shop.order.aio, number)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_two_hundred_tasks_meet_no_429_where_the_server_says_what_is_left(
    engine: str, loop: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits_among_tasks(clock, monkeypatch)
    server = Counting(engine, 30, clock, says_remaining=True)
    shop = Shop(transport=server.transport, plugins=[RateLimit(adaptive=True, max_wait=None)])
    Colour(loop).drive(two_hundred, shop)
    assert server.statuses == [200] * 200


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_after_a_429_no_task_is_sent_before_its_time(
    engine: str, loop: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five at a time: of those that are on their way, each may meet it; of all that wait, nobody does."""
    from stubwire.plugins import ConcurrencyLimit

    waits_among_tasks(clock, monkeypatch)
    server = Counting(engine, 50, clock, says_remaining=False)
    shop = Shop(
        transport=server.transport,
        retry=Retry(max_retries=9, backoff=FixedDelay(1), budget=None),
        plugins=[ConcurrencyLimit(5), RateLimit(adaptive=True, max_wait=None)],
    )
    Colour(loop).drive(two_hundred, shop)
    assert server.statuses.count(200) == 200
    assert server.statuses.count(429) <= 5 * 5


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_server_that_says_nothing_before_its_429_says_it_to_few(
    engine: str, loop: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each of seven periods one goes, then two, four, eight, sixteen: one more than the limit."""
    waits_among_tasks(clock, monkeypatch)
    server = Counting(engine, 30, clock, says_remaining=False)
    shop = Shop(
        transport=server.transport,
        retry=Retry(max_retries=9, backoff=FixedDelay(1), budget=None),
        plugins=[RateLimit(adaptive=True, max_wait=None)],
    )
    Colour(loop).drive(two_hundred, shop)
    assert server.statuses.count(200) == 200
    assert server.statuses.count(429) <= 7


def waits_among_tasks(clock: Clock, patch: pytest.MonkeyPatch) -> None:
    """A wait that has an end ends when nothing else can go on."""
    from stubwire import _clock

    async def await_(event: anyio.Event, seconds: float | None) -> None:
        if seconds is None:
            await event.wait()
            return
        until = clock.time + seconds
        while not event.is_set() and clock.time < until:
            await anyio.wait_all_tasks_blocked()
            clock.time = max(clock.time, until)

    async def asleep(seconds: float) -> None:
        await await_(anyio.Event(), seconds)

    patch.setattr(_clock, "await_", await_)
    patch.setattr(_clock, "asleep", asleep)


def test_twenty_threads_are_not_crossed(engine: str) -> None:
    """The first goes alone, and all get their own answers."""
    library = importlib.import_module(engine)
    answers: list[int] = []

    def answer(request: Any) -> Any:
        answers.append(1)
        text = str(request.url).rpartition("/")[2]
        return library.Response(200, text=text, headers={"RateLimit": f'"day";r={100 - len(answers)};t=86400'})

    shop = Shop(transport=library.MockTransport(answer), plugins=[RateLimit(adaptive=True)])
    assert in_threads(20, shop.order) == [str(number) for number in range(20)]
