"""What an engine logs of itself, without secrets.

This module's rule: one filter, put once on each of the engine's loggers. The libraries log URLs at INFO, and headers
that arrived at DEBUG; a filter on a logger does not see the records of its children, so each has its own. What packs
the headers of HTTP/2 logs each of them, that of a credential too, encoded and plain: its bytes are shown as sizes.
"""

from __future__ import annotations

import logging
import re
from typing import cast

from stubwire import _redact

_CHILDREN = ("connection", "http11", "http2", "proxy", "socks")
_PACKERS = ("hpack.hpack", "hpack.table")
_PAIR = re.compile(
    r"""\(b(?P<q1>['"])(?P<name>[^'"]*)(?P=q1), b(?P<q2>['"])(?P<value>(?:\\.|(?!(?P=q2))[^\\])*+)(?P=q2)\)"""
)
"""A header as httpcore shows it: `(b'Set-Cookie', b'...')`; what a server makes look like one is read once too."""

_AUTH = re.compile(r"""\bauth=\((?:b?'(?:\\.|[^'\\])*+'|b?"(?:\\.|[^"\\])*+"|[^'")]){0,50}+\)""")
"""The user and the password for a SOCKS proxy, as httpcore shows them."""


class RedactingFilter(logging.Filter):
    """Hides userinfo and secret query values in the URLs of a record, and the values of secret headers."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        """Lower-case names that were declared secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record, and let it pass."""
        declared = frozenset(self.names)
        text = _AUTH.sub(f"auth={_redact.REDACTED}", record.getMessage())
        text = _PAIR.sub(lambda match: _pair(match, declared), text)
        record.msg, record.args = _redact.urls(text, declared), None
        return True


def _pair(match: re.Match[str], declared: frozenset[str]) -> str:
    name, value = match["name"], match["value"]
    return f"(b{name!r}, b{_redact.header(name, value, declared)!r})"


class SizesFilter(logging.Filter):
    """Shows as its size whatever a record was given that is no number."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record, and let it pass."""
        if isinstance(record.args, tuple):
            record.args = tuple(map(_size, record.args))
        return True


def _size(argument: object) -> object:
    if isinstance(argument, tuple):
        return f"<{sum(map(len, cast('tuple[bytes, ...]', argument)))} bytes>"
    return f"<{len(cast('bytes', argument))} bytes>" if isinstance(argument, (bytes, memoryview)) else argument


_SIZES = SizesFilter()
"""The same for every engine: a logger takes it once."""


def hush(library: str) -> RedactingFilter:
    """Put a filter on the loggers of a library: httpx and httpcore, or httpx2 and httpcore2."""
    core = library.replace("httpx", "httpcore")
    quiet = RedactingFilter()
    for name in (library, core, *(f"{core}.{child}" for child in _CHILDREN)):
        logging.getLogger(name).addFilter(quiet)
    for name in _PACKERS:
        logging.getLogger(name).addFilter(_SIZES)
    return quiet
