"""Who puts credentials on a request.

This module's rule: an auth sets its header or query parameter on a copy that goes to an allowed origin only, and its
repr shows no secret.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, Self
from urllib.parse import quote, unquote_plus

from pydantic import SecretStr

from stubwire._headers import is_name
from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext

Secret = str | SecretStr | Callable[[], str | SecretStr]
"""A secret, or a function that is asked for it at each attempt."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def _text(secret: object, what: str) -> str:
    """The text of a secret, or of what a function answered.

    Raises:
        ConfigurationError: it is none.
    """
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    if not isinstance(text, str):
        raise ConfigurationError(f"{what} must be a str, a SecretStr or a function, not {type(text).__name__}")
    if _SURROGATE.search(text):
        raise ConfigurationError(f"{what} is no valid Unicode text")
    return text


def _ask(secret: Secret, what: str) -> str:
    return _text(secret() if callable(secret) else secret, what)


def _sendable(text: str, what: str) -> str:
    if not text:
        raise ConfigurationError(f"{what} is empty")
    if not text.isascii() or not text.isprintable():
        raise ConfigurationError(
            f"{what} has a line break, a control character or one outside ASCII: it was perhaps read with its newline"
        )
    return text


def _checked(secret: Secret, what: str) -> SecretStr | Callable[[], str | SecretStr]:
    return secret if callable(secret) else SecretStr(_sendable(_text(secret, what), what))


class _Credential:
    """What holds a secret: copies are itself, and there are no pickles of it."""

    def __copy__(self) -> Self:
        """Be immutable."""
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        """Be immutable."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would keep the secret."""
        raise TypeError(f"{type(self).__name__} cannot be pickled: it holds a credential")


class BearerAuth(_Credential):
    """`Authorization: Bearer <token>` (RFC 6750, section 2.1).

    Args:
        token: the token, or a function that is asked for it at each attempt.
        scheme: another word in its place, such as `"token"`; empty for the token alone.

    Raises:
        ConfigurationError: token or scheme cannot stand in a header.
    """

    names: tuple[str, ...] = ("Authorization",)

    def __init__(self, token: Secret, scheme: str = "Bearer") -> None:
        if scheme and not is_name(scheme):
            raise ConfigurationError(f"BearerAuth scheme={scheme!r} is no word such as 'Bearer'")
        self._token = _checked(token, "BearerAuth token")
        self._scheme = scheme

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Set the header, and go on."""
        token = _sendable(_ask(self._token, "BearerAuth token"), "BearerAuth token")
        request.headers["Authorization"] = f"{self._scheme} {token}"
        return await call_next(request)

    def __repr__(self) -> str:
        """Show no token."""
        return f"BearerAuth([redacted], scheme={self._scheme!r})"


class BasicAuth(_Credential):
    """`Authorization: Basic ...` in UTF-8 (RFC 7617).

    Args:
        user: the user, or a key that stands for one.
        password: the password, or a function that is asked for it at each attempt.

    Raises:
        ConfigurationError: the user has a colon, or one of them is no text.
    """

    names: tuple[str, ...] = ("Authorization",)

    def __init__(self, user: str | SecretStr, password: Secret = "") -> None:
        self._user = SecretStr(_text(user, "BasicAuth user"))
        if ":" in self._user.get_secret_value():
            raise ConfigurationError("BasicAuth user cannot have a colon (RFC 7617, section 2)")
        self._password = password if callable(password) else SecretStr(_text(password, "BasicAuth password"))

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Set the header, and go on."""
        pair = f"{self._user.get_secret_value()}:{_ask(self._password, 'BasicAuth password')}"
        token = base64.b64encode(pair.encode()).decode("ascii")
        request.headers["Authorization"] = f"Basic {token}"
        return await call_next(request)

    def __repr__(self) -> str:
        """Show neither user nor password."""
        return "BasicAuth([redacted])"


class ApiKeyAuth(_Credential):
    """A key in a header or in a query parameter.

    Args:
        key: the key, or a function that is asked for it at each attempt.
        header: the name of the header.
        query: the name of the query parameter instead.

    Raises:
        ConfigurationError: neither or both of `header` and `query` are given, or the key cannot be sent.
    """

    def __init__(self, key: Secret, *, header: str | None = None, query: str | None = None) -> None:
        if (header is None) == (query is None) or query == "":
            raise ConfigurationError("ApiKeyAuth needs header=... or query=..., and not both")
        if header is not None and not is_name(header):
            raise ConfigurationError(f"ApiKeyAuth header={header!r} is no header name")
        self._key = _checked(key, "ApiKeyAuth key")
        self._header = header
        self._query = query
        self.names: tuple[str, ...] = (header,) if header else ()
        self.query_names: tuple[str, ...] = (query,) if query else ()

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Set the header or the query parameter, and go on."""
        key = _sendable(_ask(self._key, "ApiKeyAuth key"), "ApiKeyAuth key")
        if self._header is not None:
            request.headers[self._header] = key
        else:
            request.url = _with_query(request.url, self.query_names[0], key)
        return await call_next(request)

    def __repr__(self) -> str:
        """Show where the key goes, and not the key."""
        return (
            f"ApiKeyAuth([redacted], {'header' if self._header else 'query'}={(*self.names, *self.query_names)[0]!r})"
        )


def _with_query(url: str, name: str, value: str) -> str:
    """The URL with a parameter set; one of that name is replaced, and a fragment, which is never sent, goes."""
    path, _, query = url.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) != name]
    kept.append(f"{quote(name, safe='')}={quote(value, safe='')}")
    return f"{path}?{'&'.join(kept)}"
