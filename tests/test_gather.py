"""Many calls at once: how many, in which order, and what cannot be used."""

from __future__ import annotations

import contextvars
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from conftest import Api, Colour, Reply
from stubwire import (
    ApiClient,
    ColourError,
    ConfigurationError,
    Request,
    Response,
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


def test_results_are_in_the_order_of_the_calls(api: MakeApi, loop: Colour) -> None:
    client = Things(transport=api(numbered).transport)

    async def run() -> list[int]:
        return await gather(client.thing.aio(number) for number in range(50))

    assert loop.drive(run) == list(range(50))


def test_they_are_whichever_ends_first(loop: Colour) -> None:
    async def run() -> list[int]:
        return await gather([waited(9 - number, number) for number in range(9)])

    assert loop.drive(run) == list(range(9))


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_generator_is_asked_for_a_call_when_there_is_room_for_it(loop: Colour, limit: int) -> None:
    taken = ended = 0

    async def call(number: int) -> None:
        nonlocal ended
        await waited(number % 5, 0)
        ended += 1

    def calls() -> Iterator[Coroutine[Any, Any, None]]:
        nonlocal taken
        for number in range(60):
            assert taken - ended < limit
            taken += 1
            yield call(number)

    async def run() -> list[None]:
        return await gather(calls(), limit=limit)

    assert loop.drive(run) == [None] * 60


@pytest.mark.parametrize(("options", "most"), [({}, 20), ({"limit": 1}, 1), ({"limit": 7}, 7), ({"limit": 99}, 50)])
def test_so_many_run_at_once(loop: Colour, options: dict[str, Any], most: int) -> None:
    """Twenty where nobody says a limit."""
    seen: list[str] = []

    async def run() -> None:
        await gather((forever(seen) for _ in range(50)), **options)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(run)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()

    loop.drive(main)
    assert len(seen) == most


class Call:
    """Something to be awaited, which can be counted."""

    def __await__(self) -> Generator[Any, Any, int]:
        return waited(1, 0).__await__()


def test_a_million_calls_are_never_there_at_once(loop: Colour) -> None:
    """Here ten thousand of them."""
    alive: weakref.WeakSet[Call] = weakref.WeakSet()
    most = 0

    def calls() -> Iterator[Call]:
        nonlocal most
        for _ in range(10_000):
            call = Call()
            alive.add(call)
            most = max(most, len(alive))
            yield call

    async def run() -> list[int]:
        return await gather(calls(), limit=10)

    assert loop.drive(run) == [0] * 10_000
    assert most <= 12


def test_an_asynchronous_iterable_is_taken_from_alike(loop: Colour) -> None:
    async def calls() -> AsyncIterator[Coroutine[Any, Any, int]]:
        for number in range(30):
            await anyio.lowlevel.checkpoint()
            yield waited(number % 3, number)

    async def run() -> list[int]:
        return await gather(calls(), limit=4)

    assert loop.drive(run) == list(range(30))


def test_none_are_none(loop: Colour) -> None:
    async def run() -> list[int]:
        nothing: list[Awaitable[int]] = []
        return await gather(nothing)

    assert loop.drive(run) == []


variable = contextvars.ContextVar("variable", default="unset")


def test_each_runs_in_a_context_of_its_own(loop: Colour) -> None:
    async def call(number: int) -> str:
        before = variable.get()
        variable.set(f"set by {number}")
        await waited(1, 0)
        return before

    async def run() -> list[str]:
        variable.set("set outside")
        return await gather((call(number) for number in range(5)), limit=1)

    assert loop.drive(run) == ["set outside"] * 5


# ---- what cannot be used

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"limit": 0}, "gather limit=0 must be a whole number from 1"),
    ({"limit": -1}, "gather limit=-1 must be a whole number from 1"),
    ({"limit": 2.0}, "gather limit=2.0 must be a whole number from 1"),
    ({"limit": float("inf")}, "gather limit=inf must be a whole number from 1"),
    ({"limit": True}, "gather limit=True must be a whole number from 1"),
    ({"limit": None}, "gather limit=None must be a whole number from 1"),
    ({"progress": 3}, "gather progress=3 must be True, False, or a function of done and total"),
]


@pytest.mark.parametrize(("options", "message"), WRONG, ids=[str(row[0]) for row in WRONG])
def test_a_setting_that_cannot_be_used_is_refused(loop: Colour, options: dict[str, Any], message: str) -> None:
    async def run() -> None:
        await gather([waited(1, 1)], **options)

    with pytest.raises(ConfigurationError) as caught:
        loop.drive(run)
    assert str(caught.value) == message


def test_what_cannot_be_awaited_is_refused(api: MakeApi, loop: Colour) -> None:
    client = Things(transport=api(numbered).transport)
    seen: list[str] = []

    async def run() -> None:
        calls: Any = [forever(seen), client.thing(1), waited(1, 1)]
        await gather(calls)

    message = "gather: call 1 is of type int, which cannot be awaited: write client.stub.aio(...)"
    with pytest.raises(TypeError) as caught:
        loop.drive(run)
    assert str(caught.value) == message
    assert seen in ([], ["cancelled"]), "the first may not have begun"


@pytest.mark.parametrize("make", [lambda: waited(1, 1), lambda: 17], ids=["a call", "a number"])
def test_what_gives_no_calls_is_refused(loop: Colour, make: Callable[[], Any]) -> None:
    given = make()

    async def run() -> None:
        await gather(given)

    with pytest.raises(TypeError) as caught:
        loop.drive(run)
    kind = type(given).__name__
    assert str(caught.value) == f"gather takes an iterable of calls, not one of type {kind}: write gather([...])"


def test_in_a_synchronous_call_it_has_no_event_loop(api: MakeApi) -> None:
    client = Things(transport=api(numbered).transport)

    async def ahead(request: Request, call_next: Any) -> Response:
        await gather([waited(1, 1)])
        return Response(200)

    with pytest.raises(ColourError):
        client.use(ahead).thing(1)
