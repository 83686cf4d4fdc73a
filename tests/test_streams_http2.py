"""A stream over HTTP/2 that is left early is reset; what else its connection carries goes on."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from conftest import Colour, EngineName
from servers_http2 import Http2Server, transports
from stubwire import ApiClient, DecodeError, ReadError, ResponseTooLargeError, Stream, get

CANCEL = 8


class Files(ApiClient):
    retry = None

    @get("/large")
    def large(self) -> Stream[bytes]:
        raise NotImplementedError

    @get("/large")
    def whole(self) -> bytes:
        raise NotImplementedError

    @get("/silent")
    def silent(self) -> Stream[bytes]:
        raise NotImplementedError

    @get("/gone")
    def gone(self) -> Stream[bytes]:
        raise NotImplementedError

    @get("/twice")
    def twice(self) -> bytes:
        raise NotImplementedError

    @get("/twice")
    def streamed_twice(self) -> Stream[bytes]:
        raise NotImplementedError

    @get("/small")
    def small(self) -> int:
        raise NotImplementedError

    @get("/small")
    def streamed(self) -> Stream[int]:
        raise NotImplementedError


@pytest.fixture
def server() -> Iterator[Http2Server]:
    """A server of large bodies."""
    with Http2Server() as started:
        yield started


def files(server: Http2Server, engine: EngineName, **options: Any) -> Files:
    return Files(base_url=server.url, transport=transports(engine), **options)


def test_others_on_its_connection_go_on(server: Http2Server, engine: EngineName, colour: Colour) -> None:
    """Its bytes fill the window of the connection, which is given back."""

    def synchronous() -> None:
        with files(server, engine) as client:
            for _ in range(2):
                with client.large() as stream:
                    assert next(iter(stream))
                assert client.small() == 7

    async def asynchronous() -> None:
        async with files(server, engine) as client:
            for _ in range(2):
                async with client.large.aio() as stream:
                    assert await anext(aiter(stream))
                assert await client.small.aio() == 7

    synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert (server.opened, server.resets) == (1, [CANCEL] * 2)


def test_before_its_first_chunk(server: Http2Server, engine: EngineName, colour: Colour) -> None:
    def synchronous() -> None:
        with files(server, engine) as client:
            with client.large() as stream:
                assert stream.response.http_version == "HTTP/2"
            assert client.small() == 7

    async def asynchronous() -> None:
        async with files(server, engine) as client:
            async with client.large.aio() as stream:
                assert stream.response.http_version == "HTTP/2"
            assert await client.small.aio() == 7

    synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert (server.opened, server.resets) == (1, [CANCEL])


def test_a_body_that_is_too_large(server: Http2Server, engine: EngineName, colour: Colour) -> None:
    def synchronous() -> None:
        with files(server, engine, max_response_bytes=100_000) as client:
            with pytest.raises(ResponseTooLargeError):
                client.whole()
            assert client.small() == 7

    async def asynchronous() -> None:
        async with files(server, engine, max_response_bytes=100_000) as client:
            with pytest.raises(ResponseTooLargeError):
                await client.whole.aio()
            assert await client.small.aio() == 7

    synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert (server.opened, server.resets) == (1, [CANCEL])


def test_a_body_that_is_not_read_at_all(server: Http2Server, engine: EngineName, colour: Colour) -> None:
    def synchronous() -> None:
        with files(server, engine) as client:
            with pytest.raises(DecodeError):
                client.twice()
            with pytest.raises(DecodeError):
                next(iter(client.streamed_twice()))
            assert client.small() == 7

    async def asynchronous() -> None:
        async with files(server, engine) as client:
            with pytest.raises(DecodeError):
                await client.twice.aio()
            with pytest.raises(DecodeError):
                await anext(aiter(client.streamed_twice.aio()))
            assert await client.small.aio() == 7

    synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert (server.opened, server.resets) == (1, [CANCEL] * 2)


@pytest.mark.parametrize("name", ["asyncio", "trio"])
def test_by_cancelling(server: Http2Server, engine: EngineName, name: str) -> None:
    """The task that is cancelled still says so."""

    async def run() -> None:
        async with files(server, engine) as client:
            with anyio.CancelScope() as scope:
                async with client.silent.aio() as stream:
                    async for chunk in stream:
                        assert chunk == b"x"
                        scope.cancel()
            assert scope.cancelled_caught
            server.wait_until(lambda server: server.resets == [CANCEL])
            assert await client.small.aio() == 7

    Colour(name).drive(run)
    assert server.opened == 1


def test_one_that_was_read_to_its_end_is_not_reset(server: Http2Server, engine: EngineName, colour: Colour) -> None:
    def synchronous() -> None:
        with files(server, engine) as client:
            for _ in range(2):
                with client.streamed() as stream:
                    assert list(stream) == [7]

    async def asynchronous() -> None:
        async with files(server, engine) as client:
            for _ in range(2):
                async with client.streamed.aio() as stream:
                    assert [item async for item in stream] == [7]

    synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert (server.opened, server.resets) == (1, [])


def test_one_whose_connection_is_lost(server: Http2Server, engine: EngineName, colour: Colour) -> None:
    """There is nobody to tell; the failure is that of reading."""
    seen: list[bytes] = []

    def synchronous() -> None:
        with files(server, engine) as client, client.gone() as stream:
            for chunk in stream:
                seen.append(chunk)  # noqa: PERF402 - the failure comes after it

    async def asynchronous() -> None:
        async with files(server, engine) as client, client.gone.aio() as stream:
            async for chunk in stream:
                seen.append(chunk)  # noqa: PERF401 - the failure comes after it

    with pytest.raises(ReadError):
        synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    assert seen == [b"x"]


def test_a_transport_of_another_kind_resets_what_it_knows_itself(
    engine: EngineName, colour: Colour, tmp_path: Path
) -> None:
    library = importlib.import_module(engine)

    def answer(_: Any) -> Any:
        stream = library.ByteStream(b"abc")
        return library.Response(200, stream=stream, extensions={"http_version": b"HTTP/2"})

    client = Files(base_url="https://files.test", transport=library.MockTransport(answer))
    if colour.name == "sync":
        client.large().save(tmp_path / "a")
    else:
        colour.drive(client.large.aio().save, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"abc"
