"""The deadline of a stream ends at the headers; each further connection is a call of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from conftest import Api, Clock, Colour, EngineName, Reply
from streaming import Arriving, Read, Server, events, read
from stubwire import (
    SSE,
    ApiClient,
    CancelToken,
    DeadlineExceeded,
    Event,
    LinkPages,
    Pages,
    Request,
    Response,
    Stream,
    Timeout,
    deadline,
    get,
)

if TYPE_CHECKING:
    from stubwire._types import CallNext

MakeApi = Callable[..., Api]
PLAIN = Timeout(connect=5.0, read=20.0, write=5.0, pool=5.0).extension()


class Feed(ApiClient):
    base_url = "https://feed.example"
    timeout = Timeout(connect=5.0, read=20.0, write=5.0, pool=5.0)

    @get("/lines")
    def lines(self) -> Stream[str]:
        raise NotImplementedError

    @get("/events", stream=SSE(reconnect=True, max_reconnects=2))
    def events(self) -> Stream[Event[str]]:
        raise NotImplementedError

    @get("/pages", paginate=LinkPages())
    def pages(self) -> Pages[int]:
        raise NotImplementedError


def feed(server: Server) -> Feed:
    return Feed(transport=(server.transport, server.transport))


def read_slowly(colour: Colour, endpoint: Any, clock: Clock) -> Read:
    """Read a stream, in which each item takes a minute."""
    found = Read()

    def synchronous() -> None:
        for item in endpoint():
            found.items.append(item)
            clock.advance(60.0)

    async def asynchronous() -> None:
        async for item in endpoint.aio():
            found.items.append(item)
            clock.advance(60.0)

    synchronous() if colour.name == "sync" else colour.drive(asynchronous)
    return found


@pytest.mark.parametrize("where", ["option", "block"])
def test_it_ends_at_the_headers(engine: EngineName, colour: Colour, clock: Clock, where: str) -> None:
    """The attempt has what is left of it; then each chunk has the read timeout, and the items take what they take."""
    asked: list[dict[str, Any]] = []

    def handle(request: Any) -> Arriving:
        asked.append(dict(request.extensions["timeout"]))
        return Arriving((b"a\n", b"b\n"), headers={"Content-Type": "text/plain"})

    server = Server(engine, handle)
    client = feed(server)
    if where == "option":
        found = read_slowly(colour, client.lines.with_options(deadline=2.0), clock)
    else:
        with deadline(2.0):
            found = read_slowly(colour, client.lines, clock)
    assert found.items == ["a", "b"]
    assert asked == [dict.fromkeys(PLAIN, 2.0)]
    assert server.requests[0].extensions["timeout"] == PLAIN


def test_the_timeouts_of_a_client_stay_as_they_are(engine: EngineName, colour: Colour) -> None:
    server = Server(engine, Arriving((b"a\n",), headers={"Content-Type": "text/plain"}))
    assert read(colour, feed(server).lines).items == ["a"]
    assert server.requests[0].extensions["timeout"] == PLAIN


def test_each_connection_has_the_whole_deadline(engine: EngineName, colour: Colour, clock: Clock) -> None:
    """One that ran into it is followed by another."""
    asked: list[float] = []

    def answer(request: Any) -> Arriving:
        asked.append(request.extensions["timeout"]["read"])
        return events(b"data: a\n\n")

    def hang(request: Any) -> Arriving:
        asked.append(request.extensions["timeout"]["read"])
        clock.advance(asked[-1])
        raise server._library.ReadTimeout("")

    def end(request: Any) -> Arriving:
        asked.append(request.extensions["timeout"]["read"])
        return Arriving(status=204)

    server = Server(engine, answer, hang, end)
    found = read(colour, feed(server).events.with_options(deadline=2.0, retry=None))
    assert ([event.data for event in found.items], found.error) == (["a"], None)
    assert asked == [2.0, 2.0, 2.0]
    assert clock.waits == [3.0, 3.0]


def test_no_connection_follows_the_deadline_of_a_block(engine: EngineName, colour: Colour, clock: Clock) -> None:
    def hang(_: Any) -> Arriving:
        clock.advance(20.0)
        raise server._library.ReadTimeout("")

    server = Server(engine, events(b"data: a\n\n"), hang)
    with deadline(10.0):
        found = read(colour, feed(server).events.with_options(retry=None))
    assert isinstance(found.error, DeadlineExceeded)
    assert (len(found.items), len(server.requests), clock.waits) == (1, 2, [3.0])


def test_a_wait_ends_with_the_deadline_of_a_block(engine: EngineName, clock: Clock) -> None:
    server = Server(engine, events(b"data: a\n\n"))
    with deadline(2.0):
        found = read(Colour("sync"), feed(server).events)
    assert str(found.error) == "Feed.events: GET https://feed.example/events ran into its deadline"
    assert found.error.__notes__ == [
        "the time went into attempt 1 (200): 0.00 s, what ran after the last attempt: 2.00 s"
    ]
    assert (len(found.items), len(server.requests), clock.waits) == (1, 1, [2.0])


def test_a_stream_outlives_the_call_in_which_it_was_begun(engine: EngineName, clock: Clock) -> None:
    """A middleware reads its first item under the deadline of its call; the others come later."""
    server = Server(engine, Arriving((b"a\nb\n", b"c\n"), headers={"Content-Type": "text/plain"}))
    items = iter(feed(server).with_options(cancel=CancelToken()).lines())
    seen: list[str] = []

    async def begins(request: Request, call_next: CallNext) -> Response:
        seen.append(next(items))
        return Response(200, json=[])

    assert list(Feed(transport=server.transport, middleware=[begins], deadline=2.0).pages()) == []
    clock.advance(60.0)
    assert [*seen, *items] == ["a", "b", "c"]


def test_a_stream_ends_with_the_call_in_which_it_is_read(engine: EngineName, clock: Clock) -> None:
    """Its own token takes nothing from the deadline of that call."""

    def slow(_: Any) -> Arriving:
        return Arriving((b"a\n", b"b\n"), headers={"Content-Type": "text/plain"})

    lines = feed(Server(engine, slow)).with_options(cancel=CancelToken()).lines
    seen: list[str] = []

    async def reads(request: Request, call_next: CallNext) -> Response:
        for line in lines():
            seen.append(line)
            clock.advance(60.0)
        return await call_next(request)

    with pytest.raises(DeadlineExceeded):
        list(Feed(transport=Server(engine).transport, middleware=[reads], deadline=2.0).pages())
    assert seen == ["a"]


def test_pages_share_the_deadline_of_a_block(api: MakeApi, clock: Clock, colour: Colour) -> None:
    def slow(_: Any) -> Reply:
        clock.advance(1.5)
        return Reply(json=[1], headers={"Link": f'</pages?page={len(server.requests) + 1}>; rel="next"'})

    server = api(slow)
    client = Feed(transport=(server.transport, server.transport))

    async def asynchronous() -> list[int]:
        return [item async for item in client.pages.aio()]

    with deadline(4.0), pytest.raises(DeadlineExceeded, match=r"page=4 ran into its deadline$"):
        list(client.pages()) if colour.name == "sync" else colour.drive(asynchronous)
    assert [request.extensions["timeout"]["read"] for request in server.requests] == [4.0, 2.5, 1.0]
