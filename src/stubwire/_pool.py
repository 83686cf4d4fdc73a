"""Connections: opened at first use, one asynchronous pool per event loop, closed exactly once.

This module's rule: it owns transports and their lifetime, and knows nothing of calls.
"""

from __future__ import annotations

import os
import ssl
import sys
import threading
import warnings
import weakref
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from stubwire._loop import current_loop
from stubwire._options import Limits
from stubwire._redact import url as redact_url
from stubwire.errors import ConfigurationError
from stubwire.markers import UNSET, Unset

if TYPE_CHECKING:
    import httpx

    from stubwire._engine.library import AsyncExchange, Exchange, Library
    from stubwire._request import Request

Verify = bool | ssl.SSLContext
"""Whether to verify certificates, or a whole TLS context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting:
    """How connections are made.

    Attributes:
        verify: see `Verify`.
        proxy: a proxy's URL; `UNSET` takes it from the environment, `None` uses none.
        http2: whether to offer HTTP/2.
        limits: how many connections to keep.
        own: the TLS context for the client's own origins, which shows its certificate; `None` takes that of all.
        origins: those.
    """

    verify: Verify = True
    proxy: str | Unset | None = UNSET
    http2: bool = False
    limits: Limits = field(default_factory=Limits)
    own: ssl.SSLContext | None = None
    origins: frozenset[str] = frozenset()

    def shows_certificate(self, origin: str) -> bool:
        """Whether the client's certificate, which says who it is, is for an origin."""
        return self.own is not None and origin in self.origins


_VERIFYING = (ssl.CERT_REQUIRED, ssl.CERT_OPTIONAL)


class Given(NamedTuple):
    """What the user passed instead: transports, which close with the client, or a client, which never does.

    Attributes:
        sync: a transport or client for synchronous calls, or `None`.
        asynchronous: one for asynchronous calls, or `None`.
        is_client: whether they are clients.
    """

    sync: Any
    asynchronous: Any
    is_client: bool


@lru_cache(maxsize=8)
def _shared_context(library: Library, verify: bool, http2: bool) -> ssl.SSLContext:  # noqa: ARG001 - of the key
    """A TLS context costs tens of milliseconds, so clients share one.

    Not one that offers HTTP/2 with one that does not: httpcore sets in it what it offers, at each connection.
    """
    try:
        return library.tls(verify)
    except OSError as error:
        message = f"SSL_CERT_FILE={os.environ.get('SSL_CERT_FILE')!r}: {error.strerror or error}"
    raise ConfigurationError(message)


def environment_proxy(origin: str) -> str | None:
    """The proxy that the environment names for an origin (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`)."""
    parts = urlsplit(origin)
    if not parts.hostname or proxy_bypass(parts.hostname) or proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


class _Lanes:
    """The transports of one colour and event loop, one for each proxy, and for who sees the client's certificate."""

    def __init__(self, connecting: Connecting, open_transport: Callable[[str | None, bool], Any]) -> None:
        self._connecting = connecting
        self._open = open_transport
        self._lock = threading.Lock()
        self._by_origin: dict[str, Any] = {}
        self._by_proxy: dict[tuple[str | None, bool], Any] = {}

    def to(self, origin: str) -> Any:
        """The transport that leads to an origin."""
        return self._by_origin.get(origin) or self._lead(origin)

    def _lead(self, origin: str) -> Any:
        proxy = self._connecting.proxy
        with self._lock:
            through = environment_proxy(origin) if isinstance(proxy, Unset) else proxy
            chosen = (through, self._connecting.shows_certificate(origin))
            if chosen not in self._by_proxy:
                self._by_proxy[chosen] = self._open(*chosen)
            if len(self._by_origin) > 1000:  # only redirects and absolute URLs add origins
                self._by_origin.clear()
            return self._by_origin.setdefault(origin, self._by_proxy[chosen])

    def taken(self) -> list[Any]:
        """All that are open, handed over once, to be closed."""
        with self._lock:
            transports = list(self._by_proxy.values())
            self._by_proxy.clear()
            self._by_origin.clear()
        return transports


