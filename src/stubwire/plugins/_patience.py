"""How long an attempt may wait for a limit.

This module's rule: pure but for the clock. As long as its plugin lets it; and a wait that cannot fit in what is left of
its deadline is not begun, so that nobody takes a moment that will not be used.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stubwire import _clock
from stubwire._limits import nearer

if TYPE_CHECKING:
    from stubwire._request import Request


class Patience:
    """That of one attempt, from now on.

    Args:
        request: of the attempt.
        max_wait: what its plugin allows, in seconds; `None` for no limit.
    """

    __slots__ = ("_limit", "_max_wait", "until")

    def __init__(self, request: Request, max_wait: float | None) -> None:
        self._limit = request._call.limit if request._call is not None else None
        self._max_wait = max_wait
        self.until = math.inf if max_wait is None else _clock.monotonic() + max_wait
        """When the plugin gives up, on the monotonic clock."""

    def left(self) -> float | None:
        """Seconds until the plugin gives up, for a wait whose end nobody knows; `None` is never."""
        return None if self.until == math.inf else max(0.0, self.until - _clock.monotonic())

    def longest(self) -> float | None:
        """The longest wait whose end is known, in seconds; `None` for any."""
        return nearer(self.left(), None if self._limit is None else self._limit.remaining())

    def why(self, wait: float) -> str:
        """What a wait is too long for."""
        if _clock.monotonic() + wait > self.until:
            return f"longer than max_wait={self._max_wait:g}"
        return "longer than what is left of the deadline"
