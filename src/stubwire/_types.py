"""The shapes that users plug in: middleware, interceptors, auth, transports.

This module's rule: protocols and aliases, no behaviour.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Never, Protocol, TypeAlias, runtime_checkable

from stubwire._request import Request
from stubwire._response import Response
from stubwire.errors import CallError

if TYPE_CHECKING:
    from stubwire.client import ApiClient

CallNext: TypeAlias = Callable[[Request], Awaitable[Response]]
"""What a middleware awaits to go on: `await call_next(request)`."""

Middleware: TypeAlias = Callable[[Request, CallNext], Awaitable[Response]]
"""`async def middleware(request, call_next) -> Response`, around a call or around each attempt."""

RequestInterceptor: TypeAlias = Callable[[Request], Request | None]
"""Changes a request in place and returns `None`, or returns another."""

ResponseInterceptor: TypeAlias = Callable[[Response], Response | None]
"""Changes a successful response in place and returns `None`, or returns another."""

RejectedInterceptor: TypeAlias = Callable[[CallError], Response | None]
"""Sees a failed call; a response that it returns stands for it, `None` lets the error go on."""


class Auth(Protocol):
    """Puts credentials on a request: the innermost middleware, run only where the request's origin is allowed.

    It may have the attributes `names` and `query_names`: the headers and the query parameters that it sets, which are
    then redacted wherever they show.
    """

    def __call__(self, request: Request, call_next: CallNext, /) -> Awaitable[Response]:
        """Set, never append, the credentials, and go on: `return await call_next(request)`."""
        ...


class HttpAuth(Protocol):
    """An `Auth` of httpx or httpx2, or of a package that builds on one: digest, AWS signatures, Kerberos."""

    def sync_auth_flow(self, request: Never, /) -> object:
        """Yield engine requests, and take engine responses."""

    def async_auth_flow(self, request: Never, /) -> object:
        """The same, asynchronously."""


class Plugin(Protocol):
    """Something that installs interceptors and middleware."""

    def install(self, client: ApiClient, /) -> None:
        """Install them on a client."""


@runtime_checkable
class Transport(Protocol):
    """A synchronous transport of httpx or httpx2."""

    def handle_request(self, request: Never, /) -> object:
        """Send one engine request and return the engine's response."""


@runtime_checkable
class AsyncTransport(Protocol):
    """An asynchronous transport of httpx or httpx2."""

    async def handle_async_request(self, request: Never, /) -> object:
        """Send one engine request and return the engine's response."""


class HttpClient(Protocol):
    """A `Client` or `AsyncClient` of httpx or httpx2."""

    def send(self, request: Never) -> object:
        """Send one engine request."""
