"""Leaving a stream early ends its connection at once, whatever the reason: a real server sees it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from conftest import Colour, EngineName
from servers import Answer, RawServer
from stubwire import ApiClient, Event, Stream, get

EVENTS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b"9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n"
)


class Feed(ApiClient):
    @get("/events")
    def events(self) -> Stream[Event[str]]:
        raise NotImplementedError


class Boom(Exception):
    """Raised by whoever reads."""


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A server that sends two events and falls silent."""
    with RawServer(Answer(EVENTS, then="hang")) as started:
        yield started


def feed(server: RawServer, engine: EngineName) -> Feed:
    return Feed(base_url=server.url, engine=engine)


def gone(server: RawServer) -> None:
    server.wait_until(lambda server: server.closed == 1)


def test_by_break(server: RawServer, engine: EngineName, colour: Colour) -> None:
    with feed(server, engine) as client:
        seen: list[str] = []

        def synchronous() -> None:
            with client.events() as stream:
                for event in stream:
                    seen.append(event.data)
                    break
            gone(server)

        async def asynchronous() -> None:
            async with client.events.aio() as stream:
                async for event in stream:
                    seen.append(event.data)
                    break
            gone(server)
            await client.aclose()

        synchronous() if colour.name == "sync" else colour.drive(asynchronous)
        assert seen == ["a"]


def test_before_the_first_item(server: RawServer, engine: EngineName, colour: Colour) -> None:
    with feed(server, engine) as client:

        def synchronous() -> None:
            with client.events() as stream:
                assert stream.response.headers["content-type"] == "text/event-stream"
            gone(server)

        async def asynchronous() -> None:
            async with client.events.aio() as stream:
                assert stream.response.headers["content-type"] == "text/event-stream"
            gone(server)
            await client.aclose()

        synchronous() if colour.name == "sync" else colour.drive(asynchronous)


@pytest.mark.parametrize("kind", [Boom, KeyboardInterrupt, SystemExit])
def test_by_exception(server: RawServer, engine: EngineName, colour: Colour, kind: type[BaseException]) -> None:
    with feed(server, engine) as client:

        def leave() -> None:
            with client.events() as stream:
                for _ in stream:
                    raise kind

        async def aleave() -> None:
            async with client.events.aio() as stream:
                async for _ in stream:
                    raise kind

        def synchronous() -> None:
            with pytest.raises(kind):
                leave()
            gone(server)

        async def asynchronous() -> None:
            with pytest.raises(kind):
                await aleave()
            gone(server)
            await client.aclose()

        synchronous() if colour.name == "sync" else colour.drive(asynchronous)


def test_by_dropping_the_iterator(server: RawServer, engine: EngineName) -> None:
    with feed(server, engine) as client:
        for _ in client.events():
            break
        gone(server)


def test_by_an_interrupt_while_it_waits(server: RawServer, engine: EngineName) -> None:
    def follow(client: Feed) -> None:
        with client.events() as stream:
            for event in stream:
                if event.data == "b":
                    threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with feed(server, engine) as client:
            with pytest.raises(KeyboardInterrupt):
                follow(client)
            gone(server)
    finally:
        signal.signal(signal.SIGINT, before)


def test_by_cancelling_a_task_that_waits(server: RawServer, engine: EngineName) -> None:
    async def run() -> None:
        client = feed(server, engine)
        waiting = asyncio.Event()

        async def follow() -> None:
            async with client.events.aio() as stream:
                async for event in stream:
                    if event.data == "b":
                        waiting.set()

        task = asyncio.create_task(follow())
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(gone, server)
        await client.aclose()

    asyncio.run(run())


def test_by_a_timeout_of_asyncio(server: RawServer, engine: EngineName) -> None:
    async def follow(client: Feed) -> None:
        async with asyncio.timeout(None) as scope, client.events.aio() as stream:
            async for _ in stream:
                scope.reschedule(0)

    async def run() -> None:
        client = feed(server, engine)
        with pytest.raises(TimeoutError):
            await follow(client)
        gone(server)
        await client.aclose()

    asyncio.run(run())


def test_by_cancelling_a_scope_of_trio(server: RawServer, engine: EngineName) -> None:
    async def run() -> None:
        client = feed(server, engine)
        with trio.CancelScope() as scope:
            async with client.events.aio() as stream:
                async for event in stream:
                    if event.data == "b":
                        scope.cancel()
        assert scope.cancelled_caught
        gone(server)
        await client.aclose()

    trio.run(run)


def test_without_async_with_by_cancelling(server: RawServer, engine: EngineName) -> None:
    """Whoever waits for an item is told, and lets go on the way."""

    async def run() -> None:
        client = feed(server, engine)
        with trio.CancelScope() as scope:
            async for event in client.events.aio():
                if event.data == "b":
                    scope.cancel()
        gone(server)
        await client.aclose()

    trio.run(run)


def test_a_stream_that_was_read_to_its_end_gives_its_connection_back(engine: EngineName, colour: Colour) -> None:
    with RawServer(EVENTS + b"0\r\n\r\n") as server, feed(server, engine) as client:

        def synchronous() -> None:
            for _ in range(3):
                with client.events() as stream:
                    assert [event.data for event in stream] == ["a", "b"]

        async def asynchronous() -> None:
            for _ in range(3):
                async with client.events.aio() as stream:
                    assert [event.data async for event in stream] == ["a", "b"]
            await client.aclose()

        synchronous() if colour.name == "sync" else colour.drive(asynchronous)
        assert (server.opened, len(server.requests)) == (1, 3)


def test_a_stream_that_is_wrong_ends_its_connection(engine: EngineName, colour: Colour) -> None:
    from streaming import read

    class Numbers(ApiClient):
        @get("/")
        def numbers(self) -> Stream[int]:
            raise NotImplementedError

    lines = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n1\nx\n\r\n"
    with RawServer(Answer(lines, then="hang")) as server, Numbers(base_url=server.url, engine=engine) as client:
        found = read(Closing(colour, client), client.numbers)
        assert found.items == [1]
        assert str(found.error).endswith("answered 200 with line 2 that is not JSON")
        gone(server)


class Closing(Colour):
    """A colour that closes a client on its event loop."""

    def __init__(self, colour: Colour, client: Any) -> None:
        super().__init__(colour.name)
        object.__setattr__(self, "client", client)

    def drive(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        async def run() -> Any:
            try:
                return await function(*args, **kwargs)
            finally:
                await getattr(self, "client").aclose()  # noqa: B009 - it is set on a frozen class

        return super().drive(run)
