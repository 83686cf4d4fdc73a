"""What the tests of pages share: each colour's way to iterate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stubwire import CallError

if TYPE_CHECKING:
    from conftest import Colour


def iterate(colour: Colour, lazy: Any, into: list[Any]) -> None:
    """Append everything that pages, or an iteration of them, give."""
    if colour.name == "sync":
        into.extend(lazy)
        return

    async def collect() -> None:
        async for item in lazy:
            into.append(item)  # noqa: PERF401 - what came before an error counts

    colour.drive(collect)


def make(colour: Colour, endpoint: Any, *args: Any, **kwargs: Any) -> Any:
    """Call an endpoint that returns pages."""
    return endpoint(*args, **kwargs) if colour.name == "sync" else endpoint.aio(*args, **kwargs)


def items(colour: Colour, lazy: Any) -> list[Any]:
    """All items."""
    into: list[Any] = []
    iterate(colour, lazy, into)
    return into


def pages(colour: Colour, lazy: Any) -> list[Any]:
    """All pages."""
    return items(colour, lazy.pages())


def until_error(colour: Colour, lazy: Any) -> tuple[list[Any], CallError]:
    """The items before a failure, and the failure."""
    into: list[Any] = []
    try:
        iterate(colour, lazy, into)
    except CallError as error:
        return into, error
    raise AssertionError("the pages ended without an error")


def result(colour: Colour, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call `first` or `to_list`."""
    return function(*args, **kwargs) if colour.name == "sync" else colour.drive(function, *args, **kwargs)
