"""Pages: results that are fetched page by page while they are iterated, in two colours.

This module's rule: thin shells. A `Walk` decides which request comes next and guards the way; the shells send it, each
page through the whole core, and hand out what came.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from stubwire._accept import accept
from stubwire._annotations import name_of
from stubwire._decode import decoder
from stubwire._lazy import Lazy, item_type
from stubwire._paging import DEFAULT_MAX_PAGES, PageStrategy, ResumableStrategy, check_max_pages
from stubwire._places import whole
from stubwire._runtime import SYNC, current, run_sync
from stubwire._walk import Following, Start, Walk
from stubwire.errors import ArgumentError, ConfigurationError, SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stubwire._codecs import Codec
    from stubwire._core import Core
    from stubwire._declaration import EndpointOptions
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire._spec import EndpointSpec

T_co = TypeVar("T_co", covariant=True)


class Page(Generic[T_co]):
    """One page.

    Attributes:
        items: what is on it.
        number: which page of this iteration it is, from 1.
        response: what it came in.
    """

    items: list[T_co]
    number: int
    response: Response[list[T_co]]
    _following: Following
    _strategy: PageStrategy

    @classmethod
    def _make(cls, walk: Walk, response: Response[Any], strategy: PageStrategy) -> Page[Any]:
        """The page that arrived on a walk."""
        self: Page[Any] = cls.__new__(cls)
        self.items = response.data
        self.number = walk.number
        self.response = response
        self._following = walk.arrived(response)
        self._strategy = strategy
        return self

    @property
    def next_token(self) -> str | None:
        """What `.resume(...)` takes to go on behind this page; `None` if it is the last.

        It is also `None` if the pages have a strategy of your own that has no tokens. A pickle does not keep it,
        because it may hold a secret: take it before.

        Raises:
            PaginationError: there is a next page, but it cannot be asked for.
            RuntimeError: there is a next page, and this one was pickled.
        """
        request, failure = self._following
        if request is not None:
            return self._strategy.token(request) if isinstance(self._strategy, ResumableStrategy) else None
        if failure is not None:
            raise failure
        return None

    def __copy__(self) -> Page[T_co]:
        """Copy; both have the same items."""
        twin = type(self).__new__(type(self))
        vars(twin).update(vars(self))
        return twin

    def __getstate__(self) -> dict[str, object]:
        """Pickle without what leads to the next page: requests are pickled redacted, and would lead elsewhere."""
        request, failure = self._following
        lost = None if request is None else RuntimeError("a page that was pickled has no next_token: take it before")
        return {**vars(self), "_following": Following(None, lost or failure)}

    def __repr__(self) -> str:
        """Show which it is, and how many items it has."""
        return f"<Page {self.number}: {len(self.items)} items>"


class Pages(Generic[T_co]):
    """All items of all pages, which are fetched while they are iterated.

    Nothing is sent before. Each iteration starts again from the first page, and each page is a call of its own, with
    interceptors, middleware, retries, credentials, and the whole of its deadline; that of a `with deadline(...)` block
    is one for all. A `CancelToken` ends the page that is being fetched, or the next; items that came are given.

    Iterating raises:
        CallError: a page could not be fetched.
        RepeatedPageError: the next page is one that was asked for already.
        ForeignPageError: the next page is on another origin.
        PageLimitError: there are more pages than `max_pages` of the strategy.
        PaginationError: the next page cannot be asked for, for any other reason.
    """

    __stubwire_lazy__: ClassVar[str] = "pages"
    _start: Start

    @classmethod
    def _make(cls, start: Start) -> Pages[Any]:
        """What an endpoint makes."""
        self: Pages[Any] = cls.__new__(cls)
        self._start = start
        return self

    def __iter__(self) -> Iterator[T_co]:
        """The items."""
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[T_co]]:
        """The pages themselves."""
        core, plan, _, strategy = self._start
        walk = Walk(self._start)
        while (request := walk.ask()) is not None:
            response = run_sync(core.run(plan, request, SYNC), plan.name)
            yield Page._make(walk, response, strategy)

    def first(self) -> T_co | None:
        """The first item; `None` if there is none."""
        return next(iter(self), None)

    def to_list(self, limit: int | None = None) -> list[T_co]:
        """The items as a list.

        Args:
            limit: how many at most; no page behind them is fetched.

        Raises:
            ArgumentError: the limit is negative, or no whole number.
        """
        return list(islice(self, _checked_limit(self._start.plan, limit)))

    def resume(self, token: str) -> Pages[T_co]:
        """The same, from the page that a `Page.next_token` leads to. Nothing is sent before it is iterated.

        Raises:
            ArgumentError: the token cannot be one of these pages, or leads to another origin.
            TypeError: the pages have a strategy of your own that has no tokens.
        """
        return self._make(self._start.resume(token))

    def __repr__(self) -> str:
        """Show what will be asked for first."""
        return f"<Pages of {self._start.plan.name}: {self._start.request.line}>"


class AsyncPages(Generic[T_co]):
    """The asynchronous twin of `Pages`: it is not awaited but iterated with `async for`."""

    __stubwire_lazy__: ClassVar[str] = "pages"
    _start: Start

    @classmethod
    def _make(cls, start: Start) -> AsyncPages[Any]:
        """What an endpoint makes."""
        self: AsyncPages[Any] = cls.__new__(cls)
        self._start = start
        return self

    def __aiter__(self) -> AsyncIterator[T_co]:
        """The items."""
        return _AsyncItems(self.pages())

    def pages(self) -> AsyncIterator[Page[T_co]]:
        """The pages themselves."""
        return _AsyncWalk(self._start)

    async def first(self) -> T_co | None:
        """The first item; `None` if there is none."""
        return await anext(aiter(self), None)

    async def to_list(self, limit: int | None = None) -> list[T_co]:
        """The items as a list.

        Args:
            limit: how many at most; no page behind them is fetched.

        Raises:
            ArgumentError: the limit is negative, or no whole number.
        """
        most = _checked_limit(self._start.plan, limit)
        items: list[T_co] = []
        if most != 0:
            async for item in self:
                items.append(item)
                if len(items) == most:
                    break
        return items

    def resume(self, token: str) -> AsyncPages[T_co]:
        """The same, from the page that a `Page.next_token` leads to. Nothing is sent before it is iterated.

        Raises:
            ArgumentError: the token cannot be one of these pages, or leads to another origin.
            TypeError: the pages have a strategy of your own that has no tokens.
        """
        return self._make(self._start.resume(token))

    def __repr__(self) -> str:
        """Show what will be asked for first."""
        return f"<AsyncPages of {self._start.plan.name}: {self._start.request.line}>"


# ---- asynchronous iteration: objects, because a generator that is left early waits for its event loop to close it


class _AsyncWalk:
    """The pages of one asynchronous iteration."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._walk = Walk(start)
        self._fetching = False

    def __aiter__(self) -> _AsyncWalk:
        return self

    async def __anext__(self) -> Page[Any]:
        if self._fetching:
            raise RuntimeError("these pages are being fetched by another task: iterate anew in each task")
        request = self._walk.ask()
        if request is None:
            raise StopAsyncIteration
        self._fetching = True
        try:
            response = await self._start.core.run(self._start.plan, request, current())
        finally:
            self._fetching = False
        return Page._make(self._walk, response, self._start.strategy)


