"""When to try again: `Retry`.

This module's rule: pure decisions. `Retry.decide` says how long to wait, or why not to; the core does the waiting.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from stubwire._backoffs import Backoff, ExponentialBackoff, FixedDelay, LinearBackoff, check_duration
from stubwire.errors import (
    CallError,
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    PoolTimeout,
    ProtocolError,
    TransportError,
)
from stubwire.markers import UNSET, Unset

if TYPE_CHECKING:
    from tenacity import RetryCallState
    from tenacity.stop import StopBaseT
    from tenacity.wait import WaitBaseT

    from stubwire._budget import RetryBudget
    from stubwire._request import Request
    from stubwire._response import Response

__all__ = ["Backoff", "Decision", "ExponentialBackoff", "FixedDelay", "LinearBackoff", "Outcome", "Retry"]

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


def _check_budget(budget: object) -> None:
    from stubwire._budget import RetryBudget

    if not isinstance(budget, RetryBudget):
        raise ConfigurationError(f"Retry budget={budget!r} must be a RetryBudget, or None for no limit")


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
        budget: what the retries of failures are paid from; unset is the client's own, one for each origin, `None` is
            unlimited.
    """

    max_retries: int = 2
    backoff: Backoff | WaitBaseT = field(default_factory=ExponentialBackoff)
    stop: StopBaseT | None = None
    retry_after_max: float = 60.0
    when: Callable[[Outcome], bool | None] | None = None
    budget: RetryBudget | Unset | None = UNSET

    def __post_init__(self) -> None:
        """Refuse what cannot decide."""
        if type(self.max_retries) is not int or self.max_retries < 0:
            raise ConfigurationError(f"Retry max_retries={self.max_retries!r} must be a whole number from 0")
        check_duration("Retry retry_after_max", self.retry_after_max, zero=True)
        if not (isinstance(self.backoff, Backoff) or callable(self.backoff)):
            raise ConfigurationError(
                f"Retry backoff={self.backoff!r} must be a backoff or one of tenacity's waits: write FixedDelay(1.0)"
            )
        if not (self.stop is None or callable(self.stop)):
            raise ConfigurationError(f"Retry stop={self.stop!r} must be one of tenacity's stops: see max_retries")
        if not (self.when is None or callable(self.when)):
            raise ConfigurationError(f"Retry when={self.when!r} must be a function of an Outcome")
        if self.budget is not None and self.budget is not UNSET:
            _check_budget(self.budget)

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
        wait = _asked(outcome.response)
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


def _asked(response: Response | None) -> float | None:
    """Seconds that the server asked to wait, where it did."""
    if response is None:
        return None
    from stubwire._retry_after import retry_after

    return retry_after(response.headers)


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
        return outcome.error._heals, "not retried: a certificate that is refused once is refused again"
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
