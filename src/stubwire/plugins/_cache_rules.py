"""When a stored response may be used (RFC 9111, section 4), as a private cache does it.

This module's rule: pure functions of a request, what is stored and the time. What may be stored, and what a 304
changes, is hishel's to say.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from uuid import UUID

    from stubwire._headers import Headers

Directives = Mapping[str, str]
"""The directives of a `Cache-Control`, in lower case, each with its argument, or with an empty text."""

_DIRECTIVE = re.compile(r'([!#$%&\'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?')
_UNBOUNDED = 2**31
"""More seconds than anything lasts (RFC 9111, section 1.2.2)."""

_FAILURES = frozenset({500, 502, 503, 504})
"""The statuses that `stale-if-error` is for (RFC 5861, section 4)."""


@dataclass(frozen=True, slots=True)
class Record:
    """A response that is stored.

    Attributes:
        id: its name in the storage; `None` if it is not there.
        method: of its request.
        status_code: such as 200.
        headers: of the response; `Date` is always there, `Age` never.
        content: the body, decompressed.
        varies: the headers that its `Vary` names, in lower case, each with a digest of the request's value.
        received: when it came or was last validated, in seconds since 1970.
        age: how old it was then, in seconds.
    """

    id: UUID | None
    method: str
    status_code: int
    headers: Headers
    content: bytes
    varies: Mapping[str, str]
    received: float
    age: float

    @property
    def directives(self) -> Directives:
        """What the server said of caching."""
        return directives(self.headers.get("cache-control", ""))

    @property
    def has_validator(self) -> bool:
        """Whether the server can be asked if it has changed."""
        return "etag" in self.headers or "last-modified" in self.headers


class Asked(NamedTuple):
    """What a request says to a cache.

    Attributes:
        method: in upper case.
        directives: of its `Cache-Control`.
        digests: of its headers, by lower-case name.
    """

    method: str
    directives: Directives
    digests: Mapping[str, str]


class Verdict(NamedTuple):
    """What to do.

    Attributes:
        kind: use the record, which is fresh or stale; validate it; send the request; or refuse to.
        record: what is stored.
    """

    kind: Literal["hit", "stale", "validate", "miss", "refuse"]
    record: Record | None = None


def directives(text: str) -> Directives:
    """The directives of a `Cache-Control`; of two of a name, the first counts (RFC 9111, section 4.2.1)."""
    found: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(text):
        found.setdefault(name.lower(), quoted or plain)
    return found


def seconds(text: str) -> int | None:
    """The seconds of an argument; `None` if it is no whole number (RFC 9111, section 1.2.2)."""
    return min(int(text[:20]), _UNBOUNDED) if text.isascii() and text.isdigit() else None


def moment(text: str) -> int | None:
    """An HTTP date in seconds since 1970; `None` if it is none."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return calendar.timegm(found.utctimetuple())


def lifetime(record: Record) -> float:
    """For how many seconds a response is fresh (section 4.2.1); without a word of the server it never is.

    `s-maxage` is for shared caches. What is not a number, or no date, means that it is stale.
    """
    stated = record.directives
    if "max-age" in stated:
        return seconds(stated["max-age"]) or 0
    if "expires" in record.headers:
        expires, date = moment(record.headers["expires"]), moment(record.headers["date"])
        return 0 if expires is None else expires - (record.received if date is None else date)
    return 0


def first_age(date: int | None, said: str, received: float, delay: float) -> float:
    """How old a response was when it came (section 4.2.3).

    Args:
        date: its `Date`, in seconds since 1970.
        said: its `Age`.
        received: when it came, in seconds since 1970.
        delay: how long it took to come, in seconds.
    """
    apparent = 0.0 if date is None else max(0.0, received - date)
    return max(apparent, (seconds(said.partition(",")[0].strip()) or 0) + delay)


def age(record: Record, now: float) -> float:
    """How old a response is, in seconds."""
    return record.age + max(0.0, now - record.received)


def matches(asked: Asked, record: Record) -> bool:
    """Whether a record answers a request, as far as method and `Vary` go (sections 4 and 4.1)."""
    return record.method == asked.method and all(
        asked.digests.get(name, "") == digest for name, digest in record.varies.items()
    )


def decide(asked: Asked, records: Iterable[Record], now: float) -> Verdict:
    """What to do about a request (section 4)."""
    suitable = [record for record in records if matches(asked, record)]
    if not suitable:
        return Verdict("refuse" if "only-if-cached" in asked.directives else "miss")
    record = max(suitable, key=lambda record: record.received)
    usable = _usable(asked.directives, record, age(record, now))
    if usable is None and "only-if-cached" in asked.directives:
        return Verdict("refuse")
    return Verdict(usable or "validate", record)


def _usable(wanted: Directives, record: Record, old: float) -> Literal["hit", "stale"] | None:
    """Whether a record may be used as it is (sections 4.2, 5.2.1 and 5.2.2)."""
    said = record.directives
    if "no-cache" in wanted or _must_ask(said):
        return None
    if "max-age" in wanted and old > (seconds(wanted["max-age"]) or 0):
        return None
    left = lifetime(record) - old
    if "min-fresh" in wanted and left < (seconds(wanted["min-fresh"]) or 0):
        return None
    if left > 0:
        return "hit"
    if "must-revalidate" in said or "max-stale" not in wanted:
        return None
    most = wanted["max-stale"]
    return "stale" if not most or -left <= (seconds(most) or 0) else None


def _must_ask(said: Directives) -> bool:
    """Whether nothing may be used unasked; a `no-cache` with an argument is about headers only (section 5.2.2.4)."""
    return said.get("no-cache") == ""


def stands_in(asked: Asked, record: Record, now: float, grace: float) -> bool:
    """Whether a record may be used because the server fails (section 4.2.4, and RFC 5861, section 4).

    Args:
        asked: the request.
        record: what is stored.
        now: in seconds since 1970.
        grace: for how many seconds a stale response may, whatever was said.
    """
    wanted, said = asked.directives, record.directives
    if not wanted.keys().isdisjoint(("no-cache", "max-age", "min-fresh")) or "must-revalidate" in said:
        return False
    allowed = [seconds(each.get("stale-if-error", "")) or 0 for each in (wanted, said)]
    return not _must_ask(said) and age(record, now) - lifetime(record) < max(grace, *allowed)


def is_failure(status_code: int) -> bool:
    """Whether a server that answers this fails."""
    return status_code in _FAILURES


def is_worth_keeping(record: Record, grace: float) -> bool:
    """Whether a record could ever be used again."""
    if "*" in record.varies:
        return False
    allowed = max(grace, seconds(record.directives.get("stale-if-error", "")) or 0)
    return record.has_validator or lifetime(record) + allowed > record.age
