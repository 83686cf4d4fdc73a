"""What one call knows while it runs.

This module's rule: one owner for it, which the request carries; nothing about a call lives on the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stubwire import _clock
from stubwire._response import Response

if TYPE_CHECKING:
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._response import Attempt
    from stubwire._runtime import Runtime
    from stubwire._streamed import Body
    from stubwire.errors import CallError


class Call:
    """One call.

    Attributes:
        plan: what was known before the arguments.
        runtime: the effects of its colour.
        started: on the monotonic clock, in seconds.
        request: the latest request that the middleware let through.
        url: of the request as it was bound, encoded and valid.
        attempts: what was tried so far.
        opened: bodies that were left open for a stream.
        stopped: why there was no further attempt; empty where there is nothing to explain.
    """

    __slots__ = ("attempts", "opened", "plan", "request", "runtime", "started", "stopped", "url")

    def __init__(self, plan: Plan, runtime: Runtime, request: Request) -> None:
        self.plan = plan
        self.runtime = runtime
        self.request = request
        self.url = request.url
        self.started = _clock.monotonic()
        self.attempts: list[Attempt] = []
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

    def dress(self, error: CallError) -> CallError:
        """Tell an error which call it came from, once: one that another call raised keeps its own."""
        if error._request is None:
            response: Response[Any] | None = getattr(error, "response", None)
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
