"""What `auth=` and `auth_origins=` may be.

This module's rule: pure; it says what is wrong, and shows no secret.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal, TypeAlias, cast
from urllib.parse import urlsplit

from stubwire._redact import url as redact_url
from stubwire._url import BaseUrl, parse_base_url
from stubwire.errors import ConfigurationError

AuthForm: TypeAlias = Literal["one", "names", "table"]
"""What `auth=` may be: one auth, or beside that names of the client's, or the client's by name."""

_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(\.[0-9]{1,3}){3}|::1")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, which nobody can listen to on the way."""
    return _LOOPBACK.fullmatch(host.lower()) is not None


def check(choice: object, kind: str, form: AuthForm) -> str:
    """What is wrong with an auth, or a choice of some; empty if nothing is.

    Args:
        choice: what was given.
        kind: its class, for the message.
        form: where it stands.
    """
    if choice is None:
        return ""
    if form == "names" and isinstance(choice, (str, list, tuple)):
        items = [choice] if isinstance(choice, str) else [*cast("Sequence[object]", choice)]
        fits = bool(items) and all(isinstance(item, str) and item for item in items)
        return "" if fits else "auth must be an Auth, or names of the client's: auth='admin', auth=['key', 'user']"
    if isinstance(choice, Mapping):
        if form != "table":
            return "auth must be one Auth here: auths by name stand on the client, and which of them on the verb"
        table = cast("Mapping[object, object]", choice)
        fits = bool(table) and all(isinstance(name, str) and name and _is_auth(auth) for name, auth in table.items())
        return "" if fits else "auth must be a mapping of names to auths, such as {'admin': BearerAuth(token)}"
    return "" if _is_auth(choice) else f"auth must be an Auth such as BearerAuth(token), not {kind}"


def _is_auth(item: object) -> bool:
    """Whether something puts credentials on: a function, or an auth of httpx or httpx2."""
    return not isinstance(item, type) and (callable(item) or hasattr(item, "sync_auth_flow"))


_warned: set[str] = set()
"""Origins that were warned of: once is enough."""


def origins(base: str, more: object, *, sends: bool = False) -> frozenset[str]:
    """Where credentials may go: to the origin of `base_url`, and to further ones.

    Args:
        base: the one.
        more: the others.
        sends: whether any are sent; then plain http to another machine is warned of.

    Raises:
        ConfigurationError: one of them is none.
    """
    found = frozenset((base, *(_origin(item) for item in cast("Sequence[object]", more))))
    for each in found - _warned if sends else ():
        if each.startswith("http:") and not is_loopback(urlsplit(each).hostname or ""):
            _warned.add(each)
            warnings.warn(
                f"credentials go to {each} over plain http, where anybody on the way can read them: write https://",
                stacklevel=2,
            )
    return found


def check_origins(given: object) -> str:
    """What is wrong with `auth_origins`; empty if nothing is."""
    if not isinstance(given, (list, tuple, set, frozenset)):
        return f"auth_origins must be a list, such as ['https://uploads.example'], not {type(given).__name__}"
    try:
        origins("", list(cast("Sequence[object]", given)))
    except ConfigurationError as error:
        return str(error)
    return ""


def _origin(item: object) -> str:
    wrong = f"auth_origins: {type(item).__name__} is no origin, such as 'https://uploads.example'"
    base: BaseUrl | None = None
    if isinstance(item, str):
        wrong = f"auth_origins: {redact_url(item)!r} is no origin, such as 'https://uploads.example'"
        with suppress(ConfigurationError):
            base = parse_base_url(item, "auth_origins")
    if base is not None and "*" not in base.text and base.text == base.origin and base.userinfo is None:
        return base.origin
    raise ConfigurationError(wrong)