class _AsyncItems:
    """The items of one asynchronous iteration."""

    def __init__(self, pages: AsyncIterator[Page[Any]]) -> None:
        self._pages = pages
        self._items: deque[Any] = deque()

    def __aiter__(self) -> _AsyncItems:
        return self

    async def __anext__(self) -> Any:
        while not self._items:
            self._items.extend((await anext(self._pages)).items)
        return self._items.popleft()


def _checked_limit(plan: Plan, limit: int | None) -> int | None:
    """How many items are wanted.

    Raises:
        ArgumentError: fewer than none, or no whole number.
    """
    if limit is not None and (whole(cast("object", limit)) != limit or limit < 0):
        raise ArgumentError(f"{plan.name}.to_list: limit={limit!r} must be a whole number, 0 or more")
    return limit


# ---- from a declaration


def check(method: str, returns: object, options: EndpointOptions, where: str) -> None:  # noqa: ARG001 - as streams'
    """Find what is wrong with a stub that returns pages.

    Raises:
        SpecError: it does not say how one page leads to the next.
    """
    strategy: object = options.get("paginate")
    if strategy is None:
        raise SpecError(
            f"{where}: returns {name_of(returns)}, and nothing says how one page leads to the next: write "
            "paginate=LinkPages(), CursorPages(...), OffsetPages() or NumberPages()"
        )
    if isinstance(strategy, type):
        raise SpecError(f"{where}: paginate is a class: write paginate={strategy.__name__}(...)")
    step = getattr(strategy, "next", None)
    if not callable(step) or inspect.iscoroutinefunction(step):
        raise SpecError(
            f"{where}: paginate={type(strategy).__name__} is no strategy: write LinkPages(), or an object with "
            "def next(self, request, response) -> Request | None"
        )
    try:
        check_max_pages(type(strategy).__name__, getattr(strategy, "max_pages", DEFAULT_MAX_PAGES))
    except ConfigurationError as error:
        message = str(error)
    else:
        return
    raise SpecError(f"{where}: {message}")


def lazy(spec: EndpointSpec, options: EndpointOptions, codecs: Sequence[Codec]) -> Lazy:
    """How the pages of a stub are made."""
    strategy = cast("PageStrategy", options.get("paginate"))

    def pages(core: Core, plan: Plan, request: Request) -> object:
        return Pages._make(Start(core, plan, request, strategy))

    def async_pages(core: Core, plan: Plan, request: Request) -> object:
        return AsyncPages._make(Start(core, plan, request, strategy))

    items = GenericAlias(list, item_type(spec.returns))
    decode = decoder(items, spec.unwrap, spec.name, codecs=codecs)
    return Lazy(pages, async_pages, decode, accept(items, spec.unwrap, codecs))
