"""Moments at which requests may be sent: at most so many in any period of a length.

This module's rule: pure; a moment is reserved when it is asked for, in the order of asking, so whoever waits for one
knows how long, and nobody asks twice. The same rule is written in Lua in `_redis`.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple


class Slot(NamedTuple):
    """A moment.

    Attributes:
        wait: seconds until then.
        at: on the clock it was asked with; `None` if it was not reserved.
    """

    wait: float
    at: float | None


class Slots:
    """The moments of one process.

    Args:
        count: how many requests.
        window: seconds in which there are no more than these.
    """

    def __init__(self, count: int, window: float) -> None:
        self._lock = threading.Lock()
        self._count = count
        self._window = window
        self._taken: deque[float] = deque()

    def take(self, now: float, longest: float | None) -> Slot:
        """Reserve the next moment, unless it is too far.

        Args:
            now: in seconds.
            longest: the longest wait, in seconds; `None` for no limit.
        """
        with self._lock:
            while self._taken and self._taken[0] <= now - self._window:
                self._taken.popleft()
            at = self._next(now)
            if longest is not None and at - now > longest:
                return Slot(at - now, None)
            self._taken.append(at)
            return Slot(at - now, at)

    def _next(self, now: float) -> float:
        if not self._taken:
            return now
        earliest = max(now, self._taken[-1])
        if len(self._taken) < self._count:
            return earliest
        return max(earliest, self._taken[-self._count] + self._window)

    def give_back(self, at: float) -> None:
        """Free a moment that was reserved and not used."""
        with self._lock:
            if at in self._taken:
                self._taken.remove(at)
