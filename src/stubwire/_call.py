"""What one call knows while it runs.

This module's rule: one owner for it, which the request carries; nothing about a call lives on the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stubwire import _clock
from stubwire._response import Attempt, Response
from stubwire.errors import DeadlineExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stubwire._limits import Limit
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._runtime import Runtime
    from stubwire._streamed import Body
    from stubwire.errors import CallError


_WORTH_SAYING = 0.005
"""Seconds that are not nothing when they are shown with two digits."""


def _spent(attempts: list[Attempt], elapsed: float) -> Iterator[str]:
    """Where the time of a call went."""
    before = attempts[0].started if attempts else elapsed
    if before >= _WORTH_SAYING:
        yield f"what ran before the first attempt: {before:.2f} s"
    for attempt in attempts:
        yield f"attempt {attempt.number} ({attempt.status_code or attempt.error}): {attempt.elapsed:.2f} s"
        if attempt.wait is not None:
            yield f"a wait of {attempt.wait:.2f} s"
    last = attempts[-1] if attempts else None
    if last is not None and (after := elapsed - last.started - last.elapsed - (last.wait or 0.0)) >= _WORTH_SAYING:
        yield f"what ran after the last attempt: {after:.2f} s"


class Call:
    """One call.

    Attributes:
        plan: what was known before the arguments.
        runtime: the effects of its colour.
        started: on the monotonic clock, in seconds.
        request: the latest request that the middleware let through.
        url: of the request as it was bound, encoded and valid.
        attempts: what was tried so far.
        limit: until when it may go on; `None` without a deadline and a token.
        begun: number and start of the attempt that is being made, or `None` between attempts.
        opened: bodies that were left open for a stream.
        stopped: why there was no further attempt; empty where there is nothing to explain.
    """

    __slots__ = ("attempts", "begun", "limit", "opened", "plan", "request", "runtime", "started", "stopped", "url")

    def __init__(self, plan: Plan, runtime: Runtime, request: Request) -> None:
        self.plan = plan
        self.runtime = runtime
        self.request = request
        self.url = request.url
        self.started = _clock.monotonic()
        self.attempts: list[Attempt] = []
        self.limit: Limit | None = None
        self.begun: tuple[int, float] | None = None
        self.opened: list[Body] = []
        self.stopped = ""

    def elapsed(self) -> float:
        """Seconds since the start."""
        return _clock.monotonic() - self.started

    def finish(self, response: Response[Any]) -> Response[Any]:
        """Tell a response which call it came from."""
        response._request = response._request or self.request
        response.attempts = tuple(self.attempts)
        response.elapsed = _clock.monotonic() - self.started
        return response

    async def release(self, kept: Body | None = None) -> None:
        """Close the bodies that were left open, but for one."""
        for body in self.opened:
            if body is not kept:
                await self.runtime.release(body)
        self.opened = []

    def _account(self, error: CallError) -> None:
        """Say where the time went, if that is what ended the call."""
        if self.begun is not None:
            number, started = self.begun
            self.attempts.append(Attempt(number, started, self.elapsed() - started, None, type(error).__name__))
            self.begun = None
        if isinstance(error, DeadlineExceeded) and (spent := ", ".join(_spent(self.attempts, self.elapsed()))):
            error.add_note(f"the time went into {spent}")

    def dress(self, error: CallError) -> CallError:
        """Tell an error which call it came from, once: one that another call raised keeps its own."""
        if error._request is None:
            response: Response[Any] | None = getattr(error, "response", None)
            self._account(error)
            error._request = self.request._redacted()
            error.endpoint = self.plan.name
            error.attempts = tuple(self.attempts)
            error.elapsed = self.elapsed()
            if isinstance(response, Response):
                error.request_id = response.request_id
                self.finish(response)
            if self.stopped:
                error.add_note(self.stopped)
        return error
