"""Base URLs, origins and redirect targets.

This module's rule: text in, text out; what is not plainly http or https with a host is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from stubwire import _redact
from stubwire.errors import ConfigurationError, RedirectError

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class BaseUrl:
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
    shown = _redact.url(value)
    if not value:
        raise ConfigurationError(
            f"{client} has no base_url: write `base_url = \"https://...\"` in the class, or pass {client}(base_url=...)"
        )
    try:
        parts = urlsplit(value)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise ConfigurationError(f"{client}: base_url {shown!r} is no URL: {error}") from None
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise ConfigurationError(
            f"{client}: base_url {shown!r} must begin with http:// or https:// and name a host"
        )
    if parts.query or parts.fragment or value.endswith(("?", "#")):
        raise ConfigurationError(
            f"{client}: base_url {shown!r} must not have a query or a fragment; write `query = {{...}}` for "
            "parameters that every call sends"
        )
    if not value.isascii() or any(character.isspace() or character in '\\"<>^`{|}' for character in value):
        raise ConfigurationError(f"{client}: base_url {shown!r} has a character that a URL cannot have; encode it")
    origin = _origin(parts.scheme, host, port)
    userinfo = (unquote(parts.username or ""), unquote(parts.password or "")) if parts.username is not None else None
    return BaseUrl(origin, origin + parts.path.rstrip("/"), userinfo)


def _origin(scheme: str, host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port in (None, DEFAULT_PORTS[scheme]) else f"{scheme}://{name}:{port}"


def origin(url: str) -> str:
    """The origin of an absolute http or https URL (RFC 6454, section 4); `""` for anything else."""
    try:
        parts = urlsplit(url)
        return _origin(parts.scheme, parts.hostname, parts.port) if parts.hostname else ""
    except (ValueError, KeyError):
        return ""


def redirect_target(url: str, location: str) -> str:
    """Where a redirect leads.

    Raises:
        RedirectError: not to an http or https URL, down from https to http, or to one with userinfo.
    """
    try:
        target = urljoin(url, location).partition("#")[0]
        parts = urlsplit(target)
    except ValueError:
        raise RedirectError(f"answered with a redirect to {_redact.url(location)!r}, which is no URL") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        raise RedirectError(f"answered with a redirect to {_redact.url(target)!r}, which is no plain http URL")
    if parts.scheme == "http" and url.startswith("https:"):
        raise RedirectError(f"answered with a redirect from https to {_redact.url(target)!r}")
    return target
