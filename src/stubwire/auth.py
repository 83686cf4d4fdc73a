"""Who puts credentials on a request.

This module's rule: an auth sets its header or query parameter on a copy that goes to an allowed origin only, and its
repr shows no secret.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import SecretStr

from stubwire._headers import is_name
from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext

Secret = str | SecretStr | Callable[[], str | SecretStr]
"""A secret, or a function that is asked for it at each attempt."""


def _reveal(secret: Secret, what: str) -> str:
    value = secret() if callable(secret) else secret
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not text:
        raise ConfigurationError(f"{what} is empty")
    if not text.isascii() or not text.isprintable():
        raise ConfigurationError(
            f"{what} has a line break, a control character or one outside ASCII: it was perhaps read with its newline"
        )
    return text


def _check(secret: Secret, what: str) -> Secret:
    if not callable(secret):
        _reveal(secret, what)
        return secret if isinstance(secret, SecretStr) else SecretStr(secret)
    return secret


class BearerAuth:
    """`Authorization: Bearer <token>` (RFC 6750, section 2.1).

    Args:
        token: the token, or a function that is asked for it at each attempt.
        scheme: another word in its place, such as `"token"`.

    Raises:
        ConfigurationError: the token cannot stand in a header.
    """

    names: tuple[str, ...] = ("Authorization",)

    def __init__(self, token: Secret, scheme: str = "Bearer") -> None:
        self._token = _check(token, "BearerAuth token")
        self._scheme = scheme

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Set the header, and go on."""
        request.headers["Authorization"] = f"{self._scheme} {_reveal(self._token, 'BearerAuth token')}"
        return await call_next(request)

    def __repr__(self) -> str:
        """Show no token."""
        return f"BearerAuth([redacted], scheme={self._scheme!r})"

    def __reduce__(self) -> str:
        """Refuse: a pickle would keep the token."""
        raise TypeError("BearerAuth cannot be pickled: it holds a credential")


class BasicAuth:
    """`Authorization: Basic ...` in UTF-8 (RFC 7617).

    Raises:
        ConfigurationError: the user has a colon.
    """

    names: tuple[str, ...] = ("Authorization",)

    def __init__(self, user: str, password: Secret = "") -> None:
        if ":" in user:
            raise ConfigurationError("BasicAuth user cannot have a colon (RFC 7617, section 2)")
        self._user = user
        self._password = password if callable(password) or isinstance(password, SecretStr) else SecretStr(password)

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Set the header, and go on."""
        value = self._password() if callable(self._password) else self._password
        password = value.get_secret_value() if isinstance(value, SecretStr) else value
        token = base64.b64encode(f"{self._user}:{password}".encode()).decode("ascii")
        request.headers["Authorization"] = f"Basic {token}"
        return await call_next(request)

    def __repr__(self) -> str:
        """Show neither user nor password."""
        return "BasicAuth([redacted])"

    def __reduce__(self) -> str:
        """Refuse: a pickle would keep the password."""
        raise TypeError("BasicAuth cannot be pickled: it holds a credential")


class ApiKeyAuth:
    """A key in a header or in a query parameter.

    Raises:
        ConfigurationError: neither or both of `header` and `query` are given, or the key cannot be sent.
    """

    def __init__(self, key: Secret, *, header: str | None = None, query: str | None = None) -> None:
        if (header is None) == (query is None):
            raise ConfigurationError("ApiKeyAuth needs header=... or query=..., and not both")
        if header is not None and not is_name(header):
            raise ConfigurationError(f"ApiKeyAuth header={header!r} is no header name")
        self._key = _check(key, "ApiKeyAuth key")
        self._header = header
        self._query = query
        self.names: tuple[str, ...] = (header or query or "",)

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Set the header or the query parameter, and go on."""
        key = _reveal(self._key, "ApiKeyAuth key")
        if self._header is not None:
            request.headers[self._header] = key
        else:
            request.url = _with_query(request.url, quote(self._query or "", safe=""), quote(key, safe=""))
        return await call_next(request)

    def __repr__(self) -> str:
        """Show where the key goes, and not the key."""
        return f"ApiKeyAuth([redacted], {'header' if self._header else 'query'}={self.names[0]!r})"

    def __reduce__(self) -> str:
        """Refuse: a pickle would keep the key."""
        raise TypeError("ApiKeyAuth cannot be pickled: it holds a credential")


def _with_query(url: str, name: str, value: str) -> str:
    path, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] != name]
    return f"{path}?{'&'.join([*kept, f'{name}={value}'])}"
