"""A server that stops at any stage of a connection, with TLS and without, and says who is gone.

Whatever it waits for is the client's end of the connection: no stage ends by time.
"""

from __future__ import annotations

import gc
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from select import select
from typing import Any, Self

import anyio
import h2.config
import h2.connection
import h2.events
import trustme

from servers import OK, PATIENCE

DRIP = 0.02
"""Seconds between two bytes of a server that drips."""

Handler = Callable[["Staged", socket.socket], None]


class Authority:
    """An authority, a server's context, and a client's that trusts it."""

    def __init__(self) -> None:
        self.own = trustme.CA()

    def server(self, *protocols: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.own.issue_cert("localhost").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - names an optional package
        context.set_alpn_protocols(protocols or ("http/1.1",))
        return context

    def client(self) -> ssl.SSLContext:
        """It trusts nobody else; the system's certificates would take long to load."""
        return ssl.create_default_context(cadata=self.own.cert_pem.bytes().decode())


class Staged:
    """Connections on localhost, each handed to `handle` in a thread of its own.

    `reached` is set by a handler when the client is where it is to be, `done` by a test when the client has come back,
    and `ended` counts connections that are over.
    """

    def __init__(self, handle: Handler, context: ssl.SSLContext | None = None) -> None:
        self.handle = handle
        self.context = context
        self.reached = threading.Event()
        self.done = threading.Event()
        self.opened = 0
        self.ended = 0
        self.seen: list[bytes] = []
        self._changed = threading.Condition()
        self._threads: list[tuple[threading.Thread, socket.socket]] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if self.context else ''}://localhost:{self.port}/"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for thread, connection in self._threads:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def all_are_gone(self) -> bool:
        """Wait until no connection is left."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended == self.opened, PATIENCE)

    def has_ended(self, count: int) -> bool:
        """Wait until so many connections are over."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended >= count, PATIENCE)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append((thread, connection))
                with self._changed:
                    self.opened += 1
                    self._changed.notify_all()
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self.handle(self, connection)
        with self._changed:
            self.ended += 1
            self._changed.notify_all()


# -- many at once: what they wait for takes no time of the machine


@contextmanager
def freshly() -> Generator[None]:
    """Let `gc.collect` look only at what is made inside: what tests leave, and not all that the machine has."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.collect()
        gc.freeze()  # as before: see conftest.py


def at_once(cases: Iterable[tuple[Any, ...]], scenario: Callable[..., None]) -> None:
    """Run a scenario with each of the cases, in a thread each; a failure says with which."""
    with ThreadPoolExecutor(50) as threads:
        begun = [(case, threads.submit(scenario, *case)) for case in cases]
    failures = [_of_case(error, case) for case, run in begun if (error := run.exception()) is not None]
    if failures:
        raise BaseExceptionGroup("scenarios failed", failures)


async def each_at_once(cases: Iterable[tuple[Any, ...]], scenario: Callable[..., Awaitable[None]]) -> None:
    """The same in tasks."""

    async def run(case: tuple[Any, ...]) -> None:
        try:
            await scenario(*case)
        except Exception as error:
            _of_case(error, case)
            raise

    async with anyio.create_task_group() as group:
        for case in cases:
            group.start_soon(run, case)


def _of_case(error: BaseException, case: tuple[Any, ...]) -> BaseException:
    error.add_note(f"with {case}")
    return error


# -- what a handler does


def secured(server: Staged, connection: socket.socket) -> socket.socket:
    """The connection after its handshake, if there is one."""
    if server.context is None:
        return connection
    copy = connection.dup()  # the server ends the connection by the original
    return server.context.wrap_socket(copy, server_side=True)


def request_of(server: Staged, connection: socket.socket) -> bytes:
    """The head of the next request, whose body is read too; nothing at the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if not (byte := connection.recv(1)):
            return b""
        head += byte
    server.seen.append(head)
    length = int((*head.lower().split(b"content-length:"), b"0\r\n")[1].partition(b"\r\n")[0])
    while length and (piece := connection.recv(min(length, 65536))):
        length -= len(piece)
    return head


