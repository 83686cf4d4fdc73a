"""A stream that somebody else closes, and how one that falls silent ends."""

from __future__ import annotations

import gc
import importlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from conftest import Colour, EngineName
from servers import Answer, RawServer
from streaming import Arriving, Server, events, read
from stubwire import (
    SSE,
    ApiClient,
    CallNext,
    DecodeError,
    Event,
    ReadError,
    ReadTimeout,
    Request,
    Response,
    Retry,
    Stream,
    Timeout,
    get,
)
from stubwire import _clock as clock_of_stubwire

EVENTS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b"9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n"
)
ASYNCHRONOUS = pytest.mark.parametrize("name", ["asyncio", "trio"])


class Feed(ApiClient):
    base_url = "https://feed.test"
    retry: Retry | None = Retry(max_retries=0)

    @get("/events", stream=SSE(reconnect=True))
    def events(self) -> Stream[Event[str]]:
        raise NotImplementedError

    @get("/once")
    def once(self) -> Stream[Event[str]]:
        raise NotImplementedError

    @get("/chunks")
    def chunks(self) -> Stream[bytes]:
        raise NotImplementedError

    @get("/numbers")
    def numbers(self) -> Stream[int]:
        raise NotImplementedError


@pytest.fixture
def silent() -> Iterator[RawServer]:
    """A server that sends two events and falls silent."""
    with RawServer(Answer(EVENTS, then="hang")) as started:
        yield started


# ---- by somebody else


@ASYNCHRONOUS
def test_another_task_closes_it(silent: RawServer, engine: EngineName, name: str) -> None:
    """Whoever waits for an item is told, the connection ends, and there is no other."""
    failures: list[str] = []

    async def follow(stream: Any, waiting: anyio.Event) -> None:
        try:
            async for event in stream:
                if event.data == "b":
                    waiting.set()
        except ReadError as error:
            failures.append(str(error))

    async def run() -> None:
        async with Feed(base_url=silent.url, engine=engine) as client, anyio.create_task_group() as tasks:
            waiting = anyio.Event()
            async with client.events.aio() as stream:
                tasks.start_soon(follow, stream, waiting)
                await waiting.wait()
            silent.wait_until(lambda server: server.closed == 1)

    Colour(name).drive(run)
    assert failures[0].startswith(f"Feed.events: GET {silent.url}/events lost the connection before the response was")
    assert "deque" not in failures[0]  # what anyio says of a socket that was closed
    assert len(silent.requests) == 1


