"""`ConcurrencyLimit`: so many at once, first come, first served.

This module's rule: who may go is decided in `_places`; here is only the waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stubwire._runtime import blocks, wait
from stubwire.errors import LimitExceededError
from stubwire.plugins import _checks
from stubwire.plugins._inside import inside, is_inside, waiting
from stubwire.plugins._places import Places

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext
    from stubwire.client import ApiClient
    from stubwire.plugins._places import Place


class ConcurrencyLimit:
    """Sends at most so many attempts at once, over all threads and tasks of a client and its views.

    Those that wait are sent in the order in which they came. A call that waits between its attempts has no place; a
    call that a middleware or an auth makes inside an attempt shares the place of that attempt. The place of a stream is
    given back when its headers have come.

    Args:
        n: how many at once.
        max_wait: the longest wait for a place, in seconds; `None` for no limit, 0 to refuse at once.

    Raises:
        ConfigurationError: an argument is no such number.
    """

    def __init__(self, n: int, *, max_wait: float | None = None) -> None:
        _checks.count("ConcurrencyLimit n", n)
        _checks.longest_wait("ConcurrencyLimit max_wait", max_wait)
        self._n = n
        self._max_wait = max_wait
        self._places = Places(n)

    def install(self, client: ApiClient) -> None:
        """Add the middleware that waits."""
        client.use(self._limit, per="attempt")

    async def _limit(self, request: Request, call_next: CallNext) -> Response:
        if is_inside(self):
            return await call_next(request)
        place = self._places.ask(blocks=blocks())
        if place is None:
            raise LimitExceededError(f"was not sent: {self!r} is used up by the thread that this call would block")
        try:
            if not await self._waits(place):
                raise LimitExceededError(
                    f"was not sent: {self!r} is used up, for longer than max_wait={self._max_wait:g}"
                )
            with inside(self):
                return await call_next(request)
        finally:
            self._places.leave(place)

    async def _waits(self, place: Place) -> bool:
        """Whether a place is given in time."""
        if place.given.done():
            return True
        with waiting():
            return await wait(place.given, self._max_wait)

    def __repr__(self) -> str:
        """Show the limit."""
        return f"ConcurrencyLimit({self._n})"
