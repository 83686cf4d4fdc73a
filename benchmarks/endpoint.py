"""A server for transfers, in a process of its own: it drains what is uploaded, and sends zeros.

`python -m benchmarks.endpoint` prints its port. `GET /whole` sends as much as it was told to; `GET /cut` breaks off in
the middle, once for each connection that asks without a Range; both take a Range. `POST /upload` counts what arrives.
"""

import re
import socket
import sys
import threading
from contextlib import suppress

BLOCK = bytes(2**20)
ETAG = '"transfer"'
_RANGE = re.compile(rb"\r\nrange: bytes=(\d+)-", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


def serve(size: int) -> None:
    """Serve for ever; downloads have `size` bytes."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_converse, args=(connection, size), daemon=True).start()


def _converse(connection: socket.socket, size: int) -> None:
    with connection, suppress(ConnectionError):  # whoever asked may have left
        while (head := _head(connection)) is not None:
            lines, rest = head
            if lines.startswith(b"POST"):
                _drain(connection, lines, len(rest))
            elif not _send(connection, lines, size):
                return


def _head(connection: socket.socket) -> tuple[bytes, bytes] | None:
    arrived = b""
    while b"\r\n\r\n" not in arrived:
        piece = connection.recv(65536)
        if not piece:
            return None
        arrived += piece
    lines, _, rest = arrived.partition(b"\r\n\r\n")
    return lines + b"\r\n", rest


def _drain(connection: socket.socket, lines: bytes, arrived: int) -> None:
    match = _LENGTH.search(lines)
    length = int(match[1]) if match else 0
    buffer = bytearray(2**20)
    while arrived < length and (count := connection.recv_into(buffer)):
        arrived += count
    body = b'{"received":%d}' % arrived
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    connection.sendall(head + body)


def _send(connection: socket.socket, lines: bytes, size: int) -> bool:
    """Send a file, or what a Range leaves of it; whether the connection goes on."""
    match = _RANGE.search(lines)
    first = int(match[1]) if match else 0
    until = size // 2 if lines.startswith(b"GET /cut") and not match else size
    status = b"206 Partial Content\r\nContent-Range: bytes %d-%d/%d" % (first, size - 1, size) if match else b"200 OK"
    head = b"HTTP/1.1 %b\r\nETag: %b\r\nContent-Length: %d\r\n\r\n" % (status, ETAG.encode(), size - first)
    connection.sendall(head)
    for at in range(first, until, len(BLOCK)):
        connection.sendall(BLOCK if until - at >= len(BLOCK) else BLOCK[: until - at])
    return until == size


if __name__ == "__main__":
    serve(int(sys.argv[1]))
