"""`CachePlugin`: answers from what was answered before.

This module's rule: it stands around the whole call, so that what it answers costs no attempt; which calls it is for,
and what an unsafe one makes invalid, is decided here.
"""

from __future__ import annotations

import os
import weakref
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from stubwire import _redact
from stubwire._credentials import text_of
from stubwire._endpoint import mount_of
from stubwire._url import redirect_target
from stubwire.errors import ConfigurationError, RedirectError
from stubwire.plugins import _checks
from stubwire.plugins._cache_flights import Flights
from stubwire.plugins._cache_keys import sender_of
from stubwire.plugins._origins import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from stubwire._core import Core
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext
    from stubwire.client import ApiClient
    from stubwire.plugins._cache_hishel import Shelf

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_READS = frozenset({"GET", "HEAD"})
_OWN_CONDITIONS = ("range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range")
_SHORTEST_SECRET = 16


class CachePlugin:
    """Keeps responses and answers with them, as a private cache of RFC 9111 does: `response.cache` says when.

    Each set of credentials has a cache of its own. Identical reads that are made at once send one request. A storage
    that fails is a miss, and is logged once. Streams are not cached; each page of `Pages` is.

    Args:
        path: of a file, which is made readable for its owner only (sqlite); without it, in memory.
        redis: the URL of a Redis 7, for a cache that all processes and machines share (extra `redis`).
        secret: what credentials are hashed with, at least 16 characters: with Redis, the same everywhere; a file keeps
            a random one unless this is given.
        stale_if_error: for how many seconds after it became stale a response may stand in while the server fails,
            beside what the server allows with its own `stale-if-error`.
        max_body_bytes: the largest body to keep, in bytes.

    Raises:
        ConfigurationError: an argument is wrong, contradicts another, or a package is missing.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        redis: str | None = None,
        secret: str | SecretStr | None = None,
        stale_if_error: float = 0.0,
        max_body_bytes: int = 10 * 2**20,
    ) -> None:
        _checks.amount("CachePlugin stale_if_error", stale_if_error, zero=True)
        _checks.count("CachePlugin max_body_bytes", max_body_bytes)
        self._says, opens = _place(path, redis, _checked_secret(secret))
        with suppress(ImportError):
            from stubwire.plugins._cache_read import Cache, Read
            from stubwire.plugins._cache_store import Store

            store = Store(self._says, opens)
            self._cache = Cache(store, Flights(), stale_if_error, max_body_bytes)
            self._read = Read
            self._close = weakref.finalize(self, store.close)
            return
        raise ConfigurationError("CachePlugin needs the package hishel: pip install 'stubwire[cache]'")

    def install(self, client: ApiClient) -> None:
        """Add the middleware that answers."""
        core = mount_of(client).core

        async def cache(request: Request, call_next: CallNext) -> Response:
            return await self._around(core, request, call_next)

        client.use(cache)

    def close(self) -> None:
        """Close the storage; calls go on without it."""
        self._close()

    async def _around(self, core: Core, request: Request, call_next: CallNext) -> Response:
        if self._cache.store.closed:
            return await call_next(request)
        if request.method not in _SAFE:
            response = await call_next(request)
            if 200 <= response.status_code < 400:
                await self._invalidate(core, request, response)
            return response
        if request.method not in _READS or request._call is None or request._call.plan.streams:
            return await call_next(request)
        return await self._answer(core, request, call_next)

    async def _answer(self, core: Core, request: Request, call_next: CallNext) -> Response:
        again = partial(self._cache.identify, request, core)
        has_body = request.content is not None or request._payload is not None
        own = has_body or any(name in request.headers for name in _OWN_CONDITIONS)
        identity = None if own else await again()
        if identity is None:
            response = await call_next(request)
            response.cache = "miss"
            return response
        by_client = sender_of(core.pool).is_client
        return await self._read(self._cache, request, identity, call_next, again, by_client).answer()

    async def _invalidate(self, core: Core, request: Request, response: Response) -> None:
        """Remove what an unsafe request has made invalid (RFC 9111, section 4.4)."""
        keys: list[str] = []
        for url in _changed(request.url, response):
            identity = await self._cache.identify(request.replace(method="GET", url=url, content=None), core)
            keys += [identity.key] if identity is not None else []
        await self._cache.store.clear(keys)

    def __repr__(self) -> str:
        """Show where."""
        return f"CachePlugin({self._says})"


def _changed(url: str, response: Response) -> list[str]:
    """The URLs that a response to an unsafe request is about, all of one origin."""
    urls = [url]
    for name in ("location", "content-location"):
        with suppress(RedirectError):
            if name in response.headers:
                urls.append(redirect_target(url, response.headers[name]))
    return [each for each in dict.fromkeys(urls) if origin_of(each) == origin_of(url)]


# ---- arguments


def _checked_secret(secret: str | SecretStr | None) -> bytes | None:
    if secret is None:
        return None
    text = text_of(secret, "CachePlugin secret")
    if len(text) < _SHORTEST_SECRET:
        raise ConfigurationError(f"CachePlugin secret must have at least {_SHORTEST_SECRET} characters")
    return text.encode()


def _place(
    path: str | os.PathLike[str] | None, redis: str | None, secret: bytes | None
) -> tuple[str, Callable[[], Shelf]]:
    """What a storage is called, and what opens it."""
    if redis is not None:
        if path is not None:
            raise ConfigurationError("CachePlugin takes a path or redis=..., not both")
        if secret is None:
            raise ConfigurationError(
                "CachePlugin redis=... needs secret=...: what credentials are hashed with, the same on every machine"
            )
        return f"redis={_redact.url(redis)!r}", _redis_opener(redis, secret)
    if path is None:
        if secret is not None:
            raise ConfigurationError("CachePlugin secret=... is for what is kept: pass a path or redis=... too")
        return "in memory", lambda: _sqlite(None, None)
    file = _checked_path(path)
    return repr(str(file)), lambda: _sqlite(file, secret)


def _checked_path(path: object) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise ConfigurationError(f"CachePlugin path must be a str or a Path, not {type(path).__name__}")
    file = Path(cast("str | os.PathLike[str]", path)).absolute()
    if not file.parent.is_dir():
        raise ConfigurationError(f"CachePlugin path: there is no folder {str(file.parent)!r}")
    if file.is_dir():
        raise ConfigurationError(f"CachePlugin path: {str(file)!r} is a folder; write the file in it")
    return file


def _sqlite(path: Path | None, secret: bytes | None) -> Shelf:
    from stubwire.plugins._cache_hishel import sqlite_shelf

    return sqlite_shelf(path, secret)


def _redis_opener(url: str, secret: bytes) -> Callable[[], Shelf]:
    with suppress(ImportError):
        from stubwire.plugins._cache_redis import client

        connected = client(url)

        def opens() -> Shelf:
            from stubwire.plugins._cache_hishel import redis_shelf

            return redis_shelf(connected, secret)

        return opens
    raise ConfigurationError("CachePlugin redis=... needs the package redis: pip install 'stubwire[redis]'")
