"""Strategies of one's own, what a declaration of pages must say, and how an asynchronous iteration is left."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import trio

from conftest import Api, Colour, EngineName, Reply
from declaring import refused_stub
from paging import items, iterate, make, pages, until_error
from servers import RawServer, http
from stubwire import ApiClient, ArgumentError, NumberPages, Pages, PageStrategy, Request, Response, Retry, get
from stubwire.errors import ForeignPageError, PageLimitError, PaginationError

MakeApi = Callable[..., Api]


class Bookmarks:
    """Pages that say the next in a header of their own."""

    def __init__(self, max_pages: int | None = 5) -> None:
        self.max_pages = max_pages

    def next(self, request: Request, response: Response[list[int]]) -> Request | None:
        following = response.headers.get("x-bookmark")
        return None if following is None else request.replace(url=f"?at={following}&from={response.data[-1]}")


class ResumableBookmarks(Bookmarks):
    def token(self, request: Request) -> str:
        return request.url.partition("?at=")[2]

    def resume(self, request: Request, token: str) -> Request:
        if token.startswith("//"):
            return request.replace(url=token)
        return request.replace(url=f"?at={int(token)}")


def client_of(strategy: PageStrategy, server: Api) -> Any:
    class Client(ApiClient):
        base_url = "https://api.example"
        retry: Retry | None = None

        @get("/items", paginate=strategy)
        def all(self) -> Pages[int]:
            raise NotImplementedError

    return Client(transport=server.transport)


def bookmark(value: str, *found: int) -> Reply:
    return Reply(json=[*found], headers={"X-Bookmark": value})


# ---- strategies of one's own


def test_any_object_with_next_is_a_strategy(api: MakeApi, colour: Colour) -> None:
    """It sees the items, and may return a relative URL."""
    server = api(bookmark("b", 1, 2), bookmark("c", 3), Reply(json=[4]))
    lazy = make(colour, client_of(Bookmarks(), server).all)
    found = pages(colour, lazy)
    assert [page.items for page in found] == [[1, 2], [3], [4]]
    assert [page.next_token for page in found] == [None] * 3
    assert [str(request.url) for request in server.requests[1:]] == [
        "https://api.example/items?at=b&from=2",
        "https://api.example/items?at=c&from=3",
    ]


def test_one_without_tokens_cannot_be_resumed(api: MakeApi, colour: Colour) -> None:
    lazy = make(colour, client_of(Bookmarks(), api()).all)
    with pytest.raises(TypeError) as caught:
        lazy.resume("b")
    assert str(caught.value) == (
        "Client.all.resume: Bookmarks has no tokens: give it token(request) and resume(request, token)"
    )


def test_one_with_tokens_can(api: MakeApi, colour: Colour) -> None:
    server = api(bookmark("7", 1), Reply(json=[2]))
    lazy = make(colour, client_of(ResumableBookmarks(), server).all)
    assert pages(colour, lazy)[0].next_token == "7&from=1"
    assert items(colour, lazy.resume("9")) == [2]
    assert str(server.requests[-1].url) == "https://api.example/items?at=9"


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("secret", "the token is none of ResumableBookmarks"),
        ("//evil.example/", "the token leads to another origin"),
        ("//evil.example:x/", "the token leads to no URL"),
    ],
)
def test_its_tokens_lead_no_further_than_any_other(api: MakeApi, token: str, message: str) -> None:
    lazy = client_of(ResumableBookmarks(), api()).all()
    with pytest.raises(ArgumentError) as caught:
        lazy.resume(token)
    assert str(caught.value) == f"Client.all.resume: {message}"
    assert caught.value.__context__ is None


def test_its_limit_holds(api: MakeApi, colour: Colour) -> None:
    server = api(*(bookmark(str(number), number) for number in range(20)))
    found, error = until_error(colour, make(colour, client_of(Bookmarks(), server).all))
    assert (found, type(error)) == ([0, 1, 2, 3, 4], PageLimitError)
    assert len(items(colour, make(colour, client_of(Bookmarks(None), api(bookmark("1", 1), Reply(json=[2]))).all))) == 2


def test_it_cannot_leave_the_origin(api: MakeApi, colour: Colour) -> None:
    class Away:
        def next(self, request: Request, response: Response) -> Request | None:
            request.url = "https://evil.example/"
            return request

    found, error = until_error(colour, make(colour, client_of(Away(), api(Reply(json=[1]))).all))
    assert (found, type(error)) == ([1], ForeignPageError)


def test_what_it_raises_comes_behind_the_items(api: MakeApi, colour: Colour) -> None:
    class Broken:
        def next(self, request: Request, response: Response) -> Request | None:
            raise KeyError("next")

    into: list[int] = []
    with pytest.raises(KeyError) as caught:
        iterate(colour, make(colour, client_of(Broken(), api(Reply(json=[1]))).all), into)
    assert into == [1]
    assert caught.value.__notes__ == ["raised by the page strategy Broken"]


def test_it_may_raise_a_call_error(api: MakeApi, colour: Colour) -> None:
    class Stopped:
        def next(self, request: Request, response: Response) -> Request | None:
            raise PaginationError("answered with a cursor that expired", response=response)

    found, error = until_error(colour, make(colour, client_of(Stopped(), api(Reply(json=[1]))).all))
    assert found == [1]
    assert str(error) == "Client.all: GET https://api.example/items answered with a cursor that expired"


@pytest.mark.parametrize(
    ("following", "message"),
    [
        ("https://api.example/items?page=2", "Wrong returned str, not a Request"),
        (
            Request("GET", "https://api.example/items?page=2"),
            "Wrong returned a Request made by hand: return request.replace(...) of the request that it was given",
        ),
    ],
)
def test_what_it_returns_is_a_request_of_this_call(api: MakeApi, following: Any, message: str) -> None:
    class Wrong:
        def next(self, request: Request, response: Response) -> Request | None:
            return following  # type: ignore[no-any-return]

    with pytest.raises(TypeError) as caught:
        list(client_of(Wrong(), api(Reply(json=[1]))).all())
    assert str(caught.value) == message


# ---- declarations


@pytest.mark.parametrize(
    ("stub", "message"),
    [
        (
            "@get('/a')\ndef a(self) -> Pages[int]: ...",
            (
                "Api.a: returns Pages[int], and nothing says how one page leads to the next: write "
                "paginate=LinkPages(), CursorPages(...), OffsetPages() or NumberPages()"
            ),
        ),
        (
            "@get('/a', paginate=LinkPages)\ndef a(self) -> Pages[int]: ...",
            "Api.a: paginate is a class: write paginate=LinkPages(...)",
        ),
        (
            "@get('/a', paginate='next')\ndef a(self) -> AsyncPages[int]: ...",
            (
                "Api.a: paginate=str is no strategy: write LinkPages(), or an object with "
                "def next(self, request, response) -> Request | None"
            ),
        ),
        (
            (
                "class Own:\n    async def next(self, request, response): ...\n"
                "@get('/a', paginate=Own())\ndef a(self) -> Pages[int]: ..."
            ),
            (
                "Api.a: paginate=Own is no strategy: write LinkPages(), or an object with "
                "def next(self, request, response) -> Request | None"
            ),
        ),
        (
            (
                "class Own:\n    max_pages = 0\n    def next(self, request, response): ...\n"
                "@get('/a', paginate=Own())\ndef a(self) -> Pages[int]: ..."
            ),
            "Api.a: Own max_pages=0 must be a whole number above 0, or None for no limit",
        ),
    ],
)
def test_what_is_wrong_with_pages_is_found_when_the_class_is_created(stub: str, message: str) -> None:
    assert refused_stub(stub) == message


# ---- leaving early


class Numbers(ApiClient):
    base_url = "https://api.example"
    retry: Retry | None = None

    @get("/items", paginate=NumberPages())
    def all(self, *, page: int = 1) -> Pages[int]:
        raise NotImplementedError


def test_an_iteration_that_is_left_early_leaves_nothing_open(engine: EngineName, colour: Colour) -> None:
    """A page is read whole, so there is no connection to give back, and no generator for an event loop to close."""

    async def leave(lazy: Any) -> int:
        async for item in lazy:
            return int(item)
        raise AssertionError("unreachable")

    with RawServer(http("[1, 2]")) as server:
        client = Numbers(base_url=server.url, engine=engine)
        if colour.name == "sync":
            assert next(iter(client.all())) == 1
        else:
            assert colour.drive(leave, client.all.aio()) == 1
        client.close()
        gc.collect()  # what was left open warns here, and a warning is an error
        assert len(server.requests) == 1


def test_tasks_do_not_share_an_iteration() -> None:
    """Or each would get some of the pages; every task may iterate anew."""

    async def main() -> list[object]:
        first = asyncio.Event()

        async def answer(request: httpx.Request) -> httpx.Response:
            first.set()
            await asyncio.sleep(0)
            return httpx.Response(200, json=[1] if request.url.params["page"] == "1" else [])

        async with Numbers(transport=httpx.MockTransport(answer)) as client:
            lazy = client.all.aio()
            shared = lazy.pages()

            async def one() -> object:
                return (await anext(shared)).items

            async def other() -> object:
                await first.wait()
                return (await anext(shared)).items

            results: list[object] = [*await asyncio.gather(one(), other(), return_exceptions=True)]
            results.extend(await asyncio.gather(lazy.to_list(), lazy.to_list()))
            return results

    found, refused, *anew = asyncio.run(main())
    assert found == [1]
    assert isinstance(refused, RuntimeError)
    assert str(refused) == "these pages are being fetched by another task: iterate anew in each task"
    assert anew == [[1], [1]]


def test_an_iteration_that_was_cancelled_is_over() -> None:
    async def main() -> list[int]:
        async def answer(request: httpx.Request) -> httpx.Response:
            await trio.sleep_forever()
            raise AssertionError("unreachable")

        async with Numbers(transport=httpx.MockTransport(answer)) as client:
            iterator = aiter(client.all.aio())
            with trio.CancelScope() as scope:
                scope.cancel()
                await anext(iterator)
            assert scope.cancelled_caught
            return [item async for item in iterator]

    assert trio.run(main) == []


def test_a_middleware_may_iterate_pages_in_either_colour(api: MakeApi, colour: Colour) -> None:
    """In a synchronous call it is driven like the rest of it."""
    others = Numbers(transport=api(Reply(json=[1, 2]), Reply(json=[])).transport)
    seen: list[int] = []

    async def look(request: Request, call_next: Any) -> Response:
        seen.extend([item async for item in others.all.aio()])
        return await call_next(request)  # type: ignore[no-any-return]

    client = Numbers(transport=api(Reply(json=[])).transport)
    client.use(look)
    assert items(colour, make(colour, client.all)) == []
    assert seen == [1, 2]
