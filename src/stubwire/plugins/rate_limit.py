"""`RateLimit`: no more than so many requests in a period, and no more than the server says.

This module's rule: when a request may go is decided in `_slots`, `_redis` and `_follow`; here is the waiting, and how
long it may be.
"""

from __future__ import annotations

import logging
import math
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, cast

from stubwire import _clock, _redact
from stubwire._runtime import blocks, sleep, wait
from stubwire.errors import ConfigurationError, LimitExceededError
from stubwire.plugins import _checks
from stubwire.plugins._follow import Flight, Follower
from stubwire.plugins._inside import inside, is_inside, waiting
from stubwire.plugins._origins import Origins, origin_of
from stubwire.plugins._patience import Patience
from stubwire.plugins._places import Places
from stubwire.plugins._slots import Slots

if TYPE_CHECKING:
    from concurrent.futures import Future

    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext
    from stubwire.client import ApiClient
    from stubwire.plugins._redis import SharedSlots
    from stubwire.plugins._slots import Slot

_PERIODS = {"per_second": 1.0, "per_minute": 60.0, "per_hour": 3600.0, "per_day": 86400.0}
_logger = logging.getLogger("stubwire")


class _Origin:
    """What is known of one origin."""

    def __init__(self, slots: Slots | None) -> None:
        self.slots = slots
        self.follower = Follower()
        self.turn = Places(1)


class RateLimit:
    """Sends no more attempts to an origin than a limit allows; those that must wait are sent in the order they came.

    Exactly one of `per_second`, `per_minute`, `per_hour` and `per_day` is the limit: in no period of that length are
    more sent. With `adaptive` it may be left out. A wait that does not fit in what is left of a deadline is not begun.

    Args:
        per_second: how many in a second.
        per_minute: how many in a minute.
        per_hour: how many in an hour.
        per_day: how many in a day.
        burst: how many at once; by default all of the period. Fewer are spread: `per_minute=60, burst=5` sends at most
            five in five seconds. More are a reserve: `per_second=5, burst=20` sends at most twenty in four seconds.
        max_wait: the longest wait, in seconds; `None` for no limit, 0 to refuse at once.
        adaptive: whether to follow `RateLimit`, `RateLimit-*`, `X-RateLimit-*` and `Retry-After` of the answers.
        redis: the URL of a Redis, for a limit that all processes and machines share (extra `redis`).
        key: names the shared limit; by default, the origin does.
        on_error: whether to send without a limit, or not at all, while Redis does not answer.

    Raises:
        ConfigurationError: an argument is wrong, or contradicts another.
    """

    def __init__(
        self,
        *,
        per_second: float | None = None,
        per_minute: float | None = None,
        per_hour: float | None = None,
        per_day: float | None = None,
        burst: int | None = None,
        max_wait: float | None = 60.0,
        adaptive: bool = False,
        redis: str | None = None,
        key: str | None = None,
        on_error: Literal["allow", "refuse"] = "allow",
    ) -> None:
        rates = {"per_second": per_second, "per_minute": per_minute, "per_hour": per_hour, "per_day": per_day}
        stated = {name: value for name, value in rates.items() if value is not None}
        self._limit = _limit(stated, burst, adaptive=adaptive)
        self._says = ", ".join(f"{name}={value}" for name, value in (*stated.items(), ("burst", burst)) if value)
        _checks.longest_wait("RateLimit max_wait", max_wait)
        if on_error not in ("allow", "refuse"):
            raise ConfigurationError(f"RateLimit on_error={on_error!r}: write 'allow' or 'refuse'")
        _check_kinds(adaptive, key)
        self._max_wait = max_wait
        self._adaptive = adaptive
        self._allows = on_error == "allow"
        self._key = key
        self._lock = threading.Lock()
        self._origins = Origins(self._new)
        self._shared = self._open(redis)
        self._address = _redact.url(redis or "")
        self._down = False

    def _open(self, url: str | None) -> SharedSlots | None:
        if url is None:
            if self._key is not None:
                raise ConfigurationError(f"RateLimit key={self._key!r} names a shared limit: pass redis=... too")
            return None
        if self._limit is None:
            raise ConfigurationError("RateLimit redis=... shares a limit: pass one too, such as per_second=5")
        with suppress(ImportError):
            from stubwire.plugins._redis import SharedSlots

            return SharedSlots(url, *self._limit)
        raise ConfigurationError("RateLimit redis=... needs the package redis: pip install 'stubwire[redis]'")

    def install(self, client: ApiClient) -> None:
        """Add the middleware that waits."""
        client.use(self._wait, per="attempt")

    async def _wait(self, request: Request, call_next: CallNext) -> Response:
        patience = Patience(request, self._max_wait)
        name = origin_of(request.url)
        origin = self._origins.of(name)
        if not self._adaptive or is_inside(origin):
            with waiting():
                await self._reserve(name, origin, patience)
            return await call_next(request)
        with waiting():
            flight = await self._depart(name, origin, patience)
        answer: Response | None = None
        try:
            with inside(origin):
                response = answer = await call_next(request)
        finally:
            origin.follower.answer(flight, answer, _clock.monotonic())
        return response

    def _new(self) -> _Origin:
        return _Origin(None if self._limit is None or self._shared is not None else Slots(*self._limit))

    # ---- the limit of our own

    async def _reserve(self, name: str, origin: _Origin, patience: Patience) -> bool:
        """Wait for a moment of our own limit; whether there was a wait."""
        if origin.slots is not None:
            slot = origin.slots.take(_clock.monotonic(), patience.longest())
        elif self._shared is not None:
            shared = await self._ask(self._shared, name, patience.longest())
            if shared is None:
                return False
            slot = shared
        else:
            return False
        if slot.at is None:
            raise _refusal(f"{self!r} is used up for {slot.wait:.1f} s", patience, slot.wait)
        if slot.wait <= 0:
            return False
        try:
            await sleep(slot.wait)
        except BaseException:
            if origin.slots is not None:
                origin.slots.give_back(slot.at)
            raise
        return True

    async def _ask(self, shared: SharedSlots, name: str, longest: float | None) -> Slot | None:
        """A moment of the shared limit; `None` if requests are sent without one."""
        limit = cast("tuple[int, float]", self._limit)
        slot = await shared.take(f"stubwire:rate-limit:{self._key or name}:{limit[1]:g}", longest)
        failure = slot if isinstance(slot, str) else ""
        self._hear(failure)
        if not isinstance(slot, str):
            return slot
        if self._allows:
            return None
        raise LimitExceededError(
            f"was not sent: Redis at {self._address}, which has the limit, does not answer ({slot})"
        )

    def _hear(self, failure: str) -> None:
        """Say once that Redis has gone, or has come back."""
        with self._lock:
            changed, self._down = self._down != bool(failure), bool(failure)
        if not changed:
            return
        if failure:
            does = "requests are sent without a limit" if self._allows else "no requests are sent"
            _logger.warning("RateLimit: Redis at %s does not answer (%s): %s", self._address, failure, does)
        else:
            _logger.info("RateLimit: Redis at %s answers again", self._address)

    # ---- the limit of the server

    async def _depart(self, name: str, origin: _Origin, patience: Patience) -> Flight:
        """Wait in line, and then for the limit of the server and our own."""
        place = origin.turn.ask(blocks=blocks())
        try:
            if place is not None and not (place.given.done() or await wait(place.given, patience.left())):
                raise _refusal("others have been waiting for the server", patience)
            return await self._both(name, origin, patience)
        finally:
            if place is not None:
                origin.turn.leave(place)

    async def _both(self, name: str, origin: _Origin, patience: Patience) -> Flight:
        """Wait for both limits; what the server allowed may have ended while our own was waited for."""
        while True:
            flight = await self._follow(origin.follower, patience)
            try:
                waited = await self._reserve(name, origin, patience)
            except BaseException:
                origin.follower.answer(flight, None, _clock.monotonic())
                raise
            if not waited or origin.follower.allows(flight, _clock.monotonic()):
                return flight
            origin.follower.answer(flight, None, _clock.monotonic())

    async def _follow(self, follower: Follower, patience: Patience) -> Flight:
        """Wait for the limit of the server."""
        changed: Future[None] | None = None
        while True:
            asked = follower.ask(_clock.monotonic(), blocks=blocks())
            if isinstance(asked, Flight):
                return asked
            if changed is None:
                changed = follower.changed
                continue  # an answer may have come before it was asked for
            longest = patience.longest()
            if longest is not None and longest < asked < math.inf:
                raise _refusal(f"the server allows no more requests for {asked:.1f} s", patience, asked)
            await wait(changed, _shorter(asked, patience.left()))
            if asked == math.inf and not changed.done() and _clock.monotonic() >= patience.until:
                raise _refusal("the server has not answered those before it", patience)
            changed = None

    def __repr__(self) -> str:
        """Show the limit."""
        return f"RateLimit({self._says or 'adaptive=True'})"


