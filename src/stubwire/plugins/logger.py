"""One line per call, and one per retry.

This module's rule: it logs names, templates, statuses and times; never a URL's values, a header or a body.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from stubwire import _clock, _redact
from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext
    from stubwire.client import ApiClient


class LoggerPlugin:
    """Logs each call at INFO, a status of 400 and above or a retry at WARNING, a failure at ERROR.

    Args:
        logger: where to; `logging.getLogger("stubwire")` by default.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        if logger is not None and not hasattr(logger, "log"):
            kind = type(logger).__name__
            raise ConfigurationError(f"LoggerPlugin takes a logger, not {kind}: write logging.getLogger(...)")
        self._logger = logger or logging.getLogger("stubwire")

    def install(self, client: ApiClient) -> None:
        """Add the middleware that logs."""
        client.use(self._log_call)
        client.use(self._log_retry, per="attempt")

    async def _log_call(self, request: Request, call_next: CallNext) -> Response:
        started = _clock.monotonic()
        try:
            response = await call_next(request)
        except Exception as error:
            self._log(logging.ERROR, request, f"failed: {type(error).__name__}", started, None)
            raise
        expected = request.spec.none_on if request.spec else frozenset[int]()
        failed = response.status_code >= 400 and response.status_code not in expected
        level = logging.WARNING if failed else logging.INFO
        self._log(level, request, str(response.status_code), started, response.request_id)
        return response

    def _log(self, level: int, request: Request, outcome: str, started: float, request_id: str | None) -> None:
        count = len(request.attempts)
        tries = f" after {count} attempts" if count > 1 else ""
        known = f" (request id {request_id})" if request_id else ""
        elapsed = _clock.monotonic() - started
        self._logger.log(level, "%s %s in %.3f s%s%s", _what(request), outcome, elapsed, tries, known)

    async def _log_retry(self, request: Request, call_next: CallNext) -> Response:
        last = request.attempts[-1] if request.attempts else None
        if last is not None and last.wait is not None:
            came = last.error or last.status_code
            self._logger.warning(
                "%s attempt %d after %s, waited %.3f s", _what(request), request.attempt, came, last.wait
            )
        return await call_next(request)


def _what(request: Request) -> str:
    """Name, method and template; what `client.call` was given may hold values."""
    path = _redact.url(request.spec.path) if request.spec else ""
    return f"{request.endpoint} {request.method} {path}"
