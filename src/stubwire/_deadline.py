"""Deadlines that calls inherit: `with deadline(2.0):`.

This module's rule: the context says until when, a plan says how long; a call's limit is the nearer of the two.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

from stubwire import _clock
from stubwire._limits import Limit, nearer
from stubwire._options import check_positive
from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from stubwire._plan import Plan

_until: ContextVar[float | None] = ContextVar("stubwire deadline", default=None)
"""The moment, on the monotonic clock, when the calls that are made here must have ended."""


def deadline(seconds: float) -> AbstractContextManager[None]:
    """End all calls that are made inside the block, in any client and colour, when some seconds have passed.

        with deadline(2.0):
            user = github.user(login)
            repos = github.user_repos(login)   # has what the first call left

    Tasks that are started inside have the same deadline, and so has a thread that runs in a copy of the context. An
    inner block, or an option of a call, can only bring it nearer.

    For a stream it ends at the headers, as any deadline does: its body has the read timeout. Each page of `Pages`, and
    each further connection of a stream, is a call of its own.

    Args:
        seconds: from where the block begins.

    Raises:
        ConfigurationError: that is no duration.
    """
    if seconds is None:  # pyright: ignore[reportUnnecessaryComparison] - it comes from a user
        raise ConfigurationError("deadline=None must be a finite number above 0")
    check_positive("deadline", seconds)
    return _Block(seconds)


class Until:
    """A block whose calls end at a moment; one that is `None` is no bound."""

    __slots__ = ("_mark", "_moment")

    _mark: Token[float | None]

    def __init__(self, moment: float | None) -> None:
        self._moment = moment

    def __enter__(self) -> None:
        """Begin."""
        self._mark = _until.set(self._moment)

    def __exit__(self, *_: object) -> None:
        """End."""
        _until.reset(self._mark)


class _Block(AbstractContextManager[None]):
    """A block of so many seconds; no decorator, which would end before an asynchronous function begins."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._until = Until(nearer(_until.get(), _clock.monotonic() + self._seconds))
        self._until.__enter__()

    def __exit__(self, *_: object) -> None:
        self._until.__exit__()


def limit_of(plan: Plan) -> Limit | None:
    """The limit of a call that begins now; `None` if it has none."""
    inherited = _until.get()
    if plan.deadline is None and inherited is None and plan.cancel is None:
        return None
    own = None if plan.deadline is None else _clock.monotonic() + plan.deadline
    first = nearer(own, inherited)
    return Limit(first, plan.cancel, plan.deadline if first is own else None)


def limit_between(plan: Plan) -> Limit | None:
    """The limit of what a stream waits for between two of its calls, of which each has its own."""
    inherited = _until.get()
    return None if inherited is None and plan.cancel is None else Limit(inherited, plan.cancel)
