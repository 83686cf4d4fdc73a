"""Idempotency keys: one for each call, the same on each of its attempts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conftest import Api, Clock, Colour, Fail, Reply
from stubwire import ApiClient, CallNext, ConfigurationError, Request, Response, post

MakeApi = Callable[..., Api]


class Things(ApiClient):
    base_url = "https://api.example"

    @post("/thing")
    def post_(self) -> int:
        raise NotImplementedError

    @post("/thing", idempotency_key=True)
    def keyed(self) -> int:
        raise NotImplementedError

    @post("/thing", idempotency_key="X-Request-Key")
    def keyed_by_name(self) -> int:
        raise NotImplementedError


def keys(server: Api, header: str = "Idempotency-Key") -> list[str | None]:
    """The keys that were sent."""
    return [request.headers.get(header) for request in server.requests]


def test_every_attempt_of_a_call_has_its_key_and_every_call_a_new_one(
    api: MakeApi, colour: Colour, clock: Clock
) -> None:
    server = api(Reply(503), Fail("ReadTimeout"), Reply(json=1))
    client = Things(transport=server.transport)
    colour.run(client.keyed)
    colour.run(client.keyed)
    first, second, third, fourth = keys(server)
    assert first == second == third
    assert fourth != first
    assert len(first or "") == 36


def test_a_key_may_have_another_header(api: MakeApi, clock: Clock) -> None:
    server = api(Reply(500), Reply(json=1))
    Things(transport=server.transport).keyed_by_name()
    first, second = keys(server, "X-Request-Key")
    assert first == second is not None
    assert keys(server) == [None, None]


def test_a_view_gives_the_key_or_asks_for_one_or_for_none(api: MakeApi, colour: Colour, clock: Clock) -> None:
    server = api(Fail("ReadError"), Reply(json=1))
    client = Things(transport=server.transport)
    colour.run(client.with_options(idempotency_key="order-17").post_)
    colour.run(client.post_.with_options(idempotency_key="order-18"))
    colour.run(client.keyed_by_name.with_options(idempotency_key="order-19"))
    assert keys(server) == ["order-17", "order-17", "order-18", None]
    assert keys(server, "X-Request-Key")[-1] == "order-19"
    server.requests.clear()
    colour.run(client.with_options(idempotency_key=True).post_)
    colour.run(client.keyed.with_options(idempotency_key=False))
    minted, none = keys(server)
    assert (len(minted or ""), none) == (36, None)


def test_a_key_that_a_middleware_put_on_counts(api: MakeApi, clock: Clock) -> None:
    server = api(Fail("ReadError"), Reply(json=1))

    async def add_key(request: Request, call_next: CallNext) -> Response:
        request.headers["Idempotency-Key"] = "mine"
        return await call_next(request)

    assert Things(transport=server.transport).use(add_key).post_() == 1
    assert keys(server) == ["mine", "mine"]


def test_an_empty_key_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Things().with_options(idempotency_key="")
    assert str(caught.value) == ("Things.with_options: idempotency_key is empty: write True to mint one for each call")
