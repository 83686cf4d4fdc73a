"""The parts of a delivery and of its verification: secrets, headers, times, signatures.

This module's rule: pure functions of what came and what was configured; each refusal names a header or a setting.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from pydantic import SecretStr

from stubwire._credentials import Plain, text_of
from stubwire._webhook_errors import WebhookSignatureError
from stubwire.errors import ArgumentError, ConfigurationError

Secret: TypeAlias = Plain | Callable[[], Plain]
"""A secret, or a function that is asked for it at each delivery."""

HeaderPairs: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""The headers of a request as a framework has them: a mapping, or pairs."""

_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Claim:
    """What the headers of a delivery say.

    Attributes:
        before: what stands before the body in the text that was signed.
        sent: when, in seconds since the epoch; `None` where no time is signed.
        signatures: as they are written.
    """

    before: bytes
    sent: int | None
    signatures: list[bytes] = field(repr=False)


# ---- secrets


def secrets_of(given: Secret | Sequence[Secret], where: str) -> dict[str, SecretStr | Callable[[], Plain]]:
    """The secrets by their names in messages; a function is believed until it is asked.

    Raises:
        ConfigurationError: there is none, or one is no secret.
    """
    if isinstance(given, (list, tuple)):
        if not given:
            raise ConfigurationError(f"{where} is an empty list: nothing could be verified")
        named = {f"{where}[{index}]": item for index, item in enumerate(cast("Sequence[Secret]", given))}
    else:
        named = {where: cast("Secret", given)}
    return {name: item if callable(item) else SecretStr(told(item, name)) for name, item in named.items()}


def told(secret: Secret, where: str) -> str:
    """The text of a secret; a function is asked for it.

    Raises:
        ConfigurationError: it is none, is empty, or has blanks around it.
    """
    text = text_of(secret() if callable(secret) else secret, where)
    if not text.strip():
        raise ConfigurationError(f"{where} is empty")
    if text != text.strip():
        raise ConfigurationError(f"{where} has blanks around it: it was perhaps read with its newline")
    return text


def seconds_of(value: object, where: str) -> float:
    """A setting in seconds, if it is one.

    Raises:
        ConfigurationError: it is no finite number above 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise ConfigurationError(f"{where}={value!r} must be a finite number of seconds above 0")
    return value


# ---- the request


def check_body(body: object, where: str) -> None:
    """Refuse what is not the bytes that were signed.

    Raises:
        ArgumentError: it is a text, parsed JSON, or anything else.
    """
    if not isinstance(body, bytes):
        raise ArgumentError(
            f"{where} body must be the bytes of the request as they came, not {type(body).__name__}: the signature is "
            "over these bytes, and JSON that was parsed or decoded is no longer the same"
        )


class Received:
    """The headers of a delivery, by name in any case; each may come once."""

    def __init__(self, headers: HeaderPairs, where: str) -> None:
        self._where = where
        self._values: dict[str, list[str]] = {}
        for pair in _pairs(headers):
            match pair:
                case (str(name), str(value)):
                    self._values.setdefault(name.lower(), []).append(value)
                case _:
                    raise ArgumentError(f"{where}.verify headers must be names and values of type str")

    def need(self, name: str) -> str:
        """The value of a header that must be there.

        Raises:
            WebhookSignatureError: it is not, or there are several, of which nobody can say which was meant.
        """
        values = self._values.get(name.lower(), [])
        if len(values) != 1:
            raise self.refusal(f"the header {name} {'comes more than once' if values else 'is missing'}")
        return values[0]

    def refusal(self, reason: str) -> WebhookSignatureError:
        """The error for headers that show nothing."""
        return WebhookSignatureError(f"{self._where}: {reason}")


def _pairs(headers: object) -> Iterable[object]:
    if isinstance(headers, Mapping):
        return cast("Mapping[object, object]", headers).items()
    return cast("Iterable[object]", headers) if isinstance(headers, Iterable) else [headers]


def unix_time(text: str) -> int | None:
    """Whole seconds since the epoch, or `None`: no sign, no blank, no digit of another script."""
    return int(text) if _SECONDS.fullmatch(text) else None


# ---- signatures


def mac(key: bytes, before: bytes, body: bytes) -> bytes:
    """The HMAC-SHA256 of a body and what stands before it (RFC 2104)."""
    made = hmac.new(key, before, hashlib.sha256)
    made.update(body)
    return made.digest()


def found(made: Iterable[bytes], given: Sequence[bytes]) -> list[bytes]:
    """Those of the signatures made that were given; each pair is compared, in constant time."""
    return [one for one in made if any([hmac.compare_digest(one, other) for other in given])]  # noqa: C419


def staleness(sent: int, tolerance: float, now: float) -> str:
    """How far from now a time is, if that is beyond the tolerance; empty if it is within."""
    if now - sent > tolerance:
        return f"{math.ceil(now - sent)} s old, more than tolerance={tolerance:g}"
    if sent - now > tolerance:
        return f"{math.ceil(sent - now)} s in the future, more than tolerance={tolerance:g}"
    return ""
