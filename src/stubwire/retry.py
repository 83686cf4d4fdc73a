"""When to try again: `Retry` and its backoffs.

This module's rule: pure decisions. `Retry.decide` says how long to wait, or why not to; the core does the waiting.
The waits themselves are tenacity's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar, runtime_checkable

from stubwire import _clock
from stubwire.errors import (
    CallError,
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    PoolTimeout,
    ProtocolError,
    TransportError,
)

if TYPE_CHECKING:
    from tenacity import RetryCallState
    from tenacity.stop import StopBaseT
    from tenacity.wait import WaitBaseT, wait_base

    from stubwire._headers import Headers
    from stubwire._request import Request
    from stubwire._response import Response

ANY_METHOD = frozenset({408, 425, 429, 503})
"""Statuses by which a server says that it did not act."""

IDEMPOTENT_ONLY = frozenset({500, 502, 504})
"""Statuses after which nobody knows whether it did."""

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""RFC 9110, section 9.2.2."""

NEVER_SENT = (ConnectError, ConnectTimeout, PoolTimeout)
"""Failures before the first byte."""

_NOT_ACTED = ANY_METHOD | {307, 308, 401}
"""Statuses after which a request may be sent again: as it was, elsewhere, or with credentials."""

S = TypeVar("S")
R = TypeVar("R")

_EPOCH = 1_000_000_000.0
"""A number at least this large is a date in seconds since 1970, not a duration."""


def _positive(name: str, value: object, *, zero: bool = False) -> None:
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
        raise ConfigurationError(f"{name}={value!r} must be a finite number {'from 0' if zero else 'above 0'}")


@runtime_checkable
class Backoff(Protocol):
    """Something that becomes one of tenacity's waits."""

    def wait(self) -> wait_base:
        """The wait."""
        ...


@dataclass(frozen=True, slots=True)
class ExponentialBackoff:
    """Wait `base` seconds, then `multiplier` times as long each time, up to `max_delay`.

    With `jitter` (the default) a wait is drawn evenly from zero to that.
    """

    base: float = 0.5
    multiplier: float = 2.0
    max_delay: float = 8.0
    jitter: bool = True

    def __post_init__(self) -> None:
        """Refuse what is no duration."""
        _positive("ExponentialBackoff base", self.base)
        _positive("ExponentialBackoff multiplier", self.multiplier)
        _positive("ExponentialBackoff max_delay", self.max_delay)

    def wait(self) -> wait_base:
        """As tenacity's wait."""
        from tenacity import wait_exponential, wait_random_exponential

        kind = wait_random_exponential if self.jitter else wait_exponential
        return kind(multiplier=self.base, exp_base=self.multiplier, max=self.max_delay)


@dataclass(frozen=True, slots=True)
class LinearBackoff:
    """Wait `base` seconds, then `increment` more each time, up to `max_delay`."""

    base: float = 0.5
    increment: float = 0.5
    max_delay: float = 8.0

    def __post_init__(self) -> None:
        """Refuse what is no duration."""
        _positive("LinearBackoff base", self.base, zero=True)
        _positive("LinearBackoff increment", self.increment, zero=True)
        _positive("LinearBackoff max_delay", self.max_delay)

    def wait(self) -> wait_base:
        """As tenacity's wait."""
        from tenacity import wait_incrementing

        return wait_incrementing(start=self.base, increment=self.increment, max=self.max_delay)


