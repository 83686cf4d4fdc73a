"""Who pays for a retry: a client's own budgets, one for each origin, or the one that its `Retry` names.

This module's rule: pure. A retry is paid for when it is decided, before its wait, so that tasks which fail together
cannot all count on the same tokens; a wait that is cancelled gives nothing back.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from stubwire._budget import RetryBudget
from stubwire.errors import (
    CallError,
    ConnectTimeout,
    PoolTimeout,
    ProtocolError,
    ReadTimeout,
    TimeoutError,
    WriteTimeout,
)
from stubwire.markers import UNSET, Unset
from stubwire.retry import Decision

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from stubwire._call import Call
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._response import Response

_MOST = 1000
"""Origins whose budgets are kept; a client of one API has one, a sender of webhooks may have any number."""

_TIMEOUTS = {kind.__name__ for kind in (TimeoutError, ConnectTimeout, ReadTimeout, WriteTimeout, PoolTimeout)}


class Budgets:
    """The budgets of a client and its views; there is none before the first retry."""

    def __init__(self, origin: Callable[[Plan, str], str]) -> None:
        self._origin = origin
        self._own: dict[str, RetryBudget] = {}
        self._lock = threading.Lock()

    def settle(self, call: Call, sent: Request, outcome: Response[Any] | CallError, decision: Decision) -> Decision:
        """The decision, if its retry can be paid for; a success earns instead.

        A success that a predicate wants to see again, as one that polls, neither costs nor earns.
        """
        retry = call.plan.retry
        waits = decision.wait is not None
        if retry is None or not (waits or self._own or retry.budget is not UNSET):
            return decision  # nothing was taken that could be given back
        if retry.budget is None or _failed(call, outcome) is not waits:
            return decision
        if waits:
            return self._pay(call, sent, retry.budget, decision)
        if not any(attempt.error in _TIMEOUTS for attempt in call.attempts):
            self._earn(call, sent, retry.budget)
        return decision

    def _pay(self, call: Call, sent: Request, budget: RetryBudget | Unset, decision: Decision) -> Decision:
        if not isinstance(budget, Unset):
            return decision if budget._take() else Decision(None, "not retried: the budget of its Retry is empty")
        origin = self._origin_of(call, sent)
        if self._of(origin)._take():
            return decision
        return Decision(None, f"not retried: the retry budget of {origin} is empty")

    def _earn(self, call: Call, sent: Request, budget: RetryBudget | Unset) -> None:
        found = self._own.get(self._origin_of(call, sent)) if isinstance(budget, Unset) else budget
        if found is not None:
            found._give()

    def _of(self, origin: str) -> RetryBudget:
        with self._lock:
            budget = self._own.pop(origin, None) or RetryBudget()
            if len(self._own) >= _MOST:
                del self._own[next(iter(self._own))]  # the one that was paid from longest ago
            self._own[origin] = budget
            return budget

    def _origin_of(self, call: Call, sent: Request) -> str:
        try:
            return self._origin(call.plan, sent.url)
        except ProtocolError:  # a middleware answers for a URL that only it can read
            return call.plan.origin


def _failed(call: Call, outcome: Response[Any] | CallError) -> bool:
    if isinstance(outcome, CallError):
        return True
    return outcome.status_code >= 400 and outcome.status_code not in call.plan.none_on
