"""The wire's other habits, as types: dates of HTTP, seconds since 1970, base64, lists in one string.

Each stands wherever a type may stand, as a parameter, in a model that is sent and in one that is received, and is in
Python what its name does not say: a `datetime`, a `timedelta`, `bytes`, or a `list`.

This module's rule: an annotated type for pydantic, a reader and a writer each. In JSON, in a query, a form, a header or
a path the writer is used; in Python nothing changes. What cannot be written is refused, and the message says why
without showing it.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Any, TypeAlias, TypeVar, cast

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, SerializerFunctionWrapHandler, WrapSerializer

from stubwire import _clock
from stubwire._secret import is_secret

__all__ = [
    "Base64",
    "Base64Url",
    "CommaSeparated",
    "HttpDate",
    "Milliseconds",
    "PipeSeparated",
    "Seconds",
    "SpaceSeparated",
    "UnixMillis",
    "UnixTime",
]

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)


class WireError(ValueError):
    """A value that cannot be read, or cannot be written; the message never shows it."""


# ---- dates


_DAY = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_LONG_DAY = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_MONTHS: list[str] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_MONTH = "|".join(_MONTHS)
_TIME = r"(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})"
_DATE_FORMATS = (
    re.compile(rf"(?:{_DAY}), (?P<day>\d{{2}}) (?P<month>{_MONTH}) (?P<year>\d{{4}}) {_TIME} GMT", re.ASCII),
    re.compile(rf"(?:{_LONG_DAY}), (?P<day>\d{{2}})-(?P<month>{_MONTH})-(?P<year>\d{{2}}) {_TIME} GMT", re.ASCII),
    re.compile(rf"(?:{_DAY}) (?P<month>{_MONTH}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})", re.ASCII),
)
"""IMF-fixdate, and the obsolete formats of RFC 850 and of C's asctime (RFC 9110, section 5.6.7)."""


def _read_http_date(value: object) -> object:
    if isinstance(value, datetime):
        return value
    text = value if isinstance(value, str) else ""
    found = [match for match in (form.fullmatch(text) for form in _DATE_FORMATS) if match]
    if not found:
        raise WireError("it is no HTTP date, such as 'Sun, 06 Nov 1994 08:49:37 GMT'")
    parts = found[0].groupdict()
    year = int(parts["year"]) if len(parts["year"]) == 4 else _whole_year(int(parts["year"]))
    month, day = _MONTHS.index(parts["month"]) + 1, int(parts["day"])
    second = min(int(parts["second"]), 59)  # 60 is a leap second, which Python has none of
    try:
        return datetime(year, month, day, int(parts["hour"]), int(parts["minute"]), second, tzinfo=UTC)
    except ValueError:
        pass
    raise WireError("it is no date that there is")


def _whole_year(year: int) -> int:
    """Two digits as a year; one more than fifty years ahead is the most recent past one (RFC 9110, section 5.6.7)."""
    now = datetime.fromtimestamp(_clock.now(), UTC).year
    full = now - now % 100 + year
    return full - 100 if full > now + 50 else full


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None or value.utcoffset() is None:
        raise WireError("it has no time zone: write datetime(..., tzinfo=UTC)")
    return value


def _write_http_date(value: datetime) -> str:
    try:
        return format_datetime(_aware(value).astimezone(UTC), usegmt=True)
    except OverflowError:  # in UTC it is before the year 1, or after 9999
        pass
    raise WireError("it is no date that there is")


HttpDate: TypeAlias = Annotated[
    datetime,
    BeforeValidator(_read_http_date),
    AfterValidator(_aware),
    PlainSerializer(_write_http_date, return_type=str, when_used="json"),
]
"""A `datetime` with a time zone, written `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).

All three formats of the RFC are read. A fraction of a second is not written.
"""


# ---- numbers that are times


def _number(value: object) -> int | float:
    """A number, also as text, as headers and queries have it."""
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise WireError("it is no finite number")
    return value


def _parsed(text: str) -> int | float | None:
    if not re.fullmatch(r"-?\d{1,20}(\.\d{1,20})?", text, re.ASCII):
        return None
    return float(text) if "." in text else int(text)


def _read_duration(unit: timedelta) -> Callable[[object], object]:
    def read(value: object) -> object:
        if isinstance(value, timedelta):
            return value
        try:
            return unit * _number(value)
        except OverflowError:
            pass
        raise WireError("it is too large a number")

    return read


def _write_duration(unit: timedelta) -> Callable[[timedelta], int | float]:
    def write(value: timedelta) -> int | float:
        whole, rest = divmod(value, unit)
        return value / unit if rest else whole

    return write


