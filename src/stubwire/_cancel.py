"""What ends calls from elsewhere: `CancelToken`.

This module's rule: a flag, and whom to tell; it knows nothing of calls. There is no lock, because a signal handler may
cancel a token in the middle of whatever its thread does: each step is one operation of a built-in type, which is whole
or did not happen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

Tell = Callable[[], None]


class CancelToken:
    """Ends the calls that were given it: they raise `CancelError` within 100 ms.

        token = CancelToken()
        github.with_options(cancel=token).user_repos("octocat")   # in one thread
        token.cancel("shutting down")                             # in another

    Any thread, task or signal handler may cancel it. It may be given to many calls, and stays cancelled: calls that
    begin later end at once. A stream ends before its next item, pages before the next page.
    """

    def __init__(self) -> None:
        self._reasons: list[str] = []
        self._told: dict[object, Tell] = {}

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return bool(self._reasons)

    @property
    def reason(self) -> str:
        """What was said to `cancel`, the first time."""
        return self._reasons[0] if self._reasons else ""

    def cancel(self, reason: str = "") -> None:
        """End the calls that have this token, and those that will.

        Args:
            reason: why, for the error's message.
        """
        self._reasons.append(reason)
        del self._reasons[1:]
        for key in list(self._told):
            self._tell(key)

    def _when_cancelled(self, tell: Tell) -> Callable[[], None]:
        """Have something called once at the cancellation, by whoever cancels; what is returned takes that back."""
        key = object()
        self._told[key] = tell
        if self._reasons:  # whoever cancels may not have seen it
            self._tell(key)
        return lambda: self._forget(key)

    def _tell(self, key: object) -> None:
        tell = self._told.pop(key, None)
        if tell is not None:
            tell()

    def _forget(self, key: object) -> None:
        self._told.pop(key, None)

    def __repr__(self) -> str:
        """Show whether it is cancelled."""
        return f"<CancelToken {'cancelled' if self.cancelled else 'not cancelled'}>"


class Bell:
    """Rings once, for one thread that waits; a signal handler may ring it, unlike a `threading.Event`."""

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """Let whoever waits go on; a second time does nothing."""
        with suppress(RuntimeError):
            self._silence.release()

    def is_set(self) -> bool:
        """Whether it rang."""
        return not self._silence.locked()

    def wait(self, seconds: float | None) -> None:
        """Block this thread until it rings, or for some seconds; `None` is for ever."""
        if self._silence.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX)):
            self._silence.release()
