"""`OpenTelemetryPlugin`: a span and two metrics for each call (extra `opentelemetry`).

This module's rule: it speaks to OpenTelemetry's API, which is imported when a plugin is made; what is told of a call is
decided in `_telemetry_attributes`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from stubwire import _clock
from stubwire.errors import ArgumentError, ConfigurationError
from stubwire.plugins import _telemetry_attributes as convention
from stubwire.plugins._origins import origin_of
from stubwire.plugins._telemetry import ending

if TYPE_CHECKING:
    from collections.abc import Generator

    from opentelemetry.metrics import Meter, MeterProvider
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext
    from stubwire.client import ApiClient
    from stubwire.plugins._telemetry_attributes import Attributes, Start

_KNOWN_METHODS = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS"


class OpenTelemetryPlugin:
    """Makes a client span of each call, with an event for each retry, and measures its duration.

    The span is named by method and path template, `GET /users/{username}/repos`; it and the metrics
    `http.client.request.duration` and `http.client.active_requests` have the attributes of OpenTelemetry's semantic
    conventions. It begins before the first attempt and ends when the response is read, for a stream when its headers
    are. The trace context is sent to where credentials may go: the origin of `base_url`, and `auth_origins`.

    Args:
        tracer_provider: who makes spans; the global one by default.
        meter_provider: who keeps metrics; the global one by default.

    Raises:
        ConfigurationError: opentelemetry-api is not installed, or an argument is no provider.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        tracer, meter = _instruments(tracer_provider, meter_provider)
        self._tracer = tracer
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=convention.BUCKETS,
        )
        self._active = meter.create_up_down_counter(
            "http.client.active_requests", unit="{request}", description="Number of active HTTP requests."
        )
        stated = os.environ.get(_KNOWN_METHODS)
        self._known = frozenset(stated.split(",")) if stated else convention.KNOWN_METHODS

    def install(self, client: ApiClient) -> None:
        """Add the middleware that traces."""
        client.use(self._trace)

    async def _trace(self, request: Request, call_next: CallNext) -> Response:
        start = convention.start_of(request, self._known)
        with self._active_span(request, start) as span:
            began = _clock.monotonic()
            try:
                response = await call_next(request)
            except BaseException as error:
                self._finish(request, span, start, began, convention.of_error(ending(request, error)))
                raise
            self._finish(request, span, start, began, convention.of_response(request, response))
        return response

    @contextmanager
    def _active_span(self, request: Request, start: Start) -> Generator[Span]:
        """A span that is the current one in this block, and a call that is counted as active."""
        from opentelemetry.trace import SpanKind, use_span

        span = self._tracer.start_span(start.name, kind=SpanKind.CLIENT, attributes=convention.of_span(request, start))
        self._active.add(1, start.attributes)
        try:
            with use_span(span, record_exception=False, set_status_on_exception=False):
                _send_context(request)
                yield span
        finally:
            self._active.add(-1, start.attributes)
            span.end()

    def _finish(self, request: Request, span: Span, start: Start, began: float, end: Attributes) -> None:
        self._duration.record(_clock.monotonic() - began, {**start.attributes, **end})
        if span.is_recording():
            _tell(span, request, end)


def _tell(span: Span, request: Request, end: Attributes) -> None:
    """What the span says of the end of a call, and of its retries."""
    from opentelemetry.trace import StatusCode

    span.set_attributes(dict(end))
    if "error.type" in end:
        span.set_status(StatusCode.ERROR)
    if count := convention.resends(request):
        span.set_attribute("http.request.resend_count", count)
        began = _clock.now() - (request._call.elapsed() if request._call is not None else 0.0)
        for after, attributes in convention.retries(request):
            span.add_event(convention.RETRY_EVENT, attributes, timestamp=int((began + after) * 1e9))


def _send_context(request: Request) -> None:
    """Put the trace context on a request to where credentials may go, as the application's propagator writes it."""
    from opentelemetry.propagate import inject

    if request._plan is None or origin_of(request.url) not in request._plan.origins:
        return
    carrier: dict[str, str] = {}
    inject(carrier)
    for name, value in carrier.items():
        with suppress(ArgumentError):  # a propagator of the user's own wrote what no header can have
            request.headers[name] = value


def _instruments(tracers: TracerProvider | None, meters: MeterProvider | None) -> tuple[Tracer, Meter]:
    """What spans and metrics are made with.

    Raises:
        ConfigurationError: opentelemetry-api is not installed.
    """
    try:
        from opentelemetry import metrics, trace
    except ModuleNotFoundError:
        pass
    else:
        for name, given, kind in (
            ("tracer_provider", tracers, trace.TracerProvider),
            ("meter_provider", meters, metrics.MeterProvider),
        ):
            if given is not None and not isinstance(given, kind):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's
                message = f"OpenTelemetryPlugin {name} must be a {kind.__name__}, not {type(given).__name__}"
                raise ConfigurationError(message)
        tracer = trace.get_tracer("stubwire", tracer_provider=tracers, schema_url=convention.SCHEMA_URL)
        return tracer, metrics.get_meter("stubwire", meter_provider=meters, schema_url=convention.SCHEMA_URL)
    raise ConfigurationError(
        "OpenTelemetryPlugin needs the package opentelemetry-api: pip install 'stubwire[opentelemetry]'"
    )
