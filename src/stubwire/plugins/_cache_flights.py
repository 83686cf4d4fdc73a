"""One request for many identical reads that are made at once.

This module's rule: the first leads, the others wait for what it brings. A failure is nobody's but the leader's: who
waited sends for itself then. What could not be kept last time is not waited for.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stubwire.plugins._cache_rules import Record

_REMEMBERED = 1024


class Flight:
    """A read that is being made.

    Attributes:
        landed: what it brought; `None` if others cannot use it.
        thread: of the one who leads.
    """

    __slots__ = ("landed", "thread")

    def __init__(self) -> None:
        self.landed: Future[Record | None] = Future()
        self.thread = threading.get_ident()


class Flights:
    """The reads that are being made.

    Attributes:
        landed: how many have ended.
    """

    def __init__(self) -> None:
        self.landed = 0
        self._lock = threading.Lock()
        self._flights: dict[str, Flight] = {}
        self._alone: dict[str, None] = {}

    def join(self, name: str, *, blocks: bool) -> tuple[Flight | None, bool]:
        """Lead a read, or wait for one.

        Args:
            name: of the read.
            blocks: whether the one who asks blocks its thread while it waits.

        Returns:
            The flight, and whether the one who asks leads it; `None` for one who should go alone: nobody can share
            what comes, or the leader needs the thread that would be blocked.
        """
        with self._lock:
            if name in self._alone:
                return None, False
            flight = self._flights.get(name)
            if flight is None:
                flight = self._flights[name] = Flight()
                return flight, True
            return (None if blocks and flight.thread == threading.get_ident() else flight), False

    def land(self, name: str, flight: Flight, record: Record | None) -> None:
        """End a read that one leads."""
        with self._lock:
            del self._flights[name]
            self.landed += 1
        flight.landed.set_result(record)

    def remember(self, name: str, *, shares: bool) -> None:
        """Remember whether others can use what a read brings."""
        with self._lock:
            if shares:
                self._alone.pop(name, None)
                return
            self._alone[name] = None
            if len(self._alone) > _REMEMBERED:
                del self._alone[next(iter(self._alone))]
