"""What comes back: `Response` and the `Attempt`s it took.

This module's rule: a response is plain data; what a status or a body means is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeAlias, cast, overload

import pydantic_core
from typing_extensions import TypeVar

from stubwire import _charset, _redact
from stubwire._headers import Headers, Pairs
from stubwire.errors import DecodeError
from stubwire.markers import UNSET, Unset

if TYPE_CHECKING:
    from stubwire._request import Request

T = TypeVar("T", default=Any)
R = TypeVar("R")
H = TypeVar("H")
D = TypeVar("D")
A = TypeVar("A", default=Any)
"""What a type is that checkers cannot name, such as an `Annotated` one: what the caller says."""

_BOUNDS = {
    "recursion limit exceeded": "that is nested more than 200 levels deep",
    "number out of range": "with a number of more than 4300 digits",
}
"""What pydantic's parser says of JSON that it will not read, and what we say."""

REQUEST_ID_HEADERS = (
    "x-request-id",
    "request-id",
    "x-github-request-id",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-ms-request-id",
    "x-correlation-id",
    "cf-ray",
)
"""Where servers put their name for a request; the first that is there counts."""


class Attempt(NamedTuple):
    """One try to get a response.

    Attributes:
        number: from 1.
        started: seconds from the start of the call.
        elapsed: seconds that it took.
        status_code: what the server answered, or `None` if no response came.
        error: the name of the failure's class, such as `"ReadTimeout"`, if no response came.
        wait: seconds until the next attempt, or `None` after the last.
    """

    number: int
    started: float
    elapsed: float
    status_code: int | None = None
    error: str | None = None
    wait: float | None = None


CacheStatus: TypeAlias = Literal["hit", "stale", "revalidated", "miss"]
"""What a cache did about a response."""