Loops = dict[object, tuple[_Lanes, AsyncGenerator[None]]]
"""The asynchronous lanes by event loop, each with the generator that closes them."""


async def _lifetime(loops: Loops, loop: object, lanes: _Lanes) -> AsyncGenerator[None]:
    """Closes the lanes when their event loop shuts down its asynchronous generators, as `asyncio.run` and trio do."""
    try:
        yield
    finally:
        loops.pop(loop, None)
        for transport in lanes.taken():
            await transport.aclose()


class Pool:
    """The connections of one client, shared by its views."""

    def __init__(self, library: Library, connecting: Connecting, given: Given | None, owner: str) -> None:
        self.library = library
        self._connecting = connecting
        self._open = partial(_open, library, connecting, owner)
        self._given = given
        self.verifies = connecting.verify is True or getattr(connecting.verify, "verify_mode", None) in _VERIFYING
        self._owner = owner
        self._closed = False
        self._reset()
        _pools.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._sync = _Lanes(self._connecting, partial(self._open, False))
        self._loops: Loops = {}
        self._abandoned = weakref.finalize(self, _abandon, self._sync, self._loops)

    # ---- at each send

    def exchange(self, origin: str, *, client_auth: bool) -> Exchange:
        """What sends one request synchronously; `client_auth` lets the user's own client add its auth."""
        if self._closed:
            raise self._closed_error()
        if self._given is not None:
            given = self._given.sync
            if given is None:
                raise ConfigurationError(
                    f"{self._owner} was given an asynchronous transport or client only, so this synchronous call has "
                    "none: call the endpoint through .aio, or pass a synchronous one (or a pair of transports)"
                )
            send = self._through_client(given, client_auth) if self._given.is_client else given.handle_request
            return cast("Exchange", send)
        return cast("Exchange", self._sync.to(origin).handle_request)

    async def aexchange(self, origin: str, *, client_auth: bool) -> AsyncExchange:
        """What sends one request asynchronously, on the running event loop."""
        if self._closed:
            raise self._closed_error()
        if self._given is not None:
            given = self._given.asynchronous
            if given is None:
                raise ConfigurationError(
                    f"{self._owner} was given a synchronous transport or client only, so this asynchronous call has "
                    "none: make a synchronous call, or pass an asynchronous one (or a pair of transports)"
                )
            send = self._through_client(given, client_auth) if self._given.is_client else given.handle_async_request
            return cast("AsyncExchange", send)
        loop = current_loop()
        entry = self._loops.get(loop) or await self._open_loop(loop)
        return cast("AsyncExchange", entry[0].to(origin).handle_async_request)

    def request(
        self, request: Request, timeout: Mapping[str, float | None], origin: str, *, trusted: bool
    ) -> httpx.Request:
        """The engine's request; the user's own client fills in its headers, the secret ones if it is trusted."""
        if self._given is None or not self._given.is_client:
            return self.library.request(request, origin, timeout, self.library.defaults, to_client=False)
        client = self._given.sync or self._given.asynchronous
        fill = self.library.client_headers(client, request._secrets, trusted=trusted)
        return self.library.request(request, origin, timeout, fill, to_client=True)

    def states_accept(self) -> bool:
        """Whether the user's own client says what it accepts, which its library by itself does not."""
        if self._given is None or not self._given.is_client:
            return False
        accept: str = (self._given.sync or self._given.asynchronous).headers.get("accept", "*/*")
        return accept != "*/*"

    def _through_client(self, client: Any, client_auth: bool) -> Any:
        if client.is_closed:
            raise ConfigurationError(f"{self._owner} was given an http_client that is closed: close it later")
        options = {} if client_auth else {"auth": None}
        return partial(client.send, stream=True, follow_redirects=False, **options)

    async def _open_loop(self, loop: object) -> tuple[_Lanes, AsyncGenerator[None]]:
        lanes = _Lanes(self._connecting, partial(self._open, True))
        with self._lock:
            self._forget_dead_loops()
            entry = self._loops[loop] = (lanes, _lifetime(self._loops, loop, lanes))
        await anext(entry[1])
        return entry

    def _forget_dead_loops(self) -> None:
        """Drop what a loop left that was closed without shutting down: nobody can await its connections any more."""
        for loop in list(self._loops):  # a loop of another thread may end meanwhile
            if _is_dead(loop):
                self._loops.pop(loop, None)

    def _closed_error(self) -> ConfigurationError:
        return ConfigurationError(f"{self._owner} is closed: make a new client")

    # ---- the end

    def close(self) -> None:
        """Close what is synchronous; warn of an asynchronous pool whose event loop still runs."""
        self._closed = True
        if self._given is not None:
            if not self._given.is_client and hasattr(self._given.sync, "close"):
                given, self._given = self._given, self._given._replace(sync=None)  # so that it is closed once
                given.sync.close()
            return
        for transport in self._sync.taken():
            transport.close()
        self._forget_dead_loops()
        if self._loops:
            warnings.warn(
                f"{self._owner}.close() leaves asynchronous connections to their event loop, which still runs: "
                "await aclose() there instead",
                ResourceWarning,
                stacklevel=3,
            )

    async def aclose(self) -> None:
        """Close everything that this event loop can."""
        self._closed = True  # before anything is awaited, so that nobody opens more meanwhile
        if self._given is not None:
            if not self._given.is_client and hasattr(self._given.asynchronous, "aclose"):
                given, self._given = self._given, self._given._replace(asynchronous=None)
                await given.asynchronous.aclose()
        else:
            entry = self._loops.get(current_loop())
            if entry is not None:
                await entry[1].aclose()
        self.close()


