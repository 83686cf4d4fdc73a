"""Who works on the disk for a call: its own thread, or in an asynchronous call another one.

This module's rule: what is to be done is done in order, one thing at a time. What the system only takes into its
memory, as it does with most of what is written, is quicker done than handed over; once it was not, another thread does
it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol

from stubwire import _clock

Act = Callable[[], None]

_QUICK_SECONDS = 0.01


class Disk(Protocol):
    """Does things on the disk."""

    async def begin(self, act: Act) -> None:
        """Do something, perhaps later; a failure of it is raised by what comes after it."""
        ...

    async def do(self, act: Act) -> None:
        """Do something, and be done with it."""
        ...

    def close(self) -> None:
        """Let what has begun come to its end."""
        ...


class Here:
    """Does them in this thread."""

    async def begin(self, act: Act) -> None:
        """Do it now."""
        act()

    async def do(self, act: Act) -> None:
        """Do it now."""
        act()

    def close(self) -> None:
        """Do nothing."""


class Elsewhere:
    """Does them in a thread of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stubwire-disk")
        self._begun: Future[None] | None = None
        self._is_slow = False

    async def begin(self, act: Act) -> None:
        """Do it now while the disk is quick, else while the event loop goes on."""
        await self._settle()
        if self._is_slow:
            self._begun = self._thread.submit(act)
            return
        start = _clock.monotonic()
        act()
        self._is_slow = _clock.monotonic() - start > _QUICK_SECONDS

    async def do(self, act: Act) -> None:
        """Do it while other tasks go on."""
        await self._settle()
        self._begun = self._thread.submit(act)
        await self._settle()

    async def _settle(self) -> None:
        begun = self._begun
        if begun is None:
            return
        if not begun.done():
            from anyio import to_thread

            await to_thread.run_sync(wait, [begun])
        self._begun = None
        begun.result()

    def close(self) -> None:
        """Wait for what was begun: a cancelled task leaves it in the middle of a batch at most."""
        self._thread.shutdown()
