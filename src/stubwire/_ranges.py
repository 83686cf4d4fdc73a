"""Parts of a file over HTTP: what may be gone on with, and what goes on (RFC 9110, sections 13.1.5 and 14).

This module's rule: pure. A part counts only where the server proves that it is of the same file.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from stubwire._headers import Headers
    from stubwire._response import Response

_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)", re.IGNORECASE)


class Range(NamedTuple):
    """A `Content-Range` header.

    Attributes:
        start: the first byte, `None` where there is none (`bytes */100`).
        stop: after the last one.
        total: bytes of the whole file, `None` where the server does not know.
    """

    start: int | None
    stop: int | None
    total: int | None


def content_range(headers: Headers) -> Range | None:
    """The part that a response is, or `None` where it does not say so in bytes."""
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if match is None:
        return None
    start, last, total = match.groups()
    known = None if total == "*" else int(total)
    if start is None:
        return Range(None, None, known)
    found = Range(int(start), int(last) + 1, known)
    fits = int(start) <= int(last) and (known is None or int(last) < known)
    return found if fits else None


def is_encoded(headers: Headers) -> bool:
    """Whether the body is compressed, so that its bytes are not those that ranges and lengths count."""
    return headers.get("content-encoding", "identity").strip().lower() != "identity"


def length(response: Response) -> int | None:
    """The bytes that a whole response says it has; `None` where it does not."""
    text = response.headers.get("content-length", "").strip()
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) and not is_encoded(response.headers) else None


def validator(headers: Headers) -> str | None:
    """What `If-Range` can name this file by: a strong ETag, or else a date that is as good as one.

    `None` where there is neither: a weak ETag says that two files mean the same, not that they have the same bytes, and
    a date counts only if the response is younger by a second (RFC 9110, section 8.8.2.2).
    """
    if is_encoded(headers) or headers.get("accept-ranges", "").strip().lower() == "none":
        return None
    if "etag" in headers:
        etag = headers["etag"].strip()
        return etag if re.fullmatch(r'"[\x21\x23-\x7e]*"', etag) else None
    modified = headers.get("last-modified", "").strip()
    return modified if _is_strong(modified, headers.get("date", "")) else None


def _is_strong(modified: str, date: str) -> bool:
    try:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(modified)).total_seconds() >= 1
    except (TypeError, ValueError, IndexError, OverflowError):
        return False


def goes_on(response: Response, have: int, known_by: str, total: int | None) -> bool:
    """Whether a 206 goes on after the bytes that are there.

    Args:
        response: the 206.
        have: how many are there.
        known_by: the validator of their file.
        total: the bytes of that file, `None` where nobody knows.
    """
    headers = response.headers
    part = content_range(headers)
    if part is None or part.start != have or is_encoded(headers):
        return False
    if total is not None and part.total not in (None, total):
        return False
    now = headers.get("etag" if known_by.startswith('"') else "last-modified", known_by)
    return now.strip() == known_by
