"""`SSE(reconnect=True)`: when a stream of events connects again, and when it does not."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Clock, Colour, EngineName
from streaming import Arriving, Server, events, read
from stubwire import (
    SSE,
    ApiClient,
    CallNext,
    ConnectError,
    DecodeError,
    Event,
    NotFoundError,
    ReadError,
    Request,
    Response,
    Retry,
    Stream,
    get,
)


class Feed(ApiClient):
    base_url = "https://feed.test"
    retry = Retry(max_retries=0)

    @get("/events", stream=SSE(reconnect=True, terminator="bye", max_reconnects=3))
    def events(self) -> Stream[Event[str]]:
        raise NotImplementedError

    @get("/numbers", stream=SSE(reconnect=True))
    def numbers(self) -> Stream[int]:
        raise NotImplementedError

    @get("/once")
    def once(self) -> Stream[Event[str]]:
        raise NotImplementedError


BYE = events(b"data: bye\n\n")


def texts(found: Any) -> list[str]:
    return [event.data for event in found.items]


def test_it_connects_again_after_the_end(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server = Server(engine, events(b"id: 1\ndata: a\n\n"), events(b"data: b\n\n"), events(b"id: 3\ndata: c\n\n"), BYE)
    found = read(colour, Feed(transport=server.transport).events)
    assert [(event.data, event.id) for event in found.items] == [("a", "1"), ("b", "1"), ("c", "3")]
    assert [request.headers.get("last-event-id") for request in server.requests] == [None, "1", "1", "3"]
    assert clock.waits == [3.0, 3.0, 3.0]
    assert server.closed == 4


@pytest.mark.parametrize("failure", ["ReadError", "ReadTimeout", "RemoteProtocolError"])
def test_it_connects_again_after_a_lost_connection(
    engine: EngineName, colour: Colour, clock: Clock, failure: str
) -> None:
    """What was not whole is asked for again."""
    server = Server(engine, events(b"id: 1\ndata: a\n\nid: 2\ndata: b\n", fail=failure), BYE)
    assert texts(read(colour, Feed(transport=server.transport).events)) == ["a"]
    assert server.requests[1].headers["last-event-id"] == "1"


def test_the_server_says_how_long_to_wait(engine: EngineName, colour: Colour, clock: Clock) -> None:
    """Also in an event that its end cut off, until it says otherwise, and not longer than a minute."""
    server = Server(
        engine,
        events(b"retry: 250\ndata: a\n\n"),
        events(b"data: b\n\n"),
        events(b"data: c\n\nretry: 0\n"),
        events(b"data: d\n\nretry: 999999999999\n\n"),
        BYE,
    )
    assert texts(read(colour, Feed(transport=server.transport).events)) == ["a", "b", "c", "d"]
    assert clock.waits == [0.25, 0.25, 0.0, 60.0]


def test_models_are_connected_to_again_too(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server = Server(engine, events(b"id: 7\ndata: 1\n\n"), events(b"data: 2\n\n"), Arriving(status=204))
    assert read(colour, Feed(transport=server.transport).numbers).items == [1, 2]
    assert server.requests[1].headers["last-event-id"] == "7"


def test_a_204_ends_it(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server = Server(engine, events(b"data: a\n\n"), Arriving(status=204))
    found = read(colour, Feed(transport=server.transport).events)
    assert (texts(found), found.error, len(server.requests)) == (["a"], None, 2)
    assert found.stream.response.status_code == 204


def test_a_terminator_ends_it(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server = Server(engine, events(b"data: a\n\ndata: bye\n\n"))
    assert (texts(read(colour, Feed(transport=server.transport).events)), len(server.requests)) == (["a"], 1)


def test_json_lines_are_not_connected_to_again(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server = Server(engine, Arriving([b"1\n"]), Arriving([b"2\n"], fail="ReadError"))
    client = Feed(transport=server.transport)
    assert read(colour, client.numbers).items == [1]
    found = read(colour, client.numbers)
    assert (found.items, type(found.error), clock.waits) == ([2], ReadError, [])


def test_it_is_asked_for(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server = Server(engine, events(b"data: a\n\n"))
    assert texts(read(colour, Feed(transport=server.transport).once)) == ["a"]
    assert (len(server.requests), clock.waits) == (1, [])


def test_fruitless_reconnects_are_bounded(engine: EngineName, colour: Colour, clock: Clock) -> None:
    """They are counted anew after each event; comments are none."""
    silent = events(b": hello\n\n")
    server = Server(engine, events(b"data: a\n\n"), silent, silent, events(b"data: b\n\n"), silent)
    found = read(colour, Feed(transport=server.transport).events)
    assert texts(found) == ["a", "b"]
    assert isinstance(found.error, ReadError)
    assert str(found.error) == "Feed.events: GET https://feed.test/events ended the stream without an event"
    assert found.error.__notes__ == ["not reconnected: max_reconnects=3 brought no event"]
    assert len(server.requests) == 1 + 3 + 3
    assert clock.waits == [3.0] * 6


def test_the_last_failure_is_raised(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server = Server(engine, events(b"data: a\n\n"), events(fail="ReadError"))
    found = read(colour, Feed(transport=server.transport).events)
    assert texts(found) == ["a"]
    assert str(found.error).endswith("lost the connection before the response was whole: it failed")
    assert found.error.__notes__ == ["not reconnected: max_reconnects=3 brought no event"]
    assert len(server.requests) == 4


def test_a_connection_that_cannot_be_made_counts(engine: EngineName, colour: Colour, clock: Clock) -> None:
    def refuse(request: Any) -> Arriving:
        raise server._library.ConnectError("refused")

    server = Server(engine, events(b"data: a\n\n"), refuse, events(b"data: b\n\n"), refuse)
    found = read(colour, Feed(transport=server.transport).events)
    assert (texts(found), type(found.error)) == (["a", "b"], ConnectError)
    assert len(server.requests) == 1 + 2 + 3


def test_the_first_connection_is_not_tried_again(engine: EngineName, colour: Colour, clock: Clock) -> None:
    """Beyond what `Retry` says: a wrong address should say so."""

    def refuse(request: Any) -> Arriving:
        raise server._library.ConnectError("refused")

    server = Server(engine, refuse)
    client = Feed(transport=server.transport)
    assert isinstance(read(colour, client.events).error, ConnectError)

    async def bare() -> None:
        with pytest.raises(ConnectError):
            async for _ in client.events.aio():
                pass

    Colour("trio" if colour.name == "trio" else "asyncio").drive(bare)
    with pytest.raises(ConnectError):
        list(client.events())
    assert (len(server.requests), clock.waits) == (3, [])


def test_a_status_that_is_no_success_ends_it(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server = Server(engine, events(b"data: a\n\n"), Arriving(status=404))
    found = read(colour, Feed(transport=server.transport).events)
    assert (texts(found), type(found.error), len(server.requests)) == (["a"], NotFoundError, 2)


def test_another_content_type_ends_it(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server = Server(engine, events(b"data: a\n\n"), Arriving([b"maintenance"], headers={"Content-Type": "text/plain"}))
    found = read(colour, Feed(transport=server.transport).events)
    assert (texts(found), type(found.error), server.closed) == (["a"], DecodeError, 2)


@pytest.mark.parametrize("id_", ["ü", "a\x07b"])
def test_an_id_that_no_header_can_carry_ends_it(engine: EngineName, colour: Colour, clock: Clock, id_: str) -> None:
    """Without it, what was seen would come again."""
    server = Server(engine, events(f"id: {id_}\ndata: a\n\n".encode()))
    found = read(colour, Feed(transport=server.transport).events)
    assert (texts(found), type(found.error)) == (["a"], DecodeError)
    what = "answered 200 with an event id that no header can send back"
    assert str(found.error) == f"Feed.events: GET https://feed.test/events {what}"


def test_each_connection_goes_through_the_whole_core(engine: EngineName, colour: Colour, clock: Clock) -> None:
    """Middleware, interceptors and retries see each."""
    seen: list[str | None] = []

    async def watch(request: Request, call_next: CallNext) -> Response:
        seen.append(request.headers.get("Last-Event-ID"))
        return await call_next(request)

    server = Server(engine, events(b"id: 1\ndata: a\n\n"), Arriving(status=503), BYE)
    client = Feed(transport=server.transport, middleware=[watch], retry=Retry(max_retries=1))
    assert texts(read(colour, client.events)) == ["a"]
    assert seen == [None, "1"]
    assert len(server.requests) == 3


def test_leaving_early_ends_it(engine: EngineName, colour: Colour, clock: Clock) -> None:
    server = Server(engine, events(b"data: a\n\n"), events(b"data: b\n\n"))
    assert texts(read(colour, Feed(transport=server.transport).events, most=2)) == ["a", "b"]
    assert (len(server.requests), server.closed) == (2, 2)
