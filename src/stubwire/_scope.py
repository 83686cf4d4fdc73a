"""The limit of an asynchronous call, as a scope that its event loop cancels.

This module's rule: imported by calls that have a limit, because anyio is slow to import. A scope ends what its own
limit ends, and nothing else: when its task is cancelled from outside too, that goes on outwards.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from anyio import CancelScope, current_time

from stubwire._loop import current_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from stubwire._limits import Limit


_GRACE = 0.02
"""Seconds after the deadline. What waits for the network has it as its own timeout, and fails where it is, for all
middleware to see; the rest is cancelled."""


class Scope:
    """A block that is left when a limit comes, in the middle of whatever is awaited; who left it says why."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._task = task = _task()
        self._requests: int = 0 if task is None else task.cancelling()
        self._forget: Callable[[], None] | None = None
        left = limit.remaining()
        if left is None:
            self._scope = CancelScope()
        else:
            now: float = current_time() if task is None else task.get_loop().time()  # the same clock, read sooner
            self._scope = CancelScope(deadline=now + left + _GRACE)

    def __enter__(self) -> None:
        """Begin; a token may be cancelled from any thread."""
        self._scope.__enter__()
        if self._limit.token is not None:
            self._forget = self._limit.token._when_cancelled(self._soon(self._scope.cancel))

    @staticmethod
    def _soon(act: Callable[[], object]) -> Callable[[], None]:
        """Do something on this event loop, from any thread."""
        loop: Any = current_loop()
        hand_over: Callable[[Callable[[], object]], object] = (
            getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon
        )

        def soon() -> None:
            with suppress(RuntimeError):  # it has ended
                hand_over(act)

        return soon

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """End; true if it was the limit that ended the block."""
        if self._forget is not None:
            self._forget()
        ended = bool(self._scope.__exit__(kind, error, traceback))
        return ended and (self._task is None or self._task.cancelling() <= self._requests)


def _task() -> Any:
    """The task, on asyncio; `None` where trio runs, perhaps as asyncio's guest.

    It counts how often others want it to end; anyio before 4.15 loses those that come with its own.
    """
    try:
        return sys.modules["asyncio"].current_task()
    except (KeyError, RuntimeError):
        return None
