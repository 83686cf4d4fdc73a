"""`CircuitBreaker`: leaves a server alone that does nothing but fail.

This module's rule: it says what counts as a failure, and tells; when a circuit opens is decided in `_circuit`.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stubwire import _clock
from stubwire.errors import CircuitOpenError, ConfigurationError, NetworkError, PoolTimeout, TimeoutError
from stubwire.plugins import _checks
from stubwire.plugins._circuit import Circuit
from stubwire.plugins._inside import inside, is_inside
from stubwire.plugins._origins import Origins, origin_of

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext
    from stubwire.client import ApiClient
    from stubwire.plugins._circuit import Opening, State, Verdict


class CircuitBreaker:
    """Sends nothing to an origin for a while after too many attempts in a row have failed.

    A status of 5xx, a timeout or a network error is a failure, any other answer is a success, a 429 too. What says
    nothing of the server is neither: no free connection, a cancelled call, a limit of another plugin. When the time is
    over, one attempt is let through; it closes the circuit or opens it again. A refused attempt is not retried. A call
    that a middleware or an auth makes inside an attempt is part of it.

    Args:
        failure_threshold: failures in a row that open the circuit.
        recovery_timeout: seconds until an attempt is let through.
        logger: where each change is logged, once; `logging.getLogger("stubwire")` by default.

    Raises:
        ConfigurationError: an argument is no such number.
    """

    def __init__(
        self,
        *,
        failure_threshold: int = 5,
        recovery_timeout: float = 30.0,
        logger: logging.Logger | None = None,
    ) -> None:
        _checks.count("CircuitBreaker failure_threshold", failure_threshold)
        _checks.amount("CircuitBreaker recovery_timeout", recovery_timeout)
        if logger is not None and not hasattr(logger, "log"):
            kind = type(logger).__name__
            raise ConfigurationError(f"CircuitBreaker takes a logger, not {kind}: write logging.getLogger(...)")
        self._settings = (failure_threshold, recovery_timeout)
        self._logger = logger or logging.getLogger("stubwire")
        self._circuits = Origins(self._new)

    @property
    def states(self) -> dict[str, State]:
        """The state of each origin that was called: `"closed"`, `"open"` or `"half-open"`."""
        now = _clock.monotonic()
        return {origin: circuit.state(now) for origin, circuit in self._circuits.all().items()}

    def install(self, client: ApiClient) -> None:
        """Add the middleware that watches."""
        client.use(self._watch, per="attempt")

    async def _watch(self, request: Request, call_next: CallNext) -> Response:
        origin = origin_of(request.url)
        circuit = self._circuits.of(origin)
        if is_inside(circuit):
            return await call_next(request)
        era = circuit.enter(_clock.monotonic())
        if not isinstance(era, int):
            raise _refusal(origin, era)
        with inside(circuit) as stay:
            try:
                response = await call_next(request)
            except BaseException as error:
                failure = "" if stay.waits else _failure(request, error)
                self._leave(origin, circuit, era, "failure" if failure else "neither", failure)
                raise
        verdict: Verdict = "failure" if response.status_code >= 500 else "success"
        self._leave(origin, circuit, era, verdict, str(response.status_code))
        return response

    def _leave(self, origin: str, circuit: Circuit, era: int, verdict: Verdict, what: str) -> None:
        if circuit.leave(era, verdict, what, _clock.monotonic()) is not None:
            self._tell(origin, circuit.opening)

    def _new(self) -> Circuit:
        return Circuit(*self._settings)

    def _tell(self, origin: str, opening: Opening | None) -> None:
        if opening is None:
            self._logger.info("the circuit of %s is closed again", origin)
            return
        self._logger.warning(
            "the circuit of %s is open for %g s after %s", origin, opening.until - opening.since, _failures(opening)
        )


def _failure(request: Request, error: BaseException) -> str:
    """The name of a failure of the server; empty for what says nothing of it.

    An event loop ends an asynchronous call with an exception of its own, whatever its limit is.
    """
    limit = request._call.limit if request._call is not None else None
    ended = limit.failure() if limit is not None and limit.reached() else error
    fails = isinstance(ended, (TimeoutError, NetworkError)) and not isinstance(ended, PoolTimeout)
    return type(ended).__name__ if fails else ""


def _refusal(origin: str, opening: Opening) -> CircuitOpenError:
    now = _clock.monotonic()
    since, until = (datetime.fromtimestamp(at + _clock.now() - now, UTC) for at in (opening.since, opening.until))
    span = f"open since {since:%H:%M:%S} until {until:%H:%M:%S} UTC"
    if now >= opening.until:
        span = f"half-open, with one attempt on its way, after it was {span}"
    return CircuitOpenError(
        f"was not sent: the circuit of {origin} is {span}, after {_failures(opening)}", since=since, until=until
    )


def _failures(opening: Opening) -> str:
    several = f"{opening.failures} failures, the last a " if opening.failures > 1 else "a "
    return several + opening.last
