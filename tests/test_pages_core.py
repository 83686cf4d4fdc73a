"""Each page goes through the whole core, as a call of its own."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Annotated, Any, cast

import pytest
from pydantic import BaseModel

from conftest import Api, Colour, Reply
from paging import items, make, pages, until_error
from stubwire import (
    ApiClient,
    CallError,
    CursorPages,
    FixedDelay,
    Header,
    LinkPages,
    NumberPages,
    Pages,
    Query,
    Request,
    Response,
    ResponseValidationError,
    Retry,
    ServerError,
    get,
    post,
)
from stubwire.auth import ApiKeyAuth, BearerAuth

MakeApi = Callable[..., Api]


class Item(BaseModel):
    id: int


class Shop(ApiClient):
    base_url = "https://api.example/v1"
    retry: Retry | None = None

    @get("/items", paginate=LinkPages())
    def linked(self) -> Pages[Item]:
        raise NotImplementedError

    @post("/search", paginate=NumberPages(sent_in="body"), idempotency_key=True)
    def search(self, body: dict[str, Any]) -> Pages[int]:
        raise NotImplementedError


def linked(request: Any) -> Reply:
    """Three pages with two items each."""
    number = int(request.url.params.get("page", 1))
    links = {"Link": f'</v1/items?page={number + 1}>; rel="next"'}
    return Reply(json=[{"id": number * 10}, {"id": number * 10 + 1}], headers=links if number < 3 else {})


ALL = [10, 11, 20, 21, 30, 31]


def ids(found: list[Item]) -> list[int]:
    return [item.id for item in found]


def test_each_page_is_a_call_of_its_own(api: MakeApi, colour: Colour) -> None:
    """Interceptors and middleware see every page once; what they change does not add up."""
    server = api(linked)
    seen: list[str] = []
    shop = Shop(transport=server.transport, auth=BearerAuth("t"))

    def tag(request: Request) -> None:
        request.url += ("&" if "?" in request.url else "?") + "tag=1"

    async def watch(request: Request, call_next: Any) -> Response:
        seen.append(request.url.partition("?")[2])
        return await call_next(request)  # type: ignore[no-any-return]

    shop.interceptors.request.use(tag)
    shop.use(watch)
    assert ids(items(colour, make(colour, shop.linked))) == ALL
    assert seen == ["tag=1", "page=2&tag=1", "page=3&tag=1"]
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer t"}


def test_an_interceptor_may_unwrap_the_items(api: MakeApi, colour: Colour) -> None:
    """The strategy still reads the body as the server sent it."""

    class Client(ApiClient):
        base_url = "https://api.example"

        @get("/items", paginate=CursorPages("next", "cursor"))
        def all(self) -> Pages[int]:
            raise NotImplementedError

    def unwrap(response: Response) -> None:
        response.data = response.data["items"]

    client = Client(transport=api(Reply(json={"items": [1], "next": "b"}), Reply(json={"items": [2]})).transport)
    client.interceptors.response.use(unwrap)
    assert items(colour, make(colour, client.all)) == [1, 2]


def test_a_page_is_retried(api: MakeApi, colour: Colour, clock: object) -> None:
    server = api(linked, Reply(503), linked)
    shop = Shop(transport=server.transport, retry=Retry(max_retries=1))
    found = pages(colour, make(colour, shop.linked))
    assert [len(page.response.attempts) for page in found] == [1, 2, 1]


def test_a_page_that_fails_comes_after_the_items_before_it(api: MakeApi, colour: Colour) -> None:
    server = api(linked, Reply(500))
    found, error = until_error(colour, make(colour, Shop(transport=server.transport).linked))
    assert ids(found) == ALL[:2]
    assert type(error) is ServerError
    assert str(cast("CallError", error)) == "Shop.linked: GET https://api.example/v1/items?page=2 answered 500"


def test_a_page_that_does_not_fit(api: MakeApi, colour: Colour) -> None:
    server = api(linked, Reply(json=[{"id": "x"}]))
    found, error = until_error(colour, make(colour, Shop(transport=server.transport).linked))
    assert ids(found) == ALL[:2]
    assert isinstance(error, ResponseValidationError)
    assert error.errors()[0].get("loc") == (0, "id")


def test_headers_and_options_hold_for_every_page(api: MakeApi, colour: Colour) -> None:
    class Client(ApiClient):
        base_url = "https://api.example"

        @get("/items", paginate=CursorPages("next", "cursor"), unwrap="items", headers={"X-Always": "1"})
        def all(self, *, trace: Annotated[str, Header()], q: Annotated[str, Query()]) -> Pages[int]:
            raise NotImplementedError

    server = api(Reply(json={"items": [1], "next": "b"}), Reply(json={"items": [2]}))
    client = Client(transport=server.transport).with_options(headers={"X-View": "2"})
    assert items(colour, make(colour, client.all, trace="t", q="a&b")) == [1, 2]
    for request in server.requests:
        assert [request.headers[name] for name in ("x-always", "x-view", "trace")] == ["1", "2", "t"]
        assert request.url.params["q"] == "a&b"


def test_each_page_has_an_idempotency_key_of_its_own(api: MakeApi, colour: Colour) -> None:
    """Or a server would answer the second page with the first; attempts of one page share theirs."""
    server = api(Reply(json=[1]), Reply(503), Reply(json=[2]), Reply(json=[]))
    shop = Shop(transport=server.transport, retry=Retry(max_retries=1, backoff=FixedDelay(0)))
    lazy = make(colour, shop.search, {"q": "x"})
    assert items(colour, lazy) == [1, 2]
    one, two, again, three = (request.headers["idempotency-key"] for request in server.requests)
    assert two == again
    assert len({one, two, three}) == 3
    items(colour, lazy)
    assert server.requests[-1].headers["idempotency-key"] != one


def test_an_idempotency_key_that_was_given_is_sent(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(json=[1]), Reply(json=[]))
    shop = Shop(transport=server.transport).with_options(idempotency_key="mine")
    assert items(colour, make(colour, shop.search, {})) == [1]
    assert {request.headers["idempotency-key"] for request in server.requests} == {"mine"}


def test_a_credential_in_the_query_is_in_no_token(api: MakeApi, colour: Colour) -> None:
    """A server that repeats it in its links does not make it leave the client by another way."""
    server = api(
        Reply(json=[{"id": 1}], headers={"Link": "</v1/items?api_key=sesame&page=2>; rel=next"}), Reply(json=[])
    )
    shop = Shop(transport=server.transport, auth=ApiKeyAuth("sesame", query="api_key"))
    one, two = pages(colour, make(colour, shop.linked))
    assert one.next_token == "/v1/items?page=2"
    assert two.response.request.url == "https://api.example/v1/items?page=2"
    assert [request.url.query for request in server.requests] == [b"api_key=sesame", b"page=2&api_key=sesame"]


def test_a_pickled_page_does_not_know_the_next(api: MakeApi, colour: Colour) -> None:
    """A request is pickled without its secrets and would lead elsewhere, so that none is better."""
    more = {"Link": '</v1/items?token=s3cret>; rel="next"'}
    server = api(Reply(json=[{"id": 1}], headers=more), Reply(json=[{"id": 2}]))
    page, last = pages(colour, make(colour, Shop(transport=server.transport).linked))
    pickled = pickle.dumps(page)
    twin = pickle.loads(pickled)
    assert b"s3cret" not in pickled
    assert (twin.items, twin.number) == ([Item(id=1)], 1)
    with pytest.raises(RuntimeError, match=r"^a page that was pickled has no next_token: take it before$"):
        _ = twin.next_token
    assert page.next_token == copy.copy(page).next_token == "/v1/items?token=s3cret"
    assert pickle.loads(pickle.dumps(last)).next_token is None
