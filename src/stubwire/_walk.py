"""A walk: one iteration over pages, from request to response to the next request.

This module's rule: it sends nothing. It says what is asked for next and guards the way: no page twice, none on another
origin, no more than `max_pages`. A page is handed out before what is wrong behind it is raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast
from uuid import uuid4

from stubwire import _redact
from stubwire._links import destination
from stubwire._paging import DEFAULT_MAX_PAGES, PageStrategy, ResumableStrategy
from stubwire._places import without_query
from stubwire._request import Request
from stubwire.errors import (
    ArgumentError,
    CallError,
    ForeignPageError,
    PageLimitError,
    PaginationError,
    ProtocolError,
    RepeatedPageError,
)

if TYPE_CHECKING:
    from stubwire._call import Call
    from stubwire._core import Core
    from stubwire._plan import Plan
    from stubwire._response import Response


class Start(NamedTuple):
    """Where each iteration begins.

    Attributes:
        core: what sends.
        plan: of the endpoint.
        request: of the first page, as it was bound.
        strategy: how one page leads to the next.
    """

    core: Core
    plan: Plan
    request: Request
    strategy: PageStrategy

    def resume(self, token: str) -> Start:
        """The same, from the page of a token.

        Raises:
            ArgumentError: the token cannot be one of these pages; the message does not show it.
            TypeError: the strategy has no tokens.
        """
        where, strategy = f"{self.plan.name}.resume", self.strategy
        if not isinstance(strategy, ResumableStrategy):
            raise TypeError(
                f"{where}: {type(strategy).__name__} has no tokens: give it token(request) and resume(request, token)"
            )
        if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance] - it comes from a user
            raise ArgumentError(f"{where}: expected a str, got {type(token).__name__}")
        try:
            request = _made(strategy.resume(self.request._copy(), token), strategy)
        except ArgumentError as error:
            wrong = str(error)
        except ValueError:  # whose message may show the token
            wrong = f"the token is none of {type(strategy).__name__}"
        else:
            origin, url = self.landing(self.request.url, request.url)
            if origin in self.plan.origins:
                return self._replace(request=request.replace(url=url))
            wrong = "the token leads to another origin" if origin else "the token leads to no URL"
        raise ArgumentError(f"{where}: {wrong}")

    def landing(self, base: str, reference: str) -> tuple[str, str]:
        """Where a reference leads: the origin as the engine sees it, and the URL as it would be sent.

        Both are empty if it leads to no http or https URL. What auth puts in the query is left out: auth puts it there
        again, and no token should keep it.
        """
        place = destination(base, reference)
        origin = self._origin(place.authority) if place else ""
        if not place or not origin:
            return "", ""
        secrets = self.plan.auth_query
        return origin, origin + (without_query(place.target, secrets) if secrets else place.target)

    def _origin(self, authority: str) -> str:
        """The origin as the engine will connect to it; empty if it cannot."""
        if authority == self.plan.origin:
            return authority
        try:
            return self.core.pool.library.origin(authority)
        except ProtocolError:
            return ""


class Following(NamedTuple):
    """What comes behind a page.

    Attributes:
        request: of the next page; `None` behind the last one, and where nobody can tell.
        failure: what is raised instead of sending it.
    """

    request: Request | None
    failure: Exception | None = None


class Walk:
    """One iteration: what is asked for next, and what was.

    It remembers 64 bits of every request, so that none is sent twice.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._seen: set[int] = set()
        self._asked = self._sent = start.request
        self.following = Following(start.request)
        self.number = 0

    def ask(self) -> Request | None:
        """The request of the next page; `None` behind the last.

        Raises:
            PaginationError: it must not be sent.
        """
        request, failure = self.following
        self.following = Following(None)
        if failure is not None:
            raise failure
        if request is None:
            return None
        self.number += 1
        self._seen.add(_mark(request))
        self._asked, self._sent = request, request._copy()
        plan = self._start.plan
        if plan.key_header is not None and plan.key is None:  # each page is a call of its own
            self._sent.headers[plan.key_header] = str(uuid4())
        return self._sent

    def arrived(self, response: Response[Any]) -> Following:
        """Remember what a page says comes behind it."""
        self.following = self._next(response)
        if isinstance(self.following.failure, CallError):
            cast("Call", self._sent._call).dress(self.following.failure)
        return self.following

    def _next(self, response: Response[Any]) -> Following:
        strategy = self._start.strategy
        try:
            request = strategy.next(self._asked._copy(), response)
            return Following(None) if request is None else self._guarded(_made(request, strategy), response)
        except Exception as error:  # noqa: BLE001 - it is raised behind the items of this page
            if not isinstance(error, CallError):
                error.add_note(f"raised by the page strategy {type(strategy).__name__}")
            return Following(None, error)

    def _guarded(self, request: Request, response: Response[Any]) -> Following:
        plan = self._start.plan
        origin, url = self._start.landing((response._request or self._sent).url, request.url)
        if not origin:
            message = "answered with a next page that has no http URL"
            return Following(None, PaginationError(message, response=response))
        if origin not in plan.origins:
            message = f"answered with a next page on another origin: {_redact.url(url, plan.secrets)}"
            return Following(None, ForeignPageError(message, response=response))
        request = request.replace(url=url)
        if _mark(request) in self._seen:
            message = f"answered with a next page that was asked for already: {request.line}"
            return Following(request, RepeatedPageError(message, response=response))
        most = getattr(self._start.strategy, "max_pages", DEFAULT_MAX_PAGES)
        if most is not None and self.number >= most:
            message = f"answered with more pages than the max_pages={most} of {type(self._start.strategy).__name__}"
            return Following(request, PageLimitError(message, response=response))
        return Following(request)


def _mark(request: Request) -> int:
    """64 bits that tell requests apart."""
    return hash((request.method, request.url, request._sent_pairs(), request.content, id(request._payload)))


def _made(request: object, strategy: PageStrategy) -> Request:
    """What a strategy returned.

    Raises:
        TypeError: it is no request of this call.
    """
    if not isinstance(request, Request):
        raise TypeError(f"{type(strategy).__name__} returned {type(request).__name__}, not a Request")
    if request._plan is None:
        raise TypeError(
            f"{type(strategy).__name__} returned a Request made by hand: return request.replace(...) of the request "
            "that it was given"
        )
    return request
