"""Who may send: at most as many at once as there may be connections, in the order in which they came.

This module's rule: whoever entered leaves, once. A gate stands before a pool whose own queue knows neither order nor
cancellation; it costs a free place nothing but a number.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from stubwire._engine.patience import Patience
from stubwire._limits import current

if TYPE_CHECKING:
    import anyio


class Gate:
    """For threads."""

    def __init__(self, places: int) -> None:
        self.dropped: deque[Any] = deque()
        """What has a place, and was dropped without leaving: whoever comes next closes it."""
        self._free = places
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def enter(self, seconds: float | None) -> bool:
        """Wait for a place; false if there was none in that many seconds.

        Raises:
            CallError: the limit of the thread was reached.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        came = False
        try:
            came = _await_turn(turn, seconds)
        finally:
            if not came:
                self._give_up(turn)
        return came

    def leave(self) -> None:
        """Free the place: whoever waits longest has it."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _give_up(self, turn: threading.Lock) -> None:
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self.leave()  # it had come meanwhile


def _await_turn(turn: threading.Lock, seconds: float | None) -> bool:
    limit = current()
    if limit is None:
        return turn.acquire(timeout=-1 if seconds is None else seconds)
    patience = Patience(limit, seconds)
    while not turn.acquire(timeout=patience.next()):
        if patience.is_over():
            return False
    return True


class AsyncGate:
    """For the tasks of one event loop."""

    def __init__(self, places: int) -> None:
        self.dropped: deque[Any] = deque()
        """As above."""
        self._free = places
        self._waiting: deque[anyio.Event] = deque()

    async def enter(self, seconds: float | None) -> bool:
        """Wait for a place; false if there was none in that many seconds."""
        if self._free:
            self._free -= 1
            return True
        import anyio  # slow to import, for the few calls that wait

        turn = anyio.Event()
        self._waiting.append(turn)
        came = False
        try:
            with anyio.move_on_after(seconds):
                await turn.wait()
                came = True
        finally:
            if not came:
                self._give_up(turn)
        return came

    def leave(self) -> None:
        """Free the place: whoever waits longest has it."""
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._free += 1

    def _give_up(self, turn: anyio.Event) -> None:
        if turn in self._waiting:
            self._waiting.remove(turn)
        else:
            self.leave()  # it had come meanwhile
