"""The default transport: httpcore's pool, whose calls end when they are to.

This module's rule: requests and responses are of the engine's own classes, its failures too; those of a limit leave as
they are. It is all that the rest of the package knows of httpcore, and the place for another pool.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from stubwire._engine.abackend import AsyncBackend
from stubwire._engine.backend import Backend
from stubwire._engine.flow import AsyncBody, Body, Content
from stubwire._engine.gate import AsyncGate, Gate
from stubwire._engine.guard import AsyncGuard, Guard
from stubwire._engine.opening import Noting, aclose_all, note
from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

    import httpx

    from stubwire._options import Limits

_FAILURES = (
    *("TimeoutException", "ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"),
    *("NetworkError", "ConnectError", "ReadError", "WriteError"),
    *("ProxyError", "UnsupportedProtocol", "ProtocolError", "LocalProtocolError", "RemoteProtocolError"),
)


_BELOW = {
    "h2": "RemoteProtocolError",
    "hpack": "RemoteProtocolError",
    "hyperframe": "RemoteProtocolError",
    "socksio": "ProxyError",
    "ssl": "ReadError",
    "anyio": "ReadError",
}
"""What failures are that the core lets through, by the package that raised them."""


class Wire:
    """One HTTP library and its core: httpx and httpcore, or httpx2 and httpcore2."""

    def __init__(self, module: ModuleType) -> None:
        self.core = core = import_module(module.__name__.replace("httpx", "httpcore"))
        self.module = module
        self.body: Any = type("Body", (Body, module.SyncByteStream), {})
        self.async_body: Any = type("AsyncBody", (AsyncBody, module.AsyncByteStream), {})
        self.failures: tuple[type[Exception], ...] = tuple(getattr(core, name) for name in _FAILURES)
        self._response: Any = module.Response
        self._as_engine = {getattr(core, name): getattr(module, name) for name in _FAILURES}
        self._pools: dict[type, Any] = {}
        self._request: Any = core.Request
        self._url: Any = core.URL

    def request(self, request: httpx.Request, content: object) -> Any:
        """The request as the core has it."""
        sent = self._request(request.method, self._at(request.url), content=content, extensions=request.extensions)
        sent.headers = request.headers.raw  # which are pairs of bytes already
        return sent

    def _at(self, url: httpx.URL) -> Any:
        return self._url(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)

    def response(self, answer: Any, stream: Any) -> httpx.Response:
        """The core's response as the engine has it."""
        response: httpx.Response = self._response(
            answer.status, headers=answer.headers, stream=stream, extensions=answer.extensions
        )
        return response

    def failure(self, error: BaseException) -> Exception | None:
        """A failure of the core as the engine's own; `None` if it is somebody else's.

        Of what the core stands on some escapes it: when a server, or a proxy, speaks gibberish.
        """
        kind = next((kind for kind in type(error).__mro__ if kind in self._as_engine), None)
        if kind is not None:
            failure: Exception = self._as_engine[kind](str(error))
            return failure
        below = _BELOW.get(type(error).__module__.partition(".")[0])
        if below is None or not isinstance(error, Exception):
            return None
        text = str(error) if isinstance(error, OSError) else type(error).__name__
        escaped: Exception = getattr(self.module, below)(text)
        return escaped

    def crowded(self) -> Exception:
        """What the engine says when no connection became free."""
        failure: Exception = self.module.PoolTimeout("")
        return failure

    def pool(
        self, context: ssl.SSLContext, proxy: str | None, http2: bool, limits: Limits, *, asynchronous: bool
    ) -> Any:
        """A pool of guarded connections.

        Raises:
            ConfigurationError: the proxy's kind needs a package that is not there.
            ValueError: it is of no kind that there is.
        """
        options: dict[str, Any] = {
            "ssl_context": context,
            "http2": http2,
            "max_connections": limits.max_connections,
            "max_keepalive_connections": limits.max_keepalive_connections,
            "keepalive_expiry": limits.keepalive_expiry,
            "network_backend": AsyncBackend(self.core) if asynchronous else Backend(self.core),
        }
        kind = "ConnectionPool"
        if proxy is not None:
            through = self.module.Proxy(proxy)
            url = through.url
            options["proxy_url"] = self._at(url)
            options["proxy_auth"] = through.raw_auth
            if url.scheme == "https":
                options["proxy_ssl_context"] = self.core.default_ssl_context()  # or each connection loads one
            kind = "SOCKSProxy" if url.scheme.startswith("socks5") else "HTTPProxy"
            if kind == "SOCKSProxy" and find_spec("socksio") is None:
                raise ConfigurationError("a SOCKS proxy needs the package socksio: pip install 'stubwire[socks]'")
        base = getattr(self.core, f"Async{kind}" if asynchronous else kind)
        guard = AsyncGuard if asynchronous else Guard
        if base not in self._pools:
            guarding = _AsyncGuarding if asynchronous else _Guarding
            self._pools[base] = type(kind, (guarding, base), {"_guard": guard, "_core": self.core})
        return self._pools[base](**options)


