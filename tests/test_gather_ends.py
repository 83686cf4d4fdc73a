"""What ends many calls at once, and what is left then: errors, bugs and cancellation."""

from __future__ import annotations

import asyncio
import gc
import itertools
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from conftest import Api, Colour, Reply
from stubwire import (
    ApiClient,
    ArgumentError,
    CallError,
    NotFoundError,
    ServerError,
    gather,
    get,
)

MakeApi = Callable[..., Api]
LOOPS = ["asyncio", "trio"]


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Colour:
    """One event loop."""
    return Colour(str(request.param))


class Things(ApiClient):
    base_url = "https://api.example"
    retry = None

    @get("/things/<number>")
    def thing(self, number: int) -> int:
        raise NotImplementedError


def numbered(request: Any) -> Reply:
    """Answers with the number that was asked for; 404 for one above 100, 503 for one above 200."""
    number = int(request.url.path.rpartition("/")[2])
    return Reply(503) if number > 200 else Reply(404) if number > 100 else Reply(json=number)


async def waited(steps: int, result: int) -> int:
    """A call that takes so many steps of the event loop."""
    for _ in range(steps):
        await anyio.lowlevel.checkpoint()
    return result


async def forever(seen: list[str], name: str = "cancelled") -> int:
    """A call that never ends by itself."""
    try:
        await anyio.sleep_forever()
    finally:
        seen.append(name)
    return 0


async def broken() -> int:
    """A bug."""
    await anyio.lowlevel.checkpoint()
    raise ZeroDivisionError("a bug")


def test_the_first_error_ends_the_others_and_is_raised_itself(api: MakeApi, loop: Colour) -> None:
    server = api(numbered)
    client = Things(transport=server.transport)
    seen: list[str] = []

    async def run() -> None:
        calls = [forever(seen), forever(seen), client.thing.aio(101), *(client.thing.aio(n) for n in range(9))]
        await gather(calls, limit=3)

    with pytest.raises(NotFoundError) as caught:
        loop.drive(run)
    assert str(caught.value) == "Things.thing: GET https://api.example/things/101 answered 404"
    assert caught.value.__context__ is None
    assert seen == ["cancelled"] * 2
    assert len(server.requests) == 1


def test_errors_can_be_results(api: MakeApi, loop: Colour) -> None:
    client = Things(transport=api(numbered).transport)

    async def run() -> list[int | CallError]:
        return await gather([client.thing.aio(n) for n in (1, 101, 2, 201)], return_errors=True)

    one, missing, two, failed = loop.drive(run)
    assert (one, two) == (1, 2)
    assert isinstance(missing, NotFoundError)
    assert isinstance(failed, ServerError)


@pytest.mark.parametrize("return_errors", [False, True])
def test_a_bug_is_always_raised(loop: Colour, return_errors: bool) -> None:
    seen: list[str] = []

    async def run() -> None:
        await gather([forever(seen), broken(), waited(1, 1)], return_errors=return_errors)

    with pytest.raises(ZeroDivisionError, match=r"^a bug$"):
        loop.drive(run)
    assert seen == ["cancelled"]


def test_an_argument_that_cannot_be_sent_is_a_bug(api: MakeApi, loop: Colour) -> None:
    client = Things(transport=api(numbered).transport)

    async def run() -> None:
        wrong: Any = "../1"
        await gather([client.thing.aio(1), client.thing.aio(wrong)], return_errors=True)

    with pytest.raises(ArgumentError):
        loop.drive(run)


class Stop(BaseException):
    """What ends a program, as KeyboardInterrupt does."""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, Stop])
def test_what_ends_the_program_passes_as_it_is(loop: Colour, kind: type[BaseException]) -> None:
    seen: list[str] = []

    async def stop() -> int:
        await anyio.lowlevel.checkpoint()
        raise kind

    async def run() -> None:
        with pytest.raises(kind):
            await gather([forever(seen), stop()])

    loop.drive(run)
    assert seen == ["cancelled"]


def test_an_error_is_left_in_no_circle(loop: Colour) -> None:
    """It is gone when nobody has it any more, and with it what its traceback leads to."""

    class Bug(Exception):
        pass

    async def bug() -> int:
        raise Bug

    async def run() -> weakref.ref[Bug] | None:
        try:
            await gather([bug(), waited(1, 1)])
        except Bug as error:
            return weakref.ref(error)
        return None

    gc.disable()
    try:
        left = loop.drive(run)
        assert left is not None
        assert left() is None
    finally:
        gc.enable()


