"""Sockets for synchronous calls, that end when the limit of their thread does.

This module's rule: without a limit each operation is one wait, as in httpcore's own backend; under one it is many short
ones (see `patience`). Failures leave as httpcore's, those of the limit as they are. Resolving a name cannot be cut.
"""

from __future__ import annotations

import builtins
import errno
import os
import select
import selectors
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import ModuleType
from typing import Any, TypeVar, cast

from stubwire._engine.bounds import Allowance
from stubwire._engine.layered import Layered
from stubwire._engine.opening import note
from stubwire._engine.patience import Patience
from stubwire._limits import Limit, current
from stubwire.errors import CallError

A = TypeVar("A")
R = TypeVar("R")
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]

_poll: Callable[[], Any] | None = getattr(select, "poll", None)
"""Not on Windows, whose `select` has no bound that matters."""
_Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)
_END: int = getattr(select, "POLLRDHUP", 0)
"""Where there is no such event, the end of both directions is one that nobody has to ask for."""
_PENDING = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN})
_ABORTED = "closed by this side"


class Stream:
    """One connection; TLS, once started, is on the same object."""

    def __init__(self, sock: socket.socket, core: ModuleType) -> None:
        self._sock = sock
        self._core = core
        self._waits = sock.gettimeout()
        self.allowance = Allowance()
        self._aborted = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What arrives next; nothing at the end.

        Raises:
            Exception: httpcore's `ReadTimeout` after `timeout` seconds, or its `ReadError`.
            CallError: the limit was reached, or no response begins.
        """
        data = self.allowance.spend(self._do(self._sock.recv, max_bytes, timeout, "Read"))
        if self._aborted and not data:
            raise self._core.ReadError(_ABORTED)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it.

        Raises:
            Exception: httpcore's `WriteTimeout` when nothing went out for `timeout` seconds, or its `WriteError`.
            CallError: the limit was reached.
        """
        rest: bytes | memoryview = buffer
        while rest:
            sent = self._do(self._sock.send, rest, timeout, "Write")
            rest = memoryview(rest)[sent:]

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def abort(self) -> None:
        """End the connection while another thread may wait for it, which finds its end, and closes it.

        Closed here, its number could be that of another socket before the other thread reads from it.
        """
        self._aborted = True
        with suppress(OSError):  # it has ended
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # the one of TLS would read on in the clear

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Stream | Layered:
        """Speak TLS from now on.

        A context that is not Python's own may verify after `wrap_socket`, as truststore's does, which therefore has to
        do the whole handshake; under a limit its TLS goes through memory, as does TLS inside TLS.

        Raises:
            Exception: httpcore's `ConnectTimeout` or `ConnectError`.
            CallError: the limit was reached.
        """
        limited = current() is not None
        own = type(ssl_context).wrap_socket.__module__ == "ssl"
        try:
            if isinstance(self._sock, ssl.SSLSocket) or (limited and not own):
                return Layered(self, ssl_context, server_hostname, timeout, self._core)
            self._do(lambda whole: self._wrap(ssl_context, server_hostname, whole), not limited, timeout, "Connect")
            if limited:
                shake = cast("ssl.SSLSocket", self._sock).do_handshake
                self._do(lambda _: shake(), None, timeout, "Connect")
        except BaseException:
            self.close()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of a stream."""
        if info == "is_readable":
            return _is_readable(self._sock)
        if info == "ssl_object":
            return getattr(self._sock, "_sslobj", None)
        facts: dict[str, Callable[[], object]] = {
            "client_addr": self._sock.getsockname,
            "server_addr": self._sock.getpeername,
            "socket": lambda: self._sock,
        }
        return facts[info]() if info in facts else None

    def _wrap(self, context: ssl.SSLContext, hostname: str | None, whole: bool) -> None:
        self._sock.getpeername()  # fails where the server has gone: `wrap_socket` would too, and forget its own socket
        self._sock = context.wrap_socket(self._sock, server_hostname=hostname, do_handshake_on_connect=whole)

    def _do(self, act: Callable[[A], R], argument: A, timeout: float | None, step: str) -> R:
        """One operation of the socket, begun again after each slice of its wait."""
        limit = current()
        patience = None if limit is None else Patience(limit, timeout)
        while True:
            seconds = timeout if patience is None else patience.next()
            try:
                if seconds != self._waits:
                    self._sock.settimeout(seconds)
                    self._waits = seconds
                return act(argument)
            except builtins.TimeoutError as error:
                if patience is None or patience.is_over() or error.errno is not None:  # the system's own has a number
                    raise getattr(self._core, f"{step}Timeout")(error) from error
            except OSError as error:
                raise getattr(self._core, f"{step}Error")(_ABORTED if self._aborted else error) from error


def _is_readable(sock: socket.socket) -> bool:
    """Whether something arrived, or the other side is gone; asked of each idle connection before each request."""
    number = sock.fileno()
    if number < 0:
        return True
    if _poll is None:
        return bool(select.select([number], [], [], 0)[0])
    poll = _poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))


def has_hung_up(sock: socket.socket) -> bool:
    """Whether the other side ended a connection, also behind something that nobody has read yet."""
    number = sock.fileno()
    if number < 0:
        return True
    if _poll is None:
        return bool(select.select([number], [], [], 0)[0])  # which may be something else
    poll = _poll()
    poll.register(number, _END)
    return bool(poll.poll(0))


class Backend:
    """What httpcore's synchronous pool connects with."""

    def __init__(self, core: ModuleType) -> None:
        self._core = core

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> Stream:
        """Connect to the first address of a host that lets us, in `timeout` seconds each.

        Raises:
            Exception: httpcore's `ConnectTimeout` or `ConnectError`, of the last one.
            CallError: the limit was reached.
        """
        limit = current()
        source = None if local_address is None else (local_address, 0)
        try:
            if limit is None:
                sock = socket.create_connection((host, port), timeout, source)
            else:
                sock = _connect((host, port), timeout, source, limit)
            stream = Stream(sock, self._core)
            note(stream)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for option in socket_options or ():
                sock.setsockopt(*cast("tuple[int, int, int]", option))
        except CallError:  # a deadline is a TimeoutError too
            raise
        except builtins.TimeoutError as error:
            raise self._core.ConnectTimeout(error) from error
        except (OSError, UnicodeError) as error:  # the latter where a proxy's host is no name
            raise self._core.ConnectError(error) from error
        return stream


def _connect(
    address: tuple[str, int], timeout: float | None, source: tuple[str, int] | None, limit: Limit
) -> socket.socket:
    """What `socket.create_connection` does, in slices."""
    failure = OSError("the host has no address")
    for family, kind, protocol, _, target in socket.getaddrinfo(*address, 0, socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            if source is not None:
                sock.bind(source)
            _reach(sock, target, Patience(limit, timeout))
        except BaseException as error:
            sock.close()
            if isinstance(error, CallError) or not isinstance(error, OSError):
                raise
            failure = error
        else:
            return sock
    raise failure


def _reach(sock: socket.socket, target: Any, patience: Patience) -> None:
    sock.setblocking(False)
    code = sock.connect_ex(target)
    if code in _PENDING:
        with _Selector() as selector:
            selector.register(sock, selectors.EVENT_WRITE)
            while not selector.select(patience.next()):
                if patience.is_over():
                    raise builtins.TimeoutError("timed out")
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
