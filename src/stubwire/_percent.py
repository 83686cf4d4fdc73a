"""Text to percent-encoded text: what fills a path segment or stands in a query.

This module's rule: text in, text out; the one place where a value is kept inside its segment.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from stubwire.errors import ArgumentError

_SPLIT = re.compile(r"[/\\]")
_CONTROL = re.compile(r"[\r\n\x00]")
_PLAIN = re.compile(r"[A-Za-z0-9_~-]+")
"""What stands for itself in paths and queries: RFC 3986's unreserved characters, but for the dot."""
_DEEPEST = 16


def segment(text: str, where: str) -> str:
    """Text as one path segment, which it cannot leave (RFC 3986, section 3.3).

    Raises:
        ArgumentError: it is empty, has a dot segment in any spelling, or has CR, LF or NUL.
    """
    if _PLAIN.fullmatch(text):
        return text
    if not text:
        raise ArgumentError(f"{where}: an empty value cannot fill a path segment")
    if _CONTROL.search(text):
        raise ArgumentError(f"{where}: a line break or NUL cannot stand in a path")
    if _has_dot_segment(text):
        raise ArgumentError(f"{where}: '.' and '..' in any spelling cannot fill a path segment")
    return _quoted(text, where)


def whole(encoded: str, where: str) -> str:
    """A segment that was put together of encoded pieces, if it is no dot segment.

    Raises:
        ArgumentError: it is.
    """
    if _has_dot_segment(encoded):
        raise ArgumentError(f"{where}: '.' and '..' in any spelling cannot fill a path segment")
    return encoded


def segments(text: str, where: str) -> str:
    """Text as several path segments: its slashes survive, each piece is held to the rules of `segment`."""
    return "/".join(segment(piece, where) for piece in text.split("/"))


def _has_dot_segment(text: str) -> bool:
    """Whether a server that decodes too often, or that cuts at `;`, could see a dot segment.

    What is still encoded after many rounds counts as one: nobody means that, and each round costs the whole length.
    """
    for _ in range(_DEEPEST):
        if (decoded := unquote(text)) == text:
            return any(piece.partition(";")[0].strip() in (".", "..") for piece in _SPLIT.split(text))
        text = decoded
    return True


def _quoted(text: str, where: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        pass  # its context would show the value
    raise ArgumentError(f"{where}: it is no valid Unicode text")


def query_text(text: str, where: str) -> str:
    """Text percent-encoded for a query: everything outside RFC 3986's unreserved, a space as `%20`."""
    return text if _PLAIN.fullmatch(text) else _quoted(text, where)
