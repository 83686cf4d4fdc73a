"""Bodies that cost more than they hold: many small parts, and an end that never comes."""

from __future__ import annotations

import gzip
import importlib
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from socket import create_server
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from servers import RawServer, http
from stubwire import ApiClient, ResponseTooLargeError, get
from stubwire._engine.codings import PIECE, decoder
from stubwire._engine.incoming import MANY

if TYPE_CHECKING:
    from conftest import Colour, EngineName


class Client(ApiClient):
    max_response_bytes = 100_000

    @get("/x")
    def find(self) -> dict[str, str]:
        raise NotImplementedError


class Whole(ApiClient):
    base_url = "https://api.test"

    @get("/x")
    def find(self) -> bytes:
        raise NotImplementedError


def zstd(data: bytes) -> bytes:
    try:
        module: Any = importlib.import_module("compression.zstd")
    except ModuleNotFoundError:
        module = importlib.import_module("backports.zstd")
    packed: bytes = module.compress(data)
    return packed


SKIPPABLE = b"\x50\x2a\x4d\x18" + bytes(4)
"""A frame of zstd with nothing in it (RFC 8878, section 3.1.2)."""


@pytest.mark.parametrize(
    ("coding", "part"),
    [
        ("gzip", gzip.compress(b"", mtime=0)),  # no time, of which the test's name would change
        ("gzip", gzip.compress(b"x", mtime=0)),
        ("zstd", zstd(b"")),
        ("zstd", zstd(b"x")),
        ("zstd", SKIPPABLE),
    ],
)
@pytest.mark.parametrize("limit", [100 << 20, None])
def test_parts_are_counted_however_little_they_hold(coding: str, part: bytes, limit: int | None) -> None:
    """A few bytes on the wire would otherwise become a hundred million of them, each with a decoder of its own."""
    undo = decoder(f"{coding}, gzip", limit)
    assert undo is not None
    with pytest.raises(ResponseTooLargeError, match=r"answered with a body of more than 1\d{4} packed parts"):
        for _ in undo.feed(gzip.compress(part * 20_000)):
            pass


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_parts_that_hold_something_may_be_many(coding: str, pack: Callable[[bytes], bytes]) -> None:
    undo = decoder(coding, None)
    assert undo is not None
    assert sum(map(len, undo.feed(pack(bytes(2048)) * 12_000))) == 2048 * 12_000


def test_many_parts_are_left(engine: EngineName, colour: Colour) -> None:
    body = gzip.compress(gzip.compress(b"") * 20_000)
    with (
        RawServer(http(body, headers={"Content-Encoding": "gzip, gzip"})) as server,
        Client(base_url=server.url, engine=engine) as client,
        pytest.raises(ResponseTooLargeError),
    ):
        colour.run(client.find)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_follows_the_end_of_a_coding_is_bounded(engine: EngineName, colour: Colour, coding: str) -> None:
    """It says nothing, and would be read for ever."""
    body = gzip.compress(b"{}") if coding == "gzip" else zlib.compress(b"{}")
    left: list[bool] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(ConnectionError):
            connection.recv(65536)
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n".encode() + body)
            while True:
                connection.sendall(bytes(PIECE))
        left.append(True)

    with create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, daemon=True)
        thread.start()
        client = Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", engine=engine)
        with client, pytest.raises(ResponseTooLargeError) as caught:
            colour.run(client.find)
        thread.join(20)
    assert str(caught.value).endswith("answered with more than max_response_bytes=100000 bytes")
    assert left == [True]


def test_what_cannot_be_packed_may_grow_a_little() -> None:
    undo = decoder("gzip", 100_000)
    assert undo is not None
    assert sum(map(len, undo.feed(gzip.compress(bytes(100_000), compresslevel=0)))) == 100_000


def test_a_body_in_tiny_pieces_takes_little_more_memory_than_it_has(engine: EngineName, colour: Colour) -> None:
    """Each piece by itself would take more than thirty bytes for each of its two."""
    count = 20 * MANY + 1
    library: Any = importlib.import_module(engine)

    def tiny(_: object) -> Iterator[bytes]:
        return (bytes(bytearray(b"ab")) for _ in range(count))

    async def atiny(_: object) -> AsyncIterator[bytes]:
        for piece in tiny(_):
            yield piece

    def answer(_: object) -> Any:
        return library.Response(200, stream=stream())

    stream = type("Body", (library.SyncByteStream, library.AsyncByteStream), {"__iter__": tiny, "__aiter__": atiny})
    client = Whole(transport=library.MockTransport(answer))
    colour.run(client.find)  # whatever is imported and remembered
    tracemalloc.start()
    try:
        assert colour.run(client.find) == b"ab" * count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(b"ab" * count)
