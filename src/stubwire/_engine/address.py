"""URLs that are not parsed again.

This module's rule: a URL that a bind function put together is encoded and valid already. Parsing it costs more than
all the rest of a request, so an engine gets it with its components known, and parses it if somebody asks for others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    import httpx


class Origin(NamedTuple):
    """What the URLs of one origin share, as an engine parsed it.

    Attributes:
        text: scheme, host and port: what its URLs begin with.
        url: its root.
    """

    text: str
    url: httpx.URL
    scheme: str
    raw_scheme: bytes
    host: str
    raw_host: bytes
    port: int | None
    netloc: bytes


class Address(Protocol):
    """Makes the URL object of a URL that begins with an origin."""

    def __call__(self, origin: Origin, text: str) -> httpx.URL:
        """The URL object."""
        ...


def origin_of(text: str, url: httpx.URL) -> Origin:
    """What the URLs of an origin share."""
    return Origin(text, url, url.scheme, url.raw_scheme, url.host, url.raw_host, url.port, url.netloc)


class _Known:
    """The components that a transport reads, known; mixed into a library's URL class, whose own parse the rest."""

    _kind: type[httpx.URL]

    def __init__(self, origin: Origin, text: str) -> None:
        self._origin = origin
        self._text = text

    def __getattr__(self, name: str) -> Any:
        """An attribute that only a parsed URL has: parse, and have it."""
        if name.startswith("__"):
            raise AttributeError(name)
        parsed = self._kind(self._text)
        vars(self).update(vars(parsed))
        return getattr(parsed, name)

    @property
    def scheme(self) -> str:
        return self._origin.scheme

    @property
    def raw_scheme(self) -> bytes:
        return self._origin.raw_scheme

    @property
    def host(self) -> str:
        return self._origin.host

    @property
    def raw_host(self) -> bytes:
        return self._origin.raw_host

    @property
    def port(self) -> int | None:
        return self._origin.port

    @property
    def netloc(self) -> bytes:
        return self._origin.netloc

    @property
    def raw_path(self) -> bytes:
        target = self._text[len(self._origin.text) :].encode("ascii")
        return target if target.startswith(b"/") else b"/" + target

    def __str__(self) -> str:
        return self._text


def addresses(kind: type[httpx.URL]) -> Address:
    """A library's URL class, for URLs whose origin is known."""
    return cast("Address", type("KnownURL", (_Known, kind), {"_kind": kind}))
