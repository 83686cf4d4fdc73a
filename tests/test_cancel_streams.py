"""A token ends streams and pages wherever they are, in every colour, and their connection is closed."""

from __future__ import annotations

import importlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from conftest import Api, Clock, Colour, EngineName, Reply
from servers import Answer, RawRequest, RawServer
from streaming import Arriving, Server, events, read
from stubwire import (
    SSE,
    ApiClient,
    CallError,
    CancelError,
    CancelToken,
    Event,
    FixedDelay,
    LinkPages,
    Pages,
    Retry,
    Stream,
    _clock,
    get,
)

MakeApi = Callable[..., Api]

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
EVENTS = HEAD + b"Content-Type: text/event-stream\r\n\r\n9\r\ndata: a\n\n\r\n"
LINES = HEAD + b"Content-Type: text/plain\r\n\r\n4\r\na\nb\n\r\n"


class Feed(ApiClient):
    base_url = "https://feed.example"
    retry = Retry(max_retries=5, backoff=FixedDelay(60.0))

    @get("/lines")
    def lines(self) -> Stream[str]:
        raise NotImplementedError

    @get("/events", stream=SSE(reconnect=True))
    def events(self) -> Stream[Event[str]]:
        raise NotImplementedError

    @get("/file")
    def file(self) -> Stream[bytes]:
        raise NotImplementedError

    @get("/pages", paginate=LinkPages())
    def pages(self) -> Pages[int]:
        raise NotImplementedError

    @get("/number")
    def number(self) -> int:
        raise NotImplementedError


def silent_after(data: bytes, token: CancelToken) -> RawServer:
    """A server that begins a response and falls silent, whereupon somebody cancels; its second connection answers."""

    def react(request: RawRequest) -> Answer:
        if request.connection > 1:
            return Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7")
        threading.Thread(target=token.cancel, args=["enough"]).start()
        return Answer(data, then="hang")

    return RawServer(react)


def cancelled(colour: Colour, client: Feed, act: Callable[[], Any], aact: Callable[[], Any], server: RawServer) -> None:
    """Do something that is cancelled meanwhile: its connection is closed, and the next call has another."""

    def both() -> None:
        with pytest.raises(CancelError, match=r"GET http://\S+ was cancelled: enough$") as caught:
            act()
        assert caught.value.endpoint.startswith("Feed.")
        server.wait_until(lambda server: server.closed == 1)
        assert client.number() == 7

    async def aboth() -> None:
        with pytest.raises(CancelError, match=r"GET http://\S+ was cancelled: enough$") as caught:
            await aact()
        assert caught.value.endpoint.startswith("Feed.")
        server.wait_until(lambda server: server.closed == 1)
        assert await client.number.aio() == 7
        await client.aclose()

    both() if colour.name == "sync" else colour.drive(aboth)


@pytest.mark.parametrize("entered", [True, False])
def test_while_a_stream_waits_for_more(engine: EngineName, colour: Colour, entered: bool) -> None:
    token = CancelToken()
    with silent_after(LINES, token) as server, Feed(base_url=server.url, engine=engine) as client:
        view = client.with_options(cancel=token)

        def act() -> None:
            if entered:
                with view.lines() as stream:
                    list(stream)
            else:
                list(view.lines())

        async def aact() -> None:
            if entered:
                async with view.lines.aio() as stream:
                    assert [line async for line in stream]
            else:
                assert [line async for line in view.lines.aio()]

        cancelled(colour, client, act, aact, server)


def test_while_a_stream_of_events_waits_for_more(engine: EngineName, colour: Colour) -> None:
    """It does not connect again."""
    token = CancelToken()
    with silent_after(EVENTS, token) as server, Feed(base_url=server.url, engine=engine) as client:
        view = client.with_options(cancel=token)

        async def aact() -> None:
            assert [event async for event in view.events.aio()]

        cancelled(colour, client, lambda: list(view.events()), aact, server)


