"""Rooms 2 to 9 of a call: intercept, middleware, retry, hops, send, judge, intercept, decode.

This module's rule: one asynchronous core for both colours. It awaits its runtime, the user's middleware and itself,
and nothing else.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Literal

from stubwire import _redact
from stubwire._call import Call
from stubwire._decode import narrowest, status_failure
from stubwire._fold import DEFAULT_KEY_HEADER
from stubwire._middleware import (
    Interceptors,
    RequestInterceptors,
    ResponseInterceptors,
    blame,
    compose,
    intercept_request,
    intercept_response,
    wrap,
)
from stubwire._response import Attempt, Response
from stubwire._streamed import body_of
from stubwire._url import redirect_target
from stubwire.errors import CallError, RedirectError, StubwireError
from stubwire.markers import UNSET
from stubwire.retry import IDEMPOTENT, NEVER_SENT, Decision, Outcome, may_have_acted

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from stubwire._plan import Plan
    from stubwire._pool import Pool
    from stubwire._request import Request
    from stubwire._runtime import Runtime
    from stubwire._streamed import Body
    from stubwire._types import CallNext, Middleware

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STOP = Decision(None)


class Core:
    """What a client and its views share: connections, interceptors and composed middleware."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.interceptors = Interceptors(RequestInterceptors(), ResponseInterceptors())
        self._around: dict[str, list[Middleware]] = {"call": [], "attempt": []}
        self._attempt_chain: CallNext = self._hops
        self._call_chain: CallNext = self._attempts

    def use(self, middleware: Middleware, per: Literal["call", "attempt"]) -> None:
        """Add a middleware inside the others of its kind."""
        self._around[per].append(middleware)
        self._attempt_chain = compose(self._around["attempt"], self._hops)
        self._call_chain = compose(self._around["call"], self._attempts)

    async def run(self, plan: Plan, request: Request, runtime: Runtime) -> Response[Any]:
        """Make a call.

        Raises:
            CallError: it did not give its result.
        """
        call = Call(plan, runtime, request)
        request._call = call
        try:
            response = await self._respond(call, request)
            result = None if response.status_code in plan.none_on else plan.decode(response)
        except CallError as error:
            call.dress(error)
            raise
        call.finish(response)
        response._data, response._assigned = result, False
        return response

    async def open(self, plan: Plan, request: Request, runtime: Runtime) -> Response[Any]:
        """Make a call whose response is read while it arrives: its body stays open, and its caller closes it.

        Raises:
            CallError: it brought no success.
        """
        kept: Body | None = None
        try:
            response = await self.run(plan, request, runtime)
            kept = body_of(response)
        finally:
            await _call_of(request).release(kept)
        return response

    async def _respond(self, call: Call, request: Request) -> Response[Any]:
        interceptors = self.interceptors
        outcome: Response[Any] | CallError
        try:
            if interceptors.request.functions:
                request = intercept_request(interceptors.request.functions, request)
            outcome = _judge(call, _own(call, await self._call_chain(request)))
        except CallError as error:
            outcome = error
        if interceptors.response.functions:
            _introduce(call, outcome)
            outcome = intercept_response(interceptors.response.functions, outcome)
        if isinstance(outcome, CallError):
            raise outcome
        return outcome

    # ---- room 4: retry is a loop

    async def _attempts(self, request: Request) -> Response[Any]:
        call = _call_of(request)
        call.request = request
        number = 0
        while True:
            number += 1
            sent = request._copy()
            sent.attempt = len(call.attempts) + 1
            sent._risks = []
            started = call.elapsed()
            outcome: Response[Any] | CallError
            try:
                outcome = await self._attempt_chain(sent)
            except CallError as error:
                outcome = error
            decision = _decide(call, sent, number, outcome)
            call.attempts.append(_attempt(sent, (started, call.elapsed()), outcome, decision.wait))
            if decision.wait is not None:
                if call.opened:
                    await call.release()
                await call.runtime.sleep(decision.wait)
                continue
            call.stopped = decision.reason
            if isinstance(outcome, CallError):
                raise outcome
            return outcome

    # ---- room 6: hops

    async def _hops(self, request: Request) -> Response[Any]:
        call = _call_of(request)
        response = await self._hop(call, request)
        if call.plan.follow_redirects and response.status_code in _REDIRECTS:
            return await self._follow(call, request, response)
        return response

    async def _follow(self, call: Call, request: Request, response: Response[Any]) -> Response[Any]:
        seen = {(request.method, request.url)}
        while response.status_code in _REDIRECTS and "location" in response.headers:
            if len(seen) > MAX_REDIRECTS:
                raise RedirectError(f"answered with more than {MAX_REDIRECTS} redirects")
            request = self._redirected(request, response)
            if (request.method, request.url) in seen:
                raise RedirectError(f"answered with a redirect back to {request.line}")
            seen.add((request.method, request.url))
            response = await self._hop(call, request)
        return response

    def _redirected(self, request: Request, response: Response[Any]) -> Request:
        """The request of the next hop (RFC 9110, section 15.4)."""
        target = redirect_target(request.url, response.headers["location"])
        has_body = request.content is not None or request._payload is not None
        onward = request.replace(url=target)
        becomes_get = request.method != "HEAD" if response.status_code == 303 else request.method == "POST"
        if becomes_get and response.status_code in (301, 302, 303):
            onward.method, onward.content, onward._payload = "GET", None, None
            has_body = False
            onward.headers.pop("content-type", None)
        library = self.pool.library
        if library.origin(target) != library.origin(request.url):
            if has_body:
                raise RedirectError(f"answered with a redirect of a body to another origin: {onward.line}")
            onward.headers.pop("host", None)  # it named the host before
        if onward._payload is not None and not _can_send_again(onward):
            raise RedirectError("answered with a redirect of a body that can be read only once")
        return onward

    async def _hop(self, call: Call, request: Request) -> Response[Any]:
        auth = call.plan.auth
        if auth is not None and self._origin(call.plan, request.url) == call.plan.origin:
            response = await wrap(auth, self._exchange, "auth")(request._copy())
        else:
            response = await self._exchange(request)
        response._request = request
        return response

    async def _exchange(self, request: Request) -> Response[Any]:
        """Send, without what is secret unless the origin is ours."""
        call = _call_of(request)
        plan = call.plan
        if request.content is not None:
            request._payload = None  # somebody gave it another body
        origin = self._origin(plan, request.url)
        trusted = origin == plan.origin
        if not trusted:
            request = _without_secrets(request, plan.secrets)
        sending = call.runtime.send(self.pool, request, plan, origin, trusted=trusted)
        try:
            response = await (sending if request.method in IDEMPOTENT else _watched(request, sending))
        except StubwireError:
            raise
        except Exception as error:  # of a transport, a hook, or an application behind one
            if request._payload is None or error is not request._payload.failure:
                blame(error, "transport", self.pool.library.name)
            raise
        if plan.streams:
            call.opened.append(body_of(response))
        return response

    def _origin(self, plan: Plan, url: str) -> str:
        """Where the engine will send a URL; whatever begins with our origin and a slash, it sends there."""
        return plan.origin if url.startswith(plan.origin + "/") else self.pool.library.origin(url)