def _limit(stated: dict[str, float], burst: int | None, *, adaptive: bool) -> tuple[int, float] | None:
    """How many in how many seconds; `None` without a limit of our own."""
    for name, value in stated.items():
        _checks.amount(f"RateLimit {name}", value)
    if burst is not None:
        _checks.count("RateLimit burst", burst)
    if len(stated) > 1:
        raise ConfigurationError(f"RateLimit takes one of {' and '.join(stated)}: install one for each")
    if not stated and (burst is not None or not adaptive):
        raise ConfigurationError("RateLimit needs a limit such as per_second=5, or adaptive=True alone")
    for name, value in stated.items():
        count = burst or max(1, math.floor(value))
        window = count / value * _PERIODS[name]
        if window > _checks.MOST:
            raise ConfigurationError(f"RateLimit {name}={value!r} allows {count} in more than {_checks.MOST:g} s")
        return count, window
    return None


def _check_kinds(adaptive: object, key: object) -> None:
    if not isinstance(adaptive, bool):
        raise ConfigurationError(f"RateLimit adaptive={adaptive!r} must be True or False")
    if key is not None and (not isinstance(key, str) or not key):
        raise ConfigurationError(f"RateLimit key={key!r} must be a name, or None for the origin")


def _shorter(wait: float, longest: float | None) -> float | None:
    nearer = wait if longest is None else min(wait, longest)
    return None if nearer == math.inf else nearer


def _refusal(why: str, patience: Patience, wait: float = math.inf) -> LimitExceededError:
    return LimitExceededError(f"was not sent: {why}, {patience.why(wait)}")
