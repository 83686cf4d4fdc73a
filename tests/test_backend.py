"""The sockets of the default transport: what httpcore asks of them, and what the system may answer."""

from __future__ import annotations

import errno
import gc
import importlib
import select
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import pytest

from servers import PATIENCE
from stages import Authority, Staged, answer, request_of, secured, silent, until_gone
from stubwire import DeadlineExceeded
from stubwire._engine import backend as module
from stubwire._engine.backend import Backend, Stream, has_hung_up
from stubwire._engine.layered import Layered
from stubwire._limits import Limit, Limited
from test_transport_limits import SOON, caller

if TYPE_CHECKING:
    from conftest import EngineName

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Foreign(ssl.SSLContext):
    """A context that is not Python's own, as truststore's: it would verify in `wrap_socket`."""

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        """Refuse a handshake that is left to others."""
        assert options["do_handshake_on_connect"]
        return super().wrap_socket(*args, **options)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def core(engine: EngineName) -> ModuleType:
    """The core of an engine."""
    return importlib.import_module(engine.replace("httpx", "httpcore"))


@pytest.fixture(params=["without a limit", "under a limit"])
def bounded(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Both ways of each operation."""
    is_bounded = str(request.param) == "under a limit"
    with Limited(Limit(time.monotonic() + PATIENCE, None)) if is_bounded else nullcontext():
        yield is_bounded


def trusting(authority: Authority) -> Foreign:
    context = Foreign(ssl.PROTOCOL_TLS_CLIENT)
    authority.own.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] - names an optional package
    return context


def whole(stream: Stream | Layered) -> bytes:
    """What a server says until it closes."""
    return b"".join(iter(lambda: stream.read(1000, PATIENCE), b""))


# ---- connecting


def test_it_connects_from_an_address_with_options(core: ModuleType, bounded: bool) -> None:
    keep_alive = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    with Staged(answer) as server:
        stream = Backend(core).connect_tcp("127.0.0.1", server.port, PATIENCE, "127.0.0.1", [keep_alive])
        with closing(stream):
            sock = stream.get_extra_info("socket")
            assert stream.get_extra_info("server_addr") == ("127.0.0.1", server.port)
            assert stream.get_extra_info("client_addr") == sock.getsockname()
            assert stream.get_extra_info("ssl_object") is None
            assert stream.get_extra_info("something else") is None
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def addresses(monkeypatch: pytest.MonkeyPatch, *found: tuple[str, int]) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]

    def getaddrinfo(*_: object) -> object:
        return rows

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_of_several_addresses_the_first_that_answers(
    core: ModuleType, bounded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether one fails at once or later."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        deserted = listener.getsockname()[1]
    with Staged(answer) as server:
        addresses(monkeypatch, ("255.255.255.255", 80), ("127.0.0.1", deserted), ("127.0.0.1", server.port))
        with closing(Backend(core).connect_tcp("host.test", 80, PATIENCE)) as stream:
            assert stream.get_extra_info("server_addr")[1] == server.port


def test_of_several_failures_the_last(core: ModuleType, bounded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        deserted = listener.getsockname()[1]
    addresses(monkeypatch, ("255.255.255.255", 80), ("127.0.0.1", deserted))
    with pytest.raises(core.ConnectError, match="refused"):
        Backend(core).connect_tcp("host.test", 80, PATIENCE)


def test_a_host_without_an_address(core: ModuleType, bounded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses(monkeypatch)
    with pytest.raises(core.ConnectError):
        Backend(core).connect_tcp("host.test", 80, PATIENCE)


def test_what_is_no_failure_of_the_system_leaves_as_it_is(core: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the socket is closed."""
    addresses(monkeypatch, ("127.0.0.1", 70_000))
    with Limited(Limit(None, None)), pytest.raises(OverflowError):
        Backend(core).connect_tcp("host.test", 80, PATIENCE)


# ---- reading and writing


class Dead:
    """A socket whose other side the system has given up."""

    def gettimeout(self) -> None:
        """Wait as long as it takes."""

    def settimeout(self, seconds: float | None) -> None:
        """Wait as told."""

    def recv(self, size: int) -> bytes:
        """Fail as the system does after many unanswered segments."""
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")


def test_a_timeout_of_the_systems_own_is_final(core: ModuleType, bounded: bool) -> None:
    with pytest.raises(core.ReadTimeout, match="Connection timed out"):
        Stream(cast("socket.socket", Dead()), core).read(1, PATIENCE)


def test_a_connection_that_is_gone(core: ModuleType, bounded: bool) -> None:
    left, right = socket.socketpair()
    right.close()
    with closing(Stream(left, core)) as stream:
        assert stream.read(1, PATIENCE) == b""
        stream.write(b"", PATIENCE)
        with pytest.raises(core.WriteError):
            stream.write(b"x", PATIENCE)
    with pytest.raises(core.ReadError):
        stream.read(1, PATIENCE)


@pytest.mark.parametrize("poll", [getattr(select, "poll", None), None])
def test_whether_something_has_arrived(core: ModuleType, monkeypatch: pytest.MonkeyPatch, poll: Any) -> None:
    """So that a connection that the server closed is not used again; by whichever call the system has."""
    monkeypatch.setattr(module, "_poll", poll)
    left, right = socket.socketpair()
    with closing(Stream(left, core)) as stream, right:
        assert stream.get_extra_info("is_readable") is False
        right.send(b"x")
        assert stream.get_extra_info("is_readable") is True
    assert stream.get_extra_info("is_readable") is True


@pytest.mark.parametrize("poll", [getattr(select, "poll", None), None])
def test_whether_the_other_side_has_hung_up(monkeypatch: pytest.MonkeyPatch, poll: Any) -> None:
    """Also behind what it said before; where the system cannot tell, what it said counts as that."""
    monkeypatch.setattr(module, "_poll", poll)
    left, right = socket.socketpair(socket.AF_UNIX)
    with left, right:
        assert has_hung_up(left) is False
        right.send(b"x")
        assert has_hung_up(left) is (poll is None)
        right.close()
        assert has_hung_up(left) is True
    assert has_hung_up(left) is True


def test_one_wait_costs_what_it_must(core: ModuleType, bounded: bool) -> None:
    """The socket is told how long to wait only when that changes."""
    told: list[float | None] = []

    class Counting(socket.socket):
        def settimeout(self, value: float | None) -> None:
            told.append(value)
            super().settimeout(value)

    left, right = socket.socketpair()
    with closing(Stream(Counting(fileno=left.detach()), core)) as stream, right:
        for _ in range(3):
            stream.write(b"x", 5.0)
            right.send(b"x")
            assert stream.read(1, 5.0) == b"x"
    assert told == [0.05 if bounded else 5.0]


# ---- TLS through memory


def last_words(server: Staged, connection: socket.socket) -> None:
    """Answer once, and hang up without a word of TLS."""
    stream = secured(server, connection)
    request_of(server, stream)
    stream.sendall(b"x" * 100_000)
    with socket.socket(fileno=stream.detach()) as bare:
        bare.shutdown(socket.SHUT_RDWR)


def polite(server: Staged, connection: socket.socket) -> None:
    """Answer once, and say good-bye."""
    with secured(server, connection) as stream:
        request_of(server, stream)
        stream.sendall(b"x" * 100_000)
        cast("ssl.SSLSocket", stream).unwrap()


@pytest.mark.parametrize("end", [last_words, polite])
def test_a_context_that_is_not_pythons_own(core: ModuleType, authority: Authority, bounded: bool, end: Any) -> None:
    """It does the whole handshake itself, or none of it; a body ends with its connection either way."""
    with Staged(end, authority.server()) as server:
        plain = Backend(core).connect_tcp("127.0.0.1", server.port, PATIENCE)
        with closing(plain.start_tls(trusting(authority), "localhost", PATIENCE)) as stream:
            assert isinstance(stream, Layered) is bounded
            assert stream.get_extra_info("ssl_object").version() == "TLSv1.3"
            assert stream.get_extra_info("server_addr") == ("127.0.0.1", server.port)
            stream.write(b"", PATIENCE)
            stream.write(REQUEST, PATIENCE)
            assert whole(stream) == b"x" * 100_000


def test_a_call_with_such_a_context(engine: EngineName, authority: Authority, bounded: bool) -> None:
    with Staged(answer, authority.server()) as server, caller(engine, trusting(authority)) as calls:
        assert [calls.send(server.url), calls.send(server.url, b"x" * 1_000_000)] == [b"{}", b"{}"]
        assert server.opened == 1


def layered(core: ModuleType, server: Staged, context: ssl.SSLContext, timeout: float = PATIENCE) -> Layered:
    """TLS through memory, to a server."""
    plain = Backend(core).connect_tcp("127.0.0.1", server.port, PATIENCE)
    with Limited(Limit(time.monotonic() + PATIENCE, None)):
        stream = plain.start_tls(context, "localhost", timeout)
    assert isinstance(stream, Layered)
    return stream


def hang_up(server: Staged, connection: socket.socket) -> None:
    """Say nothing, and go."""


def test_a_handshake_that_fails(core: ModuleType, authority: Authority) -> None:
    """It takes too long, is not trusted, or ends."""
    with Staged(silent, authority.server()) as server, pytest.raises(core.ConnectTimeout):
        layered(core, server, trusting(authority), SOON)
    with Staged(answer, authority.server()) as server, pytest.raises(core.ConnectError, match="certificate"):
        layered(core, server, Foreign(ssl.PROTOCOL_TLS_CLIENT))
    with Staged(hang_up, authority.server()) as server, pytest.raises(core.ConnectError):
        layered(core, server, trusting(authority))


def test_a_deadline_ends_such_a_handshake(core: ModuleType, authority: Authority) -> None:
    with Staged(silent, authority.server()) as server:
        plain = Backend(core).connect_tcp("127.0.0.1", server.port, PATIENCE)
        with Limited(Limit(time.monotonic() + SOON, None)), pytest.raises(DeadlineExceeded):
            plain.start_tls(trusting(authority), "localhost", PATIENCE)
        assert server.all_are_gone()


def noise(server: Staged, connection: socket.socket) -> None:
    """Answer in the clear where TLS is spoken."""
    with secured(server, connection) as stream:
        request_of(server, stream)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        until_gone(connection)


def test_what_is_no_tls_is_an_error(core: ModuleType, authority: Authority) -> None:
    with Staged(noise, authority.server()) as server, closing(layered(core, server, trusting(authority))) as stream:
        stream.write(REQUEST, PATIENCE)
        with pytest.raises(core.ReadError, match="WRONG_VERSION_NUMBER"):
            stream.read(1000, PATIENCE)
        with pytest.raises(core.WriteError):
            stream.write(REQUEST, PATIENCE)


def test_a_server_that_goes_before_the_handshake_leaves_no_socket(core: ModuleType) -> None:
    """A reset between the two: Python 3.11 leaves the socket that it has begun to wrap open."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stream = Backend(core).connect_tcp("127.0.0.1", listening.getsockname()[1], 5.0)
        accepted, _ = listening.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()
        select.select([stream.get_extra_info("socket")], [], [])
        with pytest.raises(core.ConnectError):
            stream.start_tls(ssl.create_default_context(), "127.0.0.1", 5.0)
    gc.collect()