def _open(  # noqa: PLR0917 - bound in turn: by the pool, its colour and its lanes
    library: Library, connecting: Connecting, owner: str, asynchronous: bool, proxy: str | None, own: bool
) -> Any:
    verify = connecting.own if own and connecting.own else connecting.verify
    context = verify if isinstance(verify, ssl.SSLContext) else _shared_context(library, verify, connecting.http2)
    try:
        return library.open(context, proxy, connecting.http2, connecting.limits, asynchronous=asynchronous)
    except (ValueError, ImportError) as error:
        message = str(error).replace(proxy or "\0", redact_url(proxy or ""))
    raise ConfigurationError(f"{owner}: {message}")


def _abandon(sync: _Lanes, loops: Loops) -> None:
    """Close what a client left that was collected, or that the interpreter outlived, without being closed.

    It holds no pool, or none would be collected. What is asynchronous is closed on its event loop: trio is asked to,
    asyncio does so for a generator that nobody has any more.
    """
    for transport in sync.taken():
        transport.close()
    for loop, (_, lifetime) in loops.items():
        run_sync_soon: Callable[..., None] | None = getattr(loop, "run_sync_soon", None)
        if run_sync_soon is not None:
            with suppress(RuntimeError):  # it has ended
                run_sync_soon(sys.modules["trio"].lowlevel.spawn_system_task, _end, lifetime)
    loops.clear()


async def _end(lifetime: AsyncGenerator[None]) -> None:
    await lifetime.aclose()


def _is_dead(loop: object) -> bool:
    is_closed: Callable[[], bool] | None = getattr(loop, "is_closed", None)  # a trio token has none
    return is_closed is not None and is_closed()


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_inherited: list[object] = []
"""What a forked child has of its parent: kept, because closing it would speak on the parent's connections."""


def _after_fork() -> None:
    for pool in list(_pools):
        pool._abandoned.detach()
        _inherited.append((pool._sync, pool._loops))
        pool._reset()


with suppress(AttributeError):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
