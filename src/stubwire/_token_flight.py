"""One renewal at a time, for all threads, tasks and event loops that share an auth: `Held`.

This module's rule: a lock around who renews, a future for who waits. What the renewal gives, or is refused, holds for
all that waited; one that was cancelled is taken over by another. A synchronous call never waits for a task of its own
thread, which could not go on meanwhile.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from copy import copy
from typing import TYPE_CHECKING

from stubwire import _clock
from stubwire._runtime import blocks
from stubwire._token import Token, TokenError

if TYPE_CHECKING:
    from stubwire._runtime import Runtime

Renew = Callable[[bool], Awaitable[Token]]
"""Asks for a token; the argument is whether others may be waited for."""

_PAUSE = 5.0
"""Seconds until a renewal is tried again that failed while the token still holds."""


class _Flight:
    """One renewal.

    Attributes:
        done: gives the token, or why there is none; `None` if whoever renewed was ended.
        has_ended: whether `done` has been given something, or will be at once.
        thread: of whoever renews.
        process: the same.
    """

    __slots__ = ("done", "has_ended", "process", "thread")

    def __init__(self) -> None:
        self.has_ended = False
        self.done: Future[Token | TokenError | None] = Future()
        self.thread = threading.get_ident()
        self.process = os.getpid()


class Held:
    """The token that an auth has.

    Args:
        timeout: seconds for a renewal.

    Attributes:
        token: the latest, or `None` before the first.
    """

    def __init__(self, timeout: float) -> None:
        self.token: Token | None = None
        self._timeout = timeout
        self._lock = threading.Lock()
        self._flight: _Flight | None = None

    async def renewed(self, runtime: Runtime, refused: Token | None, renew: Renew) -> Token:
        """A token that holds, by a renewal of its own only if nobody else has made one, or makes one.

        Args:
            runtime: of the call that needs it.
            refused: the token that a server has refused.
            renew: asks for one.

        Raises:
            TokenError: there is none.
        """
        while True:
            found, leads = self._enter(refused)
            if isinstance(found, Token):
                return found
            if leads:
                return await self._lead(found, refused, renew)
            if not await runtime.wait(found.done, self._timeout):
                self._leave(found, None)
                raise TokenError(f"got no token: another call asks for it, for longer than timeout={self._timeout:g}")
            outcome = found.done.result()
            if isinstance(outcome, Token):
                return outcome
            if outcome is not None:
                raise copy(outcome)

    def _enter(self, refused: Token | None) -> tuple[Token | _Flight, bool]:
        """A token, or a renewal and whether to lead it."""
        with self._lock:
            token, now = self.token, _clock.now()
            flight = self._flight if self._flight is not None and self._flight.process == os.getpid() else None
            if token is not None and token is not refused and _will_do(token, now, flies=flight is not None):
                return token, False
            if flight is None:
                self._flight = flight = _Flight()
                return flight, True
            if blocks() and flight.thread == threading.get_ident():
                return _Flight(), True
            return flight, False

    async def _lead(self, flight: _Flight, refused: Token | None, renew: Renew) -> Token:
        outcome: Token | TokenError | None = None
        try:
            outcome = token = await renew(flight is self._flight)
        except TokenError as error:
            spare = self._spare(error, refused)
            outcome = copy(error) if spare is None else spare
            if spare is None:
                raise
            return spare
        else:
            return token
        finally:
            self._leave(flight, outcome)

    def _leave(self, flight: _Flight, outcome: Token | TokenError | None) -> None:
        with self._lock:
            if self._flight is flight:
                self._flight = None
            if isinstance(outcome, Token):
                self.token = outcome
            had_ended, flight.has_ended = flight.has_ended, True
        if not had_ended:
            flight.done.set_result(outcome)

    def _spare(self, error: TokenError, refused: Token | None) -> Token | None:
        """The token before, where it still holds and the failure will pass: it is renewed early."""
        token, now = self.token, _clock.now()
        if token is None or token is refused or not error._passes or not token._is_valid(now):
            return None
        return token._postponed(now + _PAUSE)


def _will_do(token: Token, now: float, *, flies: bool) -> bool:
    """Whether a token need not be waited for: while another is on its way, one that still holds is good enough."""
    return token._is_fresh(now) or (flies and token._is_valid(now))
