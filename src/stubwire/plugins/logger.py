"""`LoggerPlugin`: one line per call, and one per retry.

This module's rule: it measures, and hands on. What a line says is decided in `_log_lines`, what a body may show in
`_log_bodies`; whatever goes wrong with logging is no matter of the call's.
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from stubwire import _clock
from stubwire.plugins import _checks, _log_lines
from stubwire.plugins._log_lines import End, Line
from stubwire.plugins._log_sinks import sink
from stubwire.plugins._telemetry import ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext
    from stubwire.client import ApiClient
    from stubwire.plugins._log_sinks import KeywordLogger


class LoggerPlugin:
    """Logs each call at INFO, a status of 400 and above or a retry at WARNING, a failure at ERROR.

    A line names endpoint, method, path template, status, time, attempts and the server's request id, as its text and as
    fields; it has no value of a URL and no header. A call that was cancelled is no failure. An exception of the logger
    does not end the call: it is printed to stderr, as `logging` does, unless `logging.raiseExceptions` is off.

    Args:
        logger: of the standard library, or of structlog; `logging.getLogger("stubwire")` by default.
        max_body_bytes: how much of each body to log; `None`, the default, logs no body. Only JSON and forms are shown,
            without the values of names that look secret, or that a `SecretStr` stands for in the declared types.

    Raises:
        ConfigurationError: it is no logger, or no size.
    """

    def __init__(
        self,
        logger: logging.Logger | logging.LoggerAdapter[logging.Logger] | KeywordLogger | None = None,
        *,
        max_body_bytes: int | None = None,
    ) -> None:
        self._sink = sink(logger, "LoggerPlugin")
        if max_body_bytes is not None:
            _checks.count("LoggerPlugin max_body_bytes", max_body_bytes)
        self._max_body_bytes = max_body_bytes

    def install(self, client: ApiClient) -> None:
        """Add the middleware that logs."""
        client.use(self._log_call)
        client.use(self._log_retry, per="attempt")

    async def _log_call(self, request: Request, call_next: CallNext) -> Response:
        started = _clock.monotonic()
        try:
            response = await call_next(request)
        except BaseException as error:
            self._log_end(request, End(_clock.monotonic() - started, error=ending(request, error)))
            raise
        self._log_end(request, End(_clock.monotonic() - started, response))
        return response

    async def _log_retry(self, request: Request, call_next: CallNext) -> Response:
        if request.attempt > 1:
            last = request.attempts[-1]
            if last.wait is not None:
                self._log(logging.WARNING, lambda: _log_lines.retried(request, last))
        return await call_next(request)

    def _log_end(self, request: Request, end: End) -> None:
        self._log(_log_lines.level_of(request, end), lambda: self._called(request, end))

    def _called(self, request: Request, end: End) -> Line:
        line = _log_lines.called(request, end)
        if self._max_body_bytes is None:
            return line
        from stubwire.plugins import _log_bodies

        return _log_bodies.beside(line, request, end, self._max_body_bytes)

    def _log(self, level: int, line: Callable[[], Line]) -> None:
        try:
            if self._sink.listens(level):
                self._sink.write(level, line())
        except Exception:  # noqa: BLE001 - of a filter, a handler or a processor of the user's own
            if logging.raiseExceptions:
                traceback.print_exc()
