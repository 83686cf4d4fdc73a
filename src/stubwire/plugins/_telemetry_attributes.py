"""A call in the words of OpenTelemetry's semantic conventions for HTTP clients.

This module's rule: pure functions from a request and its end to names and attributes; it does not import OpenTelemetry.
The conventions are those of https://opentelemetry.io/docs/specs/semconv/http/, version 1.44.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from stubwire import _redact
from stubwire._url import DEFAULT_PORTS
from stubwire.plugins._origins import origin_of
from stubwire.plugins._telemetry import braces_of, is_expected

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Response

Value = str | int | float
Attributes = Mapping[str, Value]

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""The boundaries that the conventions advise for durations, in seconds."""

KNOWN_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
"""Those of RFC 9110 and RFC 5789; any other is `_OTHER`, so that no list of methods grows without end."""

RETRY_EVENT = "stubwire.retry"


class Start(NamedTuple):
    """What is known before a call.

    Attributes:
        name: of the span: method and template.
        attributes: of the span and of every metric; none has a value of an argument.
        original: the method, where it is not one of the known.
    """

    name: str
    attributes: Attributes
    original: str


def start_of(request: Request, known: frozenset[str]) -> Start:
    """What a span and the metrics of a call begin with."""
    return _start(request.method, origin_of(request.url), braces_of(request), known)


@lru_cache(maxsize=1024)
def _start(method: str, origin: str, template: str, known: frozenset[str]) -> Start:
    """The same for all calls of an endpoint."""
    is_known = method in known
    attributes: dict[str, Value] = {"http.request.method": method if is_known else "_OTHER"}
    parts = urlsplit(origin)
    if parts.hostname:
        attributes |= {"server.address": parts.hostname, "server.port": parts.port or DEFAULT_PORTS[parts.scheme]}
        attributes["url.scheme"] = parts.scheme
    if template:
        attributes["url.template"] = template
    name = f"{method if is_known else 'HTTP'} {template}".rstrip()
    return Start(name, attributes, "" if is_known else method)


def of_span(request: Request, start: Start) -> Attributes:
    """What a span begins with, so that a sampler may see it: with the URL, redacted."""
    more = {"url.full": _redact.url(request.url, request._secrets)}
    return {**start.attributes, **more, **({"http.request.method_original": start.original} if start.original else {})}


def of_response(request: Request, response: Response) -> Attributes:
    """What came."""
    status = response.status_code
    found: dict[str, Value] = {"http.response.status_code": status}
    if version := response.http_version.removeprefix("HTTP/"):
        found["network.protocol.version"] = version
    if not is_expected(request, status):
        found["error.type"] = str(status)
    return found


def of_error(error: BaseException) -> Attributes:
    """What was raised, by its class; its message stays where it was raised."""
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return {"error.type": module + kind.__qualname__}


def resends(request: Request) -> int:
    """How many attempts followed the first."""
    begun = request._call is not None and request._call.begun is not None
    return max(len(request.attempts) + begun - 1, 0)


def retries(request: Request) -> Iterator[tuple[float, Attributes]]:
    """For each retry that was decided: seconds from the start of the call, and what it was decided for."""
    for attempt in request.attempts:
        if attempt.wait is not None:
            came: Value = attempt.status_code if attempt.status_code is not None else attempt.error or ""
            name = "error.type" if attempt.status_code is None else "http.response.status_code"
            attributes = {"http.request.resend_count": attempt.number, name: came, "stubwire.retry.wait": attempt.wait}
            yield attempt.started + attempt.elapsed, attributes
