"""What can go wrong, as a tree that reads in ten seconds.

    StubwireError
    ├── SpecError(TypeError)              a declaration is wrong                       at class creation
    ├── ConfigurationError(ValueError)    a setting or constructor argument is wrong   at construction
    ├── ArgumentError(ValueError)         this argument cannot be sent                 before any I/O
    ├── ColourError(RuntimeError)         something asynchronous in a synchronous call
    └── CallError                         a call was made and did not give its result
        ├── TransportError
        │   ├── TimeoutError              also builtins.TimeoutError
        │   │   └── ConnectTimeout  ReadTimeout  WriteTimeout  PoolTimeout
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
        └── RedirectError

This module's rule: it knows nothing of calls. The core fills in what a `CallError` says about its own.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from typing_extensions import TypedDict, TypeVar

from stubwire import _redact

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Attempt, Response

B = TypeVar("B", default=Any)
"""The type of a status error's body."""


class StubwireError(Exception):
    """The root of every error that stubwire raises."""


class SpecError(StubwireError, TypeError):
    """A declaration is wrong; raised when the class is created, with what to write instead."""


class ConfigurationError(StubwireError, ValueError):
    """A setting or a constructor argument is wrong, or the client cannot make this call as it was configured."""


class ArgumentError(StubwireError, ValueError):
    """An argument cannot be sent; raised before any I/O. Its message never shows the value."""


class ColourError(StubwireError, RuntimeError):
    """Something asynchronous was awaited in a synchronous call."""


class CallError(StubwireError):
    """A call was made and did not give its result.

    Middleware and interceptors may raise one with a message alone: the core adds the rest.
    Pickles and copies are redacted: they keep no credential.
    """

    endpoint: str = ""
    """The stub's name, such as `"GitHub.user_repos"` or `"GitHub.issues.list"`; empty outside a call."""
    attempts: tuple[Attempt, ...] = ()
    """What was tried, in order."""
    elapsed: float = 0.0
    """Seconds from the start of the call to its failure."""
    request_id: str | None = None
    """The server's name for the request, where it gave one."""
    _request: Request | None = None

    def __init__(self, message: str = "") -> None:
        super().__init__(message)

    @property
    def request(self) -> Request:
        """The request as it left the middleware, without the credentials that auth adds.

        Raises:
            RuntimeError: the error was not raised by a call.
        """
        if self._request is None:
            raise RuntimeError("this error has no request: it was not raised by a call")
        return self._request

    def __str__(self) -> str:
        """Say what was called, what came of it, how often it was tried, and the server's request id."""
        message = str(self.args[0]) if self.args else ""
        if self._request is None:
            return message
        tries = f" after {len(self.attempts)} attempts in {self.elapsed:.1f} s" if len(self.attempts) > 1 else ""
        known = f" (request id {self.request_id})" if self.request_id else ""
        head, colon, tail = message.partition(": ")
        return f"{self.endpoint}: {self._request.line} {head}{tries}{colon}{tail}{known}"

    def __repr__(self) -> str:
        """Show the class and the message."""
        return f"<{type(self).__name__} {self}>"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy by state; requests and responses redact themselves."""
        return _rebuild, (type(self), self.args), self._state()

    def __copy__(self) -> CallError:
        """Copy with the live request and response, which a pickle redacts."""
        twin = _rebuild(type(self), self.args)
        twin.__dict__.update(self.__dict__)
        return twin

    def _state(self) -> dict[str, object]:
        return dict(self.__dict__)


def _rebuild(kind: type[CallError], args: tuple[object, ...]) -> CallError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


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
    """The response body is larger than `max_response_bytes`; the connection was closed."""


class RedirectError(CallError):
    """A redirect was refused: too many, a loop, a downgrade to http, or a body bound for another origin."""


_by_status: dict[int, type[ClientError[Any]]] = {
    kind.covers.start: kind
    for kind in (
        BadRequestError,
        AuthenticationError,
        PermissionDeniedError,
        NotFoundError,
        ConflictError,
        UnprocessableEntityError,
        RateLimitError,
    )
}


def status_error(status: int) -> type[HTTPStatusError[Any]]:
    """The class that stands for a status where none is declared."""
    if 400 <= status < 500:
        return _by_status.get(status, ClientError)
    return ServerError if status >= 500 else HTTPStatusError
