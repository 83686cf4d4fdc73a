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
        left = limit.remaining()
        self._scope = CancelScope() if left is None else CancelScope(deadline=current_time() + left + _GRACE)
        self._forget: Callable[[], None] | None = None
        self._requests = _requests()

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
        return ended and _requests() <= self._requests


def _requests() -> int:
    """How often others want this task to end, on asyncio; anyio before 4.15 loses those that come with its own."""
    try:
        requests: int = sys.modules["asyncio"].current_task().cancelling()
    except (KeyError, RuntimeError, AttributeError):  # trio runs, perhaps as asyncio's guest
        return 0
    return requests
