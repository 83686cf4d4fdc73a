"""OAuth 2: `OAuth2ClientCredentials` (RFC 6749, section 4.4) and `OAuth2RefreshToken` (section 6).

This module's rule: who sends the token and when it is renewed; how it is asked for, who asks, and where it is kept is
decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, cast

from stubwire import _clock
from stubwire._attempts import can_send_again
from stubwire._credentials import Credential, Plain, Secret, ask, text_of, written
from stubwire._headers import is_name
from stubwire._limits import Limit
from stubwire._options import check_positive
from stubwire._token import Token, TokenError
from stubwire._token_flight import Held
from stubwire._token_request import Asking, Client
from stubwire._token_store import MemoryTokenStore, TokenStore
from stubwire.errors import ConfigurationError, DeadlineExceeded

if TYPE_CHECKING:
    from stubwire._call import Call
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._types import CallNext

_POLL = 0.05
"""Seconds after which a process looks again whether another has renewed the token."""
_OWN = frozenset({"grant_type", "client_id", "client_secret", "refresh_token", "scope", "audience"})


class _OAuth2(Credential):
    """What both grants share."""

    names: tuple[str, ...] = ("Authorization",)

    def __init__(self, asking: Asking, scheme: str, timeout: float, store: TokenStore | None, key: str) -> None:
        owner = asking.owner
        if timeout is None:  # pyright: ignore[reportUnnecessaryComparison] - it comes from a user
            raise ConfigurationError(f"{owner} timeout=None must be a finite number above 0: no call waits for ever")
        check_positive(f"{owner} timeout", timeout)
        if scheme and not is_name(scheme):
            raise ConfigurationError(f"{owner} scheme={scheme!r} is no word such as 'Bearer'")
        if store is not None and not all(callable(getattr(store, name, None)) for name in ("load", "save", "lock")):
            raise ConfigurationError(f"{owner} store must be a TokenStore, not {type(store).__name__}")
        self._asking = asking
        self._scheme = scheme
        self._timeout = timeout
        self._store: TokenStore = MemoryTokenStore() if store is None else store
        self._key = key
        self._held = Held(timeout)
        self._unsaved: Token | None = None

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        """Send the token, and once more with another if the server refuses it."""
        token = self._held.token
        if token is None or _clock.now() >= token._renew_at:
            token = await self._renewed(request, call_next, None)
        request.headers["Authorization"] = self._header(token)
        response = await call_next(request)
        if response.status_code != 401 or not can_send_again(request):
            return response
        token = await self._renewed(request, call_next, token)
        request.headers["Authorization"] = self._header(token)
        return await call_next(request)

    def _header(self, token: Token) -> str:
        text = token.access_token.get_secret_value()
        return f"{self._scheme} {text}" if self._scheme else text

    async def _renewed(self, request: Request, call_next: CallNext, refused: Token | None) -> Token:
        call = cast("Call", request._call)

        async def renew(waits: bool) -> Token:
            return await self._in_time(request, call_next, refused, waits=waits)

        return await self._held.renewed(call.runtime, refused, renew)

    async def _in_time(self, request: Request, call_next: CallNext, refused: Token | None, *, waits: bool) -> Token:
        """Ask for a token, within the time for that.

        Raises:
            DeadlineExceeded: the call's own time is over.
            TokenError: there is none.
        """
        call = cast("Call", request._call)
        limit = _limit(call, self._timeout)
        with suppress(DeadlineExceeded), call.runtime.within(limit):
            return await self._one_of_all(request, call_next, refused, limit, waits=waits)
        if call.limit is not None:
            call.limit.check()
        raise TokenError(f"got no token: {self._asking.shown} gave none within timeout={self._timeout:g}")

    async def _one_of_all(
        self, request: Request, call_next: CallNext, refused: Token | None, limit: Limit, *, waits: bool
    ) -> Token:
        """Ask for a token when no other process does; one that another has brought is as good."""
        before = self._held.token
        while True:
            with self._store.lock(self._key) as alone:
                stored = self._store.load(self._key)
                if stored is not None and stored._is_fresh(_clock.now()) and not _same(stored, refused):
                    return stored
                if alone or not waits:
                    token = await self._ask(request, call_next, self._unsaved or stored or before, limit)
                    self._held.token = self._unsaved = token  # a store that fails loses nothing
                    self._store.save(self._key, token)
                    self._unsaved = None
                    return token
            limit.check()
            await cast("Call", request._call).runtime.sleep(_POLL)

    async def _ask(self, request: Request, call_next: CallNext, before: Token | None, limit: Limit) -> Token:
        raise NotImplementedError

    def __repr__(self) -> str:
        """Show where tokens come from, and no secret."""
        return f"{type(self).__name__}({self._asking.shown!r}, [redacted])"


class OAuth2ClientCredentials(_OAuth2):
    """A token that this program gets by its own name and password (RFC 6749, section 4.4).

    It is asked for at the first call and renewed 30 seconds before it ends, once for all threads, tasks and event loops
    that share the auth. A 401 renews it too, and the request is sent once more if its body can be.

    Args:
        token_url: the token endpoint: https, or http on this machine. Nothing but the token request goes there.
        client_id: this program's name.
        client_secret: its password, or a function, `async` or not, that is asked for it.
        scope: what the token is for: words in a text or a list.
        audience: which API it is for, where the endpoint wants to know.
        extra: further fields to post, such as `{"resource": "https://api.example"}` (RFC 8707).
        client_auth: whether name and password go by Basic authentication, or as fields of the body.
        scheme: the word before the token; empty for the token alone.
        timeout: seconds for a renewal, all of its attempts.
        store: where the token is kept beside this object: a `FileTokenStore` shares it with other processes.

    Raises:
        ConfigurationError: a setting cannot be used.
    """

    def __init__(
        self,
        token_url: str,
        client_id: Plain,
        client_secret: Secret,
        *,
        scope: str | Sequence[str] = "",
        audience: str = "",
        extra: Mapping[str, str] | None = None,
        client_auth: Literal["basic", "body"] = "basic",
        scheme: str = "Bearer",
        timeout: float = 30.0,
        store: TokenStore | None = None,
    ) -> None:
        owner = type(self).__name__
        if client_secret is None:  # pyright: ignore[reportUnnecessaryComparison] - it comes from a user
            raise ConfigurationError(f"{owner} client_secret is None: this grant needs one")
        client = Client(_client_id(client_id, owner), client_secret, client_auth)
        asking = Asking(owner, token_url, client, _fields(owner, scope, audience, extra), scheme)
        super().__init__(asking, scheme, timeout, store, asking.key())

    async def _ask(self, request: Request, call_next: CallNext, before: Token | None, limit: Limit) -> Token:  # noqa: ARG002
        return await self._asking.token(request, call_next, {"grant_type": "client_credentials"}, limit)


class OAuth2RefreshToken(_OAuth2):
    """A token that a person has given this program, renewed with its refresh token (RFC 6749, section 6).

    As `OAuth2ClientCredentials`. Where the endpoint gives a new refresh token, it takes the place of the one before:
    keep it with a `store`, or it is lost at the end of the process.

    Args:
        token_url: the token endpoint: https, or http on this machine.
        refresh_token: the first one, or a function that is asked for it; what a store has kept of it goes first.
        client_id: this program's name.
        client_secret: its password; none for a public client.
        scope: what the token is for, if it is less than before.
        audience: which API it is for, where the endpoint wants to know.
        extra: further fields to post.
        client_auth: whether name and password go by Basic authentication, or as fields of the body.
        scheme: the word before the token; empty for the token alone.
        timeout: seconds for a renewal, all of its attempts.
        store: where tokens are kept beside this object.

    Raises:
        ConfigurationError: a setting cannot be used.
    """

    def __init__(
        self,
        token_url: str,
        refresh_token: Secret,
        *,
        client_id: Plain = "",
        client_secret: Secret | None = None,
        scope: str | Sequence[str] = "",
        audience: str = "",
        extra: Mapping[str, str] | None = None,
        client_auth: Literal["basic", "body"] = "basic",
        scheme: str = "Bearer",
        timeout: float = 30.0,
        store: TokenStore | None = None,
    ) -> None:
        owner = type(self).__name__
        self._first = written(refresh_token, f"{owner} refresh_token")
        client = Client(_client_id(client_id, owner) if client_id != "" else "", client_secret, client_auth)
        asking = Asking(owner, token_url, client, _fields(owner, scope, audience, extra), scheme)
        first = "" if callable(self._first) else text_of(self._first, "")
        super().__init__(asking, scheme, timeout, store, asking.key(first))

    async def _ask(self, request: Request, call_next: CallNext, before: Token | None, limit: Limit) -> Token:
        known = before.refresh_token if before is not None else None
        what = f"{type(self).__name__} refresh_token"
        refresh = known.get_secret_value() if known is not None else await ask(self._first, what)
        if not refresh:
            raise ConfigurationError(f"{what} is empty")
        grant = {"grant_type": "refresh_token", "refresh_token": refresh}
        token = await self._asking.token(request, call_next, grant, limit)
        if token.refresh_token is not None:
            return token
        return Token(token.access_token, expires_at=token.expires_at, refresh_token=refresh)


def _client_id(client_id: object, owner: str) -> str:
    text = text_of(client_id, f"{owner} client_id")
    if not text:
        raise ConfigurationError(f"{owner} client_id is empty")
    return text


def _fields(owner: str, scope: object, audience: object, extra: object) -> dict[str, str]:
    """What is posted beside a grant's own."""
    words = [scope] if isinstance(scope, str) else list(cast("Sequence[object]", scope)) if _is_list(scope) else [None]
    if not all(isinstance(word, str) for word in words):
        raise ConfigurationError(f"{owner} scope must be a str or a list of them, not {type(scope).__name__}")
    if not isinstance(audience, str):
        raise ConfigurationError(f"{owner} audience must be a str, not {type(audience).__name__}")
    if extra is not None and not isinstance(extra, Mapping):
        raise ConfigurationError(f"{owner} extra must be a mapping of names to texts, not {type(extra).__name__}")
    more = cast("Mapping[object, object]", extra or {})
    for name, value in more.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ConfigurationError(f"{owner} extra must be a mapping of names to texts: {name!r} is none")
        if name in _OWN:
            raise ConfigurationError(f"{owner} extra has {name!r}, which is an argument of its own")
    own = {"scope": " ".join(cast("list[str]", words)), "audience": audience}
    return {name: value for name, value in own.items() if value} | cast("dict[str, str]", dict(more))


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _limit(call: Call, seconds: float) -> Limit:
    """The time for a renewal, within that of the call."""
    own = _clock.monotonic() + seconds
    outer = call.limit
    if outer is None:
        return Limit(own, None)
    return Limit(own if outer.deadline is None else min(own, outer.deadline), outer.token)


def _same(token: Token, other: Token | None) -> bool:
    return other is not None and token.access_token == other.access_token
