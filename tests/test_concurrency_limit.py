"""`ConcurrencyLimit`: so many at once, first come, first served, over threads, tasks and both colours."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from conftest import Api, Clock, Colour, Reply
from queueing import Gauge, Shop, in_threads, let_waits_pass
from stubwire import (
    CallNext,
    ConfigurationError,
    FixedDelay,
    LimitExceededError,
    Request,
    Response,
    Retry,
    _clock,
)
from stubwire.plugins import ConcurrencyLimit
from stubwire.plugins._places import Places

MakeApi = Callable[..., Api]
LOOPS = ("asyncio", "trio")


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Colour:
    """An asynchronous colour."""
    return Colour(str(request.param))


def transport(engine: str, handle: Callable[[], Awaitable[object]]) -> Any:
    """An asynchronous server that does something, and then answers 200."""
    library = importlib.import_module(engine)

    async def answer(_: object) -> object:
        await handle()
        return library.Response(200, text="cups")

    return library.MockTransport(answer)


def test_twenty_threads_are_never_more_than_so_many(engine: str) -> None:
    """Three at a time meet at a barrier: with fewer it would break, and more are counted."""
    gauge, barrier = Gauge(), threading.Barrier(3)
    library = importlib.import_module(engine)

    def answer(_: object) -> object:
        gauge.enter()
        barrier.wait(30)
        gauge.leave()
        return library.Response(200, text="cups")

    shop = Shop(transport=library.MockTransport(answer), plugins=[ConcurrencyLimit(3)])
    assert in_threads(21, shop.order) == ["cups"] * 21
    assert (gauge.most, gauge.total) == (3, 21)


def test_two_hundred_tasks_are_never_more_than_so_many(engine: str, loop: Colour) -> None:
    gauge = Gauge()

    async def work() -> None:
        gauge.enter()
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        gauge.leave()

    shop = Shop(transport=transport(engine, work), plugins=[ConcurrencyLimit(7)])
    view = shop.with_options(timeout=5.0)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon((view if number % 2 else shop).order.aio, number)

    loop.drive(main)
    assert (gauge.most, gauge.total) == (7, 200)


def test_who_comes_first_is_sent_first(engine: str, loop: Colour) -> None:
    """Of four tasks and one thread, each queues when the one before does."""
    go: list[anyio.Event] = []
    order: list[str] = []

    async def work() -> None:
        if not order:
            go.append(anyio.Event())
            order.append("")
            await go[0].wait()

    async def main() -> None:
        shop = Shop(transport=transport(engine, work), plugins=[ConcurrencyLimit(1)])

        async def call(name: str) -> None:
            await shop.order.aio(1)
            order.append(name)

        async with anyio.create_task_group() as group:
            for name in "abcd":
                group.start_soon(call, name)
                await anyio.wait_all_tasks_blocked()
            go[0].set()

    loop.drive(main)
    assert order == ["", "a", "b", "c", "d"]


def test_a_place_goes_from_a_thread_to_a_task(engine: str, loop: Colour) -> None:
    """A synchronous call in a thread has the place; an asynchronous one waits for it without holding up its loop."""
    library = importlib.import_module(engine)
    started, go = threading.Event(), threading.Event()

    def slow(_: object) -> object:
        started.set()
        assert go.wait(30)
        return library.Response(200, text="slow")

    async def quick(_: object) -> object:
        return library.Response(200, text="quick")

    shop = Shop(transport=(library.MockTransport(slow), library.MockTransport(quick)), plugins=[ConcurrencyLimit(1)])
    ended: list[str] = []
    thread = threading.Thread(target=lambda: ended.append(shop.order(1)))
    thread.start()
    assert started.wait(30)

    async def main() -> None:
        async with anyio.create_task_group() as group:

            async def call() -> None:
                ended.append(await shop.order.aio(2))

            group.start_soon(call)
            await anyio.wait_all_tasks_blocked()
            assert ended == []
            go.set()

    loop.drive(main)
    thread.join(30)
    assert sorted(ended) == ["quick", "slow"]


def test_who_is_cancelled_in_the_queue_leaves_it(engine: str, loop: Colour) -> None:
    go: list[anyio.Event] = []
    gauge = Gauge()

    async def work() -> None:
        gauge.enter()
        if gauge.total == 1:
            await go[0].wait()
        gauge.leave()

    async def main() -> None:
        go.append(anyio.Event())
        shop = Shop(transport=transport(engine, work), plugins=[ConcurrencyLimit(1)])
        async with anyio.create_task_group() as group:
            group.start_soon(shop.order.aio, 1)
            await anyio.wait_all_tasks_blocked()
            with anyio.CancelScope() as scope:

                async def give_up() -> None:
                    await anyio.wait_all_tasks_blocked()
                    scope.cancel()

                group.start_soon(give_up)
                await shop.order.aio(2)
            assert scope.cancelled_caught
            group.start_soon(shop.order.aio, 3)
            await anyio.wait_all_tasks_blocked()
            go[0].set()
        await shop.order.aio(4)

    loop.drive(main)
    assert (gauge.most, gauge.total) == (1, 3)


def nested(shop: Shop, answers: list[object]) -> Callable[[Request, CallNext], Awaitable[Response]]:
    """A middleware that makes a call of its own inside each attempt."""

    async def ask_first(request: Request, call_next: CallNext) -> Response:
        if request.arguments["number"] != 0:
            try:
                answers.append(await shop.order.aio(0))
            except LimitExceededError as error:
                answers.append(str(error))
        return await call_next(request)

    return ask_first


def test_a_call_inside_an_attempt_shares_its_place(api: MakeApi, colour: Colour) -> None:
    answers: list[object] = []
    shop = Shop(transport=api(Reply(content=b"cups")).transport, plugins=[ConcurrencyLimit(1)])
    shop.use(nested(shop, answers), per="attempt")
    assert colour.run(shop.order, 1) == "cups"
    assert answers == ["cups"]


def test_a_task_that_outlives_the_attempt_needs_a_place(engine: str, loop: Colour) -> None:
    """It was started inside of one, and has the context of one."""
    gauge = Gauge()

    async def work() -> None:
        gauge.enter()
        await anyio.lowlevel.checkpoint()
        gauge.leave()

    async def main() -> None:
        shop = Shop(transport=transport(engine, work), plugins=[ConcurrencyLimit(1)])
        async with anyio.create_task_group() as group:

            async def later(number: int, over: anyio.Event) -> None:
                await over.wait()
                await shop.order.aio(number)

            over = anyio.Event()

            async def spawn(request: Request, call_next: CallNext) -> Response:
                if request.arguments["number"] == 0:
                    group.start_soon(later, 1, over)
                    group.start_soon(later, 2, over)
                return await call_next(request)

            shop.use(spawn, per="attempt")
            await shop.order.aio(0)
            over.set()

    loop.drive(main)
    assert (gauge.most, gauge.total) == (1, 3)


def test_a_synchronous_call_does_not_wait_for_its_own_thread(engine: str, loop: Colour) -> None:
    """A task has the place; a synchronous call in the same thread would stop the loop for ever."""
    library = importlib.import_module(engine)
    go: list[anyio.Event] = []

    def never(_: object) -> object:
        pytest.fail("it was sent")

    async def slow(_: object) -> object:
        await go[0].wait()
        return library.Response(200, text="slow")

    async def main() -> None:
        go.append(anyio.Event())
        shop = Shop(
            transport=(library.MockTransport(never), library.MockTransport(slow)), plugins=[ConcurrencyLimit(1)]
        )
        async with anyio.create_task_group() as group:
            group.start_soon(shop.order.aio, 1)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(LimitExceededError) as caught:
                shop.order(2)
            messages.append(str(caught.value))
            go[0].set()

    messages: list[str] = []
    loop.drive(main)
    (message,) = messages
    assert message == (
        "Shop.order: GET https://shop.test/orders/2 was not sent: ConcurrencyLimit(1) is used up by the thread "
        "that this call would block"
    )


def test_who_has_waited_too_long_is_not_sent(
    api: MakeApi, colour: Colour, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_waits_pass(clock, monkeypatch)
    limit = ConcurrencyLimit(1, max_wait=2.5)
    in_threads(1, lambda _: limit._places.ask(blocks=True))
    server = api(Reply(content=b"cups"))
    with pytest.raises(LimitExceededError) as caught:
        colour.run(Shop(transport=server.transport, plugins=[limit], retry=Retry()).order, 1)
    assert str(caught.value) == (
        "Shop.order: GET https://shop.test/orders/1 was not sent: ConcurrencyLimit(1) is used up, for longer than "
        "max_wait=2.5"
    )
    assert clock.waits == [2.5]
    assert server.requests == []


def test_a_call_that_waits_between_attempts_has_no_place(
    api: MakeApi, colour: Colour, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = ConcurrencyLimit(1, max_wait=0)
    held: list[bool] = []

    def sleep(_: float) -> None:
        held.append(bool(limit._places._held))

    for where in (clock, _clock):
        monkeypatch.setattr(where, "sleep", sleep)
    server = api(Reply(503), Reply(content=b"cups"))
    shop = Shop(transport=server.transport, plugins=[limit], retry=Retry(backoff=FixedDelay(1.0)))
    assert colour.run(shop.order, 1) == "cups"
    assert held == [False]


def test_a_failed_attempt_gives_its_place_back(api: MakeApi, colour: Colour) -> None:
    limit = ConcurrencyLimit(1, max_wait=0)

    def fail(_: object) -> Reply:
        raise ZeroDivisionError

    shop = Shop(transport=api(fail, Reply(content=b"cups")).transport, plugins=[limit])
    with pytest.raises(ZeroDivisionError):
        colour.run(shop.order, 1)
    assert colour.run(shop.order, 1) == "cups"


# ---- the places themselves


def test_places_are_given_in_order() -> None:
    places = Places(2)
    asked = [place for place in (places.ask(blocks=False) for _ in range(5)) if place is not None]
    assert [place.held for place in asked] == [True, True, False, False, False]
    places.leave(asked[3])
    places.leave(asked[0])
    assert [place.held for place in asked] == [False, True, True, False, False]
    places.leave(asked[1])
    assert [place.given.done() for place in asked] == [True, True, True, False, True]


def test_who_would_block_those_before_it_gets_no_place() -> None:
    """Of this thread are one place and one in the queue; another thread has the second place."""
    places = Places(2)
    in_threads(1, lambda _: places.ask(blocks=True))
    assert places.ask(blocks=True) is not None
    assert places.ask(blocks=True) is not None
    assert places.ask(blocks=True) is None
    assert places.ask(blocks=False) is not None


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"n": 0}, "ConcurrencyLimit n=0 must be a whole number from 1"),
    ({"n": 1.5}, "ConcurrencyLimit n=1.5 must be a whole number from 1"),
    ({"n": -1}, "ConcurrencyLimit n=-1 must be a whole number from 1"),
    ({"n": "5"}, "ConcurrencyLimit n='5' must be a whole number from 1"),
    ({"n": float("nan")}, "ConcurrencyLimit n=nan must be a whole number from 1"),
    ({"n": float("inf")}, "ConcurrencyLimit n=inf must be a whole number from 1"),
    ({"n": 10**10}, "ConcurrencyLimit n=10000000000 must be at most 1e+09"),
    (
        {"n": 1, "max_wait": 1e10},
        "ConcurrencyLimit max_wait=10000000000.0 must be at most 1e+09, or None for no limit",
    ),
    ({"n": True}, "ConcurrencyLimit n=True must be a whole number from 1"),
    ({"n": 1, "max_wait": -1}, "ConcurrencyLimit max_wait=-1 must be a finite number from 0, or None for no limit"),
    ({"n": 1, "max_wait": True}, "ConcurrencyLimit max_wait=True must be a finite number from 0, or None for no limit"),
    (
        {"n": 1, "max_wait": float("inf")},
        "ConcurrencyLimit max_wait=inf must be a finite number from 0, or None for no limit",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=str)
def test_a_wrong_setting_says_which_and_why(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ConcurrencyLimit(**arguments)
    assert str(caught.value) == message
