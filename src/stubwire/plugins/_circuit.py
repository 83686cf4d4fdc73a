"""The state of one origin's circuit.

This module's rule: pure decisions behind a lock; the time is an argument.
"""

from __future__ import annotations

import threading
from typing import Literal, NamedTuple

State = Literal["closed", "open", "half-open"]
Verdict = Literal["success", "failure", "neither"]


class Opening(NamedTuple):
    """Why a circuit is not closed.

    Attributes:
        since: when it opened, on the monotonic clock.
        until: when it lets a request through.
        failures: how many there were in a row.
        last: the name of the last one.
    """

    since: float
    until: float
    failures: int
    last: str


class Circuit:
    """Closed, open after too many failures in a row, half-open while one request tries.

    Args:
        threshold: failures in a row that open it.
        timeout: seconds until a request is let through.
    """

    def __init__(self, threshold: int, timeout: float) -> None:
        self._lock = threading.Lock()
        self._threshold = threshold
        self._timeout = timeout
        self._failures = 0
        self._opening: Opening | None = None
        self._probing = False
        self._era = 0

    @property
    def opening(self) -> Opening | None:
        """Why it is not closed; `None` while it is."""
        return self._opening

    def state(self, now: float) -> State:
        """As a request would find it."""
        opening = self._opening
        if opening is None:
            return "closed"
        return "open" if now < opening.until else "half-open"

    def enter(self, now: float) -> int | Opening:
        """Let a request through or not.

        Returns:
            A number for `leave`, or why not.
        """
        with self._lock:
            if self._opening is not None:
                if self._probing or now < self._opening.until:
                    return self._opening
                self._probing = True
            return self._era

    def leave(self, era: int, verdict: Verdict, what: str, now: float) -> State | None:
        """Note how a request ended.

        Args:
            era: what `enter` returned; the end of a request from before the last change says nothing.
            verdict: what it shows of the server.
            what: a name for how it ended.
            now: on the monotonic clock, in seconds.

        Returns:
            The new state, if it has changed.
        """
        with self._lock:
            if era != self._era:
                return None
            probe, self._probing = self._probing, False
            if verdict == "neither":
                return None
            if verdict == "success":
                self._failures = 0
                return self._change(None, "closed") if probe else None
            self._failures += 1
            if self._failures < self._threshold:
                return None
            return self._change(Opening(now, now + self._timeout, self._failures, what), "open")

    def _change(self, opening: Opening | None, state: State) -> State:
        self._era += 1
        self._opening = opening
        return state