def until_gone(connection: socket.socket) -> None:
    """Read until the client ends the connection."""
    while connection.recv(65536):
        pass


def drip(server: Staged, connection: socket.socket, data: bytes) -> None:
    """Send some bytes one by one, or until the client is gone."""
    for number in range(len(data)):
        if number == 5:
            server.reached.set()
        connection.sendall(data[number : number + 1])
        if select([connection], [], [], DRIP)[0] and not connection.recv(65536):
            return


# -- the stages


def answer(server: Staged, connection: socket.socket) -> None:
    """No stage: answer every request."""
    with secured(server, connection) as stream:
        while request_of(server, stream):
            stream.sendall(OK)


def silent(server: Staged, connection: socket.socket) -> None:
    """Accept, and never say anything: not even hello, where TLS is spoken."""
    server.reached.set()
    until_gone(connection)


def slow_hello(server: Staged, connection: socket.socket) -> None:
    """Drip the handshake of TLS."""
    assert server.context is not None
    arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = server.context.wrap_bio(arrived, leaving, server_side=True)
    arrived.write(connection.recv(65536))
    with suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    drip(server, connection, leaving.read())


def deaf(server: Staged, connection: socket.socket) -> None:
    """Do not read the request before the client is done with the call: the end stands behind what it sent."""
    with secured(server, connection):
        server.reached.set()
        server.done.wait(PATIENCE)
        until_gone(connection)


def no_headers(server: Staged, connection: socket.socket) -> None:
    """Read the request, and never answer."""
    with secured(server, connection) as stream:
        request_of(server, stream)
        server.reached.set()
        until_gone(stream)


def slow_headers(server: Staged, connection: socket.socket) -> None:
    """Drip the headers."""
    with secured(server, connection) as stream:
        request_of(server, stream)
        drip(server, stream, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 50_000)


def no_body(server: Staged, connection: socket.socket) -> None:
    """Promise a body, and send a part of it."""
    with secured(server, connection) as stream:
        request_of(server, stream)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        server.reached.set()
        until_gone(stream)


def cut_body(server: Staged, connection: socket.socket) -> None:
    """Promise a body, send a part of it, and go."""
    with secured(server, connection) as stream:
        request_of(server, stream)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")


def surplus(server: Staged, connection: socket.socket) -> None:
    """Say more than the response, as if it were another."""
    with secured(server, connection) as stream:
        while request_of(server, stream):
            stream.sendall(OK + OK.replace(b"{}", b"[]"))


def slow_body(server: Staged, connection: socket.socket) -> None:
    """Drip the body."""
    with secured(server, connection) as stream:
        request_of(server, stream)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n")
        drip(server, stream, b"x" * 50_000)


STAGES: dict[str, tuple[Handler, bool | None]] = {
    "silent": (silent, None),
    "slow hello": (slow_hello, True),
    "deaf": (deaf, None),
    "no headers": (no_headers, None),
    "slow headers": (slow_headers, None),
    "no body": (no_body, None),
    "slow body": (slow_body, None),
}
"""Where a server may leave a client, and whether only TLS has that stage."""
CASES = [(stage, tls) for stage, (_, only) in STAGES.items() for tls in (False, True) if only in (None, tls)]


# -- HTTP/2


def http2(server: Staged, connection: socket.socket) -> None:
    """Answer every request of HTTP/2, those to `/hang` never, to `/half` with a part of their body."""
    with secured(server, connection) as stream:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        stream.sendall(state.data_to_send())
        while data := stream.recv(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    _answer2(server, state, event)
            stream.sendall(state.data_to_send())


def _answer2(server: Staged, state: h2.connection.H2Connection, event: h2.events.RequestReceived) -> None:
    assert event.stream_id is not None
    path = dict(event.headers or [])[b":path"]
    server.seen.append(path)
    if path == b"/hang":
        server.reached.set()
        return
    state.send_headers(event.stream_id, [(":status", "200")])
    state.send_data(event.stream_id, path, end_stream=path != b"/half")
    if path == b"/half":
        server.reached.set()