def _read_instant(unit: timedelta) -> Callable[[object], object]:
    def read(value: object) -> object:
        if isinstance(value, datetime):
            return value
        try:
            return _EPOCH + unit * _number(value)
        except OverflowError:
            pass
        raise WireError("it is too large a number")

    return read


def _write_instant(unit: timedelta) -> Callable[[datetime], int]:
    return lambda value: (_aware(value) - _EPOCH) // unit


UnixTime: TypeAlias = Annotated[
    datetime,
    BeforeValidator(_read_instant(_SECOND)),
    AfterValidator(_aware),
    PlainSerializer(_write_instant(_SECOND), return_type=int, when_used="json"),
]
"""A `datetime` with a time zone, written as whole seconds since 1970 in UTC; a fraction is cut off, and read."""

UnixMillis: TypeAlias = Annotated[
    datetime,
    BeforeValidator(_read_instant(_MILLISECOND)),
    AfterValidator(_aware),
    PlainSerializer(_write_instant(_MILLISECOND), return_type=int, when_used="json"),
]
"""A `datetime` with a time zone, written as whole milliseconds since 1970 in UTC; a fraction is cut off, and read."""

Seconds: TypeAlias = Annotated[
    timedelta,
    BeforeValidator(_read_duration(_SECOND)),
    PlainSerializer(_write_duration(_SECOND), return_type=int | float, when_used="json"),
]
"""A `timedelta`, written as a number of seconds: `90`, or `0.5`."""

Milliseconds: TypeAlias = Annotated[
    timedelta,
    BeforeValidator(_read_duration(_MILLISECOND)),
    PlainSerializer(_write_duration(_MILLISECOND), return_type=int | float, when_used="json"),
]
"""A `timedelta`, written as a number of milliseconds: `1500`, or `0.5`."""


# ---- bytes


_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_BASE64_URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")


def _read_base64(alphabet: re.Pattern[str], name: str) -> Callable[[object], object]:
    def read(value: object) -> object:
        if isinstance(value, (bytes, bytearray)):
            return bytes(value)
        if isinstance(value, str) and alphabet.fullmatch(value):
            text = value.rstrip("=")
            try:
                return base64.b64decode(
                    text + "=" * (-len(text) % 4), altchars=b"-_" if "_" in alphabet.pattern else None
                )
            except binascii.Error:
                pass
        raise WireError(f"it is no {name}")

    return read


def _write_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _write_base64_url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


Base64: TypeAlias = Annotated[
    bytes,
    BeforeValidator(_read_base64(_BASE64, "base64")),
    PlainSerializer(_write_base64, return_type=str, when_used="json"),
]
"""`bytes`, written as base64 with padding (RFC 4648, section 4); read with or without."""

Base64Url: TypeAlias = Annotated[
    bytes,
    BeforeValidator(_read_base64(_BASE64_URL, "base64url")),
    PlainSerializer(_write_base64_url, return_type=str, when_used="json"),
]
"""`bytes`, written as base64url without padding (RFC 4648, section 5; RFC 7515, section 2); read with or without."""


# ---- lists in one string


_MASK = "**********"
"""What pydantic makes of a `SecretStr` in JSON."""


def _split(separator: str) -> BeforeValidator:
    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        return value.split(separator) if value else []

    return BeforeValidator(read)


def _joined(separator: str) -> WrapSerializer:
    def write(value: Any, items: SerializerFunctionWrapHandler) -> str:
        shown = cast("list[object]", items(value))
        texts = [_text(item) for item in shown]
        if any(map(is_secret, value)) and _MASK in texts:
            raise WireError("a SecretStr in it would be sent as '**********': write str")
        if any(separator in text for text in texts) or texts == [""]:
            raise WireError(
                f"an item has {separator!r} in it, or is the only one and empty, and would be read as others"
            )
        return separator.join(texts)

    return WrapSerializer(write, return_type=str, when_used="json")


def _text(item: object) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    if not isinstance(item, (str, int, float)) or (isinstance(item, float) and not math.isfinite(item)):
        raise WireError("an item in it is no text, finite number or boolean")
    return str(item)


CommaSeparated: TypeAlias = Annotated[list[T], _split(","), _joined(",")]
"""A `list[T]` in one string, `a,b`. An item with a comma in it is refused, because nobody could tell it from two."""

SpaceSeparated: TypeAlias = Annotated[list[T], _split(" "), _joined(" ")]
"""A `list[T]` in one string, `a b`, such as the scopes of OAuth. An item with a blank in it is refused."""

PipeSeparated: TypeAlias = Annotated[list[T], _split("|"), _joined("|")]
"""A `list[T]` in one string, `a|b`. An item with a `|` in it is refused."""
