"""What may be told of a call: names, templates and numbers.

This module's rule: pure questions about a request and its end; no answer has a value that was sent or that came.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from stubwire import _redact
from stubwire._bind import finish
from stubwire._template import parse

if TYPE_CHECKING:
    from stubwire._request import Request


def template_of(request: Request) -> str:
    """The path as its stub declares it, or as `client.call` was given it; empty for a request made by hand."""
    return _redacted(request.spec.path) if request.spec else ""


_redacted = lru_cache(maxsize=1024)(_redact.url)


def braces_of(request: Request) -> str:
    """The path as a template of OpenAPI, `/users/{name}`; empty where only a value is known, as in `client.call`."""
    plan = request._plan
    return "" if plan is None or plan.bind is finish else _braces(plan.spec.path)


@lru_cache(maxsize=1024)
def _braces(path: str) -> str:
    parts = parse(path.partition("?")[0]).parts
    text = "".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in parts)
    return text + _redact.url("?" + path.partition("?")[2]) if "?" in path else text


def ending(request: Request, error: BaseException) -> BaseException:
    """What a call ended with; an event loop ends an asynchronous one with its own exception, whatever its limit is."""
    limit = request._call.limit if request._call is not None else None
    ended_by_limit = not isinstance(error, Exception) and limit is not None and limit.reached()
    return limit.failure() if limit is not None and ended_by_limit else error


def is_expected(request: Request, status: int) -> bool:
    """Whether a status is one that the endpoint is written for: below 400, or in its `none_on`."""
    return status < 400 or (request.spec is not None and status in request.spec.none_on)
