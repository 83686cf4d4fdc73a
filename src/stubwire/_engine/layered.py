"""TLS through memory, on top of a stream: for TLS inside TLS, as to a proxy by https.

This module's rule: it does no input or output of its own, so that what holds for the stream below holds here.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, Protocol, TypeVar

R = TypeVar("R")
RECORD = 16 * 1024 + 256
"""Bytes: one record of TLS (RFC 8446, section 5.2)."""


class Lower(Protocol):
    """The stream below."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What arrives next; nothing at the end."""
        ...

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of a stream."""
        ...


class Layered:
    """A stream of TLS on another stream; it begins with the handshake.

    Raises:
        Exception: httpcore's `ConnectTimeout` or `ConnectError`.
        CallError: the limit was reached.
    """

    def __init__(
        self, lower: Lower, context: ssl.SSLContext, hostname: str | None, timeout: float | None, core: ModuleType
    ) -> None:
        self._lower = lower
        self._core = core
        self._arrived = ssl.MemoryBIO()
        self._leaving = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=hostname)
        try:
            self._do(self._tls.do_handshake, timeout)
        except core.TimeoutException as error:
            raise core.ConnectTimeout(error) from error
        except (core.NetworkError, ssl.SSLError) as error:
            raise core.ConnectError(error) from error

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What arrives next; nothing at the end, announced or not."""
        try:
            return self._do(partial(self._tls.read, max_bytes), timeout)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as error:
            raise self._core.ReadError(error) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        rest: bytes | memoryview = buffer
        try:
            while rest:
                sent = self._do(partial(self._tls.write, rest), timeout)
                rest = memoryview(rest)[sent:]
        except ssl.SSLError as error:
            raise self._core.WriteError(error) from error

    def close(self) -> None:
        """Hang up."""
        self._lower.close()

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of a stream."""
        return self._tls if info == "ssl_object" else self._lower.get_extra_info(info)

    def _do(self, act: Callable[[], R], timeout: float | None) -> R:
        """One operation of TLS, fed until it has enough."""
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                pass
            finally:
                if leaving := self._leaving.read():
                    self._lower.write(leaving, timeout)
            if arrived := self._lower.read(RECORD, timeout):
                self._arrived.write(arrived)
            else:
                self._arrived.write_eof()
