"""The correlation id: one for each request the service receives, sent with every request that it causes.

Two middlewares share a context variable. The web framework's sets it; stubwire's reads it. Each request is served in
a context of its own, and what FastAPI runs in a worker thread inherits that context, so requests served at the same
time never see each other's id, in `async def` and in `def` handlers alike.
"""

import re
from contextvars import ContextVar
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from stubwire import CallNext, Request, Response

CORRELATION_HEADER = "X-Correlation-ID"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")

correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)


class CorrelationIdMiddleware:
    """Give each HTTP request a correlation id, its own if it brought a sane one, and name it in the answer.

    Plain ASGI: it calls the application in the same task, which is what lets the context variable through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        brought = Headers(scope=scope).get(CORRELATION_HEADER, "")
        value = brought if ACCEPTED.fullmatch(brought) else uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[CORRELATION_HEADER] = value
            await send(message)

        token = correlation_id.set(value)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            correlation_id.reset(token)


async def tracing_middleware(request: Request, call_next: CallNext) -> Response:
    """Send the correlation id of the request being served; outside of one, send none."""
    if (value := correlation_id.get()) is not None:
        request.headers[CORRELATION_HEADER] = value
    return await call_next(request)
