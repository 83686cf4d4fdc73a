"""Base URLs, origins and redirect targets.

This module's rule: text in, text out; what is not plainly http or https with a host is refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from stubwire import _redact
from stubwire.errors import ConfigurationError, RedirectError

DEFAULT_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]*")
"""What a URL is made of: printable ASCII but for blanks and `"<>\\^`{|}` (RFC 3986, section 2)."""


class BaseUrl(NamedTuple):
    """A base URL, taken apart.

    Attributes:
        origin: scheme, host and port, without a default port and without a slash: `"https://api.github.com"`.
        text: the origin with the base path, without a slash at its end.
        userinfo: the decoded user and password, which the text does not have; `None` without one.
    """

    origin: str
    text: str
    userinfo: tuple[str, str] | None


def parse_base_url(value: str, client: str) -> BaseUrl:
    """Take a base URL apart.

    Raises:
        ConfigurationError: there is none, it is not http or https, or it has a query or a fragment.
    """
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] - it comes from a user
        raise ConfigurationError(f"{client}: base_url must be a str, not {type(value).__name__}")
    if not value:
        raise ConfigurationError(
            f'{client} has no base_url: write `base_url = "https://..."` in the class, or pass {client}(base_url=...)'
        )
    parts = _split(value)
    host = parts.hostname if parts else None
    shown = _shown(value)
    if parts is None or parts.scheme not in DEFAULT_PORTS or not host:
        raise ConfigurationError(
            f"{client}: base_url {shown!r} must begin with http:// or https:// and name a host, with a port or without"
        )
    if "?" in value or "#" in value:
        raise ConfigurationError(
            f"{client}: base_url {shown!r} must not have a query or a fragment; write `query = {{...}}` for "
            "parameters that every call sends"
        )
    if not _PLAIN.fullmatch(value):
        raise ConfigurationError(f"{client}: base_url {shown!r} has a character that a URL cannot have; encode it")
    if any(unquote(segment) in (".", "..") for segment in parts.path.split("/")):
        raise ConfigurationError(f"{client}: base_url {shown!r} has a '.' or '..' segment: write where it leads")
    origin = _origin(parts.scheme, host, parts.port)
    return BaseUrl(origin, origin + parts.path.rstrip("/"), _userinfo(parts))


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; `None` if its host or its port is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


def _shown(url: str) -> str:
    """A URL for a message; what is left with an `@` may have a password in the wrong place."""
    text = _redact.url(url)
    return _redact.REDACTED if "@" in text else text


def _userinfo(parts: SplitResult) -> tuple[str, str] | None:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return (user, password) if user or password else None


def _origin(scheme: str, host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port in (None, DEFAULT_PORTS[scheme]) else f"{scheme}://{name}:{port}"


def origin(url: str) -> str:
    """The origin of an absolute http or https URL (RFC 6454, section 4); `""` for anything else."""
    parts = _split(url)
    if parts is None or parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return ""
    return _origin(parts.scheme, parts.hostname, parts.port)


def redirect_target(url: str, location: str) -> str:
    """Where a redirect leads.

    Raises:
        RedirectError: not to an http or https URL, down from https to http, or to one with userinfo.
    """
    try:
        target = urljoin(url, location).partition("#")[0]
        parts = _split(target)
    except ValueError:
        parts, target = None, location
    if parts is None or parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        raise RedirectError(f"answered with a redirect to {_shown(target)!r}, which is no plain http URL")
    if parts.scheme == "http" and url[:6].lower() == "https:":
        raise RedirectError(f"answered with a redirect from https to {_redact.url(target)!r}")
    return target
