"""What can go wrong, as a tree that reads in ten seconds.

    StubwireError
    ├── SpecError(TypeError)              a declaration is wrong                       at class creation
    ├── ConfigurationError(ValueError)    a setting or constructor argument is wrong   at construction
    ├── ArgumentError(ValueError)         this argument cannot be sent                 before any I/O
    ├── ColourError(RuntimeError)         something asynchronous in a synchronous call
    ├── WebhookError(ValueError)          a delivery is refused (stubwire.webhooks)
    └── CallError                         a call was made and did not give its result
        ├── TransportError
        │   ├── TimeoutError              also builtins.TimeoutError
        │   │   └── ConnectTimeout  ReadTimeout  WriteTimeout  PoolTimeout  DeadlineExceeded
        │   ├── NetworkError              also builtins.ConnectionError
        │   │   └── ConnectError  ReadError  WriteError
        │   └── ProtocolError
        ├── HTTPStatusError[B]
        │   ├── ClientError[B]            4xx: BadRequestError AuthenticationError PermissionDeniedError
        │   │                             NotFoundError ConflictError UnprocessableEntityError RateLimitError
        │   └── ServerError[B]            5xx
        ├── DecodeError
        │   └── ResponseValidationError
        ├── PaginationError               RepeatedPageError  ForeignPageError  PageLimitError
        ├── ResponseTooLargeError
        ├── CancelError
        ├── CircuitOpenError              LimitExceededError: a plugin did not let it be sent
        └── RedirectError

This module's rule: it knows nothing of calls. The core fills in what a `CallError` says about its own.
"""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from typing_extensions import TypedDict, TypeVar

from stubwire import _redact
from stubwire._errors import ArgumentError as ArgumentError  # noqa: PLC0414 - here is where one imports it from
from stubwire._errors import CallError as CallError  # noqa: PLC0414
from stubwire._errors import ColourError as ColourError  # noqa: PLC0414
from stubwire._errors import ConfigurationError as ConfigurationError  # noqa: PLC0414
from stubwire._errors import SpecError as SpecError  # noqa: PLC0414
from stubwire._errors import StubwireError as StubwireError  # noqa: PLC0414

if TYPE_CHECKING:
    from stubwire._response import Response

B = TypeVar("B", default=Any)
"""The type of a status error's body."""


class TransportError(CallError):
    """The request did not bring back a whole response."""


class TimeoutError(TransportError, builtins.TimeoutError):
    """Something took longer than its timeout; also a `builtins.TimeoutError`."""


class ConnectTimeout(TimeoutError):
    """No connection in time: nothing was sent."""


class ReadTimeout(TimeoutError):
    """No bytes in time: the server may have acted."""


class WriteTimeout(TimeoutError):
    """The request could not be sent in time: the server may have part of it."""


class PoolTimeout(TimeoutError):
    """No free connection in time: nothing was sent."""


class DeadlineExceeded(TimeoutError):
    """The call did not end before its deadline: the server may have acted."""


class NetworkError(TransportError, builtins.ConnectionError):
    """The connection failed; also a `builtins.ConnectionError`."""


class ConnectError(NetworkError):
    """No connection: nothing was sent."""


class ReadError(NetworkError):
    """The connection broke before the response was whole: the server may have acted."""


class WriteError(NetworkError):
    """The connection broke while the request was sent: the server may have part of it."""


class ProtocolError(TransportError):
    """The request cannot be sent as it is: an invalid URL, an unsupported scheme, a malformed message.

    It is never retried.
    """


class HTTPStatusError(CallError, Generic[B]):
    """The server answered with a status that is no success."""

    covers: ClassVar[range] = range(300, 600)
    """The statuses that this class may stand for."""

    status_code: int
    response: Response[Any]
    """The response; a pickle keeps it redacted."""
    body: B | None
    """The body as the declared model, or as decoded JSON where none is declared; `None` when it does not fit."""
    retry_after: float | None
    """Seconds that the server asked to wait, where it did."""

    def __init__(self, message: str = "", *, response: Response[Any], body: B | None = None) -> None:
        super().__init__(message or f"answered {response.status_code}")
        self.status_code = response.status_code
        self.response = response
        self.body = body
        self.retry_after = None

    def _state(self) -> dict[str, object]:
        return {**self.__dict__, "body": _redact.hide(self.body)}


