"""Moments that many processes and machines share, through Redis (extra `redis`).

This module's rule: one script of Redis's own decides, by the clock of Redis; one connection pool serves both colours,
because redis-py's asynchronous client knows no trio and belongs to one event loop. A call that must be able to end
meanwhile, an asynchronous one or one with a deadline or a token, asks from a thread of a few. Nothing of redis-py
leaves this module.
"""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stubwire import _clock
from stubwire._limits import current as thread_limit
from stubwire._runtime import blocks, wait
from stubwire.errors import ConfigurationError
from stubwire.plugins._slots import Slot

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

_PATIENCE = 1.0
"""Seconds within which Redis must answer, and for which it is not asked again when it did not."""

_WORKERS = 4

_SCRIPT = """
local count, window, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
local at = now
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then at = math.max(at, tonumber(last[2])) end
local before = redis.call('ZRANGE', KEYS[1], -count, -count, 'WITHSCORES')
if before[2] then at = math.max(at, tonumber(before[2]) + window) end
local wait = at - now
if longest >= 0 and wait > longest then return {wait, 0} end
redis.call('ZADD', KEYS[1], string.format('%.0f', at), ARGV[4])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((wait + window) / 1000) + 1))
return {wait, 1}
"""
"""As `Slots.take`, in microseconds; the arguments are count, window, longest wait (negative for any) and a new name."""


class SharedSlots:
    """The moments of one key.

    Args:
        url: of Redis.
        count: how many requests.
        window: seconds in which there are no more than these.

    Raises:
        ConfigurationError: the URL is none of Redis.
    """

    def __init__(self, url: str, count: int, window: float) -> None:
        self._client = _client(url)
        self._script = self._client.register_script(_SCRIPT)
        self._arguments = (count, round(window * 1e6))
        self._silent = 0.0, ""
        self._workers: tuple[int, ThreadPoolExecutor] | None = None

    async def take(self, key: str, longest: float | None) -> Slot | str:
        """Reserve the next moment, unless it is too far; or the name of what Redis failed with.

        Args:
            key: of the limit.
            longest: the longest wait, in seconds; `None` for no limit.
        """
        if blocks() and thread_limit() is None:
            return self._take(key, longest)
        asked = self._submit(key, longest)
        try:
            await wait(asked)
        except BaseException:
            asked.cancel()  # one that was not begun takes no moment
            raise
        return asked.result()

    def _submit(self, key: str, longest: float | None) -> Future[Slot | str]:
        """Ask in another thread; a forked child has threads of its own."""
        process = os.getpid()
        if self._workers is None or self._workers[0] != process:
            self._workers = process, ThreadPoolExecutor(_WORKERS, "stubwire-redis")
        return self._workers[1].submit(self._take, key, longest)

    def _take(self, key: str, longest: float | None) -> Slot | str:
        began, (silent_until, failure) = _clock.monotonic(), self._silent
        if began < silent_until:
            return failure
        most = -1 if longest is None else round(longest * 1e6)
        try:
            answer = self._script(keys=[key], args=[*self._arguments, most, uuid.uuid4().hex])
        except (redis.RedisError, OSError) as error:
            failure, now = type(error).__name__, _clock.monotonic()
            if isinstance(error, redis.TimeoutError) or now - began >= _PATIENCE:
                self._silent = now + _PATIENCE, failure
            return failure
        microseconds, reserved = cast("tuple[int, int]", answer)
        seconds = microseconds / 1e6
        return Slot(seconds, seconds if reserved else None)


def _client(url: str) -> redis.Redis:
    again = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))  # an idle connection may be gone
    make: Callable[..., redis.Redis] = redis.Redis.from_url  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    try:
        client = make(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=again)
        client.connection_pool.make_connection()  # which connects later, and knows the options of the URL
    except (ValueError, TypeError, AttributeError):
        message = "RateLimit redis=... must be a URL such as redis://host:6379/0"
    else:
        return client
    raise ConfigurationError(message)
