"""A connection to Redis for the cache (extra `redis`).

This module's rule: a Redis that does not answer soon does not answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 1.0
"""Seconds within which Redis must answer."""


def client(url: str) -> redis.Redis:
    """A client, which connects when it is used.

    Raises:
        ConfigurationError: the URL is none of Redis.
    """
    again = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))  # an idle connection may be gone
    make: Callable[..., redis.Redis] = redis.Redis.from_url  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    try:
        return make(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=again)
    except ValueError:
        message = "CachePlugin redis=... must be a URL such as redis://host:6379/0"
    raise ConfigurationError(message)