class ClientError(HTTPStatusError[B]):
    """A status of 4xx: this request will not do."""

    covers: ClassVar[range] = range(400, 500)


class BadRequestError(ClientError[B]):
    """400."""

    covers: ClassVar[range] = range(400, 401)


class AuthenticationError(ClientError[B]):
    """401: no credentials, or wrong ones."""

    covers: ClassVar[range] = range(401, 402)


class PermissionDeniedError(ClientError[B]):
    """403: these credentials may not do that."""

    covers: ClassVar[range] = range(403, 404)


class NotFoundError(ClientError[B]):
    """404."""

    covers: ClassVar[range] = range(404, 405)


class ConflictError(ClientError[B]):
    """409."""

    covers: ClassVar[range] = range(409, 410)


class UnprocessableEntityError(ClientError[B]):
    """422."""

    covers: ClassVar[range] = range(422, 423)


class RateLimitError(ClientError[B]):
    """429: too many requests; see `retry_after`."""

    covers: ClassVar[range] = range(429, 430)


class ServerError(HTTPStatusError[B]):
    """A status of 5xx: the server failed."""

    covers: ClassVar[range] = range(500, 600)


class DecodeError(CallError):
    """A response came, but it cannot be read as what was declared."""

    response: Response[Any]
    """The response; a pickle keeps it redacted."""

    def __init__(self, message: str = "", *, response: Response[Any]) -> None:
        super().__init__(message)
        self.response = response


class ErrorDetail(TypedDict, total=False):
    """One of pydantic's errors."""

    type: str
    loc: tuple[int | str, ...]
    msg: str
    input: object


class ResponseValidationError(DecodeError):
    """The response is of the right format, and does not fit the declared type."""

    def __init__(self, message: str = "", *, response: Response[Any], details: list[ErrorDetail]) -> None:
        super().__init__(message, response=response)
        self._details = details

    def errors(self, *, show_input: bool = False) -> list[ErrorDetail]:
        """Pydantic's errors: `type`, `loc`, `msg`, and with `show_input=True` the offending `input`.

        Inputs are what the server sent; a copy that was pickled has none.
        """
        if show_input:
            return [detail.copy() for detail in self._details]
        return [_without_input(detail) for detail in self._details]

    def _state(self) -> dict[str, object]:
        return {**self.__dict__, "_details": self.errors()}


def _without_input(detail: ErrorDetail) -> ErrorDetail:
    kept = detail.copy()
    kept.pop("input", None)
    return kept


class PaginationError(CallError):
    """There is a next page, but it cannot be asked for; what came before was delivered. `response` led there."""

    response: Response[Any]

    def __init__(self, message: str = "", *, response: Response[Any]) -> None:
        super().__init__(message)
        self.response = response


class RepeatedPageError(PaginationError):
    """The next page is one that was asked for already: the pages go round in a circle."""


class ForeignPageError(PaginationError):
    """The next page is on another origin, which credentials do not leave for; it was not asked for."""


class PageLimitError(PaginationError):
    """There are more pages than `max_pages` of the strategy."""


class ResponseTooLargeError(CallError):
    """The body is larger than `max_response_bytes`, or the headers than is read; the connection was closed."""


class CancelError(CallError):
    """The call was cancelled by its token: the server may have acted."""


class CircuitOpenError(CallError):
    """The request was not sent: a `CircuitBreaker` saw too many fail.

    `since` is when it opened, and `until` when it lets a request through to see how things are, both in UTC.
    """

    since: datetime
    until: datetime

    def __init__(self, message: str = "", *, since: datetime, until: datetime) -> None:
        super().__init__(message)
        self.since = since
        self.until = until


class LimitExceededError(CallError):
    """The request was not sent: a `RateLimit` or a `ConcurrencyLimit` would have had it wait too long."""


class RedirectError(CallError):
    """A redirect was refused: too many, a loop, a downgrade to http, or a body bound for another origin."""


_by_status: dict[int, type[ClientError[Any]]] = {kind.covers.start: kind for kind in ClientError.__subclasses__()}


def status_error(status: int) -> type[HTTPStatusError[Any]]:
    """The class that stands for a status where none is declared."""
    if 400 <= status < 500:
        return _by_status.get(status, ClientError)
    return ServerError if status >= 500 else HTTPStatusError


for _root in (StubwireError, SpecError, ConfigurationError, ArgumentError, ColourError, CallError):
    _root.__module__ = __name__  # a traceback names where a user imports it from
del _root
