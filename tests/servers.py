"""Servers that tests start: one that speaks raw bytes from a thread, and any program as a process of its own."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import IO, TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 20.0
"""Seconds after which something that a test waits for counts as never happening."""


# -- what a raw server sees and does


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One request as it arrived, byte for byte. `head` ends before the empty line; a chunked body stays chunked."""

    head: bytes
    body: bytes
    connection: int
    """Which connection it came on, from 1."""

    @property
    def line(self) -> str:
        """The request line; bytes outside ASCII are read as Latin-1."""
        return self.head.partition(b"\r\n")[0].decode("latin-1")

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        """Everything between the method and the version, nothing decoded and nothing normalised."""
        return self.line.partition(" ")[2].rpartition(" ")[0]

    @property
    def header_lines(self) -> list[str]:
        """The header lines in order."""
        return self.head.decode("latin-1").split("\r\n")[1:]

    def headers(self, name: str) -> list[str]:
        """Every value of a header in order, whatever its case on the wire."""
        pairs = (line.partition(":") for line in self.header_lines)
        return [value.strip() for key, _, value in pairs if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The value of a header, or None. Fails when it was sent more than once."""
        values = self.headers(name)
        assert len(values) <= 1, f"{name} was sent {len(values)} times: {values}"
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with one request: wait `delay` seconds, send `data` as it is, and `then`.

    `keep` reads the next request, `close` hangs up, `reset` does so with a RST, and `hang` is silent until the client
    or the server goes away.
    """

    data: bytes = b""
    then: Literal["keep", "close", "reset", "hang"] = "keep"
    delay: float = 0.0


CLOSE = Answer(then="close")
"""Hang up without an answer."""
RESET = Answer(then="reset")
"""Reset the connection without an answer."""
HANG = Answer(then="hang")
"""Never answer."""
GARBAGE = Answer(b"\x00\x01\x02 this is no HTTP\r\n\r\n", then="close")
"""Answer with something else than HTTP."""
MID_HEADERS = Answer(b"HTTP/1.1 200 OK\r\nContent-Type: appli", then="close")
"""Hang up in the middle of the headers."""

Reaction = bytes | Answer
Script = Callable[[RawRequest], Reaction] | Sequence[Reaction] | Reaction


def http(body: bytes | str = b"{}", status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole response; `headers` add to, or replace, a JSON content type and the content length."""
    content = body.encode() if isinstance(body, str) else body
    own = {"content-type": "application/json", "content-length": str(len(content))}
    merged = own | {name.lower(): value for name, value in (headers or {}).items()}
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in merged.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


OK = http()
"""200 with an empty JSON object."""


def truncated(body: bytes = b'{"id": 1', missing: int = 10) -> Answer:
    """A response whose Content-Length promises `missing` bytes more than come before the connection closes."""
    return Answer(http(body, headers={"Content-Length": str(len(body) + missing)}), then="close")


class RawServer:
    """An HTTP server on 127.0.0.1 that shows what arrived, byte for byte, and answers whatever a test scripts.

    `script` is one reaction to every request, a sequence of them (the last one repeats), or a function of the request,
    which runs in the thread of the connection. Bytes are sent as they are.

    `reads` says what is read before the answer: the whole request, its head alone, or nothing; a server that reads
    nothing accepts connections and ignores them, so that their buffers fill.

    Leaving the `with` block ends all connections and threads, and raises what a script's function raised.
    """

    def __init__(self, script: Script = OK, *, reads: Literal["all", "head", "nothing"] = "all") -> None:
        self.requests: list[RawRequest] = []
        self.opened = 0
        """How many connections were accepted."""
        self.closed = 0
        """How many of these have ended, by whichever side."""
        self._react = _reactions(script)
        self._reads = reads
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        if self._reads == "nothing":
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, name="RawServer", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._closing.set()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE):
            pass  # wakes the thread that accepts
        self._thread.join()
        self._listener.close()
        with self._changed:
            connections = dict(self._connections)
        for connection in connections.values():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
        for thread in connections:
            thread.join()
        if self._error is not None and kind is None:
            raise self._error

    @property
    def lines(self) -> list[str]:
        """The request lines so far."""
        return [request.line for request in self.requests]

    def wait_until(self, happened: Callable[[Self], bool]) -> None:
        """Wait for what connections do, as in `server.wait_until(lambda server: server.closed == 1)`.

        Raises:
            AssertionError: it did not happen.
        """
        with self._changed:
            done = self._changed.wait_for(lambda: happened(self), PATIENCE)
        assert done, f"never happened: {self.opened} opened, {self.closed} closed, {len(self.requests)} requests"

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._closing.is_set():
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection, self.opened + 1), daemon=True)
            with self._changed:
                self.opened += 1
                self._connections[thread] = connection
                self._changed.notify_all()
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            with connection, connection.makefile("rb") as stream, suppress(ConnectionError):
                self._converse(connection, stream, number)
        except Exception as error:  # noqa: BLE001 - raised again where the test sees it
            self._error = error
        finally:
            with self._changed:
                self.closed += 1
                del self._connections[threading.current_thread()]
                self._changed.notify_all()

    def _converse(self, connection: socket.socket, stream: IO[bytes], number: int) -> None:
        """Read and answer requests until one side has enough."""
        if self._reads == "nothing":
            self._closing.wait()
            return
        while request := _read_request(stream, number, with_body=self._reads == "all"):
            with self._changed:
                self.requests.append(request)
                self._changed.notify_all()
            reaction = self._react(request)
            answer = Answer(reaction) if isinstance(reaction, bytes) else reaction
            self._closing.wait(answer.delay)
            connection.sendall(answer.data)
            if answer.then != "keep":
                _leave(connection, answer.then)
                return


def _reactions(script: Script) -> Callable[[RawRequest], Reaction]:
    if callable(script):
        return script
    reactions = [script] if isinstance(script, bytes | Answer) else list(script)
    turns = count()
    return lambda _: reactions[min(next(turns), len(reactions) - 1)]


def _leave(connection: socket.socket, then: str) -> None:
    if then == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    while then == "hang" and connection.recv(65536):
        pass  # until the other side goes away


def _read_request(stream: IO[bytes], number: int, *, with_body: bool) -> RawRequest | None:
    """The next request of a connection, or None when it ended."""
    head = b""
    while (line := stream.readline()) not in (b"\r\n", b"\n"):
        if not line:
            return None
        head += line
    request = RawRequest(head.removesuffix(b"\r\n"), b"", number)
    return RawRequest(request.head, _read_body(stream, request), number) if with_body else request


def _read_body(stream: IO[bytes], request: RawRequest) -> bytes:
    if lengths := request.headers("content-length"):
        return stream.read(int(lengths[0]))
    if not request.headers("transfer-encoding"):
        return b""
    body = b""
    while size := stream.readline():  # RFC 9112, section 7.1: size, data and its line end, until a size of 0
        length = int(size.partition(b";")[0], 16)
        body += size + stream.read(length + 2)
        if length == 0:
            break
    return body


# -- whole programs


class AppServer:
    """A program that Python runs as a process of its own, until the `with` block ends.

    `arguments` are Python's: `AppServer("-m", "uvicorn", "app:app", "--port", "{port}")`; `{port}` becomes a free
    port, in `env` too. Entering waits until `GET ready` is answered with any status below 500.

    Raises:
        AssertionError: the program ended or never answered; with what it printed.
    """

    def __init__(
        self, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, ready: str = "/"
    ) -> None:
        self._arguments = arguments
        self._env = env or {}
        self._cwd = cwd
        self._ready = ready

    def __enter__(self) -> Self:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = tempfile.TemporaryFile()
        env = {name: self._filled(value) for name, value in self._env.items()}
        self._process = subprocess.Popen(
            [sys.executable, *map(self._filled, self._arguments)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
            cwd=self._cwd,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            self._log.close()

    @property
    def output(self) -> str:
        """What the program printed so far."""
        size = os.fstat(self._log.fileno()).st_size  # reading with a position leaves the program's own alone
        return os.pread(self._log.fileno(), size, 0).decode("utf-8", "replace")

    def _filled(self, text: str) -> str:
        return text.replace("{port}", str(self.port))

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + PATIENCE
        while not self._answers():
            code = self._process.poll()
            assert code is None, f"the program ended with {code}:\n{self.output}"
            assert time.monotonic() < end, f"the program does not answer:\n{self.output}"
            time.sleep(0.02)

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", self._ready)
            return connection.getresponse().status < 500
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
