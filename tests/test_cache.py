"""`CachePlugin` in a client: what it answers, what it leaves alone, and what stands inside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from copy import copy
from typing import TYPE_CHECKING, Any

import pytest

from caching import Things, ok, respond, status
from conftest import Api, Clock, Colour, EngineName, Fail, Reply
from servers import RawRequest, RawServer
from stubwire import (
    ApiClient,
    CallNext,
    DeadlineExceeded,
    FixedDelay,
    LinkPages,
    Pages,
    Request,
    Response,
    Retry,
    Stream,
    get,
    options,
)
from stubwire.plugins import CachePlugin, CircuitBreaker, LoggerPlugin, RateLimit

if TYPE_CHECKING:
    from stubwire import Plugin

MakeApi = Callable[..., Api]
FRESH = ok(cache_control="max-age=60", etag='"one"')


@pytest.fixture
def cache() -> Iterator[CachePlugin]:
    plugin = CachePlugin(stale_if_error=1000)
    yield plugin
    plugin.close()


def test_a_read_is_answered_from_the_cache(api: MakeApi, colour: Colour, cache: CachePlugin) -> None:
    server = api(FRESH)
    client = Things(transport=server.transport, plugins=[cache])
    first, second = (colour.response(client.thing, 1) for _ in range(2))
    assert (first.cache, len(first.attempts), first.data) == ("miss", 1, "cup")
    assert (second.cache, second.attempts, second.data) == ("hit", (), "cup")
    assert (second.status_code, second.content_type, second.raw) == (200, "application/json", None)
    assert second.request.url == "https://things.test/things/1"
    assert copy(second).cache == "hit"
    assert len(server.requests) == 1
    assert respond(client, colour, "thing", 2).cache == "miss"


def test_without_a_cache_a_response_says_nothing_of_one(api: MakeApi, colour: Colour) -> None:
    client = Things(transport=api(FRESH).transport)
    assert copy(colour.response(client.thing, 1)).cache is None


def test_both_colours_all_views_and_clients_share_what_is_stored(api: MakeApi, cache: CachePlugin) -> None:
    server = api(FRESH)
    client, other = (Things(transport=server.transport, plugins=[cache]) for _ in range(2))
    found = [
        status(each, Colour(name))
        for each in (client, client.with_options(timeout=1.0), other)
        for name in ("sync", "asyncio", "trio")
    ]
    assert found == ["miss", *["hit"] * 8]
    assert len(server.requests) == 1


def test_what_a_caller_does_to_a_response_is_his_own(api: MakeApi, colour: Colour, cache: CachePlugin) -> None:
    client = Things(transport=api(Reply(json=["cup"], headers=FRESH.headers)).transport, plugins=[cache])
    for _ in range(3):
        response = colour.response(client.thing, 1)
        assert (response.data, response.headers.get("x-mine")) == (["cup"], None)
        response.data.append("pot")
        response.headers["X-Mine"] = "1"


def test_a_hit_costs_no_attempt_of_a_limit(api: MakeApi, colour: Colour, cache: CachePlugin) -> None:
    plugins: list[Plugin] = [RateLimit(per_day=1, max_wait=0), cache]
    client = Things(transport=api(FRESH).transport, plugins=plugins)
    assert [status(client, colour) for _ in range(2)] == ["miss", "hit"]
    assert status(client, colour, "thing", 2) == "LimitExceededError"


def test_a_stale_response_stands_in_after_the_last_attempt(
    api: MakeApi, colour: Colour, cache: CachePlugin, clock: Clock
) -> None:
    server = api(FRESH, Reply(503), Fail("ConnectError"), Reply(503))
    retry = Retry(max_retries=2, backoff=FixedDelay(0.1))
    client = Things(transport=server.transport, plugins=[cache], retry=retry)
    assert status(client, colour) == "miss"
    clock.advance(61)
    response = colour.response(client.thing, 1)
    assert (response.cache, response.data) == ("stale", "cup")
    assert [attempt.status_code for attempt in response.attempts] == [503, None, 503]


@pytest.mark.parametrize("failure", ["ConnectError", "ReadTimeout"])
def test_a_stale_response_stands_in_for_a_server_that_is_not_reached(
    api: MakeApi, colour: Colour, clock: Clock, cache: CachePlugin, failure: str
) -> None:
    client = Things(transport=api(FRESH, Fail(failure)).transport, plugins=[cache])
    assert status(client, colour) == "miss"
    clock.advance(61)
    assert status(client, colour) == "stale"
    assert status(client, colour, "thing", 2) == failure
    clock.advance(1000)
    assert status(client, colour) == failure


def test_a_stale_response_stands_in_behind_an_open_circuit(
    api: MakeApi, colour: Colour, clock: Clock, cache: CachePlugin
) -> None:
    server = api(FRESH, Reply(503))
    client = Things(transport=server.transport, plugins=[cache, CircuitBreaker(failure_threshold=1)])
    assert status(client, colour) == "miss"
    clock.advance(61)
    assert [status(client, colour) for _ in range(2)] == ["stale", "stale"]
    assert len(server.requests) == 2


def test_the_end_of_a_deadline_is_not_stood_in_for(
    api: MakeApi, colour: Colour, clock: Clock, cache: CachePlugin
) -> None:
    async def slow(request: Request, call_next: CallNext) -> Response:
        if clock.time > 1_700_000_060:
            raise DeadlineExceeded("did not end in time")
        return await call_next(request)

    client = Things(transport=api(FRESH).transport, plugins=[cache], middleware=[])
    client.use(slow)
    assert status(client, colour) == "miss"
    clock.advance(61)
    assert status(client, colour) == "DeadlineExceeded"


class Cups(ApiClient):
    base_url = "https://things.test"

    @get("/cups", paginate=LinkPages())
    def cups(self) -> Pages[int]:
        raise NotImplementedError

    @get("/steam")
    def steam(self) -> Stream[bytes]:
        raise NotImplementedError

    @options("/cups")
    def allowed(self) -> None:
        raise NotImplementedError


def test_each_page_is_cached(api: MakeApi, cache: CachePlugin) -> None:
    fresh = {"Cache-Control": "max-age=60"}
    link = {"Link": "</cups?page=2>; rel=next"}
    server = api(Reply(json=[1, 2], headers={**fresh, **link}), Reply(json=[3], headers=fresh))
    client = Cups(transport=server.transport, plugins=[cache])
    assert [list(client.cups()) for _ in range(2)] == [[1, 2, 3]] * 2
    assert [page.response.cache for page in client.cups().pages()] == ["hit", "hit"]
    assert len(server.requests) == 2


def test_a_stream_is_not_cached(api: MakeApi, cache: CachePlugin) -> None:
    server = api(Reply(content=b"17 cups", headers={"Cache-Control": "max-age=60"}))
    client = Cups(transport=server.transport, plugins=[cache])
    for _ in range(2):
        with client.steam() as steam:
            assert b"".join(steam) == b"17 cups"
    assert len(server.requests) == 2


def test_other_safe_methods_are_no_matter_of_the_cache(api: MakeApi, colour: Colour, cache: CachePlugin) -> None:
    client = Cups(transport=api(FRESH).transport, plugins=[cache])
    assert [colour.response(client.allowed).cache for _ in range(2)] == [None, None]


def test_a_read_with_a_body_goes_to_the_server(api: MakeApi, cache: CachePlugin) -> None:
    server = api(FRESH)
    client = Things(transport=server.transport, plugins=[cache])
    for _ in range(2):
        assert client.call("GET", "/things/1", into=object, json={"like": "cup"}) == "cup"
    assert len(server.requests) == 2


def test_a_large_body_is_not_stored(api: MakeApi, colour: Colour) -> None:
    cache = CachePlugin(max_body_bytes=5)
    client = Things(transport=api(ok("cup", cache_control="max-age=60")).transport, plugins=[cache])
    assert [status(client, colour) for _ in range(2)] == ["miss", "hit"]
    client = Things(transport=api(ok("cups", cache_control="max-age=60")).transport, plugins=[cache])
    assert [status(client, colour, "thing", 2) for _ in range(2)] == ["miss", "miss"]
    cache.close()


def test_a_304_about_something_else_asks_for_the_whole(
    api: MakeApi, colour: Colour, cache: CachePlugin, clock: Clock
) -> None:
    server = api(FRESH, Reply(304, headers={"ETag": '"other"'}), ok("pot", cache_control="max-age=60"))
    client = Things(transport=server.transport, plugins=[cache])
    assert status(client, colour) == "miss"
    clock.advance(61)
    response = colour.response(client.thing, 1)
    assert (response.cache, response.data) == ("miss", "pot")
    assert "if-none-match" not in server.requests[2].headers
    assert status(client, colour) == "hit"


async def moved(request: Request, call_next: CallNext) -> Response:
    return await call_next(request.replace(url="https://things.test/other"))


async def answered(request: Request, call_next: CallNext) -> Response:
    return Response(200, json="mine", headers={"Cache-Control": "max-age=60"})


@pytest.mark.parametrize("inner", [moved, answered])
def test_what_does_not_answer_this_request_is_not_stored(
    api: MakeApi, colour: Colour, cache: CachePlugin, inner: Callable[[Request, CallNext], Any]
) -> None:
    client = Things(transport=api(FRESH).transport, plugins=[cache]).use(inner)
    assert [status(client, colour) for _ in range(2)] == ["miss", "miss"]


def test_what_redirects_lead_to_is_not_stored_for_where_they_began(
    api: MakeApi, colour: Colour, cache: CachePlugin
) -> None:
    away = Reply(301, headers={"Location": "/things/2", "Cache-Control": "max-age=60"})
    server = api(away, FRESH, away, FRESH)
    client = Things(transport=server.transport, plugins=[cache], follow_redirects=True)
    assert [status(client, colour) for _ in range(2)] == ["miss", "miss"]


def test_over_a_socket(engine: EngineName, colour: Colour, cache: CachePlugin) -> None:
    whole = b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nCache-Control: no-cache\r\nETag: "17"\r\n\r\n"cup"'
    fresh = b'HTTP/1.1 304 Not Modified\r\nETag: "17"\r\nCache-Control: max-age=60\r\n\r\n'

    def react(request: RawRequest) -> bytes:
        return fresh if request.header("If-None-Match") else whole

    with RawServer(react) as server:
        client = Things(base_url=server.url, engine=engine, plugins=[cache])
        assert [status(client, colour) for _ in range(3)] == ["miss", "revalidated", "hit"]
        client.close()
        assert len(server.requests) == 2


def test_the_logger_sees_hits_from_outside(
    api: MakeApi, colour: Colour, cache: CachePlugin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "stubwire")
    client = Things(transport=api(FRESH).transport, plugins=[LoggerPlugin(), cache])
    assert [status(client, colour) for _ in range(2)] == ["miss", "hit"]
    assert len(caplog.records) == 2


def test_a_closed_cache_lets_everything_through(api: MakeApi, colour: Colour, cache: CachePlugin) -> None:
    client = Things(transport=api(FRESH).transport, plugins=[cache])
    assert status(client, colour) == "miss"
    cache.close()
    cache.close()
    assert [status(client, colour) for _ in range(2)] == [None, None]
