"""The default transport and servers that make no sense: of HTTP/2, of TLS, of SOCKS."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from servers import PATIENCE
from stages import Authority, Handler, Staged, freshly, request_of, secured, until_gone
from stubwire import ApiClient, ReadError, Stream, get
from test_transport_servers import Asker, next_request, protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from conftest import Colour, EngineName


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with freshly():
        yield Authority()


def bad_frame(server: Staged, connection: socket.socket) -> None:
    """Begin a response, and go on with DATA of stream 0, which there is not (RFC 9113, section 6.1)."""
    with secured(server, connection) as stream:
        state = protocol(stream)
        number = next_request(state, stream)
        state.send_headers(number, [(":status", "200")])
        stream.sendall(state.data_to_send())
        server.done.wait(PATIENCE)
        stream.sendall(b"\0\0\1\0\0\0\0\0\0x")
        until_gone(stream)


def bad_record(server: Staged, connection: socket.socket) -> None:
    """Begin a response, and go on with a record of TLS that nobody can decrypt."""
    with secured(server, connection) as stream:
        request_of(server, stream)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        server.done.wait(PATIENCE)
        connection.sendall(b"\x17\x03\x03\x00\x20" + b"?" * 32)
        until_gone(connection)


class Opening(ApiClient):
    retry = None

    @get("/thing")
    def thing(self) -> Stream[bytes]:
        """Get it piece by piece."""
        raise NotImplementedError


def half_read(things: Opening, server: Staged) -> None:
    with things, things.thing() as body:
        server.done.set()
        assert list(body) == []


async def half_aread(things: Opening, server: Staged) -> None:
    async with things, things.thing.aio() as body:
        server.done.set()
        assert [piece async for piece in body] == []


@pytest.mark.parametrize("handle", [bad_frame, bad_record])
def test_a_response_that_makes_no_sense(
    engine: EngineName, colour: Colour, authority: Authority, handle: Handler
) -> None:
    """It is a failure of the engine's own, and nothing is kept."""
    is_http2 = handle is bad_frame
    with Staged(handle, authority.server("h2" if is_http2 else "http/1.1")) as server:
        options: Any = {"base_url": server.url, "engine": engine, "verify": authority.client(), "http2": is_http2}
        read: Callable[[], object] = partial(half_read, Opening(**options), server)
        if colour.name != "sync":
            read = partial(colour.drive, half_aread, Opening(**options), server)
        with pytest.raises(ReadError, match=r"got no valid response|lost the connection"):
            read()
        assert server.all_are_gone()


def test_a_proxy_that_makes_no_sense(engine: EngineName, colour: Colour, authority: Authority) -> None:
    def mumble(server: Staged, connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"?")
        until_gone(connection)

    with Staged(mumble) as server:
        asker = Asker(colour, engine, authority, proxy=f"socks5://localhost:{server.port}")
        with pytest.raises(asker.make().library.ProxyError):
            asker.ask("http://localhost:1")
        assert server.all_are_gone()
