"""A server that misbehaves in one way until it is told to behave, and counts what reached it.

Nothing here ends by time: a server that hangs, drips or floods goes on until the client is gone.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self, TypeVar

from servers import OK, PATIENCE, Answer, RawRequest, _leave, _read_request, http
from stages import Authority

T = TypeVar("T")

DRIP = 0.0002
"""Seconds between two bytes of a server that drips, and between two floods."""

PATH = "/order"
"""Where the server misbehaves; whatever else a request is for, it is one of the calls afterwards."""

_BODY = b'{"id": 1}'
_HEAD = http(_BODY).removesuffix(_BODY)

Where = Literal["listen", "resolve", "handshake", "accept", "answer"]


@dataclass(frozen=True)
class Fault:
    """One way to misbehave.

    Attributes:
        name: what the server does, to be read behind "the server".
        answer: what it does to a request that it has read, by what the request was.
        where: what it does not come beyond: `listen` refuses connections, `resolve` gives no address, `handshake` fails
            or hangs in TLS, where `answer` is all that it says, `accept` never reads.
        drips_from: which byte of its answer is the first that comes alone; `None` sends it at once.
        floods: whether the bytes come again and again, for ever.
        is_slow: whether only a timeout or a deadline ends a call.
        leaves: whether it ends the connection behind an answer that is whole.
        follows: whether the client follows redirects.
        certificate: which one the server shows, where it speaks TLS: its own, one of an authority that nobody knows, or
            one of another host.
    """

    name: str
    answer: Callable[[RawRequest], Answer] = lambda _: Answer(_HEAD + _BODY)
    where: Where = "answer"
    drips_from: int | None = None
    floods: bool = False
    is_slow: bool = False
    leaves: bool = False
    follows: bool = False
    certificate: Literal["", "own", "unknown", "foreign"] = ""


# ---- what it shows where TLS is spoken


_making = threading.RLock()


def once(make: Callable[[str], T]) -> Callable[[str], T]:
    """Make each thing once, also where several threads want it first."""
    made: dict[str, T] = {}

    def get(name: str) -> T:
        with _making:
            if name not in made:
                made[name] = make(name)
            return made[name]

    return get


@once
def authority(_: str) -> Authority:
    """An authority, by name; the clients of these tests trust `"ours"`."""
    return Authority()


@once
def trusting(name: str) -> ssl.SSLContext:
    """What a client has that trusts an authority."""
    return authority(name).client()


@once
def _context(certificate: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issuer = authority("theirs" if certificate == "unknown" else "ours").own
    host = "elsewhere.test" if certificate == "foreign" else "127.0.0.1"
    issuer.issue_cert(host).configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - names an optional package
    return context


class FaultServer:
    """Connections on 127.0.0.1, each in a thread of its own, that misbehave until `behave` is called.

    Attributes:
        requests: the method of each request of which anything came, in order, without those that were answered well.
        met: whether anything ran into the fault.
        opened: how many connections were accepted.
        closed: how many of these have ended.
    """

    def __init__(self, fault: Fault, *, behaves: bool = False) -> None:
        self.fault = fault
        self.requests: list[str] = []
        self.met = False
        self.opened = self.closed = 0
        self._well = threading.Event()
        self._changed = threading.Condition()
        self._connections: dict[threading.Thread, socket.socket] = {}
        if behaves:
            self._well.set()

    def __enter__(self) -> Self:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        if self.fault.where != "listen":
            self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.behave()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._accepting.join()
        self._listener.close()
        with self._changed:
            connections = dict(self._connections)
        for thread, connection in connections.items():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    @property
    def url(self) -> str:
        host = "shop.test" if self.fault.where == "resolve" else "127.0.0.1"
        return f"{'https' if self.fault.certificate else 'http'}://{host}:{self.port}"

    @property
    def behaves(self) -> bool:
        return self._well.is_set()

    def behave(self) -> None:
        """From now on, answer every request well."""
        self._well.set()
        if not self._accepting.ident:
            self._listen()

    def misbehave(self) -> None:
        self._well.clear()

    def wait_to_behave(self) -> None:
        self._well.wait(PATIENCE)

    def wait_until_open(self, count: int) -> None:
        """Wait until so many connections are open, and no more.

        Raises:
            AssertionError: it did not happen.
        """
        with self._changed:
            done = self._changed.wait_for(lambda: self.opened - self.closed == count, PATIENCE)
        assert done, f"{self.opened} connections were opened and {self.closed} closed, which leaves not {count}"

    # ---- connections

    def _listen(self) -> None:
        self._listener.listen(128)
        self._accepting.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                with self._changed:
                    self.opened += 1
                    self._connections[thread] = connection
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if not self.fault.certificate:
                self._converse(connection)
            elif self.behaves or self.fault.certificate != "own" or self.fault.where != "handshake":
                self._converse(self._secured(connection))
            else:
                self.met = bool(connection.recv(1, socket.MSG_PEEK))  # so that the client is in its handshake
                answer = self.fault.answer(RawRequest(b"", b"", 0))
                connection.sendall(answer.data)
                _leave(connection, answer.then)
        with self._changed:
            self.closed += 1
            del self._connections[threading.current_thread()]
            self._changed.notify_all()

    def _secured(self, connection: socket.socket) -> socket.socket:
        context = _context("own" if self.behaves else self.fault.certificate)
        return context.wrap_socket(connection.dup(), server_side=True)

    def _converse(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while True:
                if self.fault.where == "accept" and connection.recv(1, socket.MSG_PEEK):
                    self.wait_to_behave()  # does not read what came before the client is through with it
                request = _read_request(stream, 0, with_body=True)
                if request is None:
                    return
                if request.target.partition("?")[0] != PATH:
                    connection.sendall(OK)
                elif not self._react(connection, request):
                    return

    def _react(self, connection: socket.socket, request: RawRequest) -> bool:
        """Misbehave; whether to read the next request."""
        self.met = True
        self.requests.append(request.method)
        answer = self.fault.answer(request)
        if self.fault.floods:
            while _goes_on(connection, DRIP):
                connection.sendall(answer.data)
        else:
            first = len(answer.data) if self.fault.drips_from is None else self.fault.drips_from
            connection.sendall(answer.data[:first])
            _drip(connection, answer.data[first:])
        _leave(connection, answer.then)
        return answer.then == "keep"


def _goes_on(connection: socket.socket, seconds: float) -> bool:
    """Whether the client is still there."""
    return not select.select([connection], [], [], seconds)[0] or bool(connection.recv(1, socket.MSG_PEEK))


def _drip(connection: socket.socket, data: bytes) -> None:
    for byte in data:
        connection.sendall(bytes([byte]))
        if not _goes_on(connection, DRIP):
            return


# ---- the faults

_HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
_LONG = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000
_PROMISE = http(b"x" * 10_000)


def _always(data: bytes, then: Literal["keep", "close", "reset", "hang"]) -> Callable[[RawRequest], Answer]:
    return lambda _: Answer(data, then)


def _promising(length: str) -> bytes:
    return http(_BODY, headers={"Content-Length": length})


def _to(target: str) -> bytes:
    return http(b"", 307, {"Location": target})


def _there_and_back(request: RawRequest) -> Answer:
    return Answer(_to(PATH if "?" in request.target else f"{PATH}?there"))


def _onwards(request: RawRequest) -> Answer:
    return Answer(_to(f"{request.target}?more"))


UNREACHABLE = (
    Fault("has a name that nobody knows", where="resolve"),
    Fault("refuses the connection", where="listen"),
)
BROKEN = (
    Fault("resets the connection before its headers", _always(b"", "reset")),
    Fault("resets it in the middle of its headers", _always(_HEAD[:20], "reset")),
    Fault("resets it after its headers", _always(_HEAD, "reset")),
    Fault("resets it in the middle of its body", _always(_HEAD + b'{"id"', "reset")),
    Fault("resets it after its answer", _always(_HEAD + _BODY, "reset"), leaves=True),
    Fault("hangs up without an answer", _always(b"", "close")),
    Fault("hangs up in the middle of its headers", _always(_HEAD[:20], "close")),
    Fault("hangs up in the middle of a body with a Content-Length", _always(_HEAD + b'{"id"', "close")),
    Fault("hangs up in the middle of a chunked body", _always(_CHUNKED + b'9\r\n{"id"', "close")),
    Fault("hangs up after its answer", _always(_HEAD + _BODY, "close"), leaves=True),
    Fault("sends a malformed chunk", _always(_CHUNKED + b'9\r\n{"id": 1}\r\nno size\r\n', "hang")),
    Fault("answers with garbage", _always(b"\x00\x01\x02 this is no HTTP\r\n\r\n", "hang")),
    Fault("sends a Content-Length that is no number", _always(_promising("nine"), "hang")),
    Fault("sends a Content-Length that is too long, and hangs up", _always(_promising("10"), "close")),
    Fault("sends a Content-Length that is too short", _always(_promising("4"), "keep")),
    Fault(
        "sends a body that is not in its Content-Encoding", _always(http(headers={"Content-Encoding": "gzip"}), "keep")
    ),
)
TLS = (
    Fault("hangs up during its TLS handshake", _always(b"", "close"), where="handshake", certificate="own"),
    Fault(
        "resets the connection during its TLS handshake", _always(b"", "reset"), where="handshake", certificate="own"
    ),
    Fault("speaks no TLS", _always(_HEAD, "close"), where="handshake", certificate="own"),
    Fault("shows a certificate of an unknown authority", where="handshake", certificate="unknown"),
    Fault("shows a certificate of another host", where="handshake", certificate="foreign"),
    Fault("hangs up in the middle of its body, over TLS", _always(_HEAD + b'{"id"', "close"), certificate="own"),
)
STATUSES = tuple(
    Fault(f"answers {status}", _always(http(b"{}", status), "keep")) for status in (404, 408, 429, 500, 502, 503, 504)
)
REDIRECTS = (
    Fault("redirects to the same place (307)", _always(_to(PATH), "keep"), follows=True),
    Fault("redirects to another place and back (307)", _there_and_back, follows=True),
    Fault("redirects to one new place after the other (307)", _onwards, follows=True),
)
HANGING = (
    Fault("accepts the connection, and never reads", where="accept", is_slow=True),
    Fault("reads the request, and never answers", _always(b"", "hang"), is_slow=True),
    Fault("stops in the middle of its headers", _always(_HEAD[:20], "hang"), is_slow=True),
    Fault("stops in the middle of its body", _always(_HEAD + b'{"id"', "hang"), is_slow=True),
    Fault("stops before its TLS handshake", _always(b"", "hang"), where="handshake", certificate="own", is_slow=True),
)
SLOW = (
    Fault("sends its headers one byte at a time", _always(_HEAD + _BODY, "keep"), drips_from=0),
    Fault("sends its body one byte at a time", _always(_HEAD + _BODY, "keep"), drips_from=len(_HEAD)),
    Fault("sends 1,000 interim responses (103) first", _always(_HINTS * 1000 + _HEAD + _BODY, "keep")),
)
ENDLESS = (
    Fault("sends its headers one byte at a time, for ever", _always(_LONG, "hang"), drips_from=0),
    Fault("sends its body one byte at a time, for ever", _always(_PROMISE, "hang"), drips_from=100),
    Fault("sends interim responses (103) for ever", _always(_HINTS * 10, "hang"), floods=True),
)
UNRESOLVED = Fault("has a name that takes long to resolve", where="resolve", is_slow=True)