class Response(Generic[T]):
    """One response, the same whatever the engine; a middleware can make one to answer itself.

    A copy is whole. A pickle is redacted, and has neither the engine's response nor the decoded `data`: reading
    that decodes the JSON again.

    Attributes:
        status_code: such as 200.
        content: the body's bytes, decompressed.
        raw: the engine's own response, or `None`.
        attempts: what was tried, in order, the last one being this response.
        elapsed: seconds from the start of the call until its response was read.
        cache: what `CachePlugin` did: `"hit"` and `"stale"` came from it, `"revalidated"` came from it after the server
            was asked, `"miss"` came from the server; `None` where there is no cache.
    """

    __slots__ = (
        "_assigned",
        "_data",
        "_headers",
        "_pairs",
        "_request",
        "attempts",
        "cache",
        "content",
        "elapsed",
        "raw",
        "status_code",
    )

    def __init__(
        self,
        status_code: int,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        content: bytes = b"",
        json: object = UNSET,
    ) -> None:
        self.status_code: int = status_code
        self.content: bytes = content
        self.raw: object = None
        self.attempts: tuple[Attempt, ...] = ()
        self.elapsed: float = 0.0
        self.cache: CacheStatus | None = None
        self._headers: Headers | None = Headers(headers)
        self._pairs: Pairs | list[tuple[bytes, bytes]] = ()
        self._data: object = UNSET
        self._assigned = False
        self._request: Request | None = None
        if json is not UNSET:
            self.content = _dump(json)
            self._headers.setdefault("Content-Type", "application/json")

    @classmethod
    def _received(
        cls, status_code: int, pairs: list[tuple[bytes, bytes]], content: bytes, raw: object
    ) -> Response[Any]:
        """What an engine makes of what arrived."""
        self = cast("Response[Any]", cls.__new__(cls))
        self.status_code = status_code
        self.content = content
        self.raw = raw
        self.attempts = ()
        self.elapsed = 0.0
        self.cache = None
        self._headers = None
        self._pairs = pairs
        self._data = UNSET
        self._assigned = False
        self._request = None
        return self

    @property
    def headers(self) -> Headers:
        """The response's headers."""
        if self._headers is None:
            pairs = cast("list[tuple[bytes, bytes]]", self._pairs)
            self._headers = Headers._received(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs
            )
        return self._headers

    @property
    def http_version(self) -> str:
        """Such as `"HTTP/1.1"`; empty if a middleware made the response, and in a pickle."""
        return str(getattr(self.raw, "http_version", ""))

    @property
    def request(self) -> Request:
        """The request that was answered, without the credentials that auth adds.

        Raises:
            RuntimeError: no call has returned this response yet.
        """
        if self._request is None:
            raise RuntimeError("this response has no request yet: no call has returned it")
        return self._request

    @property
    def request_id(self) -> str | None:
        """The server's name for the request (`X-Request-Id` and its kin), if it gave one."""
        headers = self.headers
        return next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None)

    @property
    def content_type(self) -> str:
        """The `Content-Type` header, or an empty text."""
        return self.headers.get("content-type", "")

    @overload
    def header(self, name: str, /) -> str: ...
    @overload
    def header(self, name: str, /, *, default: D) -> str | D: ...
    @overload
    def header(self, name: str, into: type[H], /) -> H: ...
    @overload
    def header(self, name: str, into: type[H], /, *, default: D) -> H | D: ...
    @overload
    def header(self, name: str, into: object, /, *, default: A = ...) -> A: ...  # pyright: ignore[reportInvalidTypeVarUse]
    def header(self, name: str, into: object = str, /, *, default: object = UNSET) -> object:
        """A header as a typed value: `response.header("X-Total", int)`.

        Args:
            name: of any case.
            into: any type that pydantic makes from text; a list takes the items between commas.
            default: for a header that is not there, which is an error otherwise unless the type has `None`.

        Raises:
            ResponseValidationError: it is not there, or does not fit; the message never shows the value.
        """
        from stubwire._header_values import read

        return read(self, name, into, default)

    @property
    def text(self) -> str:
        """The body as text, in the charset that its `Content-Type` names, UTF-8 without one.

        Raises:
            DecodeError: it is not text in that charset.
        """
        return self._in_charset(_charset.text)

    @property
    def data(self) -> T:
        """What the endpoint declares; in an interceptor or a middleware, the decoded JSON (`None` if there is no body).

        Reading it changes nothing. Assigning it replaces what is validated and returned.

        Raises:
            DecodeError: the body is not JSON.
        """
        if isinstance(self._data, Unset):
            self._data = self._json()
        return cast("T", self._data)

    @data.setter
    def data(self, value: T) -> None:
        self._data = value
        self._assigned = True

    def _utf8(self) -> bytes:
        """The body as a JSON parser takes it."""
        return self._in_charset(_charset.utf8)

    def _in_charset(self, read: Callable[[bytes, str], R]) -> R:
        try:
            return read(self.content, self.content_type)
        except _charset.CharsetError as error:
            message = str(error)
        raise DecodeError(f"answered {self.status_code} with a body that {message}", response=self)

    def _json(self) -> object:
        if not self.content:
            return None
        content = self._utf8()
        try:
            return pydantic_core.from_json(content)
        except ValueError as error:
            reason = str(error)
        raise not_json(self, reason)

    def __repr__(self) -> str:
        """Show status and type."""
        return f"<Response {self.status_code} {self.content_type or 'without a type'}, {len(self.content)} bytes>"

    def __copy__(self) -> Response[T]:
        """Copy all of it."""
        twin: Response[T] = Response.__new__(Response)
        for name in Response.__slots__:
            setattr(twin, name, getattr(self, name))
        twin._headers = Headers._received(self.headers.pairs())
        return twin

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle redacted, without the engine's response."""
        declared = self._request._secrets if self._request else frozenset[str]()
        headers = tuple(_redact.headers(self.headers.pairs(), declared))
        return _rebuild, (self.status_code, self._shown(), headers, self.attempts, self.elapsed, self._request)

    def _shown(self) -> bytes:
        """The body, its secrets hidden where it is text."""
        shown = _redact.json_body(self.content)
        return self.content if shown is None else shown.encode("utf-8", "surrogatepass")


def _dump(value: object) -> bytes:
    try:
        return pydantic_core.to_json(value)
    except ValueError:
        pass
    raise TypeError(f"Response(json=...) got a value of type {type(value).__name__}, which is no JSON")


def _rebuild(  # noqa: PLR0917 - the state of a pickle, in order
    status_code: int,
    content: bytes,
    headers: Pairs,
    attempts: tuple[Attempt, ...],
    elapsed: float,
    request: Request | None,
) -> Response[Any]:
    response: Response[Any] = Response(status_code, content=content)
    response._headers = Headers._received(headers)
    response.attempts = attempts
    response.elapsed = elapsed
    response._request = request
    return response


def not_json(response: Response[Any], reason: str) -> DecodeError:
    """The error for text that should be JSON: a maintenance page explains itself by its first 200 characters.

    Args:
        response: what came.
        reason: what pydantic's parser said.

    Raises:
        DecodeError: it is no text.
    """
    beyond = too_much(reason)
    if beyond is not None:
        return DecodeError(f"answered {response.status_code} with JSON {beyond}", response=response)
    what = response.content_type or "no content type"
    start = (_redact.json_body(response.text[:800].encode("utf-8", "replace")) or "")[:200]
    return DecodeError(f"answered {response.status_code} with {what}, which is not JSON: {start!r}", response=response)


def too_much(reason: str) -> str | None:
    """The bound of pydantic's parser that JSON is beyond, by what it said; `None` if it is no JSON."""
    return next((beyond for said, beyond in _BOUNDS.items() if said in reason), None)
