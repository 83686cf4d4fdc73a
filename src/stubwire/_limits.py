"""How long a call may go on: until its deadline, and until its token is cancelled.

This module's rule: pure but for the clock. Who waits asks `remaining` how long, and `check` whether to go on; in a
synchronous call the limit is that of the thread, so that what waits on a socket finds it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from stubwire import _clock
from stubwire._cancel import Bell
from stubwire.errors import CallError, CancelError, DeadlineExceeded

if TYPE_CHECKING:
    from stubwire._cancel import CancelToken

SLICE = 0.05
"""Seconds after which whoever waits on a socket looks whether to go on."""


def nearer(one: float | None, other: float | None) -> float | None:
    """The smaller of two numbers, where `None` is no bound."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


class Limit:
    """The limit of one call.

    Attributes:
        deadline: on the monotonic clock, in seconds; `None` without one.
        token: what cancels the call; `None` without one.
        outer: the limit of the synchronous call that this one is made in, by a middleware or an auth, which it cannot
            outlast; `None` without one. An asynchronous call is inside the scope of the other.
    """

    __slots__ = ("_seconds", "deadline", "outer", "token")

    def __init__(self, deadline: float | None, token: CancelToken | None, seconds: float | None = None) -> None:
        self.deadline: float | None = deadline
        self.token: CancelToken | None = token
        self.outer: Limit | None = None
        self._seconds = seconds

    def remaining(self) -> float | None:
        """Seconds that are left, not below 0; `None` without a deadline."""
        left: float | None = None
        if self.deadline is not None:
            left = self.deadline - _clock.monotonic()
            if left < 0.0:  # noqa: PLR1730 - `max` takes twice as long
                left = 0.0
        return left if self.outer is None else nearer(left, self.outer.remaining())

    def reached(self) -> bool:
        """Whether the call may not go on."""
        return self._cancelled() is not None or self.remaining() == 0.0

    def check(self) -> None:
        """Go on, or not.

        Raises:
            CancelError: the token was cancelled.
            DeadlineExceeded: the deadline has passed.
        """
        if self.reached():
            raise self.failure()

    def failure(self) -> CallError:
        """What ends the call."""
        token = self._cancelled()
        if token is not None:
            return CancelError(f"was cancelled: {token.reason}" if token.reason else "was cancelled")
        return DeadlineExceeded("ran into its deadline" + (f" of {self._seconds:g} s" if self._seconds else ""))

    def sleep(self, seconds: float) -> None:
        """Block this thread for some seconds, or until the limit.

        Raises:
            CallError: the limit came first.
        """
        left = self.remaining()
        short = seconds if left is None else min(seconds, left)
        if next(self._tokens(), None) is None:
            _clock.sleep(short)
        else:
            self.wait(Bell(), short)
        if short < seconds or self._cancelled() is not None:
            raise self.failure()

    def wait(self, bell: Bell, seconds: float | None) -> None:
        """Block this thread until a bell rings, for some seconds (`None` is for ever), or until the limit."""
        forget = [token._when_cancelled(bell.ring) for token in self._tokens()]
        try:
            _clock.wait(bell, nearer(seconds, self.remaining()))
        finally:
            for each in forget:
                each()

    def _tokens(self) -> Iterator[CancelToken]:
        if self.outer is not None:
            yield from self.outer._tokens()
        if self.token is not None:
            yield self.token

    def _cancelled(self) -> CancelToken | None:
        """The outermost token that was cancelled."""
        token = None if self.outer is None else self.outer._cancelled()
        if token is None and self.token is not None and self.token.cancelled:
            return self.token
        return token

    def timeouts(self, steps: Mapping[str, float | None]) -> Mapping[str, float | None]:
        """The timeouts of an attempt, none longer than what is left.

        Raises:
            CallError: nothing is left.
        """
        left = self.remaining()
        if left == 0.0 or self._cancelled() is not None:
            raise self.failure()
        if left is None:
            return steps
        return {step: left if seconds is None or left < seconds else seconds for step, seconds in steps.items()}


class _Thread(threading.local):
    """The limit of the synchronous call that this thread makes."""

    limit: Limit | None = None


_thread = _Thread()


def current() -> Limit | None:
    """The limit of the synchronous call that this thread makes."""
    return _thread.limit


class Limited:
    """A block whose synchronous calls have a limit, inside the one that their thread has; `None` takes that away."""

    __slots__ = ("_before", "_limit", "_outer")

    def __init__(self, limit: Limit | None) -> None:
        self._limit = limit

    def __enter__(self) -> None:
        """Begin."""
        limit, self._outer, _thread.limit = self._limit, _thread.limit, self._limit
        if limit is not None:
            self._before, limit.outer = limit.outer, self._outer

    def __exit__(self, *_: object) -> None:
        """End."""
        _thread.limit = self._outer
        if self._limit is not None:
            self._limit.outer = self._before