class _Guarding:
    """Mixed into a pool of httpcore: its connections are guarded."""

    _guard: type[Guard | AsyncGuard]
    _core: ModuleType

    is_closed = False
    """Whether what is still being called for is not to be kept afterwards."""

    def create_connection(self, origin: Any) -> Any:
        """What httpcore's pool asks for when it needs a connection more."""
        parent: Any = super()
        guard = self._guard(parent.create_connection(origin), self._core, keeps=not self.is_closed)
        note(guard)
        return guard


class _AsyncGuarding(_Guarding):
    async def _close_connections(self, closing: list[Any]) -> None:
        """What httpcore's pool does twice for each request, nearly always with none, and not cheaply."""
        if closing:
            parent: Any = super()
            await parent._close_connections(closing)


class Transport:
    """For threads."""

    def __init__(self, wire: Wire, pool: Any, gate: Gate) -> None:
        self._wire = wire
        self._pool = pool
        self._gate = gate

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the body of the response stays open.

        Raises:
            Exception: the engine's, when it failed.
            CallError: the limit of this thread was reached.
        """
        wire, gate = self._wire, self._gate
        sent = wire.request(request, request.stream)
        while gate.dropped:
            with suppress(IndexError):  # another thread was faster
                gate.dropped.popleft().close()
        if not gate.enter(_patience(request)):
            raise wire.crowded()
        try:
            answer = self._pool.handle_request(sent)
        except BaseException as error:
            gate.leave()
            failure = wire.failure(error)
            if failure is None:
                raise
            raise failure from error
        return wire.response(answer, wire.body(answer.stream, gate, wire))

    def close(self) -> None:
        """Close all connections, whoever uses them, and keep no further one."""
        self._pool.is_closed = True
        connections = self._pool.connections
        self._pool.close()
        for connection in connections:
            connection.abort()


class AsyncTransport:
    """For the tasks of one event loop."""

    def __init__(self, wire: Wire, pool: Any, gate: AsyncGate) -> None:
        self._wire = wire
        self._pool = pool
        self._gate = gate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the body of the response stays open.

        Raises:
            Exception: the engine's, when it failed.
        """
        wire, gate = self._wire, self._gate
        content = Content(request.stream)
        sent = wire.request(request, content)
        while gate.dropped:
            await gate.dropped.popleft().aclose()
        if not await gate.enter(_patience(request)):
            raise wire.crowded()
        noted: list[Any] = []
        try:
            with Noting(noted):
                answer = await self._pool.handle_async_request(sent)
        except BaseException as error:
            try:
                await aclose_all([*noted, *self._stranded(), content])
            finally:
                gate.leave()
            failure = wire.failure(error)
            if failure is None:
                raise
            raise failure from error
        return wire.response(answer, wire.async_body(answer.stream, gate, wire, noted[-1] if noted else None))

    async def aclose(self) -> None:
        """Close all connections, whoever uses them, and keep no further one."""
        self._pool.is_closed = True
        connections = self._pool.connections
        for connection in connections:
            connection.abort()
        await aclose_all([*connections, self._pool])

    def _stranded(self) -> list[Any]:
        """Connections that were made for a call, perhaps this one, that never came to use them.

        Whoever else waits for one asks the pool again.
        """
        return [connection for connection in self._pool.connections if connection.is_unused()]


def _patience(request: httpx.Request) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get("pool")
    return seconds


def open_transport(
    wire: Wire, context: ssl.SSLContext, proxy: str | None, http2: bool, limits: Limits, *, asynchronous: bool
) -> Transport | AsyncTransport:
    """A transport of its own.

    Raises:
        ConfigurationError: HTTP/2 or the proxy's kind needs a package that is not there.
        ValueError: the proxy is of no kind that there is.
    """
    if http2 and find_spec("h2") is None:
        raise ConfigurationError("http2=True needs the package h2: pip install 'stubwire[http2]'")
    pool = wire.pool(context, proxy, http2, limits, asynchronous=asynchronous)
    if asynchronous:  # with HTTP/2 one connection has many calls, and the pool itself knows how many
        return AsyncTransport(wire, pool, AsyncGate(sys.maxsize if http2 else limits.max_connections))
    return Transport(wire, pool, Gate(limits.max_connections))
