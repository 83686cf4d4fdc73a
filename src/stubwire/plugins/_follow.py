"""How many requests a server's answers still allow.

This module's rule: pure decisions behind a lock; the time is an argument, on the monotonic clock, in seconds. Where
nothing is known, one request goes first, and the others wait for what its answer says; if it says nothing, each answer
lets two more go, so that a limit is met by few of them.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from stubwire._retry_after import retry_after
from stubwire.plugins._quota import Quota, quota

if TYPE_CHECKING:
    from stubwire._response import Response

_UNEXPLAINED = 1.0
"""Seconds to wait after a 429 that says nothing."""

_LONGEST = 86400.0
"""Seconds, a day: what a server says of later is not believed, it may have counted in milliseconds."""

_ROUNDED = 1.0
"""Seconds by which two answers may differ about the same reset."""


class Flight(NamedTuple):
    """A request that was let through.

    Attributes:
        thread: that sends it.
        era: when, counted in windows and pauses.
    """

    thread: int
    era: int


class Follower:
    """What the answers of one origin allow.

    An era ends when a window ends, or when the server asks for a pause: what was sent before was counted before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: Counter[int] = Counter()
        self._opens = 0.0
        self._era = 0
        self._flying = 0
        self._remaining: int | None = None
        self._width = 1
        self._resets = math.inf
        self._changed: Future[None] | None = None

    @property
    def changed(self) -> Future[None]:
        """Done when the next answer comes."""
        with self._lock:
            if self._changed is None:
                self._changed = Future()
            return self._changed

    def ask(self, now: float, *, blocks: bool) -> Flight | float:
        """Let a request through, or say in how many seconds to ask again; infinite is "not before an answer comes".

        Args:
            now: the time.
            blocks: whether the one who asks blocks its thread while it waits, so that no answer can come in it.
        """
        thread = threading.get_ident()
        with self._lock:
            if now < self._opens:
                return self._opens - now
            if now >= self._resets:
                self._renew()
            if self._room() <= self._flying:
                wait = self._resets - now
                if wait < math.inf or not (blocks and self._threads[thread]):
                    return wait
            self._flying += 1
            self._threads[thread] += 1
            return Flight(thread, self._era)

    def allows(self, flight: Flight, now: float) -> bool:
        """Whether a request that was let through, and has not been sent, may still go."""
        with self._lock:
            return self._flying <= self._room() and flight.era == self._era and now < self._resets

    def answer(self, flight: Flight, response: Response | None, now: float) -> None:
        """Note how a request ended; `None` is without an answer."""
        with self._lock:
            self._threads[flight.thread] -= 1
            if not self._threads[flight.thread]:
                del self._threads[flight.thread]
            current = flight.era == self._era
            if current:
                self._flying -= 1
            if response is not None:
                self._learn(response, now, current=current)
            changed, self._changed = self._changed, None
        if changed is not None:
            changed.set_result(None)

    def _room(self) -> int:
        """How many may be on their way at once."""
        return self._width if self._remaining is None else self._remaining

    def _learn(self, response: Response, now: float, *, current: bool) -> None:
        told = quota(response.headers)
        pause = retry_after(response.headers) if response.status_code >= 400 else None
        if pause is None and response.status_code == 429:
            pause = told.reset if told is not None else _UNEXPLAINED
        if pause is not None:
            self._opens = max(self._opens, now + min(pause, _LONGEST))
            self._renew()
        elif current and told is not None:
            self._note(told, now)
        elif current and self._remaining is not None:
            self._remaining = max(0, self._remaining - 1)
        elif current:
            self._width += 1

    def _renew(self) -> None:
        self._era += 1
        self._flying = 0
        self._remaining, self._width, self._resets = None, 1, math.inf

    def _note(self, told: Quota, now: float) -> None:
        """Answers overtake each other: of one window, the one with least left is the latest."""
        resets = now + min(told.reset, _LONGEST)
        if self._remaining is not None and abs(resets - self._resets) <= _ROUNDED:
            self._remaining, self._resets = min(self._remaining, told.remaining), max(self._resets, resets)
        else:
            self._remaining, self._resets = told.remaining, resets