@ASYNCHRONOUS
def test_another_task_closes_it_on_a_transport_that_is_not_ours(engine: EngineName, name: str) -> None:
    """What the reader waits in is not ended under it: its body is closed, and ends as it likes."""
    library: Any = importlib.import_module(engine)
    seen: list[object] = []

    class Body(library.AsyncByteStream):  # type: ignore[misc]
        def __init__(self) -> None:
            self.waits, self.closed = anyio.Event(), anyio.Event()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"a"
            self.waits.set()
            await self.closed.wait()
            raise library.ReadError("closed")

        async def aclose(self) -> None:
            self.closed.set()

    async def follow(stream: Any) -> None:
        chunks = aiter(stream)
        seen.append(await anext(chunks))
        with pytest.raises(ReadError, match="lost the connection"):
            await anext(chunks)
        seen.append("told")

    async def run() -> None:
        body: Any = Body()

        def answer(_: object) -> object:
            return library.Response(200, stream=body)

        async with (
            Feed(transport=library.MockTransport(answer)).chunks.aio() as stream,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(follow, stream)
            await body.waits.wait()
            await stream.aclose()

    Colour(name).drive(run)
    assert seen == [b"a", "told"]


@ASYNCHRONOUS
def test_it_is_closed_before_it_connects_again(engine: EngineName, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(engine, events(b"data: a\n\n"))
    stream: Any = Feed(transport=server.transport).events.aio()
    seen: list[str] = []

    async def asleep(_: float) -> None:
        await stream.aclose()

    async def run() -> None:
        async with stream:
            async for event in stream:
                seen.append(event.data)  # noqa: PERF401 - the failure comes after it

    monkeypatch.setattr(clock_of_stubwire, "asleep", asleep)
    with pytest.raises(ReadError) as caught:
        Colour(name).drive(run)
    assert str(caught.value) == "Feed.events: GET https://feed.test/events was closed while it was read"
    assert (seen, len(server.requests), server.closed) == (["a"], 1, 1)


@ASYNCHRONOUS
def test_it_is_closed_while_it_opens(engine: EngineName, name: str) -> None:
    server = Server(engine, events(b"data: a\n\n"))
    client = Feed(transport=server.transport)
    stream: Any = client.events.aio()

    async def close(request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        await stream.aclose()
        return response

    async def run() -> None:
        async with stream:
            raise AssertionError("unreachable")

    client.use(close)
    with pytest.raises(ReadError) as caught:
        Colour(name).drive(run)
    assert str(caught.value) == "Feed.events: GET https://feed.test/events was closed while it was read"
    assert server.closed == 1


def test_only_the_thread_that_reads_closes_it(engine: EngineName) -> None:
    """The system gives the number of a closed socket to the next one, of which a reader would take the bytes."""
    refused: list[str] = []

    def chunks() -> Iterator[bytes]:
        yield b"a"
        with pytest.raises(RuntimeError) as caught:
            stream.close()
        refused.append(str(caught.value))
        yield b"b"

    arriving: Any = chunks()
    server = Server(engine, Arriving(arriving))
    with Feed(transport=server.transport).chunks() as stream:
        assert list(stream) == [b"a", b"b"]
    assert refused == ["the stream of Feed.chunks is being read by another thread: close it there"]
    assert server.closed == 1


def test_its_client_is_closed(silent: RawServer, engine: EngineName, colour: Colour) -> None:
    def synchronous() -> None:
        client = Feed(base_url=silent.url, engine=engine)
        with client.once() as stream:
            items = iter(stream)
            assert [next(items).data, next(items).data] == ["a", "b"]
            client.close()
            with pytest.raises(ReadError, match="lost the connection"):
                next(items)

    async def asynchronous() -> None:
        client = Feed(base_url=silent.url, engine=engine)
        async with client.once.aio() as stream:
            items = aiter(stream)
            assert [(await anext(items)).data, (await anext(items)).data] == ["a", "b"]
            await client.aclose()
            with pytest.raises(ReadError, match="lost the connection"):
                await anext(items)

    synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    silent.wait_until(lambda server: server.closed == 1)


# ---- by itself


def test_silence_ends_in_a_timeout(silent: RawServer, engine: EngineName, colour: Colour) -> None:
    """The read timeout holds between chunks; what an event loop calls its timers is not shown."""
    timeout = Timeout(connect=20, read=0.2, write=20, pool=20)

    def synchronous() -> None:
        with Feed(base_url=silent.url, engine=engine, timeout=timeout) as client, client.once() as stream:
            for _ in stream:
                pass

    async def asynchronous() -> None:
        async with Feed(base_url=silent.url, engine=engine, timeout=timeout) as client, client.once.aio() as stream:
            async for _ in stream:
                pass

    with pytest.raises(ReadTimeout) as caught:
        synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert str(caught.value) == (f"Feed.once: GET {silent.url}/once timed out while waiting for the response")


def test_a_204_has_no_items(engine: EngineName, colour: Colour) -> None:
    """Also where a transport that is no server gives it a body."""
    server = Server(engine, Arriving([b"1\n"], status=204))
    found = read(colour, Feed(transport=server.transport).numbers)
    assert (found.items, found.error) == ([], None)


# ---- what the engines leave


@ASYNCHRONOUS
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_no_generator_of_theirs_is_left(engine: EngineName, name: str, coding: str) -> None:
    """Not of a body that is left early, nor of one that is not in its coding: trio complains of each."""
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: 6\r\n\r\n".encode()
    head = head if coding else b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"

    async def leave(client: Feed) -> None:
        async with client.chunks.aio() as stream:
            async for chunk in stream:
                assert chunk == b"abc"
                raise LookupError("left")

    async def run() -> None:
        async with Feed(base_url=server.url, engine=engine) as client:
            with pytest.raises((LookupError, DecodeError), match=r"^left$|not in its Content-Encoding$"):
                await leave(client)
            gc.collect()

    with RawServer(Answer(head + b"abc", then="hang")) as server:
        Colour(name).drive(run)
        server.wait_until(lambda server: server.closed == 1)


@pytest.mark.parametrize("content", [b"abc", b""])
def test_a_body_that_its_transport_had_read_is_streamed_too(engine: EngineName, colour: Colour, content: bytes) -> None:
    """As MockTransport and respx do; an empty one has no chunk."""
    library = importlib.import_module(engine)

    def answer(_: object) -> Any:
        return library.Response(200, content=content)

    found = read(colour, Feed(transport=library.MockTransport(answer)).chunks)
    assert found.items == ([content] if content else [])
