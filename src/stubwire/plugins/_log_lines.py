"""The lines that a call is worth, before anybody writes them.

This module's rule: pure functions from a request and its end to a `Line`, the same for every logger.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from stubwire.errors import CancelError
from stubwire.plugins._telemetry import is_expected, template_of

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Attempt, Response

_ID_LENGTH = 128


class Line(NamedTuple):
    """One line.

    Attributes:
        text: with `%s` for each of `args`, so that lines of one kind can be grouped by it.
        fields: the same and more, by name.
    """

    text: str
    args: tuple[object, ...]
    fields: Mapping[str, object]


class End(NamedTuple):
    """How a call ended.

    Attributes:
        elapsed: seconds from its first middleware on.
        response: what came, if something did.
        error: what was raised instead.
    """

    elapsed: float
    response: Response | None = None
    error: BaseException | None = None


def level_of(request: Request, end: End) -> int:
    """INFO for what was expected or wanted, WARNING for a status of 400 and above, ERROR for a failure."""
    if end.response is not None:
        return logging.INFO if is_expected(request, end.response.status_code) else logging.WARNING
    return logging.INFO if _is_cancelled(end.error) else logging.ERROR


def called(request: Request, end: End) -> Line:
    """The line of a call."""
    response, error = end.response, end.error
    status = None if response is None else response.status_code
    count, identity = len(request.attempts), None if response is None else _identity(response)
    failure = None if error is None else type(error).__name__
    outcome = status if error is None else f"{'cancelled' if _is_cancelled(error) else 'failed'}: {failure}"
    tries = f" after {count} attempts" if count > 1 else ""
    known = f" (request id {identity})" if identity else ""
    fields = _fields(request, status, failure)
    fields |= {"elapsed": end.elapsed, "attempt": count, "request_id": identity}
    return Line("%s %s in %.3f s%s%s", (_what(request), outcome, end.elapsed, tries, known), fields)


def retried(request: Request, last: Attempt) -> Line:
    """The line of an attempt that follows another; status and error are those of the one before."""
    args = (_what(request), request.attempt, last.error or last.status_code, last.wait)
    fields = _fields(request, last.status_code, last.error)
    fields |= {"elapsed": last.elapsed, "attempt": request.attempt, "wait": last.wait}
    return Line("%s attempt %d after %s, waited %.3f s", args, fields)


def _fields(request: Request, status: int | None, failure: str | None) -> dict[str, object]:
    return {
        "endpoint": request.endpoint,
        "method": request.method,
        "template": template_of(request),
        "status": status,
        "error": failure,
    }


def _what(request: Request) -> str:
    """Name, method and template; what `client.call` was given may hold values."""
    return f"{request.endpoint} {request.method} {template_of(request)}"


def _is_cancelled(error: BaseException | None) -> bool:
    """Whether whoever made the call ended it, by a token, a task or a signal; a deadline is no such wish."""
    return isinstance(error, CancelError) or not isinstance(error, Exception)


def _identity(response: Response) -> str | None:
    """The server's name for the request, as one word of a line."""
    found = response.request_id
    return None if found is None else printable(found[:_ID_LENGTH])


def printable(text: str) -> str:
    """A text that stays on its line and moves no cursor: what cannot be printed is escaped as JSON does."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
