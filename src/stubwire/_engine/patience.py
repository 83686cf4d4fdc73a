"""How long a synchronous call waits in one go.

This module's rule: whoever blocks a thread asks here before each wait. Under a limit nobody waits longer than a slice
without looking whether the call may go on.
"""

from __future__ import annotations

from stubwire import _clock
from stubwire._limits import SLICE, Limit

LEAST = 0.001
"""Seconds: a socket whose timeout is 0 would not wait at all."""


class Patience:
    """One wait, cut into slices.

    Args:
        limit: of the call.
        timeout: seconds for the whole wait; `None` for as long as the limit allows.
    """

    __slots__ = ("_end", "_limit")

    def __init__(self, limit: Limit, timeout: float | None) -> None:
        self._limit = limit
        self._end = None if timeout is None else _clock.monotonic() + timeout

    def next(self) -> float:
        """Seconds to wait now, above 0.

        Raises:
            CallError: the limit was reached.
        """
        self._limit.check()
        left = self._limit.remaining()
        seconds = SLICE if left is None else min(SLICE, left)
        if self._end is not None:
            seconds = min(seconds, self._end - _clock.monotonic())
        return max(seconds, LEAST)

    def is_over(self) -> bool:
        """Whether the timeout has passed."""
        return self._end is not None and _clock.monotonic() >= self._end
