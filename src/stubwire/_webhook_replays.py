"""What remembers the deliveries that were verified, so that a copy of one is refused.

This module's rule: it knows keys and seconds; what a key stands for is decided elsewhere.
"""

from __future__ import annotations

import heapq
import threading
from typing import Protocol

from stubwire import _clock
from stubwire.errors import ConfigurationError


class ReplayStore(Protocol):
    """Remembers keys for a time; one on a Redis is shared by all processes of a service."""

    def add(self, key: str, seconds: int, /) -> bool:
        """Remember a key, and say whether it is new: `False` for one that is remembered.

        Both in one step, or two copies that come at once are both new. What it raises, `verify` raises.

        Args:
            key: 64 hexadecimal digits; neither a signature nor made of a secret alone.
            seconds: how long to remember it, at least 1.
        """
        ...


class MemoryReplayStore:
    """Keys in the memory of this process, for all of its threads.

    Args:
        max_size: how many at most, of about 300 bytes each; beyond it those are forgotten that would be first.

    Raises:
        ConfigurationError: `max_size` is no whole number from 1.
    """

    def __init__(self, max_size: int = 100_000) -> None:
        if type(max_size) is not int or max_size < 1:
            raise ConfigurationError(f"MemoryReplayStore max_size={max_size!r} must be a whole number from 1")
        self._max_size = max_size
        self._lock = threading.Lock()
        self._ends: list[tuple[float, str]] = []
        self._keys: set[str] = set()

    def add(self, key: str, seconds: int, /) -> bool:
        """Remember a key, and say whether it is new."""
        now = _clock.now()
        with self._lock:
            while self._ends and self._ends[0][0] <= now:
                self._forget()
            if key in self._keys:
                return False
            if len(self._ends) == self._max_size:
                self._forget()
            heapq.heappush(self._ends, (now + seconds, key))
            self._keys.add(key)
            return True

    def _forget(self) -> None:
        self._keys.discard(heapq.heappop(self._ends)[1])

    def __repr__(self) -> str:
        """Show how many keys there may be."""
        return f"MemoryReplayStore(max_size={self._max_size})"


for _kind in (ReplayStore, MemoryReplayStore):
    _kind.__module__ = "stubwire.webhooks"
del _kind