async def _watched(request: Request, sending: Awaitable[Response[Any]]) -> Response[Any]:
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


def _call_of(request: Request) -> Call:
    if request._call is None:
        raise TypeError(
            "call_next was given a Request made by hand: pass the request that the middleware received, "
            "or request.replace(...) of it"
        )
    return request._call


def _attempt(
    sent: Request, span: tuple[float, float], outcome: Response[Any] | CallError, wait: float | None
) -> Attempt:
    started, ended = span
    if isinstance(outcome, Response):
        return Attempt(sent.attempt, started, ended - started, outcome.status_code, None, wait)
    return Attempt(sent.attempt, started, ended - started, None, type(outcome).__name__, wait)


def _decide(call: Call, sent: Request, number: int, outcome: Response[Any] | CallError) -> Decision:
    """Whether to try again; a success costs no more than its status, unless a predicate wants to see it."""
    plan = call.plan
    response, failure = (outcome, None) if isinstance(outcome, Response) else (None, outcome)
    if plan.retry is None or (response is not None and response.status_code < 400 and plan.retry.when is None):
        return _STOP
    key = (plan.key_header or DEFAULT_KEY_HEADER).lower()
    acted = next((method for method, pairs in sent._risks if all(name.lower() != key for name, _ in pairs)), "")
    idempotent = not acted and (sent.method in IDEMPOTENT or key in sent.headers)
    decision = plan.retry.decide(Outcome(sent, number, call.elapsed(), response, failure, idempotent, acted))
    if decision.wait is not None and not _can_send_again(sent):
        decision = Decision(None, "not retried: its body can be read only once, and was read")
    succeeded = response is not None and response.status_code < 400
    return _STOP if succeeded and decision.wait is None else decision


def _can_send_again(request: Request) -> bool:
    payload = request._payload
    return payload is None or payload.replayable or not payload.begun


def _own(call: Call, response: Response[Any]) -> Response[Any]:
    """The response as this call's own: what another call returned, perhaps from a cache, stays as it is."""
    request = response._request
    if request is None or request._call is call:
        return response
    twin = copy(response)
    if not twin._assigned:
        twin._data = UNSET  # its call decoded it
    return twin


def _judge(call: Call, response: Response[Any]) -> Response[Any] | CallError:
    """A status that is no success becomes its error."""
    status = response.status_code
    if 200 <= status < 300 or status in call.plan.none_on:
        return response
    return status_failure(response, narrowest(call.plan.errors, status), call.plan.codecs)


def _introduce(call: Call, outcome: Response[Any] | CallError) -> None:
    """Let interceptors see which call the outcome came from."""
    if isinstance(outcome, CallError):
        call.dress(outcome)
    else:
        call.finish(outcome)


def _without_secrets(request: Request, declared: frozenset[str]) -> Request:
    """The request as another origin may see it."""
    kept = request._copy()
    kept._pairs = tuple(
        (name, value) for name, value in kept._pairs if name.lower() not in declared and not _redact.is_secret(name)
    )
    return kept
