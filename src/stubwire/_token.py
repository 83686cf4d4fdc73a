"""Access tokens: `Token`, and `TokenError` where there is none.

This module's rule: pure; what a token endpoint answered goes in, and a token comes out or an error that says which
setting to look at (RFC 6749, sections 5.1 and 5.2).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, cast

import pydantic_core
from pydantic import SecretStr

from stubwire._credentials import Credential, Plain, text_of
from stubwire.errors import CallError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stubwire._response import Response

EARLY = 30.0
"""Seconds before its end at which a token is renewed."""

_LONGEST = 10 * 365 * 86400.0
"""Seconds, as long as a token may last: more would overflow somebody's clock."""
_CODE = re.compile(r"[a-z][a-z_]{0,49}")
_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
_UNSEEN = re.compile(r"[^\x20-\x7e]+")


class Token(Credential):
    """An access token, as a token endpoint gave it, or as a store kept it.

    Args:
        access_token: what is sent.
        expires_at: when it ends, in seconds since the epoch; `None` where nobody knows, and it holds until it is
            refused.
        refresh_token: what the next one is asked for with, where there is one.

    Attributes:
        access_token: hidden wherever it shows; so is the other.
        expires_at: as above.
        refresh_token: as above.
    """

    __slots__ = ("_renew_at", "access_token", "expires_at", "refresh_token")

    def __init__(
        self, access_token: Plain, *, expires_at: float | None = None, refresh_token: Plain | None = None
    ) -> None:
        self.access_token: SecretStr = SecretStr(text_of(access_token, "Token access_token"))
        self.expires_at: float | None = expires_at
        self.refresh_token: SecretStr | None = (
            None if refresh_token is None else SecretStr(text_of(refresh_token, "Token refresh_token"))
        )
        self._renew_at = math.inf if expires_at is None else expires_at - EARLY

    def _postponed(self, moment: float) -> Token:
        """The same, to be renewed at another moment."""
        twin = Token(self.access_token, expires_at=self.expires_at, refresh_token=self.refresh_token)
        twin._renew_at = moment
        return twin

    def _is_fresh(self, now: float) -> bool:
        return now < self._renew_at

    def _is_valid(self, now: float) -> bool:
        return self.expires_at is None or now < self.expires_at

    def dump(self) -> dict[str, str | float | None]:
        """The token for a store, its secrets in plain text."""
        refresh = self.refresh_token
        return {
            "access_token": self.access_token.get_secret_value(),
            "expires_at": self.expires_at,
            "refresh_token": None if refresh is None else refresh.get_secret_value(),
        }

    @classmethod
    def load(cls, data: Mapping[str, object]) -> Token | None:
        """What `dump` gave; `None` if this is something else."""
        access, expires, refresh = (data.get(name) for name in ("access_token", "expires_at", "refresh_token"))
        known = expires is None or (isinstance(expires, (int, float)) and math.isfinite(expires))
        if not isinstance(access, str) or not _is_sendable(access) or not known:
            return None
        moment = None if expires is None else float(cast("float", expires))
        return cls(access, expires_at=moment, refresh_token=refresh if isinstance(refresh, str) else None)

    def __repr__(self) -> str:
        """Show when it ends, and neither secret."""
        return f"Token([redacted], expires_at={self.expires_at!r})"


class TokenError(CallError):
    """A token endpoint gave no token; the message says which setting to look at, and never its value.

    Attributes:
        code: what the endpoint said: `"invalid_client"`, `"invalid_grant"`, ... (RFC 6749, section 5.2), or empty.
        status_code: what it answered, or `None` without an answer.
    """

    code: str = ""
    status_code: int | None = None

    def __init__(self, message: str = "", *, code: str = "", status_code: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status_code = status_code

    @property
    def _passes(self) -> bool:
        """Whether it may be otherwise in a while."""
        return self.status_code is None or self.status_code >= 500 or self.status_code == 429


def read(
    response: Response[Any], now: float, scheme: str, settings: Mapping[str, str], secrets: Iterable[str]
) -> Token:
    """The token that an endpoint gave.

    Args:
        response: its answer.
        now: seconds since the epoch, when it was asked.
        scheme: the word before the token in the header.
        settings: which settings to look at, by error code.
        secrets: what no message may show.

    Raises:
        TokenError: it gave none.
    """
    fields = _fields(response, secrets)
    access, kind = fields.get("access_token"), fields.get("token_type", scheme)
    if not 200 <= response.status_code < 300 or not isinstance(access, str) or not access:
        raise _refused(response.status_code, fields, settings, secrets)
    if not _is_sendable(access):
        raise TokenError(
            "answered with an access_token that cannot stand in a header", status_code=response.status_code
        )
    if isinstance(kind, str) and not kind.lower().startswith(("bearer", scheme.lower() or "bearer")):
        raise TokenError("answered with a token_type other than Bearer", status_code=response.status_code)
    seconds, refresh = lifetime(fields.get("expires_in")), fields.get("refresh_token")
    return Token(
        access,
        expires_at=None if seconds is None else now + seconds,
        refresh_token=refresh if isinstance(refresh, str) and refresh else None,
    )


def lifetime(value: object) -> float | None:
    """Seconds, from an `expires_in`: a number or the text of one; `None` for whatever says nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return _LONGEST if isinstance(value, int) and value > 0 else 0.0
    except ValueError:
        return None
    return min(seconds, _LONGEST) if math.isfinite(seconds) else None


def _is_sendable(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()


def _fields(response: Response[Any], secrets: Iterable[str]) -> Mapping[str, object]:
    """The fields of an answer.

    Raises:
        TokenError: it has none.
    """
    try:
        data: object = pydantic_core.from_json(response.content)
    except ValueError:
        data = None
    if isinstance(data, dict):
        return cast("dict[str, object]", data)
    kind = _TYPE.match(response.content_type)
    what = kind[0] if kind is not None and not _shows(kind[0], secrets) else "no content type"
    found = f"answered {response.status_code} with {what}, which is no JSON object"
    if 300 <= response.status_code < 400:
        found = f"answered {response.status_code}, a redirect, which credentials do not follow: check token_url"
    elif response.status_code in (200, 404, 405):
        found += ": check token_url"
    raise TokenError(found, status_code=response.status_code)


def _refused(
    status: int, fields: Mapping[str, object], settings: Mapping[str, str], secrets: Iterable[str]
) -> TokenError:
    code, said = fields.get("error"), fields.get("error_description")
    code = code if isinstance(code, str) and _CODE.fullmatch(code) and not _shows(code, secrets) else ""
    message = f"answered {status} {code}".rstrip()
    if 200 <= status < 300 and not code:
        message = f"answered {status} without an access_token"
    advice = settings.get(code, settings["invalid_client"] if status == 401 else "")
    message += f": check {advice}" if advice else ""
    if isinstance(said, str) and said and not _shows(said, secrets):
        message += f" (it says {_UNSEEN.sub(' ', said)[:200]!r})"
    return TokenError(message, code=code, status_code=status)


def _shows(text: str, secrets: Iterable[str]) -> bool:
    """Whether a text has a secret in it, spelt in any way that hides nothing."""
    bare = text.lower()
    return any(secret.lower() in bare for secret in secrets if secret)


for _public in (Token, TokenError):
    _public.__module__ = "stubwire.auth"  # a traceback names where a user imports it from
