"""Proxies that tests start, as handlers of a staged server: HTTP, tunnels, SOCKS5."""

from __future__ import annotations

import socket
import ssl
from select import select

from servers import OK
from stages import Staged, request_of, secured, until_gone


def tunnel(server: Staged, connection: socket.socket) -> None:
    """An HTTP proxy: connect to where CONNECT says, and answer by itself what comes in the clear."""
    with secured(server, connection) as client:
        while head := request_of(server, client):
            method, target, _ = head.split(b" ", 2)
            if method == b"CONNECT":
                if b"Proxy-Authorization: Basic d3Jvbmc6" in head:  # of a user called wrong
                    client.sendall(b"HTTP/1.1 407 Who are you\r\n\r\n")
                    return
                with socket.create_connection(("127.0.0.1", int(target.rpartition(b":")[2]))) as origin:
                    client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                    _pipe(client, origin)
                return
            client.sendall(OK)


def socks(server: Staged, connection: socket.socket) -> None:
    """A SOCKS5 proxy (RFC 1928), with a user name and a password where they are offered (RFC 1929)."""
    _, count = connection.recv(2)
    offered = connection.recv(count)
    connection.sendall(b"\x05" + offered[-1:])
    if offered[-1:] == b"\x02":
        server.seen.append(connection.recv(1024))
        connection.sendall(b"\x01\x00")
    request = connection.recv(1024)
    server.seen.append(request)
    if server.reached.is_set():  # a test said so: never answer
        until_gone(connection)
        return
    with socket.create_connection(("127.0.0.1", int.from_bytes(request[-2:], "big"))) as origin:
        connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        _pipe(connection, origin)


def _pipe(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    while True:
        held = isinstance(one, ssl.SSLSocket) and one.pending()
        for source in [one] if held else select([one, other], [], [])[0]:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)
