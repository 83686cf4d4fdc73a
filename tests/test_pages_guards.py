"""What pages never do: ask twice, go on for ever, leave their origin, or take a token's word for it."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from conftest import Api, Colour, Reply
from paging import items, make, pages, result, until_error
from stubwire import (
    ApiClient,
    ArgumentError,
    CursorPages,
    LinkPages,
    NumberPages,
    OffsetPages,
    Pages,
    Retry,
    get,
    post,
)
from stubwire.auth import BearerAuth
from stubwire.errors import ForeignPageError, PageLimitError, PaginationError, RepeatedPageError

MakeApi = Callable[..., Api]


class Shop(ApiClient):
    base_url = "https://api.example/v1"
    retry: Retry | None = None

    @get("/items", paginate=LinkPages())
    def linked(self) -> Pages[int]:
        raise NotImplementedError

    @get("/items", paginate=LinkPages("next"), unwrap="items")
    def by_body(self) -> Pages[int]:
        raise NotImplementedError

    @get("/items", paginate=CursorPages("next", "cursor"), unwrap="items")
    def by_cursor(self) -> Pages[int]:
        raise NotImplementedError

    @post("/items", paginate=CursorPages("next", "X-Cursor", sent_in="header"), unwrap="items")
    def by_header(self, body: dict[str, int]) -> Pages[int]:
        raise NotImplementedError

    @post("/items", paginate=CursorPages("next", "page.after", sent_in="body"), unwrap="items")
    def by_post(self, body: dict[str, int]) -> Pages[int]:
        raise NotImplementedError

    @get("/items", paginate=OffsetPages())
    def by_offset(self) -> Pages[int]:
        raise NotImplementedError

    @get("/items", paginate=NumberPages(max_pages=3))
    def at_most_three(self, *, page: int = 1) -> Pages[int]:
        raise NotImplementedError

    @get("/items", paginate=NumberPages(max_pages=None))
    def without_limit(self) -> Pages[int]:
        raise NotImplementedError


def link(target: str) -> Reply:
    return Reply(json=[1], headers={"Link": f"<{target}>; rel=next"})


# ---- cycles


@pytest.mark.parametrize("target", ["", "/v1/items", "https://API.example:443/v1/items#part"])
def test_a_page_that_leads_to_itself(api: MakeApi, colour: Colour, target: str) -> None:
    server = api(link(target))
    found, error = until_error(colour, make(colour, Shop(transport=server.transport).linked))
    assert found == [1]
    assert type(error) is RepeatedPageError
    assert str(error) == (
        "Shop.linked: GET https://api.example/v1/items answered with a next page that was asked for already: "
        "GET https://api.example/v1/items"
    )
    assert len(server.requests) == 1


def test_pages_that_go_round_in_a_circle(api: MakeApi, colour: Colour) -> None:
    """Each is asked for once, and all items come before the error."""
    server = api(link("?page=2"), link("?page=3"), link("?page=4"), link("?page=3"))
    found, error = until_error(colour, make(colour, Shop(transport=server.transport).linked))
    assert found == [1] * 4
    assert type(error) is RepeatedPageError
    assert len(server.requests) == 4
    assert error.endpoint == "Shop.linked"
    assert error.request.url == "https://api.example/v1/items?page=4"
    assert len(error.attempts) == 1


@pytest.mark.parametrize("name", ["by_cursor", "by_header", "by_post"])
def test_a_cursor_that_comes_twice(api: MakeApi, colour: Colour, name: str) -> None:
    """Wherever it is sent."""
    server = api(*(Reply(json={"items": [1], "next": cursor}) for cursor in ("a", "b", "a")))
    endpoint = getattr(Shop(transport=server.transport), name)
    lazy = make(colour, endpoint) if name == "by_cursor" else make(colour, endpoint, {"n": 1})
    found, error = until_error(colour, lazy)
    assert (found, type(error), len(server.requests)) == ([1, 1, 1], RepeatedPageError, 3)


def test_the_same_pages_twice_in_two_iterations_are_no_circle(api: MakeApi, colour: Colour) -> None:
    server = api(link("?page=2"), Reply(json=[2]), link("?page=2"), Reply(json=[2]))
    lazy = make(colour, Shop(transport=server.transport).linked)
    assert items(colour, lazy) == items(colour, lazy) == [1, 2]


# ---- endless chains


def test_there_is_a_limit_of_pages(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(json=[1]))
    lazy = make(colour, Shop(transport=server.transport).at_most_three)
    found, error = until_error(colour, lazy)
    assert found == [1, 1, 1]
    assert type(error) is PageLimitError
    assert str(error) == (
        "Shop.at_most_three: GET https://api.example/v1/items?page=3 answered with more pages than the max_pages=3 of "
        "NumberPages"
    )
    assert len(server.requests) == 3


def test_behind_the_limit_a_token_goes_on(api: MakeApi, colour: Colour) -> None:
    lazy = make(colour, Shop(transport=api(Reply(json=[1])).transport).at_most_three)
    seen: list[Any] = []
    with pytest.raises(PageLimitError):
        seen.extend(pages(colour, lazy.resume("7")))
    found, error = until_error(colour, lazy.resume("7").pages())
    assert type(error) is PageLimitError
    assert [page.next_token for page in found] == ["8", "9", "10"]
    assert [page.number for page in found] == [1, 2, 3]


def test_pages_that_end_at_the_limit_are_no_error(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(json=[1]), Reply(json=[2]), Reply(json=[]))
    assert items(colour, make(colour, Shop(transport=server.transport).at_most_three)) == [1, 2]


def test_a_limit_of_items_comes_before_the_limit_of_pages(api: MakeApi, colour: Colour) -> None:
    lazy = make(colour, Shop(transport=api(Reply(json=[1])).transport).at_most_three)
    assert result(colour, lazy.to_list, 3) == [1, 1, 1]


@pytest.mark.parametrize("limit", [-1, 1.5, True, "3"])
def test_a_limit_that_is_no_number_of_items_is_refused(api: MakeApi, colour: Colour, limit: Any) -> None:
    lazy = make(colour, Shop(transport=api().transport).linked)
    with pytest.raises(ArgumentError) as caught:
        result(colour, lazy.to_list, limit)
    assert str(caught.value) == f"Shop.linked.to_list: limit={limit!r} must be a whole number, 0 or more"


# ---- other origins


FOREIGN = {
    "https://evil.example/v1/items?page=2": "https://evil.example/v1/items?page=2",
    "//evil.example/v1/items": "https://evil.example/v1/items",
    "http://api.example/v1/items": "http://api.example/v1/items",
    "https://api.example:8443/v1/items": "https://api.example:8443/v1/items",
    "https://api.example.evil.example/": "https://api.example.evil.example/",
    "https://evil.example/?token=abc#x": "https://evil.example/?token=[redacted]",
}
NOWHERE = [
    "javascript:alert(1)",
    "https://user:password@api.example/v1/items",
    "https://api.example\\@evil.example/",
    "https://api.example:99999/",
    "https://[::1/",
    "ht\ttps://evil.example/",
]


@pytest.mark.parametrize("target", FOREIGN)
def test_a_next_page_on_another_origin_is_an_error_and_no_request(api: MakeApi, colour: Colour, target: str) -> None:
    for name, reply in (("linked", link(target)), ("by_body", Reply(json={"items": [1], "next": target}))):
        server = api(reply)
        shop = Shop(transport=server.transport, auth=BearerAuth("t"))
        found, error = until_error(colour, make(colour, getattr(shop, name)))
        assert found == [1]
        assert type(error) is ForeignPageError
        assert str(error) == (
            f"Shop.{name}: GET https://api.example/v1/items answered with a next page on another origin: "
            f"{FOREIGN[target]}"
        )
        assert len(server.requests) == 1


@pytest.mark.parametrize("target", NOWHERE)
def test_a_next_page_that_has_no_url(api: MakeApi, colour: Colour, target: str) -> None:
    server = api(Reply(json={"items": [1], "next": target}))
    found, error = until_error(colour, make(colour, Shop(transport=server.transport).by_body))
    assert found == [1]
    assert type(error) is PaginationError
    assert str(error) == "Shop.by_body: GET https://api.example/v1/items answered with a next page that has no http URL"
    assert len(server.requests) == 1


def test_a_page_shows_what_is_wrong_behind_it(api: MakeApi, colour: Colour) -> None:
    """A page is handed out first; its token says what going on would say, not that it is the last."""
    found, error = until_error(
        colour, make(colour, Shop(transport=api(link("https://evil.example/")).transport).linked).pages()
    )
    assert len(found) == 1
    with pytest.raises(ForeignPageError) as caught:
        _ = found[0].next_token
    assert caught.value is error


def test_an_error_of_pages_is_copied_and_pickled_like_any_other(api: MakeApi) -> None:
    with pytest.raises(RepeatedPageError) as caught:
        list(Shop(transport=api(link("")).transport, auth=BearerAuth("sesame")).linked())
    error = caught.value
    assert copy.copy(error).response is error.response
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), twin.response.status_code) == (RepeatedPageError, str(error), 200)
    assert error.__context__ is None


# ---- tokens


def test_a_token_goes_on_where_a_page_ended(api: MakeApi, colour: Colour) -> None:
    server = api(link("?page=2"), Reply(json=[2]))
    lazy = make(colour, Shop(transport=server.transport).linked)
    token = pages(colour, lazy)[0].next_token
    del server.requests[:]
    assert items(colour, lazy.resume(token)) == [2]
    assert [str(request.url) for request in server.requests] == ["https://api.example/v1/items?page=2"]


@pytest.mark.parametrize(
    "token",
    [
        "/\\evil.example/",
        "//evil.example/",
        "/@evil.example/",
        "/../..//evil.example",
        "/%2e%2e//evil.example",
        "/ x\u00e9",
    ],
)
def test_no_token_leads_to_another_origin(api: MakeApi, colour: Colour, token: str) -> None:
    server = api(Reply(json=[1]))
    assert items(colour, make(colour, Shop(transport=server.transport).linked).resume(token)) == [1]
    assert (server.request.url.scheme, server.request.url.host, server.request.url.port) == (
        "https",
        "api.example",
        None,
    )


@pytest.mark.parametrize(
    ("name", "token", "message"),
    [
        ("linked", "", "the token is no path"),
        ("linked", "https://evil.example/", "the token is no path"),
        ("linked", "?page=2", "the token is no path"),
        ("linked", "/\x00", "the token leads to no URL"),
        ("linked", "/a\r\nHost: evil.example", "the token leads to no URL"),
        ("by_offset", "1&admin=1", "the token is no whole number"),
        ("by_cursor", "\ud800", "a text that is no valid Unicode cannot stand in a query or form as 'cursor'"),
        ("linked", None, "expected a str, got NoneType"),
    ],
)
def test_a_token_that_cannot_be_used_is_refused_at_once(api: MakeApi, name: str, token: Any, message: str) -> None:
    server = api()
    with pytest.raises(ArgumentError) as caught:
        getattr(Shop(transport=server.transport), name)().resume(token)
    assert str(caught.value) == f"Shop.{name}.resume: {message}"
    assert caught.value.__context__ is None
    assert server.requests == []


def test_a_cursor_is_encoded_whatever_it_is(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(json={"items": [1]}))
    lazy = make(colour, Shop(transport=server.transport).by_cursor).resume("a&b=c#/../é")
    assert items(colour, lazy) == [1]
    assert server.request.url.raw_path == b"/v1/items?cursor=a%26b%3Dc%23%2F..%2F%C3%A9"


# ---- memory


def test_ten_thousand_pages_take_constant_memory() -> None:
    """Beside 64 bits for each request, which tell a circle: what is kept grows by less than 150 bytes a page."""
    count = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        last = int(request.url.params.get("page", 1)) == 10_000
        return httpx.Response(200, json=[] if last else [count] * 20)

    class Client(ApiClient):
        base_url = "https://api.example"

        @get("/items", paginate=NumberPages())
        def all(self) -> Pages[int]:
            raise NotImplementedError

    with Client(transport=httpx.MockTransport(answer)) as client:
        iterator = client.all().pages()
        for _ in range(7000):  # so that caches are full; to trace them takes three times as long
            next(iterator)
        tracemalloc.start()
        try:
            items_ = sum(len(page.items) for page in iterator)
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (count, items_) == (10_000, 2_999 * 20)
    assert grown < 3000 * 150
