"""Whether code runs inside an attempt that a plugin has let through.

This module's rule: a call that a middleware or an auth makes there, in either colour, must not wait for the attempt
that waits for it. A task that outlives the attempt is no longer inside.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar


class Stay:
    """One attempt that something has let through.

    Attributes:
        of: what let it through.
        lasts: whether it goes on.
        waits: whether another plugin has it wait, or had it wait when it failed.
    """

    __slots__ = ("lasts", "of", "waits")

    def __init__(self, of: object) -> None:
        self.of = of
        self.lasts = True
        self.waits = False


_stays: ContextVar[tuple[Stay, ...]] = ContextVar("stubwire plugins", default=())


@contextmanager
def inside(of: object) -> Generator[Stay]:
    """Say that the attempt in this block was let through."""
    stay = Stay(of)
    mark = _stays.set((*_stays.get(), stay))
    try:
        yield stay
    finally:
        stay.lasts = False
        _stays.reset(mark)


def is_inside(of: object) -> bool:
    """Whether this code runs inside such an attempt."""
    return any(stay.of is of and stay.lasts for stay in _stays.get())


@contextmanager
def waiting() -> Generator[None]:
    """Say that a plugin waits in this block; an error that leaves it says nothing of the server."""
    stays = _stays.get()
    for stay in stays:
        stay.waits = True
    yield
    for stay in stays:
        stay.waits = False
