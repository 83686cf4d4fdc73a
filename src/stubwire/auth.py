"""Who puts credentials on a request.

This module's rule: an auth sets its header or query parameter on a copy that goes to an allowed origin only, and its
repr shows no secret.
"""

from __future__ import annotations

import base64
import importlib
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

from pydantic import SecretStr

from stubwire._credentials import Credential, Plain, Secret, ask, checked, sendable, text_of
from stubwire._headers import is_name
from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from stubwire._oauth2 import OAuth2ClientCredentials, OAuth2RefreshToken
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._token import Token, TokenError
    from stubwire._token_store import FileTokenStore, MemoryTokenStore, TokenStore
    from stubwire._types import CallNext

__all__ = [
    "ApiKeyAuth",
    "BasicAuth",
    "BearerAuth",
    "FileTokenStore",
    "MemoryTokenStore",
    "OAuth2ClientCredentials",
    "OAuth2RefreshToken",
    "Secret",
    "Token",
    "TokenError",
    "TokenStore",
]

_LATER = {
    "FileTokenStore": "_token_store",
    "MemoryTokenStore": "_token_store",
    "OAuth2ClientCredentials": "_oauth2",
    "OAuth2RefreshToken": "_oauth2",
    "Token": "_token",
    "TokenError": "_token",
    "TokenStore": "_token_store",
}
"""What many clients do without."""


def __getattr__(name: str) -> object:
    """Import OAuth 2 when it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module 'stubwire.auth' has no attribute {name!r}")
    item: object = getattr(importlib.import_module(f"stubwire.{_LATER[name]}"), name)
    setattr(item, "__module__", __name__)  # noqa: B010 - what a user imports it from
    globals()[name] = item
    return item


class BearerAuth(Credential):
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
        self._token = checked(token, "BearerAuth token")
        self._scheme = scheme

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Set the header, and go on."""
        token = sendable(await ask(self._token, "BearerAuth token"), "BearerAuth token")
        request.headers["Authorization"] = f"{self._scheme} {token}"
        return await call_next(request)

    def __repr__(self) -> str:
        """Show no token."""
        return f"BearerAuth([redacted], scheme={self._scheme!r})"


class BasicAuth(Credential):
    """`Authorization: Basic ...` in UTF-8 (RFC 7617).

    Args:
        user: the user, or a key that stands for one.
        password: the password, or a function that is asked for it at each attempt.

    Raises:
        ConfigurationError: the user has a colon, or one of them is no text.
    """

    names: tuple[str, ...] = ("Authorization",)

    def __init__(self, user: Plain, password: Secret = "") -> None:
        self._user = SecretStr(text_of(user, "BasicAuth user"))
        if ":" in self._user.get_secret_value():
            raise ConfigurationError("BasicAuth user cannot have a colon (RFC 7617, section 2)")
        self._password = password if callable(password) else SecretStr(text_of(password, "BasicAuth password"))

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Set the header, and go on."""
        pair = f"{self._user.get_secret_value()}:{await ask(self._password, 'BasicAuth password')}"
        token = base64.b64encode(pair.encode()).decode("ascii")
        request.headers["Authorization"] = f"Basic {token}"
        return await call_next(request)

    def __repr__(self) -> str:
        """Show neither user nor password."""
        return "BasicAuth([redacted])"


class ApiKeyAuth(Credential):
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
        self._key = checked(key, "ApiKeyAuth key")
        self._header = header
        self._query = query
        self.names: tuple[str, ...] = (header,) if header else ()
        self.query_names: tuple[str, ...] = (query,) if query else ()

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Set the header or the query parameter, and go on."""
        key = sendable(await ask(self._key, "ApiKeyAuth key"), "ApiKeyAuth key")
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