def test_an_error_of_the_iterable_ends_them_too(loop: Colour) -> None:
    seen: list[str] = []

    def calls() -> Iterator[Coroutine[Any, Any, int]]:
        yield forever(seen)
        raise LookupError("no more")

    async def run() -> None:
        await gather(calls())

    with pytest.raises(LookupError, match=r"^no more$"):
        loop.drive(run)
    assert seen in ([], ["cancelled"]), "the first may not have begun"


def test_an_error_leaves_no_coroutine_that_was_never_awaited(loop: Colour) -> None:
    """Those of a collection are closed; a warning would fail this test."""

    async def run() -> None:
        await gather([broken(), *(waited(1, number) for number in range(50))], limit=2)

    with pytest.raises(ZeroDivisionError):
        loop.drive(run)
    gc.collect()


@pytest.mark.parametrize("way", ["forwards", "backwards"])
def test_an_error_leaves_none_of_an_iterator_over_a_list(loop: Colour, way: str) -> None:
    async def run() -> None:
        calls = [broken(), *(waited(1, number) for number in range(50)), broken()]
        await gather(iter(calls) if way == "forwards" else reversed(calls), limit=2)

    with pytest.raises(ZeroDivisionError):
        loop.drive(run)
    gc.collect()


def test_an_error_closes_a_generator(loop: Colour) -> None:
    """It may be endless: it is asked for no more."""
    ends: list[str] = []

    def calls() -> Iterator[Coroutine[Any, Any, int]]:
        try:
            yield broken()
            yield from (waited(1, number) for number in itertools.count())
        finally:
            ends.append("closed")

    async def run(given: Iterator[Coroutine[Any, Any, int]]) -> None:
        await gather(given, limit=2)

    given = calls()
    with pytest.raises(ZeroDivisionError):
        loop.drive(run, given)
    assert ends == ["closed"]


def test_an_error_closes_an_asynchronous_generator(loop: Colour) -> None:
    ends: list[str] = []

    async def calls() -> AsyncGenerator[Coroutine[Any, Any, int]]:
        try:
            yield broken()
            for number in itertools.count():
                yield waited(1, number)
        finally:
            await anyio.lowlevel.checkpoint()
            ends.append("closed")

    async def run() -> None:
        with pytest.raises(ZeroDivisionError):
            await gather(calls(), limit=2)
        assert ends == ["closed"]

    loop.drive(run)


def test_no_call_begins_after_an_error(loop: Colour) -> None:
    seen: list[str] = []

    async def call(number: int) -> int:
        seen.append("began")
        await waited(2, number)
        if number == 5:
            seen.append("error")
            raise ZeroDivisionError
        return number

    async def run() -> None:
        await gather([call(number) for number in range(30)], limit=30)

    with pytest.raises(ZeroDivisionError):
        loop.drive(run)
    assert seen[-1] == "error"


def test_an_error_does_not_ask_another_iterator_for_more(loop: Colour) -> None:
    numbers = itertools.count()

    async def run() -> None:
        await gather(map(counted, numbers), limit=2)

    async def counted(number: int) -> int:
        return await (broken() if number == 3 else waited(1, number))

    with pytest.raises(ZeroDivisionError):
        loop.drive(run)
    assert next(numbers) < 10


# ---- cancellation


def test_cancellation_ends_them_and_closes_what_has_not_begun(loop: Colour) -> None:
    seen: list[str] = []

    async def run() -> bool:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(cancel_when_blocked, scope)
                await gather([*(forever(seen) for _ in range(9)), waited(1, 1)], limit=3)
        return scope.cancelled_caught

    async def cancel_when_blocked(scope: anyio.CancelScope) -> None:
        await anyio.wait_all_tasks_blocked()
        scope.cancel()

    assert loop.drive(run)
    assert seen == ["cancelled"] * 3


def test_a_task_that_somebody_else_cancels_ends_them() -> None:
    """As asyncio's own gather does; no result is lost in silence."""
    seen: list[str] = []

    async def run() -> None:
        task = asyncio.ensure_future(forever(seen, "task"))
        asyncio.get_running_loop().call_soon(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await gather([forever(seen, "other"), task])

    asyncio.run(run())
    assert sorted(seen) == ["other", "task"]


def test_a_task_that_is_not_yet_awaited_is_cancelled_by_an_error() -> None:
    seen: list[str] = []

    async def run() -> None:
        task = asyncio.ensure_future(forever(seen))
        with pytest.raises(ZeroDivisionError):
            await gather([broken(), task], limit=1)
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(run())
    assert seen == ["cancelled"]
