"""What a strategy of pages is, and what strategies share.

This module's rule: pure. A strategy looks at a request and its response and says which request comes next; it sends
nothing, and whether that request may be sent is decided elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from stubwire._places import whole, written
from stubwire.errors import ArgumentError, ConfigurationError, PaginationError

if TYPE_CHECKING:
    from stubwire._places import Json, Place
    from stubwire._request import Request
    from stubwire._response import Response

DEFAULT_MAX_PAGES = 10_000


@runtime_checkable
class PageStrategy(Protocol):
    """How one page leads to the next; anything with this method is one.

    It may have the attribute `max_pages`: how many pages are fetched at most, `None` for no limit, 10,000 without it.
    """

    def next(self, request: Request, response: Response, /) -> Request | None:
        """The request of the next page, or `None` after the last one.

        Args:
            request: a copy of the request of this page, before interceptors and middleware saw it: change it, or
                return `request.replace(...)`. A relative URL counts from that of the response.
            response: its `data` is the list of items, its `content` the body as it came.
        """
        ...


@runtime_checkable
class ResumableStrategy(PageStrategy, Protocol):
    """A strategy whose pages have tokens: `Page.next_token` and `Pages.resume` need both methods."""

    def token(self, request: Request, /) -> str:
        """The token of the page that a request asks for, which `next` returned."""
        ...

    def resume(self, request: Request, token: str, /) -> Request:
        """The request of the page of a token, from the request of the first page.

        Raises:
            ValueError: it is no such token.
        """
        ...


def check_max_pages(where: str, value: object) -> None:
    """Refuse what is no number of pages.

    Raises:
        ConfigurationError: it is neither a whole number above 0 nor `None`.
    """
    if value is not None and not whole(value):
        raise ConfigurationError(f"{where} max_pages={value!r} must be a whole number above 0, or None for no limit")


def asked_with(request: Request, response: Response, place: tuple[Place, str], value: Json) -> Request:
    """The request with a value at a place.

    Raises:
        PaginationError: it cannot stand there.
    """
    try:
        return written(request, *place, value)
    except ArgumentError as error:
        message = str(error)
    raise PaginationError(f"answered with a next page that cannot be asked for: {message}", response=response)