@dataclass(frozen=True, slots=True)
class FixedDelay:
    """Wait `delay` seconds each time."""

    delay: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no duration."""
        _positive("FixedDelay delay", self.delay, zero=True)

    def wait(self) -> wait_base:
        """As tenacity's wait."""
        from tenacity import wait_fixed

        return wait_fixed(self.delay)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to.

    Attributes:
        request: as it was sent.
        number: of the attempt, from 1.
        elapsed: seconds since the start of the call.
        response: what came back, or `None`.
        error: what failed, or `None`.
        idempotent: whether sending the request again is safe, by its method or by its idempotency key.
        acted: the method of a request that went out in this attempt, is not safe to send again, and that the server
            may have acted on; empty if there is none. A redirect or a middleware may have failed after it.
    """

    request: Request
    number: int
    elapsed: float
    response: Response | None
    error: CallError | None
    idempotent: bool
    acted: str = ""


class Decision(NamedTuple):
    """Whether to try again.

    Attributes:
        wait: seconds until the next attempt, or `None` to stop.
        reason: why to stop; empty where there is nothing to explain.
    """

    wait: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When and how often to try again.

    Attributes:
        max_retries: attempts after the first.
        backoff: how long to wait, also as one of tenacity's waits.
        stop: one of tenacity's stops, beside `max_retries`: whichever is reached first ends the retries.
        retry_after_max: the longest `Retry-After` to honour, in seconds; a longer one ends the retries.
        when: decides instead of the rules, or returns `None` to fall back to them.
    """

    max_retries: int = 2
    backoff: Backoff | WaitBaseT = field(default_factory=ExponentialBackoff)
    stop: StopBaseT | None = None
    retry_after_max: float = 60.0
    when: Callable[[Outcome], bool | None] | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot decide."""
        if type(self.max_retries) is not int or self.max_retries < 0:
            raise ConfigurationError(f"Retry max_retries={self.max_retries!r} must be a whole number from 0")
        _positive("Retry retry_after_max", self.retry_after_max, zero=True)
        if not (isinstance(self.backoff, Backoff) or callable(self.backoff)):
            raise ConfigurationError(
                f"Retry backoff={self.backoff!r} must be a backoff or one of tenacity's waits: write FixedDelay(1.0)"
            )
        if not (self.stop is None or callable(self.stop)):
            raise ConfigurationError(f"Retry stop={self.stop!r} must be one of tenacity's stops: see max_retries")
        if not (self.when is None or callable(self.when)):
            raise ConfigurationError(f"Retry when={self.when!r} must be a function of an Outcome")

    def decide(self, outcome: Outcome) -> Decision:
        """Whether to try again after this outcome, and when.

        Raises:
            ConfigurationError: the backoff gave no duration.
        """
        wanted, reason = self._wanted(outcome)
        if not wanted:
            return Decision(None, reason)
        if outcome.number > self.max_retries:
            return Decision(None, f"not retried: max_retries={self.max_retries} is used up")
        wait = retry_after(outcome.response.headers) if outcome.response else None
        if wait is not None and wait > self.retry_after_max:
            limit = f"retry_after_max={self.retry_after_max:g}"
            return Decision(None, f"not retried: the server asked to wait {wait:.0f} s, longer than {limit}")
        state = _state(outcome)
        if wait is None:
            wait = self._delay(state)
        state.upcoming_sleep = wait
        if self.stop is not None and _ask(self.stop, state, "stop"):
            return Decision(None, "not retried: the stop says so")
        return Decision(wait)

    def _wanted(self, outcome: Outcome) -> tuple[bool, str]:
        verdict = None if self.when is None else _ask(self.when, outcome, "predicate")
        if verdict is not None:
            return verdict, "not retried: the `when` predicate says so"
        wanted, reason = _by_the_rules(outcome)
        return (False, _may_have_acted(outcome.acted)) if wanted and outcome.acted else (wanted, reason)

    def _delay(self, state: RetryCallState) -> float:
        wait = self.backoff.wait() if isinstance(self.backoff, Backoff) else self.backoff
        delay = float(_ask(wait, state, "backoff"))
        if not math.isfinite(delay):
            raise ConfigurationError(f"Retry backoff gave a wait of {delay} seconds: it must be a finite number")
        return max(0.0, delay)


def _ask(function: Callable[[S], R], argument: S, what: str) -> R:
    """Call a function of the user's own; an error of its own says where it came from."""
    try:
        return function(argument)
    except Exception as error:
        name = getattr(function, "__qualname__", None) or type(function).__qualname__
        note = f"raised in the retry {what} {name.rpartition('<locals>.')[2]!r}"
        if note not in getattr(error, "__notes__", ()):  # the same object may be raised again
            error.add_note(note)
        raise


def may_have_acted(response: Response) -> bool:
    """Whether a server may have acted on the request that it answered so."""
    if response.status_code in _NOT_ACTED:
        return False
    return response.status_code < 400 or response.headers.get("x-should-retry", "").strip().lower() != "true"


def _by_the_rules(outcome: Outcome) -> tuple[bool, str]:
    """Whether to try again by what the attempt ended with, and why not."""
    method = outcome.acted or outcome.request.method
    if outcome.response is not None:
        return _status_wanted(outcome.response, idempotent=outcome.idempotent, method=method)
    if isinstance(outcome.error, NEVER_SENT):
        return True, ""
    if isinstance(outcome.error, TransportError) and not isinstance(outcome.error, ProtocolError):
        return outcome.idempotent, _may_have_acted(method)
    return False, ""


def _status_wanted(response: Response, *, idempotent: bool, method: str) -> tuple[bool, str]:
    said = response.headers.get("x-should-retry", "").strip().lower()
    if said in ("true", "false"):
        return said == "true", "not retried: the server answered x-should-retry: false"
    if response.status_code in ANY_METHOD:
        return True, ""
    if response.status_code in IDEMPOTENT_ONLY:
        return idempotent, _may_have_acted(method)
    return False, ""


def _may_have_acted(method: str) -> str:
    return f"not retried: the server may have acted on this {method}, which has no idempotency key"


def _state(outcome: Outcome) -> RetryCallState:
    """The outcome as tenacity's waits and stops read it."""
    from tenacity import Future, RetryCallState, Retrying

    state = RetryCallState(retry_object=Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = outcome.number
    state.start_time = 0.0
    state.outcome_timestamp = outcome.elapsed
    state.outcome = Future(outcome.number)
    if outcome.error is not None:
        state.outcome.set_exception(outcome.error)
    else:
        state.outcome.set_result(outcome.response)
    return state


def retry_after(headers: Headers) -> float | None:
    """Seconds that a server asked to wait, or `None` if it did not, or not in a way that can be read.

    `retry-after-ms` is read first, then `Retry-After` (RFC 9110, section 10.2.3: seconds or a date), then
    `X-RateLimit-Reset` if `X-RateLimit-Remaining` is 0. A date that is past counts as 0.
    """
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    if (seconds := _seconds(headers.get("retry-after", ""))) is not None:
        return seconds
    if headers.get("x-ratelimit-remaining", "").strip() == "0":
        return _seconds(headers.get("x-ratelimit-reset", ""))
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 and "_" not in text else None


def _seconds(text: str) -> float | None:
    number = _number(text)
    if number is not None:
        return number if number < _EPOCH else max(0.0, number - _clock.now())
    try:
        date = parsedate_to_datetime(text)
        return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - _clock.now())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