def test_while_a_file_is_saved(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    """What arrived is kept, for another time, as after a lost connection."""
    token, target = CancelToken(), tmp_path / "file"
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nETag: "1"\r\n\r\n'
    rest = b"HTTP/1.1 206 OK\r\nContent-Length: 6\r\nContent-Range: bytes 3-8/9\r\n\r\ndefghi"

    def told(done: int, _: int | None) -> None:
        if done == 3:
            token.cancel("enough")

    with (
        RawServer([Answer(head + b"abc", then="hang"), Answer(rest)]) as server,
        Feed(base_url=server.url, engine=engine) as client,
    ):
        view = client.with_options(cancel=token)

        def synchronous() -> None:
            with pytest.raises(CancelError, match="was cancelled: enough"):
                view.file().save(target, progress=told)
            assert not target.exists()
            server.wait_until(lambda server: server.closed == 1)
            client.file().save(target)

        async def asynchronous() -> None:
            with pytest.raises(CancelError, match="was cancelled: enough"):
                await view.file.aio().save(target, progress=told)
            assert not target.exists()
            server.wait_until(lambda server: server.closed == 1)
            await client.file.aio().save(target)
            await client.aclose()

        synchronous() if colour.name == "sync" else colour.drive(asynchronous)
        assert server.requests[1].header("range") == "bytes=3-"
    assert target.read_bytes() == b"abcdefghi"


def test_before_it_is_opened(engine: EngineName, colour: Colour) -> None:
    server, token = Server(engine, events(b"data: a\n\n")), CancelToken()
    token.cancel()
    client = Feed(transport=(server.transport, server.transport)).with_options(cancel=token)
    assert str(read(colour, client.events).error).endswith("was cancelled")
    assert server.requests == []


@pytest.mark.parametrize("name", ["lines", "events"])
def test_between_two_items(engine: EngineName, colour: Colour, name: str) -> None:
    """Those that came in one piece too; and the connection is let go of."""
    token = CancelToken()
    kind = {"Content-Type": "text/plain"} if name == "lines" else {}
    server = Server(engine, events(b"data: a\n\ndata: b\n\n", b"data: c\n\n", **kind))
    endpoint = getattr(Feed(transport=(server.transport, server.transport)).with_options(cancel=token), name)
    seen: list[object] = []

    def synchronous() -> None:
        for item in endpoint():
            seen.append(item)
            token.cancel("seen")

    async def asynchronous() -> None:
        async for item in endpoint.aio():
            seen.append(item)
            token.cancel("seen")

    with pytest.raises(CancelError, match="was cancelled: seen"):
        synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert (len(seen), server.closed) == (1, 1)


def test_before_the_next_chunk(engine: EngineName, colour: Colour) -> None:
    """A transport of the user's own, which knows no tokens, is asked for no more."""
    token, asked = CancelToken(), list[int]()
    transport = counting(engine, asked)
    client = Feed(transport=(transport, transport)).with_options(cancel=token)

    def synchronous() -> None:
        with client.file() as stream:
            for _ in stream:
                token.cancel()

    async def asynchronous() -> None:
        async with client.file.aio() as stream:
            async for _ in stream:
                token.cancel()

    with pytest.raises(CancelError):
        synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert asked == [0]


def counting(engine: EngineName, asked: list[int]) -> Any:
    """A transport that notes which chunks it was asked for."""
    library: Any = importlib.import_module(engine)

    def chunks() -> Iterator[bytes]:
        for number in range(3):
            asked.append(number)
            yield b"x"

    class Body(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            return chunks()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in chunks():
                yield chunk

    def handle(_: object) -> Any:
        return library.Response(200, stream=Body())

    return library.MockTransport(handle)


def test_before_it_connects_again(engine: EngineName, colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait between two connections ends."""
    token = CancelToken()
    server = Server(engine, events(b"retry: 60000\ndata: a\n\n"))
    real_wait, real_asleep = _clock.wait, _clock.asleep

    def wait(bell: Any, seconds: float | None) -> None:
        token.cancel("enough")
        real_wait(bell, seconds)

    async def asleep(seconds: float) -> None:
        token.cancel("enough")
        await real_asleep(seconds)

    monkeypatch.setattr(_clock, "wait", wait)
    monkeypatch.setattr(_clock, "asleep", asleep)
    client = Feed(transport=(server.transport, server.transport)).with_options(cancel=token)
    found = read(colour, client.events)
    assert isinstance(found.error, CancelError)
    assert (len(found.items), len(server.requests), server.closed) == (1, 1, 1)


def test_a_token_without_effect_is_forgotten(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server, token = Server(engine, events(b"data: a\n\n", b"data: b\n\n"), Arriving(status=204)), CancelToken()
    client = Feed(transport=(server.transport, server.transport)).with_options(cancel=token)
    found = read(colour, client.lines)
    assert (found.items, found.error, token._told) == (["data: a", "", "data: b", ""], None, {})
    assert clock.waits == []


def test_pages_end_before_the_next_one(api: MakeApi, colour: Colour) -> None:
    """The items of a page that came are given."""
    token = CancelToken()
    more = {"Link": '</pages?page=2>; rel="next"'}
    server = api(Reply(json=[1, 2], headers=more), Reply(json=[3]))
    client = Feed(transport=(server.transport, server.transport)).with_options(cancel=token)
    seen: list[int] = []

    def synchronous() -> None:
        for item in client.pages():
            seen.append(item)
            token.cancel("enough")

    async def asynchronous() -> None:
        async for item in client.pages.aio():
            seen.append(item)
            token.cancel("enough")

    with pytest.raises(CancelError) as caught:
        synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert str(caught.value) == "Feed.pages: GET https://feed.example/pages?page=2 was cancelled: enough"
    assert (seen, len(server.requests)) == ([1, 2], 1)


def test_pages_end_while_one_waits_to_be_tried_again(api: MakeApi, colour: Colour) -> None:
    token = CancelToken()

    def refuse(_: Any) -> Reply:
        token.cancel()
        return Reply(503)

    server = api(Reply(json=[1], headers={"Link": '</pages?page=2>; rel="next"'}), refuse)
    client = Feed(transport=(server.transport, server.transport)).with_options(cancel=token)

    async def asynchronous() -> None:
        assert await client.pages.aio().to_list()

    with pytest.raises(CancelError):
        client.pages().to_list() if colour.name == "sync" else colour.drive(asynchronous)
    assert len(server.requests) == 2


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_another_task_may_close_it_all_the_same(engine: EngineName, loop: str) -> None:
    """A token changes nothing of that: whoever reads is told."""

    async def main(server: RawServer) -> None:
        client = Feed(base_url=server.url, engine=engine)
        failures: list[CallError] = []
        stream = client.with_options(cancel=CancelToken()).lines.aio()
        read_one = anyio.Event()

        async def reads() -> None:
            try:
                async for _ in stream:
                    read_one.set()
            except CallError as error:
                failures.append(error)

        async with stream, anyio.create_task_group() as group:
            group.start_soon(reads)
            await read_one.wait()
            await anyio.wait_all_tasks_blocked()
            await stream.aclose()
        assert [type(failure).__name__ for failure in failures] == ["ReadError"]
        await client.aclose()

    with RawServer(Answer(LINES, then="hang")) as server:
        Colour(loop).drive(main, server)
        server.wait_until(lambda server: server.closed == 1)
