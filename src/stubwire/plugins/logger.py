"""One line per call, and one per retry.

This module's rule: it logs names, templates, statuses and times; never a URL's values, a header or a body.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from stubwire.errors import CallError

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
        self._logger = logger or logging.getLogger("stubwire")

    def install(self, client: ApiClient) -> None:
        """Add the middleware that logs."""
        client.use(self._log_call)
        client.use(self._log_retry, per="attempt")

    async def _log_call(self, request: Request, call_next: CallNext) -> Response:
        started = time.perf_counter()
        try:
            response = await call_next(request)
        except CallError as error:
            elapsed, tries = time.perf_counter() - started, len(request.attempts)
            self._logger.error("%s failed: %s in %.3f s%s", _what(request), type(error).__name__, elapsed, _tries(tries))
            raise
        elapsed, tries = time.perf_counter() - started, len(request.attempts)
        level = logging.WARNING if response.status_code >= 400 else logging.INFO
        known = f" (request id {response.request_id})" if response.request_id else ""
        self._logger.log(
            level, "%s %d in %.3f s%s%s", _what(request), response.status_code, elapsed, _tries(tries), known
        )
        return response

    async def _log_retry(self, request: Request, call_next: CallNext) -> Response:
        if request.attempts:
            last = request.attempts[-1]
            came = last.error or last.status_code
            self._logger.warning(
                "%s attempt %d after %s, waited %.3f s", _what(request), request.attempt, came, last.wait or 0.0
            )
        return await call_next(request)


def _what(request: Request) -> str:
    path = request.spec.path if request.spec else ""
    return f"{request.endpoint} {request.method} {path}"


def _tries(count: int) -> str:
    return f" after {count} attempts" if count > 1 else ""
