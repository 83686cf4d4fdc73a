"""How long a server asks to wait.

This module's rule: pure but for the clock. Imported when a server answered that something is wrong.
"""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from stubwire import _clock

if TYPE_CHECKING:
    from stubwire._headers import Headers

_EPOCH = 1_000_000_000.0
"""A number at least this large is a date in seconds since 1970, not a duration."""


def retry_after(headers: Headers) -> float | None:
    """Seconds that a server asked to wait, or `None` if it did not, or not in a way that can be read.

    `retry-after-ms` is read first, then `Retry-After` (RFC 9110, section 10.2.3: seconds or a date), then
    `X-RateLimit-Reset` if `X-RateLimit-Remaining` is 0. A date that is past counts as 0.
    """
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    if (asked := seconds(headers.get("retry-after", ""))) is not None:
        return asked
    if headers.get("x-ratelimit-remaining", "").strip() == "0":
        return seconds(headers.get("x-ratelimit-reset", ""))
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 and "_" not in text else None


def seconds(text: str) -> float | None:
    """A duration in seconds, a date, or seconds since the epoch, as seconds from now; `None` if it is none of these."""
    number = _number(text)
    if number is not None:
        return number if number < _EPOCH else max(0.0, number - _clock.now())
    try:
        date = parsedate_to_datetime(text)
        return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - _clock.now())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
