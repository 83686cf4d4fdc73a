"""`Pages` and `AsyncPages`: items of all pages, fetched while they are iterated."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from conftest import Api, Colour, EngineName, Reply
from paging import items, make, pages, result
from servers import RawServer, http
from stubwire import (
    ApiClient,
    AsyncPages,
    CursorPages,
    LinkPages,
    NumberPages,
    OffsetPages,
    Pages,
    Resource,
    Retry,
    get,
    post,
)

MakeApi = Callable[..., Api]


class Item(BaseModel):
    id: int


class Shop(ApiClient):
    base_url = "https://api.example/v1"
    retry: Retry | None = None

    @get("/items", paginate=LinkPages())
    def linked(self, *, sort: str | None = None) -> Pages[Item]:
        raise NotImplementedError

    @get("/items", paginate=LinkPages())
    def only_async(self) -> AsyncPages[Item]:
        raise NotImplementedError

    @get("/items", paginate=LinkPages("links.next"), unwrap="data.items")
    def enveloped(self) -> Pages[Item]:
        raise NotImplementedError

    @get("/items", paginate=CursorPages("data.-1.id", "starting_after", more="has_more"), unwrap="data")
    def after(self, *, limit: int = 2) -> Pages[Item]:
        raise NotImplementedError

    @get("/items", paginate=CursorPages("X-Next", "X-Cursor", found_in="header", sent_in="header"))
    def by_header(self) -> Pages[int]:
        raise NotImplementedError

    @post("/graphql", paginate=CursorPages("end", "variables.after", sent_in="body", more="more"), unwrap="nodes")
    def search(self, body: dict[str, Any]) -> Pages[int]:
        raise NotImplementedError

    @get("/items", paginate=OffsetPages(limit="limit"))
    def by_offset(self, *, limit: int, offset: int | None = None) -> Pages[int]:
        raise NotImplementedError

    @get("/items", paginate=NumberPages())
    def by_number(self, *, page: int | None = None) -> Pages[int]:
        raise NotImplementedError


def linked(request: Any) -> Reply:
    """Three pages with two items each."""
    number = int(request.url.params.get("page", 1))
    links = {"Link": f'</v1/items?page={number + 1}>; rel="next", </v1/items?page=3>; rel="last"'}
    return Reply(json=[{"id": number * 10}, {"id": number * 10 + 1}], headers=links if number < 3 else {})


def urls(server: Api) -> list[str]:
    return [str(request.url) for request in server.requests]


ALL = [10, 11, 20, 21, 30, 31]


def ids(found: list[Item]) -> list[int]:
    return [item.id for item in found]


# ---- iterating


def test_the_items_of_all_pages_come_in_order(api: MakeApi, colour: Colour) -> None:
    server = api(linked)
    found = items(colour, make(colour, Shop(transport=server.transport).linked, sort="id"))
    assert ids(found) == ALL
    assert {type(item) for item in found} == {Item}
    base = "https://api.example/v1/items"
    assert urls(server) == [f"{base}?sort=id", f"{base}?page=2", f"{base}?page=3"]


def test_nothing_is_sent_before_it_is_iterated(api: MakeApi, colour: Colour) -> None:
    server = api(linked)
    lazy = make(colour, Shop(transport=server.transport).linked)
    assert server.requests == []
    assert repr(lazy) == f"<{type(lazy).__name__} of Shop.linked: GET https://api.example/v1/items>"
    assert repr(lazy.pages())
    assert server.requests == []


def test_a_page_is_fetched_when_its_first_item_is_asked_for(api: MakeApi) -> None:
    server = api(linked)
    iterator = iter(Shop(transport=server.transport).linked())
    counts: list[int] = []
    for _ in iterator:
        counts.append(len(server.requests))  # noqa: PERF401 - while it goes on
    assert counts == [1, 1, 2, 2, 3, 3]


def test_each_iteration_starts_again(api: MakeApi, colour: Colour) -> None:
    server = api(linked)
    lazy = make(colour, Shop(transport=server.transport).linked)
    assert ids(items(colour, lazy)) == ids(items(colour, lazy)) == ALL
    assert len(server.requests) == 6


def test_a_def_stub_may_declare_async_pages(api: MakeApi, colour: Colour) -> None:
    shop = Shop(transport=api(linked).transport)
    if colour.name != "sync":
        assert ids(items(colour, shop.only_async())) == ALL
        assert type(shop.only_async()) is type(shop.linked.aio()) is AsyncPages
    assert type(shop.linked()) is Pages


def test_the_first_item(api: MakeApi, colour: Colour) -> None:
    server = api(linked)
    assert result(colour, make(colour, Shop(transport=server.transport).linked).first) == Item(id=10)
    assert len(server.requests) == 1
    nothing = make(colour, Shop(transport=api(Reply(json=[])).transport).linked)
    assert result(colour, nothing.first) is None


@pytest.mark.parametrize(
    ("limit", "found", "sent"),
    [(None, ALL, 3), (0, [], 0), (1, [10], 1), (2, [10, 11], 1), (3, ALL[:3], 2), (9, ALL, 3)],
)
def test_a_list_of_the_items(api: MakeApi, colour: Colour, limit: int | None, found: list[int], sent: int) -> None:
    """A limit counts items, and no page behind it is fetched."""
    server = api(linked)
    lazy = make(colour, Shop(transport=server.transport).linked)
    assert ids(result(colour, lazy.to_list, limit)) == found
    assert len(server.requests) == sent


def test_the_pages_themselves(api: MakeApi, colour: Colour) -> None:
    lazy = make(colour, Shop(transport=api(linked).transport).linked)
    one, two, three = pages(colour, lazy)
    assert [one.number, two.number, three.number] == [1, 2, 3]
    assert [ids(page.items) for page in (one, two, three)] == [ALL[:2], ALL[2:4], ALL[4:]]
    assert [page.next_token for page in (one, two, three)] == ["/v1/items?page=2", "/v1/items?page=3", None]
    assert two.response.status_code == 200
    assert two.response.data is two.items
    assert two.response.request.url == "https://api.example/v1/items?page=2"
    assert len(two.response.attempts) == 1
    assert repr(two) == "<Page 2: 2 items>"


def test_an_empty_page_is_not_the_last_where_it_says_a_next(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(json=[], headers={"Link": "<?page=2>; rel=next"}), Reply(json=[{"id": 1}]))
    assert ids(items(colour, make(colour, Shop(transport=server.transport).linked))) == [1]


def test_an_iteration_that_ended_stays_ended(api: MakeApi, colour: Colour) -> None:
    server = api(linked)
    lazy = make(colour, Shop(transport=server.transport).linked)
    iterator = iter(lazy) if colour.name == "sync" else aiter(lazy)
    assert len(items(colour, iterator)) == 6
    assert items(colour, iterator) == []
    assert len(server.requests) == 3


def test_pages_of_a_resource(api: MakeApi, colour: Colour) -> None:
    class Items(Resource, path="/items"):
        @get("", paginate=NumberPages())
        def list(self) -> Pages[int]:
            raise NotImplementedError

    class Client(ApiClient):
        base_url = "https://api.example"
        items: Items

    server = api(Reply(json=[1]), Reply(json=[]))
    assert items(colour, make(colour, Client(transport=server.transport).items.list)) == [1]


# ---- strategies on the wire


def test_a_url_in_the_body(api: MakeApi, colour: Colour) -> None:
    server = api(
        Reply(json={"data": {"items": [{"id": 1}]}, "links": {"next": "?cursor=b c"}}),
        Reply(json={"data": {"items": [{"id": 2}]}, "links": {"next": None}}),
    )
    assert ids(items(colour, make(colour, Shop(transport=server.transport).enveloped))) == [1, 2]
    assert urls(server) == ["https://api.example/v1/items", "https://api.example/v1/items?cursor=b%20c"]


def test_a_cursor_that_is_the_last_item(api: MakeApi, colour: Colour) -> None:
    server = api(
        Reply(json={"data": [{"id": 1}, {"id": 2}], "has_more": True}),
        Reply(json={"data": [{"id": 3}], "has_more": False}),
    )
    lazy = make(colour, Shop(transport=server.transport).after)
    assert [page.next_token for page in pages(colour, lazy)] == ["2", None]
    assert urls(server)[1] == "https://api.example/v1/items?limit=2&starting_after=2"


def test_a_cursor_in_headers(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(json=[1], headers={"X-Next": "c2"}), Reply(json=[2]))
    assert items(colour, make(colour, Shop(transport=server.transport).by_header)) == [1, 2]
    assert [request.headers.get("x-cursor") for request in server.requests] == [None, "c2"]


def test_a_cursor_in_the_body_of_a_post(api: MakeApi, colour: Colour) -> None:
    server = api(
        Reply(json={"nodes": [1], "end": "c1", "more": True}), Reply(json={"nodes": [2], "end": "c2", "more": False})
    )
    lazy = make(colour, Shop(transport=server.transport).search, {"query": "{...}", "variables": {"first": 1}})
    assert items(colour, lazy) == [1, 2]
    assert [json.loads(request.content) for request in server.requests] == [
        {"query": "{...}", "variables": {"first": 1}},
        {"query": "{...}", "variables": {"first": 1, "after": "c1"}},
    ]
    assert all(int(request.headers["content-length"]) == len(request.content) for request in server.requests)


def test_offsets(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(json=[1, 2]), Reply(json=[3, 4]), Reply(json=[5]))
    lazy = make(colour, Shop(transport=server.transport).by_offset, limit=2, offset=10)
    assert items(colour, lazy) == [1, 2, 3, 4, 5]
    assert [request.url.params["offset"] for request in server.requests] == ["10", "12", "14"]


def test_numbers(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(json=[1, 2]), Reply(json=[3]), Reply(json=[]))
    assert items(colour, make(colour, Shop(transport=server.transport).by_number, page=3)) == [1, 2, 3]
    assert [request.url.params["page"] for request in server.requests] == ["3", "4", "5"]


def test_several_link_headers_on_a_real_socket(engine: EngineName, colour: Colour) -> None:
    """The next link is in the second, between others, and relative to where a redirect led."""
    links = b'Link: <?p=9>; rel="last"; title="a, <b>; rel=next"\r\nLINK: <?p=0>; rel=prev, <c?p=2>; rel="x NEXT"\r\n'
    answers = [
        http(status=307, headers={"Location": "/moved/b"}),
        http("[1]").replace(b"\r\n\r\n", b"\r\n" + links + b"\r\n", 1),
        http("[2]"),
    ]

    class Numbers(ApiClient):
        follow_redirects = True

        @get("/a", paginate=LinkPages())
        def all(self) -> Pages[int]:
            raise NotImplementedError

    with RawServer(answers) as server:
        numbers = Numbers(base_url=server.url, engine=engine)
        assert items(colour, make(colour, numbers.all)) == [1, 2]
        numbers.close()
    assert [request.target for request in server.requests] == ["/a", "/moved/b", "/moved/c?p=2"]
