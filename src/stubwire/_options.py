"""Options: what class, settings, constructor, verb and views say, each overriding what is left of it.

This module's rule: frozen values and one fold. `UNSET` keeps what is below, `None` turns off; headers and queries
merge.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, cast, get_args

from typing_extensions import TypedDict

from stubwire._cancel import CancelToken
from stubwire._headers import check_name, check_value
from stubwire._secret import is_secret, revealed
from stubwire._spec import StatusKey
from stubwire.errors import ArgumentError, ConfigurationError
from stubwire.markers import UNSET, Style, Unset
from stubwire.retry import Retry

if TYPE_CHECKING:
    from pydantic import SecretBytes, SecretStr

    from stubwire._auth_check import AuthForm
    from stubwire._codecs import Codec
    from stubwire._types import Auth, HttpAuth

_SURROGATE = "[\ud800-\udfff]"

HeaderValue: TypeAlias = "str | SecretStr"
"""A header's value; a `SecretStr` is hidden wherever it shows."""

QueryValue = str | int | float | bool | None
"""A query parameter's value; `None` leaves it out."""


def kind_of(value: object) -> str:
    """An object's class with its library, for messages."""
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    return kind.__name__ if library == "builtins" else f"{library}.{kind.__name__}"


def check_positive(name: str, value: object) -> None:
    """Refuse what is no amount.

    Raises:
        ConfigurationError: it is zero, negative, infinite or no number.
    """
    if value is not None and not (_is_number(value) and 0 < value <= sys.float_info.max):
        raise ConfigurationError(f"{name}={value!r} must be a finite number above 0, or None for no limit")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """Seconds to wait for each step of an attempt; `None` waits without limit.

    Attributes:
        connect: for a connection.
        read: for the next bytes of the response.
        write: for the next bytes of the request to be taken.
        pool: for a free connection of the pool.
    """

    connect: float | None = 5.0
    read: float | None = 30.0
    write: float | None = 30.0
    pool: float | None = 5.0

    def __post_init__(self) -> None:
        """Refuse what is no duration."""
        for item in fields(self):
            check_positive(f"Timeout {item.name}", getattr(self, item.name))

    def extension(self) -> dict[str, float | None]:
        """As the engines take it."""
        return {"connect": self.connect, "read": self.read, "write": self.write, "pool": self.pool}


