"""Rooms 2 to 9 of a call: intercept, middleware, retry, hops, send, judge, intercept, decode.

This module's rule: one asynchronous core for both colours. It awaits its runtime, the user's middleware and itself,
and nothing else.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Literal

from stubwire import _redact
from stubwire._attempts import as_limited, decide, record, watched
from stubwire._call import Call
from stubwire._deadline import Until, limit_of
from stubwire._decode import narrowest, status_failure
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
from stubwire._streamed import body_of
from stubwire.errors import CallError, StubwireError
from stubwire.markers import UNSET
from stubwire.retry import IDEMPOTENT

if TYPE_CHECKING:
    from stubwire._limits import Limit
    from stubwire._plan import Plan
    from stubwire._pool import Pool
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._runtime import Runtime
    from stubwire._streamed import Body
    from stubwire._types import CallNext, Middleware


_TRACE = frozenset({"traceparent", "tracestate", "baggage", "b3", "uber-trace-id", "x-amzn-trace-id"})
"""Headers that tell of the caller's own traces (W3C, B3, Jaeger, AWS X-Ray), which are for our origins alone."""
_TRACES = ("x-b3-", "uberctx-", "ot-tracer-", "ot-baggage-", "x-datadog-", "x-cloud-trace-")
"""How others of them begin."""


class Core:
    """What a client and its views share: connections, retry budgets, interceptors and composed middleware."""

    def __init__(self, pool: Pool) -> None:
        from stubwire._budgets import Budgets

        self.pool = pool
        self._budgets = Budgets(self._origin)
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
        call.limit = limit_of(plan)
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
            limit = call.limit
            answering = self._call_chain(request) if limit is None else self._within(call, limit, request)
            outcome = _judge(call, _own(call, await answering))
        except CallError as error:
            outcome = error
        if interceptors.response.functions:
            _introduce(call, outcome)
            outcome = intercept_response(interceptors.response.functions, outcome)
        if isinstance(outcome, CallError):
            raise outcome
        return outcome

    async def _within(self, call: Call, limit: Limit, request: Request) -> Response[Any]:
        """Go through the middleware, or be ended by the limit; calls that are made on the way share it."""
        limit.check()
        with Until(limit.deadline), call.runtime.within(limit):
            return await self._call_chain(request)
        raise limit.failure()

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
            call.begun = (sent.attempt, started)
            outcome: Response[Any] | CallError
            try:
                outcome = await self._attempt_chain(sent)
            except CallError as error:
                outcome = as_limited(call, error)
            decision = self._budgets.settle(call, sent, outcome, decide(call, sent, number, outcome))
            call.begun = None
            call.attempts.append(record(sent, (started, call.elapsed()), outcome, decision.wait))
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
        if call.plan.follow_redirects and 300 <= response.status_code < 400:
            return await self._follow(call, request, response)
        return response

    async def _follow(self, call: Call, request: Request, response: Response[Any]) -> Response[Any]:
        from stubwire._redirects import Redirects

        way = Redirects(request, self.pool.library.origin)
        while (onward := way.next(response)) is not None:
            response = await self._hop(call, onward)
        return response

    async def _hop(self, call: Call, request: Request) -> Response[Any]:
        auth = call.plan.auth
        if auth is not None and self._origin(call.plan, request.url) in call.plan.origins:
            response = await wrap(auth, self._exchange, "auth")(request._copy())
        else:
            response = await self._exchange(request)
        response._request = request
        return response

    async def _exchange(self, request: Request) -> Response[Any]:
        """Send, without what is secret unless it may go to the origin; the user's own client has its secrets for us."""
        call = _call_of(request)
        plan = call.plan
        if request.content is not None:
            request._payload = None  # somebody gave it another body
        origin = self._origin(plan, request.url)
        trusted = origin in plan.origins
        if not trusted:
            request = _without_secrets(request, plan.secrets | _TRACE)
        sending = call.runtime.send(self.pool, request, plan, origin, trusted=trusted and bool(plan.origin))
        try:
            response = await (sending if request.method in IDEMPOTENT else watched(request, sending))
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


def _call_of(request: Request) -> Call:
    if request._call is None:
        raise TypeError(
            "call_next was given a Request made by hand: pass the request that the middleware received, "
            "or request.replace(...) of it"
        )
    return request._call


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
        (name, value)
        for name, value in kept._pairs
        if not (name.lower() in declared or name.lower().startswith(_TRACES) or _redact.is_secret(name))
    )
    return kept
