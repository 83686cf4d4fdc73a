"""What a server says of its own limit.

This module's rule: headers in, numbers out; what cannot be read counts as absent.

The headers are those of the IETF draft "RateLimit header fields for HTTP", in its forms up to 06
(`RateLimit-Remaining`), of 07 (`RateLimit: limit=10, remaining=0, reset=3`) and since (`RateLimit: "default";r=0;t=3`),
and `X-RateLimit-*` or `X-Rate-Limit-*`, whose reset may also be a date.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from stubwire._retry_after import seconds

if TYPE_CHECKING:
    from stubwire._headers import Headers

_PREFIXES = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")
_QUOTED = re.compile(r'"[^"]*"')
_PARAMETER = re.compile(r"(?:^|;)\s*(remaining|reset|r|t)\s*=\s*(\d{1,18})\s*(?=;|$)")
_WHOLE = re.compile(r"\s*(\d{1,18})\s*(?:[,;].*)?")


class Quota(NamedTuple):
    """What is left.

    Attributes:
        remaining: requests.
        reset: seconds until there are more.
    """

    remaining: int
    reset: float


def quota(headers: Headers) -> Quota | None:
    """What is left by the headers of a response; `None` if they do not say it."""
    if (combined := headers.get("ratelimit", "")) and (found := _combined(combined)):
        return found
    for prefix in _PREFIXES:
        remaining = _WHOLE.fullmatch(headers.get(f"{prefix}remaining", ""))
        if remaining is None:
            continue
        text = headers.get(f"{prefix}reset", "")
        reset = seconds(text.partition(",")[0])
        if reset is None:
            reset = seconds(text)  # a date has a comma too
        if reset is not None:
            return Quota(int(remaining[1]), reset)
    return None


def _combined(text: str) -> Quota | None:
    """The policy of which least is left, and of several of these the one that lasts longest."""
    items = _QUOTED.sub("", text)
    separate = items.replace(",", ";") if "remaining" in items else items  # draft 07 has one policy
    found: list[Quota] = []
    for item in separate.split(","):
        values = dict(_PARAMETER.findall(item))
        remaining, reset = values.get("r", values.get("remaining")), values.get("t", values.get("reset"))
        if remaining is not None and reset is not None:
            found.append(Quota(int(remaining), float(reset)))
    return min(found, key=lambda item: (item.remaining, -item.reset), default=None)
