"""An asynchronous call that is cancelled, wherever it is, leaves no connection and no place in the pool behind."""

from __future__ import annotations

import asyncio
import gc
import importlib
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest

from conftest import Colour, EngineName
from servers import PATIENCE
from stages import CASES, STAGES, Authority, Staged, answer, cut_body, each_at_once, freshly, no_body, surplus
from stubwire import Limits
from stubwire._engine.choose import load
from test_transport_limits import LONG, SOON, full_backlog

WAYS = ["asyncio", "asyncio, by its own task", "trio"]


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with freshly():
        yield Authority()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Which event loop, and how a task is cancelled on it."""
    return str(request.param)


class Caller:
    """Sends on one transport that has one connection."""

    def __init__(self, engine: EngineName, context: ssl.SSLContext, **options: Any) -> None:
        self.library = importlib.import_module(engine)
        given: dict[str, Any] = {"proxy": None, "http2": False, "limits": Limits(max_connections=1), **options}
        self.transport: Any = load(engine).open(context, asynchronous=True, **given)

    async def open(self, url: str, content: bytes = b"", steps: dict[str, float] = LONG) -> Any:
        request = self.library.Request("POST", url, content=content, extensions={"timeout": steps})
        return await self.transport.handle_async_request(request)

    async def send(self, url: str, content: bytes = b"", steps: dict[str, float] = LONG) -> bytes:
        response = await self.open(url, content, steps)
        try:
            return b"".join([piece async for piece in response.stream])
        finally:
            await response.aclose()


async def happened(when: Callable[[], bool]) -> None:
    """Wait for something that happens in a thread."""
    with anyio.fail_after(PATIENCE):
        while not when():  # noqa: ASYNC110 - no thread has the event loop
            await anyio.sleep(0.005)


async def cancelled(way: str, when: Callable[[], bool], call: Callable[[], Awaitable[object]]) -> None:
    """Begin a call, and cancel it when something has happened."""
    outcome: list[object] = []

    async def begin() -> None:
        outcome.append(await call())

    if way == "asyncio, by its own task":
        task = asyncio.create_task(begin())
        await happened(when)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(begin)
            await happened(when)
            group.cancel_scope.cancel()
    assert outcome == []


def drive(way: str, main: Callable[[], Any]) -> None:
    """Run on the event loop; what is left to the garbage collector is a warning, and that an error."""
    Colour(way.partition(",")[0]).drive(main)
    gc.collect()


async def is_usable(server: Staged, calls: Caller) -> None:
    """What was cut is closed, and the next call goes through."""
    server.done.set()
    assert await anyio.to_thread.run_sync(server.all_are_gone)
    server.handle = answer
    assert await calls.send(server.url) == b"{}"
    opened = server.opened
    assert await calls.send(server.url) == b"{}"
    assert server.opened == opened, "a connection that is whole is kept"
    await calls.transport.aclose()


def test_a_call_is_cancelled_at_each_stage(engine: EngineName, authority: Authority, way: str) -> None:
    async def scenario(stage: str, tls: bool) -> None:
        with Staged(STAGES[stage][0], authority.server() if tls else None) as server:
            calls = Caller(engine, authority.client())
            content = b"x" * 20_000_000 if stage == "deaf" else b""
            await cancelled(way, server.reached.is_set, lambda: calls.send(server.url, content))
            await is_usable(server, calls)

    drive(way, lambda: each_at_once(CASES, scenario))


def test_while_it_connects(engine: EngineName, authority: Authority, way: str) -> None:
    with full_backlog() as url:

        async def main() -> None:
            calls = Caller(engine, authority.client())
            turns = iter(range(10))
            await cancelled(way, lambda: next(turns) > 5, lambda: calls.send(url))
            with Staged(answer) as server:
                await is_usable(server, calls)

        drive(way, main)


def test_while_it_waits_for_a_connection(engine: EngineName, authority: Authority, way: str) -> None:
    """The connection that it waited for stays whose it is."""
    with Staged(no_body) as server:

        async def main() -> None:
            calls = Caller(engine, authority.client())
            held = await calls.open(server.url)
            turns = iter(range(10))
            await cancelled(way, lambda: next(turns) > 5, lambda: calls.send(server.url))
            assert (server.opened, server.ended) == (1, 0)
            await held.aclose()
            await is_usable(server, calls)

        drive(way, main)


def test_at_any_moment(engine: EngineName, authority: Authority, way: str) -> None:
    """Whatever number of turns of the event loop a call has had when it is cancelled, its place is given back."""
    with Staged(answer) as server:

        async def main() -> None:
            calls = Caller(engine, authority.client())
            for number in range(100):
                await turned(way, number // 2, calls, server.url, whole=number % 2 == 0)
                assert await calls.send(server.url) == b"{}"
            await calls.transport.aclose()
            assert await anyio.to_thread.run_sync(server.all_are_gone)

        drive(way, main)


async def turned(way: str, turns: int, calls: Caller, url: str, *, whole: bool) -> None:
    """Begin a call on a new connection, and cancel it after some turns of the event loop, if it still runs.

    Its body is read to the end, or left.
    """
    await calls.transport.aclose()

    async def begin() -> None:
        response = await calls.open(url)
        try:
            async for _ in response.stream:
                if not whole:
                    break
        finally:
            await response.aclose()

    if way == "asyncio, by its own task":
        task = asyncio.create_task(begin())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return
    async with anyio.create_task_group() as group:
        group.start_soon(begin)
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_no_free_connection_in_time(engine: EngineName, authority: Authority, loop: str) -> None:
    with Staged(no_body) as server:

        async def main() -> None:
            calls = Caller(engine, authority.client())
            held = await calls.open(server.url)
            with pytest.raises(calls.library.PoolTimeout):
                await calls.send(server.url, steps={**LONG, "pool": SOON})
            await held.aclose()
            await is_usable(server, calls)

        drive(loop, main)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_body_is_left_in_the_middle(engine: EngineName, authority: Authority, loop: str) -> None:
    """Its connection ends, and nothing that httpcore nested waits to be collected."""
    with Staged(no_body) as server:

        async def main() -> None:
            calls = Caller(engine, authority.client())
            response = await calls.open(server.url)
            pieces = aiter(response.stream)
            assert await anext(pieces) == b"x"
            await response.aclose()
            assert [piece async for piece in pieces] == []
            await is_usable(server, calls)

        drive(loop, main)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_what_a_server_says_beyond_its_response_answers_nobody(
    engine: EngineName, authority: Authority, loop: str
) -> None:
    """The connection is closed; the next call has an answer of its own."""
    with Staged(surplus, authority.server()) as server:

        async def main() -> None:
            calls = Caller(engine, authority.client())
            assert [await calls.send(server.url) for _ in range(3)] == [b"{}", b"{}", b"{}"]
            assert server.opened == 3
            await calls.transport.aclose()

        drive(loop, main)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_body_that_breaks_off(engine: EngineName, authority: Authority, loop: str) -> None:
    """It is the engine's own failure, and closing again does nothing."""
    with Staged(cut_body) as server:

        async def main() -> None:
            calls = Caller(engine, authority.client())
            response = await calls.open(server.url)
            with pytest.raises(calls.library.RemoteProtocolError):
                assert [piece async for piece in response.stream] == []
            await response.aclose()
            await response.stream.aclose()
            await is_usable(server, calls)

        drive(loop, main)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_closing_ends_what_is_still_open(engine: EngineName, authority: Authority, loop: str) -> None:
    """What is called for afterwards goes through, and is not kept."""
    with Staged(no_body) as server:

        async def main() -> None:
            calls = Caller(engine, authority.client())
            held = await calls.open(server.url)
            await calls.transport.aclose()
            assert await anyio.to_thread.run_sync(server.all_are_gone)
            await held.aclose()
            server.handle = answer
            assert [await calls.send(server.url) for _ in range(2)] == [b"{}", b"{}"]
            assert await anyio.to_thread.run_sync(server.all_are_gone)
            assert server.opened == 3

        drive(loop, main)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_response_that_was_dropped_gives_its_place_back(engine: EngineName, authority: Authority, loop: str) -> None:
    """It is said, and the next call closes its connection."""
    with Staged(no_body) as server:

        async def main() -> None:
            calls = Caller(engine, authority.client())
            with pytest.warns(ResourceWarning, match="a response was never closed"):
                assert await calls.open(server.url)
            server.handle = answer
            assert await calls.send(server.url) == b"{}"
            assert await anyio.to_thread.run_sync(server.has_ended, 1)
            await calls.transport.aclose()

        drive(loop, main)
