"""What one attempt came to, and whether another follows it.

This module's rule: it decides, and the core sends and waits. The first attempt that succeeds costs no more than a look
at its status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stubwire._fold import DEFAULT_KEY_HEADER
from stubwire._response import Attempt, Response
from stubwire.errors import CallError, CancelError, DeadlineExceeded, TransportError
from stubwire.retry import IDEMPOTENT, NEVER_SENT, Decision, Outcome, may_have_acted

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from stubwire._call import Call
    from stubwire._request import Request

_STOP = Decision(None)


def decide(call: Call, sent: Request, number: int, outcome: Response[Any] | CallError) -> Decision:
    """Whether to try again; a success costs no more than its status, unless a predicate wants to see it."""
    plan = call.plan
    response, failure = (outcome, None) if isinstance(outcome, Response) else (None, outcome)
    if plan.retry is None or (response is not None and response.status_code < 400 and plan.retry.when is None):
        return _STOP
    if isinstance(failure, (CancelError, DeadlineExceeded)):
        return _STOP
    key = (plan.key_header or DEFAULT_KEY_HEADER).lower()
    acted = next((method for method, pairs in sent._risks if all(name.lower() != key for name, _ in pairs)), "")
    idempotent = not acted and (sent.method in IDEMPOTENT or key in sent.headers)
    decision = plan.retry.decide(Outcome(sent, number, call.elapsed(), response, failure, idempotent, acted))
    if decision.wait is not None and not _fits(call, decision.wait):
        reason = f"not retried: a wait of {decision.wait:.1f} s does not fit in what is left of the deadline"
        decision = Decision(None, reason)
    if decision.wait is not None and not can_send_again(sent):
        decision = Decision(None, "not retried: its body can be read only once, and was read")
    succeeded = response is not None and response.status_code < 400
    return _STOP if succeeded and decision.wait is None else decision


def _fits(call: Call, wait: float) -> bool:
    left = None if call.limit is None else call.limit.remaining()
    return left is None or wait < left


def can_send_again(request: Request) -> bool:
    """Whether the body is still there."""
    payload = request._payload
    return payload is None or payload.replayable or not payload.begun


def as_limited(call: Call, error: CallError) -> CallError:
    """What the limit of a call cut short ends with the limit's own error: a timeout, or a call made on the way."""
    limit = call.limit
    if limit is None or not isinstance(error, (TransportError, CancelError)) or not limit.reached():
        return error
    if error._request is None and isinstance(error, (DeadlineExceeded, CancelError)):
        return error  # which is what it is already
    failure = limit.failure()
    failure.__cause__ = error
    return failure


def record(sent: Request, span: tuple[float, float], outcome: Response[Any] | CallError, wait: float | None) -> Attempt:
    """The attempt as users see it."""
    started, ended = span
    if isinstance(outcome, Response):
        return Attempt(sent.attempt, started, ended - started, outcome.status_code, None, wait)
    return Attempt(sent.attempt, started, ended - started, None, type(outcome).__name__, wait)


async def watched(request: Request, sending: Awaitable[Response[Any]]) -> Response[Any]:
    """Remember for this attempt what is not safe to send again, unless it never left, or was not acted on.

    The status or the failure that an attempt ends with may be that of a later hop, or of another call.
    """
    risk = (request.method, request._sent_pairs())
    request._risks.append(risk)
    try:
        response = await sending
    except NEVER_SENT:
        request._risks.remove(risk)
        raise
    if not may_have_acted(response):
        request._risks.remove(risk)
    return response
