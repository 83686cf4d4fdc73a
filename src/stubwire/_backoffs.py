"""How long to wait before another attempt: `ExponentialBackoff`, `LinearBackoff`, `FixedDelay`.

This module's rule: frozen data. What they become, the waits themselves, is tenacity's.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from tenacity.wait import wait_base


def check_duration(name: str, value: object, *, zero: bool = False) -> None:
    """Refuse what is no number of seconds.

    Raises:
        ConfigurationError: it is negative, infinite or no number; or 0, unless that is one.
    """
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else -1
    if not 0 <= number <= sys.float_info.max or (number == 0 and not zero):
        raise ConfigurationError(f"{name}={value!r} must be a finite number {'from 0' if zero else 'above 0'}")


@runtime_checkable
class Backoff(Protocol):
    """Something that becomes one of tenacity's waits."""

    def wait(self) -> wait_base:
        """The wait."""
        ...


@dataclass(frozen=True, slots=True)
class ExponentialBackoff:
    """Wait `base` seconds, then `multiplier` times as long each time, up to `max_delay`.

    With `jitter` (the default) a wait is drawn evenly from zero to that.
    """

    base: float = 0.5
    multiplier: float = 2.0
    max_delay: float = 8.0
    jitter: bool = True

    def __post_init__(self) -> None:
        """Refuse what is no duration."""
        check_duration("ExponentialBackoff base", self.base)
        check_duration("ExponentialBackoff multiplier", self.multiplier)
        check_duration("ExponentialBackoff max_delay", self.max_delay)

    def wait(self) -> wait_base:
        """As tenacity's wait."""
        from tenacity import wait_exponential, wait_random_exponential

        kind = wait_random_exponential if self.jitter else wait_exponential
        return kind(multiplier=self.base, exp_base=self.multiplier, max=self.max_delay)


@dataclass(frozen=True, slots=True)
class LinearBackoff:
    """Wait `base` seconds, then `increment` more each time, up to `max_delay`."""

    base: float = 0.5
    increment: float = 0.5
    max_delay: float = 8.0

    def __post_init__(self) -> None:
        """Refuse what is no duration."""
        check_duration("LinearBackoff base", self.base, zero=True)
        check_duration("LinearBackoff increment", self.increment, zero=True)
        check_duration("LinearBackoff max_delay", self.max_delay)

    def wait(self) -> wait_base:
        """As tenacity's wait."""
        from tenacity import wait_incrementing

        return wait_incrementing(start=self.base, increment=self.increment, max=self.max_delay)


@dataclass(frozen=True, slots=True)
class FixedDelay:
    """Wait `delay` seconds each time."""

    delay: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no duration."""
        check_duration("FixedDelay delay", self.delay, zero=True)

    def wait(self) -> wait_base:
        """As tenacity's wait."""
        from tenacity import wait_fixed

        return wait_fixed(self.delay)
