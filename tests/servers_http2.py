"""A server that speaks HTTP/2 with prior knowledge, and as fast as the client's windows let it."""

from __future__ import annotations

import importlib
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import h2.config
import h2.connection
import h2.events

from servers import PATIENCE

LARGE = 10**9
"""The bytes of `/large`, of which no window has room for more than a part."""


class Http2Server:
    """Answers `/large` with many bytes, `/twice` with as many that are said to be compressed twice, `/silent` with one
    byte and then nothing, `/gone` by hanging up after a byte, and `/small` with `7`.

    Attributes:
        url: where it is.
        opened: how many connections were accepted.
        resets: the error codes of the streams that the client reset.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.resets: list[int] = []
        self._changed = threading.Condition()
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def wait_until(self, happened: Callable[[Self], bool]) -> None:
        """Wait for what the client does."""
        with self._changed:
            assert self._changed.wait_for(lambda: happened(self), PATIENCE), f"never happened: {self.resets}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.opened += 1
                self._connections.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        left: dict[int, int] = {}
        with connection, suppress(OSError):
            connection.sendall(state.data_to_send())
            while data := connection.recv(65536):
                for event in state.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        path = dict(event.headers or [])[b":path"]
                        _begin(state, event.stream_id or 0, path, left)
                        if path == b"/gone":
                            connection.sendall(state.data_to_send())
                            return
                    elif isinstance(event, h2.events.StreamReset):
                        left.pop(event.stream_id or 0, None)
                        with self._changed:
                            self.resets.append(int(event.error_code or 0))
                            self._changed.notify_all()
                for stream in list(left):
                    left[stream] -= _fill(state, stream, left[stream])
                    if not left[stream]:
                        state.end_stream(stream)
                        del left[stream]
                connection.sendall(state.data_to_send())


def _begin(state: h2.connection.H2Connection, stream: int, path: bytes, left: dict[int, int]) -> None:
    """Send headers, and note what comes after them, as soon as the windows have room."""
    kind = b"application/json" if path == b"/small" else b"application/octet-stream"
    coding = [(b"content-encoding", b"gzip, gzip")] if path == b"/twice" else []
    state.send_headers(stream, [(b":status", b"200"), (b"content-type", kind), *coding])
    if path in (b"/silent", b"/gone"):
        state.send_data(stream, b"x")
    else:
        left[stream] = 1 if path == b"/small" else LARGE


def _fill(state: h2.connection.H2Connection, stream: int, left: int) -> int:
    """Send all that the windows have room for; return how much that was."""
    sent = 0
    while size := min(state.local_flow_control_window(stream), state.max_outbound_frame_size, left - sent):
        state.send_data(stream, b"7" * size)
        sent += size
    return sent


def transports(engine: str) -> tuple[Any, Any]:
    """Transports of both colours that speak nothing else."""
    library = importlib.import_module(engine)
    options: dict[str, bool] = {"http1": False, "http2": True}
    return library.HTTPTransport(**options), library.AsyncHTTPTransport(**options)
