"""What is opened on behalf of whom.

This module's rule: whoever may have to close what others open for it, in this thread or task, has it noted here;
httpcore itself forgets connections that are cut while they are made.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar, Token
from typing import Any

_noted: ContextVar[list[Any] | None] = ContextVar("stubwire opening", default=None)


class Noting:
    """A block; what is opened inside is noted in a list."""

    __slots__ = ("_mark", "_opened")

    _mark: Token[list[Any] | None]

    def __init__(self, opened: list[Any]) -> None:
        self._opened = opened

    def __enter__(self) -> None:
        """Begin."""
        self._mark = _noted.set(self._opened)

    def __exit__(self, *_: object) -> None:
        """End."""
        _noted.reset(self._mark)


async def aclose_all(items: Iterable[Any]) -> None:
    """Close each, whatever becomes of the others; what went wrong first is raised afterwards."""
    interruption: BaseException | None = None
    for item in items:
        try:
            await item.aclose()
        except BaseException as error:  # noqa: BLE001 - raised below
            interruption = interruption or error
    if interruption is not None:
        raise interruption


def note(item: object) -> None:
    """Note something that was opened."""
    opened = _noted.get()
    if opened is not None:
        opened.append(item)
