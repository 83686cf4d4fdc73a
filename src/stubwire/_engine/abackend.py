"""Sockets for asynchronous calls: httpcore's own, on asyncio or trio.

This module's rule: what is opened is noted, because a call that is cancelled while it connects is to leave nothing
behind; and to close never waits for the other side.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from stubwire._engine.bounds import Allowance
from stubwire._engine.opening import note

if TYPE_CHECKING:
    import httpcore

    from stubwire._engine.backend import SocketOption


class AsyncBackend:
    """What httpcore's asynchronous pool connects with."""

    def __init__(self, core: ModuleType) -> None:
        self._core = core

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> AsyncStream:
        """Connect, in `timeout` seconds.

        Raises:
            Exception: httpcore's `ConnectTimeout` or `ConnectError`.
        """
        on_trio = _on_trio()
        backend: httpcore.AsyncNetworkBackend = self._core.TrioBackend() if on_trio else self._core.AnyIOBackend()
        stream = await backend.connect_tcp(host, port, timeout, local_address, socket_options)
        kept = (TrioStream if on_trio else AsyncStream)(stream, Allowance())
        note(kept)
        return kept


class AsyncStream:
    """A stream of httpcore, of which is counted what arrives before a response.

    With HTTP/2 nothing is: what arrives may be for others that share the connection.
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream, allowance: Allowance) -> None:
        self._stream = stream
        self.allowance = allowance
        self.write = stream.write
        self.get_extra_info = stream.get_extra_info

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        """What arrives next; nothing at the end.

        Raises:
            Exception: httpcore's `ReadTimeout` or `ReadError`.
            ResponseTooLargeError: no response begins.
        """
        return self.allowance.spend(await self._stream.read(max_bytes, timeout))

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
    ) -> Self:
        """Speak TLS from now on.

        Raises:
            Exception: httpcore's `ConnectTimeout` or `ConnectError`.
        """
        stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        if stream.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
            self.allowance.share()
        return type(self)(stream, self.allowance)

    async def aclose(self) -> None:
        """Hang up."""
        await self._stream.aclose()


class TrioStream(AsyncStream):
    """On trio, where TLS says good-bye only if that takes no time: nobody may read it."""

    async def aclose(self) -> None:
        """Hang up."""
        from trio import CancelScope

        with CancelScope(shield=True) as scope:
            scope.cancel()
            await self._stream.aclose()


def _on_trio() -> bool:
    trio: Any = sys.modules.get("trio")  # imported by whoever runs it
    return trio is not None and bool(trio.lowlevel.in_trio_task())
