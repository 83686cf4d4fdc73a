"""How many retries may be afforded: `RetryBudget`.

This module's rule: pure arithmetic behind a lock that is held for nothing else.
"""

from __future__ import annotations

import math
import sys
import threading

from stubwire.errors import ConfigurationError


class RetryBudget:
    """A store of tokens that bounds how much load retries add to a server that fails.

    Each retry of a failure takes `cost` tokens, each success without a timeout on its way puts `refund` back, and
    never more than `tokens` are kept. Where fewer than `cost` are left nothing is retried. With the defaults 35
    failures in a row are retried, and after them one failure for every 14 successes.

    A client has one of its own for each origin, which its views share. Pass one as `Retry(budget=...)` to share it
    between clients, or to look at it. It may be used from many threads and tasks. A copy, and what is unpickled, starts
    with the tokens that are left, and is a budget of its own.

    Args:
        tokens: the most that are kept, and what it begins with.
        cost: of a retry.
        refund: for a success.

    Raises:
        ConfigurationError: one is no finite number above 0, or no retry could ever be afforded.
    """

    __slots__ = ("_left", "_lock", "cost", "refund", "tokens")

    tokens: float
    cost: float
    refund: float

    def __init__(self, *, tokens: float = 500, cost: float = 14, refund: float = 1) -> None:
        for name, value in (("tokens", tokens), ("cost", cost), ("refund", refund)):
            _check(name, value)
        if cost > tokens:
            raise ConfigurationError(
                f"RetryBudget cost={cost!r} is more than tokens={tokens!r}, so that nothing would be retried: "
                "write Retry(max_retries=0) for that"
            )
        self.tokens, self.cost, self.refund = tokens, cost, refund
        self._left = tokens
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """The tokens that are left."""
        return self._left

    def _take(self) -> bool:
        """Pay for a retry; `False` if it cannot be afforded."""
        with self._lock:
            if self._left < self.cost:
                return False
            self._left -= self.cost
            return True

    def _give(self) -> None:
        """Put back what a success earns; a full budget is not locked."""
        if self._left < self.tokens:
            with self._lock:
                self._left = min(self.tokens, self._left + self.refund)

    def __getstate__(self) -> tuple[float, float, float, float]:
        """Everything but the lock."""
        return self.tokens, self.cost, self.refund, self._left

    def __setstate__(self, state: tuple[float, float, float, float]) -> None:
        """Become a budget with a lock of its own."""
        self.tokens, self.cost, self.refund, self._left = state
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Show the settings and what is left."""
        settings = f"tokens={self.tokens!r}, cost={self.cost!r}, refund={self.refund!r}"
        return f"<RetryBudget({settings}): {self._left:g} left>"


def _check(name: str, value: object) -> None:
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if not 0 < number <= sys.float_info.max:
        raise ConfigurationError(f"RetryBudget {name}={value!r} must be a finite number above 0")
