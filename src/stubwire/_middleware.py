"""Interceptors, and middleware composed into one function.

This module's rule: lists in order of use; what is frozen into tuples and closures here is only called elsewhere.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, cast

from stubwire._request import Request
from stubwire._response import Response
from stubwire.errors import CallError, StubwireError

if TYPE_CHECKING:
    from stubwire._types import (
        CallNext,
        Middleware,
        RejectedInterceptor,
        RequestInterceptor,
        ResponseInterceptor,
    )

E = TypeVar("E")
R = TypeVar("R")
S = TypeVar("S")


class Handle:
    """What `use` returned, for `eject`."""


class _Registry(Generic[E]):
    """Functions in order of use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[Handle, E] = {}
        self.functions: tuple[E, ...] = ()

    def _add(self, entry: E) -> Handle:
        handle = Handle()
        with self._lock:
            self._entries[handle] = entry
            self.functions = tuple(self._entries.values())
        return handle

    def eject(self, handle: Handle) -> None:
        """Remove what `use` returned this handle for; a second time is no error."""
        with self._lock:
            self._entries.pop(handle, None)
            self.functions = tuple(self._entries.values())


class RequestInterceptors(_Registry["RequestInterceptor"]):
    """Interceptors of requests, once per call, before the middleware."""

    def use(self, function: RequestInterceptor) -> Handle:
        """Add an interceptor: it changes the request in place, or returns another."""
        return self._add(function)


class ResponseInterceptors(_Registry["tuple[ResponseInterceptor | None, RejectedInterceptor | None]"]):
    """Interceptors of responses, once per call, after the middleware."""

    def use(self, function: ResponseInterceptor | None, rejected: RejectedInterceptor | None = None) -> Handle:
        """Add an interceptor.

        Args:
            function: for successes; changes the response in place, or returns another.
            rejected: for failures; a response that it returns goes on as a success, `None` keeps the error.
        """
        return self._add((function, rejected))


class Interceptors(NamedTuple):
    """A client's interceptors, shared by its views."""

    request: RequestInterceptors
    response: ResponseInterceptors


def name_of(function: object) -> str:
    """A function's name, for messages."""
    if isinstance(function, str):
        return function
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return name.rpartition("<locals>.")[2]


def blame(error: Exception, kind: str, function: object) -> None:
    """Note on a user's own error which of their functions it came from."""
    note = f"raised in the {kind} {name_of(function)!r}"
    if not any(text.startswith("raised in the ") for text in getattr(error, "__notes__", ())):
        error.add_note(note)


def compose(middleware: Sequence[Middleware], last: CallNext) -> CallNext:
    """The middleware as one function; the first is outermost."""
    for function in reversed(middleware):
        last = wrap(function, last, "middleware")
    return last


def wrap(function: Middleware, call_next: CallNext, kind: str) -> CallNext:
    """A function of the user's own around the next one; what goes wrong in it says where."""

    async def call(request: Request) -> Response:
        try:
            response = await function(request, call_next)
        except StubwireError:
            raise
        except Exception as error:
            blame(error, kind, function)
            raise
        returned = cast("object", response)
        if not isinstance(returned, Response):
            if inspect.iscoroutine(returned):
                returned.close()
            raise TypeError(
                f"the {kind} {name_of(function)!r} returned {type(returned).__name__}, not a Response: "
                "write `return await call_next(request)`"
            )
        return response

    return call


def intercept_request(functions: Sequence[RequestInterceptor], request: Request) -> Request:
    """Run the request interceptors."""
    for function in functions:
        try:
            request = _or_same(function(request), request, Request, function)
        except Exception as error:
            if not isinstance(error, StubwireError):
                blame(error, "interceptor", function)
            raise
        if request._call is None:
            raise TypeError(
                f"the interceptor {name_of(function)!r} returned a Request made by hand: change the request in place "
                "and return None, or return request.replace(...)"
            )
    return request


def intercept_response(
    entries: Sequence[tuple[ResponseInterceptor | None, RejectedInterceptor | None]], outcome: Response | CallError
) -> Response | CallError:
    """Run the response interceptors: each sees what the one before it made of the outcome."""
    for function, rejected in entries:
        try:
            if isinstance(outcome, Response):
                if function is not None:
                    outcome = _or_same(function(outcome), outcome, Response, function)
            elif rejected is not None:
                outcome = _or_same(rejected(outcome), outcome, Response, rejected)
        except CallError as error:
            outcome = error
        except Exception as error:
            blame(error, "interceptor", function or rejected)
            raise
    return outcome


def _or_same(returned: R | None, same: S, kind: type, function: object) -> R | S:
    """What an interceptor returned; `None` means that it changed the same object in place, or left it."""
    if returned is None:
        return same
    if isinstance(returned, kind):
        return returned
    advice = f"change the {kind.__name__.lower()} in place and return None, or return another {kind.__name__}"
    if inspect.iscoroutine(returned):
        returned.close()
        advice = "an interceptor is a plain function; write a middleware for what is asynchronous"
    raise TypeError(
        f"the interceptor {name_of(function)!r} returned {type(returned).__name__}, not a {kind.__name__}: {advice}"
    )
