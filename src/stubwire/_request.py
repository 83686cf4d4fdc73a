"""What goes out: `Request`.

This module's rule: a request is plain data. It carries its plan and its call for the core, and a copy keeps both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from typing_extensions import TypedDict, Unpack

from stubwire import _redact
from stubwire._headers import Headers, Pairs

if TYPE_CHECKING:
    from stubwire._call import Call
    from stubwire._payload import Payload
    from stubwire._plan import Plan
    from stubwire._response import Attempt
    from stubwire._spec import EndpointSpec

_NOTHING: Mapping[str, object] = {}


class RequestChanges(TypedDict, total=False, closed=True):
    """What `Request.replace` takes."""

    method: str
    url: str
    headers: Mapping[str, str] | Iterable[tuple[str, str]]
    content: bytes | None


class Request:
    """One request, the same whatever the engine.

    Attributes:
        method: in upper case.
        url: absolute and encoded.
        content: the body's bytes, or `None` without a body, and for one that is streamed.
        arguments: the stub's arguments by parameter name.
        attempt: which attempt this copy is for, from 1; 0 before the first.
    """

    __slots__ = (
        "_call",
        "_headers",
        "_pairs",
        "_payload",
        "_plan",
        "_risks",
        "arguments",
        "attempt",
        "content",
        "method",
        "url",
    )

    def __init__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        content: bytes | None = None,
    ) -> None:
        self.method: str = method
        self.url: str = url
        self.content: bytes | None = content
        self.arguments: Mapping[str, object] = _NOTHING
        self.attempt: int = 0
        self._pairs: Pairs = ()
        self._headers: Headers | None = Headers(headers)
        self._plan: Plan | None = None
        self._call: Call | None = None
        self._risks: list[tuple[str, Pairs]] = []
        self._payload: Payload | None = None

    @classmethod
    def _bound(
        cls, plan: Plan, url: str, pairs: Pairs, content: bytes | None, arguments: Mapping[str, object]
    ) -> Request:
        """What a compiled bind function makes; its headers were checked there."""
        self = cls.__new__(cls)
        self.method = plan.method
        self.url = url
        self.content = content
        self.arguments = arguments
        self.attempt = 0
        self._pairs = pairs
        self._headers = None
        self._plan = plan
        self._call = None
        self._risks = []
        self._payload = None
        return self

    @property
    def headers(self) -> Headers:
        """The headers, without those that the connection needs and those that auth adds."""
        if self._headers is None:
            self._headers = Headers._received(self._pairs, self._secrets)
        return self._headers

    @property
    def spec(self) -> EndpointSpec | None:
        """The endpoint that was called; `None` for a request that was made by hand."""
        return self._plan.spec if self._plan else None

    @property
    def endpoint(self) -> str:
        """The name of the endpoint, such as `"GitHub.issues.list"`; empty for a request that was made by hand."""
        return self._plan.name if self._plan else ""

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What this call has tried so far."""
        return tuple(self._call.attempts) if self._call else ()

    def replace(self, **changes: Unpack[RequestChanges]) -> Request:
        """A copy with some of `method`, `url`, `headers` and `content` replaced.

        Raises:
            TypeError: something else was to be replaced.
        """
        for name in changes:
            if name not in RequestChanges.__annotations__:
                raise TypeError(f"replace() got an unexpected {name!r}: write method, url, headers or content")
        copy = self._copy()
        copy.method = changes.get("method", copy.method)
        copy.url = changes.get("url", copy.url)
        if "content" in changes:
            copy.content, copy._payload = changes["content"], None
        if "headers" in changes:
            copy._headers = Headers(changes["headers"])
        return copy

    def curl(self) -> str:
        """The request as a command line for curl, its secrets redacted."""
        import shlex

        words = ["curl", "-X", self.method, self._shown_url()]
        for name, value in self._shown_headers():
            words += ["-H", f"{name}: {value}"]
        if self.content is not None:
            words += ["--data-raw", self._shown_body(self.content)]
        elif self._payload is not None:
            words += ["--data-binary", f"<{self._payload}>"]
        return shlex.join(words)

    @property
    def is_streamed(self) -> bool:
        """Whether the body is read while it is sent, from a file or an iterable, so that `content` does not have it."""
        return self._payload is not None and self.content is None

    @property
    def line(self) -> str:
        """Method and redacted URL, as messages show them."""
        return f"{self.method} {_redact.url(self.url, self._secrets)}"

    @property
    def _secrets(self) -> frozenset[str]:
        return self._plan.secrets if self._plan else frozenset()

    @property
    def _is_as_bound(self) -> bool:
        """Whether the URL is the one that its bind function put together, which nobody has changed."""
        return self._call is not None and self.url is self._call.url

    def _shown_url(self) -> str:
        """The URL with the query parameters that auth will set."""
        url = _redact.url(self.url, self._secrets)
        auth = "&".join(f"{name}={_redact.REDACTED}" for name in self._plan.auth_query) if self._plan else ""
        return f"{url}{'&' if '?' in url else '?'}{auth}" if auth else url

    def _shown_headers(self) -> list[tuple[str, str]]:
        auth = [(name, _redact.REDACTED) for name in self._plan.auth_headers] if self._plan else []
        taken = {name.lower() for name, _ in auth}
        own = [(name, value) for name, value in self._sent_pairs() if name.lower() not in taken]
        return [*_redact.headers(own, self._secrets), *auth]

    def _shown_body(self, content: bytes) -> str:
        """The body, if it is text in which secrets have names."""
        kind = self.headers.get("content-type", "")
        body = None if kind.startswith("multipart/") else _redact.json_body(content, self._secret_fields())
        return f"<{len(content)} bytes>" if body is None else body

    def _secret_fields(self) -> frozenset[str]:
        """The names in the body that were declared secret."""
        from stubwire._fields import secret_fields

        bodies = [parameter for parameter in (self.spec.parameters if self.spec else ()) if parameter.role == "body"]
        names = [name for parameter in bodies for name in secret_fields(parameter.annotation, parameter.name)]
        return self._secrets.union(name.lower() for name in names)

    def _sent_pairs(self) -> Pairs:
        return self._pairs if self._headers is None else self._headers.pairs()

    def _copy(self) -> Request:
        copy = Request.__new__(Request)
        copy.method = self.method
        copy.url = self.url
        copy.content = self.content
        copy.arguments = self.arguments
        copy.attempt = self.attempt
        copy._pairs = self._pairs if self._headers is None else self._headers.pairs()
        copy._headers = None
        copy._plan = self._plan
        copy._call = self._call
        copy._risks = self._risks
        copy._payload = self._payload
        return copy

    def _redacted(self) -> Request:
        """A copy that keeps no secret in its URL and headers, for errors to carry."""
        copy = self._copy()
        copy._payload = None  # an error does not keep a file open
        copy.url = _redact.url(self.url, self._secrets)
        copy._pairs = tuple(_redact.headers(copy._pairs, self._secrets))
        return copy

    def __repr__(self) -> str:
        """Show method and URL, redacted."""
        return f"<Request {self.line}>"

    def __copy__(self) -> Request:
        """Copy; the twin belongs to the same call."""
        return self._copy()

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle redacted, without body, arguments and spec."""
        shown = self._redacted()
        return _rebuild, (shown.method, shown.url, shown._pairs, self.attempt)


def _rebuild(method: str, url: str, pairs: Pairs, attempt: int) -> Request:
    request = Request(method, url)
    request._headers = Headers._received(pairs)
    request.attempt = attempt
    return request
