"""Places that are given in the order in which they are asked for, over threads, tasks and both colours.

This module's rule: a lock around what is counted, a future for who waits; nothing here waits.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future

_AT_ONCE: Future[None] = Future()
_AT_ONCE.set_result(None)


class Place:
    """A place that was asked for.

    Attributes:
        given: done when it was given.
        held: whether it was given, and not given back.
        thread: of the one who asked.
    """

    __slots__ = ("given", "held", "thread")

    def __init__(self) -> None:
        self.given = _AT_ONCE
        self.held = False
        self.thread = threading.get_ident()


class Places:
    """A number of places.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._count = count
        self._held: set[Place] = set()
        self._queue: deque[Place] = deque()

    def ask(self, *, blocks: bool) -> Place | None:
        """Take a place, or stand in line for one.

        Args:
            blocks: whether the one who asks blocks its thread while it waits.

        Returns:
            The place, or `None` if it could never be given: those who have the places, or stand before this one, need
            the thread that would be blocked.
        """
        place = Place()
        with self._lock:
            if len(self._held) < self._count:
                place.held = True
                self._held.add(place)
                return place
            if blocks and self._of_thread(place.thread) >= self._count:
                return None
            place.given = Future()
            self._queue.append(place)
        return place

    def leave(self, place: Place) -> None:
        """Give a place back, or the wait for one."""
        with self._lock:
            if not place.held:
                self._queue.remove(place)
                return
            place.held = False
            self._held.remove(place)
            if self._queue:
                self._give(self._queue.popleft())

    def _give(self, place: Place) -> None:
        place.held = True
        self._held.add(place)
        place.given.set_result(None)

    def _of_thread(self, thread: int) -> int:
        return sum(place.thread == thread for place in (*self._held, *self._queue))
