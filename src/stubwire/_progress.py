"""How far a transfer or a number of calls has come, told to a bar or to a callable.

This module's rule: it counts bytes or calls and tells; it never touches them. tqdm is imported when a bar is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, Protocol

from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from tqdm import tqdm

Progress = bool | Callable[[int, "int | None"], object]
"""`True` shows a bar; a callable is given what is done and what will be in all, `None` while nobody knows."""


class Reporter(Protocol):
    """Where something tells how far it has come."""

    def start(self, done: int, total: int | None) -> None:
        """Begin, or begin again: so many are done already, and so many will be."""

    def add(self, size: int) -> None:
        """So many more."""

    def close(self) -> None:
        """No more will come, whole or not."""


def reporter(progress: Progress | None, total: int | None, label: str, unit: str = "B") -> Reporter:
    """The reporter that a user asked for.

    Args:
        progress: what was asked for; `None` and `False` tell nobody.
        total: bytes or calls, `None` while nobody knows.
        label: what the bar is called.
        unit: what is counted; bytes are shown in multiples of 1024.

    Raises:
        ConfigurationError: a bar is asked for without its extra.
    """
    if progress is None or progress is False:
        return _Silence()
    return _Bar(total, label, unit) if progress is True else _Callable(progress, total)


class _Silence:
    """Tells nobody."""

    def start(self, done: int, total: int | None) -> None:
        pass

    def add(self, size: int) -> None:
        pass

    def close(self) -> None:
        pass


class _Callable:
    """Tells a function."""

    def __init__(self, tell: Callable[[int, int | None], object], total: int | None) -> None:
        self._tell = tell
        self._done = 0
        self._total = total

    def start(self, done: int, total: int | None) -> None:
        self._done, self._total = done, total
        self._tell(done, total)

    def add(self, size: int) -> None:
        self._done += size
        self._tell(self._done, self._total)

    def close(self) -> None:
        pass


class _Bar:
    """Shows tqdm's bar."""

    def __init__(self, total: int | None, label: str, unit: str) -> None:
        self._bar = _bar(total, label, unit)

    def start(self, done: int, total: int | None) -> None:
        self._bar.reset(total)
        self._bar.total = total  # `reset` keeps the total that it had where there is none
        self._bar.initial = done  # so that the rate counts what was transferred
        self._bar.update(done)

    def add(self, size: int) -> None:
        self._bar.update(size)

    def close(self) -> None:
        self._bar.close()


def _bar(total: int | None, label: str, unit: str) -> tqdm[NoReturn]:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        pass
    else:
        return tqdm(total=total, desc=label, unit=unit, unit_scale=unit == "B", unit_divisor=1024)
    raise ConfigurationError("progress=True needs the package tqdm: pip install 'stubwire[progress]'")
