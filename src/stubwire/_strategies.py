"""Strategies for pages that say a URL, that say a cursor, or that are counted.

This module's rule: pure data with pure methods; wrong values are refused where a strategy is made.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

import pydantic_core

from stubwire._links import next_target
from stubwire._paging import DEFAULT_MAX_PAGES, PageStrategy, ResumableStrategy, asked_with, check_max_pages
from stubwire._places import Place, check_path, check_place, found, read, whole, written
from stubwire.errors import ArgumentError, ConfigurationError, PaginationError

if TYPE_CHECKING:
    from collections.abc import Sized

    from stubwire._places import Json
    from stubwire._request import Request
    from stubwire._response import Response

__all__ = ["CursorPages", "LinkPages", "NumberPages", "OffsetPages", "PageStrategy", "ResumableStrategy"]

Source: TypeAlias = Literal["body", "header"]
"""Where in a response a cursor is found."""

_NO_JSON = object()


@dataclass(frozen=True, slots=True)
class LinkPages:
    """Pages that say the URL of the next: GitHub's `Link` header, the `links.next` of JSON:API.

    Attributes:
        path: where the URL is in the JSON body, as a dotted path such as `"links.next"`; it may be relative, and `null`
            or nothing there ends the pages. Without a path, it is the link with `rel="next"` of the `Link` header
            (RFC 8288).
        max_pages: how many pages are fetched at most; `None` for no limit.
    """

    path: str | None = None
    _: KW_ONLY
    max_pages: int | None = DEFAULT_MAX_PAGES

    def __post_init__(self) -> None:
        """Refuse what leads nowhere."""
        if self.path is not None:
            check_path("LinkPages path", self.path)
        check_max_pages("LinkPages", self.max_pages)

    def next(self, request: Request, response: Response, /) -> Request | None:
        """The request with the URL that the response says."""
        if self.path is None:
            answered = response._request or request
            target: object = next_target(response.headers.get_list("link"), answered.url)
            return None if target is None else request.replace(url=str(target))
        target = found(response._json(), self.path)
        if _is_end(target):
            return None
        if not isinstance(target, str):
            raise PaginationError(f"answered with a next page at {self.path!r} that is no URL", response=response)
        return request.replace(url=target)

    def token(self, request: Request, /) -> str:
        """Path and query of the URL."""
        return "/" + request.url.partition("://")[2].partition("/")[2]

    def resume(self, request: Request, token: str, /) -> Request:
        """The request with the URL of a token."""
        if not token.startswith("/"):
            raise ArgumentError("the token is no path")
        scheme, _, rest = request.url.partition("://")
        return request.replace(url=f"{scheme}://{rest.partition('/')[0].partition('?')[0]}{token}")


@dataclass(frozen=True, slots=True)
class CursorPages:
    """Pages that say a cursor, which the request of the next page sends back.

    Attributes:
        cursor: where it is found: a dotted path in the JSON body, such as `"meta.next"`, where integers index lists
            (`"data.-1.id"` is the `id` of the last item), or the name of a response header. `null`, `""`, `false` or
            nothing there ends the pages.
        param: where it is sent: the name of a query parameter or a header, or a dotted path in the JSON body, such as
            `"variables.after"`. In an urlencoded body it is the name of a field.
        found_in: `"body"` or `"header"`.
        sent_in: `"query"`, `"header"` or `"body"`.
        more: a dotted path in the JSON body to a flag; if that is not true, the pages end.
        max_pages: how many pages are fetched at most; `None` for no limit.
    """

    cursor: str
    param: str
    _: KW_ONLY
    found_in: Source = "body"
    sent_in: Place = "query"
    more: str | None = None
    max_pages: int | None = DEFAULT_MAX_PAGES

    def __post_init__(self) -> None:
        """Refuse what leads nowhere."""
        if self.found_in not in get_args(Source):
            raise ConfigurationError(f"CursorPages found_in={self.found_in!r} must be 'body' or 'header'")
        check_place("CursorPages", "cursor", self.cursor, self.found_in)
        check_place("CursorPages", "param", self.param, self.sent_in)
        if self.more is not None:
            check_path("CursorPages more", self.more)
        check_max_pages("CursorPages", self.max_pages)

    def next(self, request: Request, response: Response, /) -> Request | None:
        """The request with the cursor that the response says."""
        body = response._json() if self.more is not None or self.found_in == "body" else None
        if self.more is not None and not found(body, self.more):
            return None
        cursor = response.headers.get(self.cursor) if self.found_in == "header" else found(body, self.cursor)
        if _is_end(cursor):
            return None
        return asked_with(request, response, (self.sent_in, self.param), cast("Json", cursor))

    def token(self, request: Request, /) -> str:
        """The cursor: as text, or as JSON where it is no text or would read as JSON."""
        cursor = read(request, self.sent_in, self.param)
        if isinstance(cursor, str) and (self.sent_in != "body" or _from_json(cursor) is _NO_JSON):
            return cursor
        return pydantic_core.to_json(cursor).decode()

    def resume(self, request: Request, token: str, /) -> Request:
        """The request with the cursor of a token."""
        cursor: object = _from_json(token) if self.sent_in == "body" else token
        return written(request, self.sent_in, self.param, token if cursor is _NO_JSON else cast("Json", cursor))


class _Counted:
    """What strategies share that count: a token is the number itself."""

    __slots__ = ()

    param: str
    sent_in: Place

    def token(self, request: Request, /) -> str:
        """The number that the request asks for."""
        return str(read(request, self.sent_in, self.param))

    def resume(self, request: Request, token: str, /) -> Request:
        """The request with the number of a token."""
        number = whole(token)
        if number is None:
            raise ArgumentError("the token is no whole number")
        return written(request, self.sent_in, self.param, number)


@dataclass(frozen=True, slots=True)
class OffsetPages(_Counted):
    """Pages that are asked for by how many items to skip; each page moves on by the items that it had.

    An empty page is the last. The first request is sent as it is: an offset that the call gives is respected.

    Attributes:
        param: the name of the query parameter or header, or the dotted path in the JSON body, of the offset.
        sent_in: `"query"`, `"header"` or `"body"`.
        limit: the same as `param`, for how many items a page has: a page with fewer is the last. Say it only if the
            API gives as many as are asked for.
        total: a dotted path in the JSON body to how many items there are.
        max_pages: how many pages are fetched at most; `None` for no limit.
    """

    param: str = "offset"
    _: KW_ONLY
    sent_in: Place = "query"
    limit: str | None = None
    total: str | None = None
    max_pages: int | None = DEFAULT_MAX_PAGES

    def __post_init__(self) -> None:
        """Refuse what leads nowhere."""
        check_place("OffsetPages", "param", self.param, self.sent_in)
        if self.limit is not None:
            check_place("OffsetPages", "limit", self.limit, self.sent_in)
        if self.total is not None:
            check_path("OffsetPages total", self.total)
        check_max_pages("OffsetPages", self.max_pages)

    def next(self, request: Request, response: Response, /) -> Request | None:
        """The request with the offset behind this page."""
        count = _count(response)
        offset = _current(request, response, (self.sent_in, self.param), 0) + count
        total = None if self.total is None else whole(found(response._json(), self.total))
        if count == 0 or _is_short(request, self.sent_in, self.limit, count) or (total is not None and offset >= total):
            return None
        return asked_with(request, response, (self.sent_in, self.param), offset)


@dataclass(frozen=True, slots=True)
class NumberPages(_Counted):
    """Pages that are asked for by their number.

    What the server says by `more` or `total` decides; where it says nothing, an empty page is the last. The first
    request is sent as it is: a number that the call gives is respected.

    Attributes:
        param: the name of the query parameter or header, or the dotted path in the JSON body, of the number.
        sent_in: `"query"`, `"header"` or `"body"`.
        start: the number of the first page, where the call gives none.
        size: the same as `param`, for how many items a page has: a page with fewer is the last. Say it only if the
            API gives as many as are asked for.
        total: a dotted path in the JSON body to the number of the last page.
        more: a dotted path in the JSON body to a flag; if that is not true, the pages end.
        max_pages: how many pages are fetched at most; `None` for no limit.
    """

    param: str = "page"
    _: KW_ONLY
    sent_in: Place = "query"
    start: int = 1
    size: str | None = None
    total: str | None = None
    more: str | None = None
    max_pages: int | None = DEFAULT_MAX_PAGES

    def __post_init__(self) -> None:
        """Refuse what leads nowhere."""
        check_place("NumberPages", "param", self.param, self.sent_in)
        if whole(cast("object", self.start)) is None or self.start < 0:
            raise ConfigurationError(f"NumberPages start={self.start!r} must be a whole number, 0 or more")
        if self.size is not None:
            check_place("NumberPages", "size", self.size, self.sent_in)
        for name, path in (("total", self.total), ("more", self.more)):
            if path is not None:
                check_path(f"NumberPages {name}", path)
        check_max_pages("NumberPages", self.max_pages)

    def next(self, request: Request, response: Response, /) -> Request | None:
        """The request with the next number."""
        number = _current(request, response, (self.sent_in, self.param), self.start)
        if not self._goes_on(request, response, number):
            return None
        return asked_with(request, response, (self.sent_in, self.param), number + 1)

    def _goes_on(self, request: Request, response: Response, number: int) -> bool:
        body = response._json() if self.more is not None or self.total is not None else None
        if self.more is not None:
            return bool(found(body, self.more))
        total = None if self.total is None else whole(found(body, self.total))
        if total is not None:
            return number < total
        count = _count(response)
        return count > 0 and not _is_short(request, self.sent_in, self.size, count)


def _is_end(value: object) -> bool:
    """Whether what stands where a cursor or a URL would stand says that there is no further page."""
    return value is None or value is False or value == ""


def _current(request: Request, response: Response, place: tuple[Place, str], default: int) -> int:
    """The number that a request asks for.

    Raises:
        PaginationError: what stands there is none.
    """
    value = read(request, *place)
    number = default if value is None else whole(value)
    if number is not None:
        return number
    raise PaginationError(
        f"was sent with {place[1]!r} that is no whole number, so that nobody knows the next", response=response
    )


def _count(response: Response) -> int:
    """How many items a page has."""
    return len(cast("Sized", response.data))


def _is_short(request: Request, place: Place, size: str | None, count: int) -> bool:
    """Whether a page has fewer items than were asked for."""
    asked = None if size is None else whole(read(request, place, size))
    return asked is not None and count < asked


def _from_json(text: str) -> object:
    try:
        return pydantic_core.from_json(text, allow_inf_nan=False)
    except ValueError:
        return _NO_JSON
