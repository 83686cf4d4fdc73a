"""What the settings of plugins must be.

This module's rule: a message says which plugin, which setting and why.
"""

from __future__ import annotations

import math

from stubwire.errors import ConfigurationError

MOST = 1e9
"""The largest setting; in seconds some 30 years, not far below what threads and dates can count."""


def amount(name: str, value: object, *, zero: bool = False) -> None:
    """Refuse what is no finite number above 0, or from 0, and what is too large.

    Raises:
        ConfigurationError: it is none.
    """
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if not 0 <= number < math.inf or (number == 0 and not zero):
        raise ConfigurationError(f"{name}={value!r} must be a finite number {'from 0' if zero else 'above 0'}")
    if number > MOST:
        raise ConfigurationError(f"{name}={value!r} must be at most {MOST:g}")


def count(name: str, value: object) -> None:
    """Refuse what is no whole number from 1, and what is too large.

    Raises:
        ConfigurationError: it is none.
    """
    if type(value) is not int or value < 1:
        raise ConfigurationError(f"{name}={value!r} must be a whole number from 1")
    if value > MOST:
        raise ConfigurationError(f"{name}={value!r} must be at most {MOST:g}")


def longest_wait(name: str, value: object) -> None:
    """Refuse what is no longest wait.

    Raises:
        ConfigurationError: it is neither seconds nor `None`.
    """
    if value is not None:
        try:
            amount(name, value, zero=True)
        except ConfigurationError as error:
            message = f"{error}, or None for no limit"
        else:
            return
        raise ConfigurationError(message)