def timeout(value: float | Timeout | None) -> Timeout:
    """A number of seconds stands for each step."""
    if isinstance(value, Timeout):
        return value
    if not isinstance(cast("object", value), (int, float, str, type(None))):
        raise ConfigurationError(f"timeout must be seconds, or a stubwire.Timeout(...), not {kind_of(value)}")
    check_positive("timeout", value)
    return Timeout(connect=value, read=value, write=value, pool=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many connections a client keeps.

    Attributes:
        max_connections: at most open at once.
        max_keepalive_connections: at most open while idle; 0 keeps none.
        keepalive_expiry: seconds until an idle one is closed.
    """

    max_connections: int = 100
    max_keepalive_connections: int = 20
    keepalive_expiry: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what is no limit."""
        for name in ("max_connections", "keepalive_expiry"):
            check_positive(f"Limits {name}", getattr(self, name))
        if self.max_keepalive_connections != 0:
            check_positive("Limits max_keepalive_connections", self.max_keepalive_connections)


class CallOptions(TypedDict, total=False, closed=True):
    """The options of `with_options`: what a view of a client or an endpoint overrides.

    Attributes:
        timeout: seconds for each step of an attempt, or a `Timeout`; `None` for no limit.
        deadline: seconds for the whole call: attempts, waits, redirects, body; `None` for no limit.
        retry: when to try again; `None` does not.
        cancel: what ends the calls from elsewhere.
        headers: sent besides the others; one of the same name replaces them.
        query: parameters sent besides the others; one of the same name replaces them, `None` leaves it out.
        auth: who puts credentials on; `None` sends none.
        idempotency_key: the key itself, or whether to mint one for each call.
    """

    timeout: float | Timeout | None
    deadline: float | None
    retry: Retry | None
    cancel: CancelToken | None
    headers: Mapping[str, HeaderValue]
    query: Mapping[str, QueryValue]
    auth: Auth | HttpAuth | None
    idempotency_key: bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One layer of options, or several folded into one."""

    timeout: float | Timeout | Unset | None = UNSET
    deadline: float | Unset | None = UNSET
    cancel: CancelToken | Unset | None = UNSET
    retry: Retry | Unset | None = UNSET
    auth: Auth | HttpAuth | Mapping[str, Auth | HttpAuth] | str | Sequence[str] | Unset | None = UNSET
    auth_origins: Sequence[str] | Unset = UNSET
    idempotency_key: bool | str | Unset = UNSET
    follow_redirects: bool | Unset = UNSET
    max_response_bytes: int | Unset | None = UNSET
    query_style: Style | Unset = UNSET
    codecs: Sequence[Codec] | Unset = UNSET
    headers: Mapping[str, HeaderValue] = field(default_factory=dict[str, HeaderValue], repr=False)
    query: Mapping[str, QueryValue] = field(default_factory=dict[str, QueryValue], repr=False)
    errors: Mapping[StatusKey, type] = field(default_factory=dict[StatusKey, type])

    def over(self, lower: Options) -> Options:
        """Both layers as one, this one on top."""
        merged: dict[str, Any] = {
            "headers": merge_headers(lower.headers, self.headers),
            "query": {**lower.query, **self.query},
            "errors": {**lower.errors, **self.errors},
        }
        for item in fields(self):
            if item.name not in merged and getattr(self, item.name) is not UNSET:
                merged[item.name] = getattr(self, item.name)
        return replace(lower, **merged)


STYLES: tuple[str, ...] = get_args(Style)
DEFAULT_TIMEOUT = Timeout()
DEFAULT_RETRY = Retry()
DEFAULT_MAX_RESPONSE_BYTES = 100 * 2**20

DEFAULTS = Options(
    timeout=DEFAULT_TIMEOUT,
    deadline=None,
    cancel=None,
    retry=DEFAULT_RETRY,
    auth=None,
    auth_origins=(),
    idempotency_key=False,
    follow_redirects=False,
    max_response_bytes=DEFAULT_MAX_RESPONSE_BYTES,
    query_style="form",
    codecs=(),
)
"""What holds where nobody says anything."""

NAMES = frozenset(item.name for item in fields(Options))
"""The names of all options that fold."""


def merge_headers(lower: Mapping[str, HeaderValue], upper: Mapping[str, HeaderValue]) -> dict[str, HeaderValue]:
    """Headers by name, whatever the case; the upper layer wins."""
    replaced = {name.lower() for name in upper}
    return {**{name: value for name, value in lower.items() if name.lower() not in replaced}, **upper}


def check(options: Options, where: str, *, auth: AuthForm = "one") -> Options:
    """The options, if they can be used.

    Args:
        options: one layer.
        where: it stands, for messages.
        auth: what `auth` may be.

    Raises:
        ConfigurationError: one cannot; the message says which, and where it stands.
    """
    try:
        if not isinstance(options.timeout, Unset):
            timeout(options.timeout)
        if not isinstance(options.deadline, Unset):
            check_positive("deadline", options.deadline)
        if not isinstance(options.max_response_bytes, Unset):
            check_positive("max_response_bytes", options.max_response_bytes)
        _check_types(options)
        _check_auth(options, auth)
        _check_headers(options.headers)
        _check_query(options.query)
        if isinstance(options.idempotency_key, str):
            _check_key(options.idempotency_key)
    except (ConfigurationError, ArgumentError) as error:
        message = f"{where}: {error}"
    else:
        return options
    raise ConfigurationError(message)


def _check_types(options: Options) -> None:
    """Refuse what type checkers would: a number for a `Retry`, a token for an `Auth`."""
    retry, cancel = cast("object", options.retry), cast("object", options.cancel)
    if not isinstance(retry, (Retry, Unset, type(None))):
        raise ConfigurationError(f"retry={retry!r} must be a Retry, or None: write Retry(max_retries=3)")
    if not isinstance(cancel, (CancelToken, Unset, type(None))):
        raise ConfigurationError(f"cancel must be a CancelToken, not {kind_of(cancel)}")
    if options.query_style not in (UNSET, *STYLES):
        raise ConfigurationError(f"query_style={options.query_style!r} is no style: write one of {', '.join(STYLES)}")
    flags: tuple[tuple[str, tuple[type, ...]], ...] = (
        ("follow_redirects", (bool, Unset)),
        ("idempotency_key", (bool, str, Unset)),
    )
    for name, kinds in flags:
        if not isinstance(getattr(options, name), kinds):
            raise ConfigurationError(f"{name} must be True or False, not {type(getattr(options, name)).__name__}")


def _check_auth(options: Options, form: AuthForm) -> None:
    if options.auth in (None, UNSET) and options.auth_origins in ((), UNSET):
        return
    from stubwire import _auth_check

    auth = None if isinstance(options.auth, Unset) else options.auth
    origins = () if isinstance(options.auth_origins, Unset) else options.auth_origins
    if wrong := _auth_check.check(auth, kind_of(auth), form) or _auth_check.check_origins(origins):
        raise ConfigurationError(wrong)


def _check_headers(headers: object) -> None:
    if not isinstance(headers, Mapping):
        raise ConfigurationError(f"headers must be a mapping of names to values, not {type(headers).__name__}")
    for name, value in cast("Mapping[str, object]", headers).items():
        if not isinstance(value, str) and not is_secret(value):
            raise ConfigurationError(f"header {name!r} must be a str or a SecretStr, not {type(value).__name__}")
        check_value(check_name(name), reveal(value))


def _check_query(query: object) -> None:
    if not isinstance(query, Mapping):
        raise ConfigurationError(f"query must be a mapping of names to values, not {type(query).__name__}")
    for name, value in cast("Mapping[str, object]", query).items():
        if not isinstance(value, (str, int, float, type(None))):
            raise ConfigurationError(f"query {name!r} must be a str, a number or a bool, not {type(value).__name__}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigurationError(f"query {name!r}: {value} is no number that can be sent")
        if re.search(_SURROGATE, f"{name}{value}"):
            raise ConfigurationError(f"query {name!r}: it is no valid Unicode text")


def _check_key(key: str) -> None:
    if not check_value("Idempotency-Key", key):
        raise ConfigurationError("idempotency_key is empty: write True to mint one for each call")


def reveal(value: HeaderValue | SecretBytes) -> str:
    """The text of a header's value."""
    return revealed(value) if is_secret(value) else value
