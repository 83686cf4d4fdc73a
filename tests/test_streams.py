"""Streams in memory: the kinds of items, in each colour and on each engine; and who may read them."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from conftest import Colour, EngineName
from streaming import Arriving, Server, events, read
from stubwire import SSE, ApiClient, AsyncStream, DecodeError, Event, Lines, Stream, get, post


class Tick(BaseModel):
    symbol: str
    price: float = 0.0

    @field_validator("price")
    @classmethod
    def is_possible(cls, price: float) -> float:
        if price == 13:
            raise ZeroDivisionError("unlucky")
        return price


class Market(ApiClient):
    base_url = "https://market.test"

    @get("/export")
    def export(self) -> Stream[bytes]:
        raise NotImplementedError

    @get("/log")
    def log(self) -> Stream[str]:
        raise NotImplementedError

    @get("/ticks")
    def ticks(self, symbol: str | None = None) -> Stream[Tick]:
        raise NotImplementedError

    @get("/chat", stream=SSE(terminator="[DONE]"))
    def chat(self) -> Stream[Tick]:
        raise NotImplementedError

    @get("/events")
    def events(self) -> Stream[Event[Tick]]:
        raise NotImplementedError

    @get("/texts", stream=SSE(terminator="[DONE]"))
    def texts(self) -> Stream[Event[str]]:
        raise NotImplementedError

    @get("/bare")
    def bare(self) -> Stream[Event]:
        raise NotImplementedError

    @get("/numbers", stream=Lines(max_line_bytes=50))
    def numbers(self) -> Stream[int | None]:
        raise NotImplementedError

    @post("/ask")
    def ask(self, question: Tick) -> AsyncStream[str]:
        raise NotImplementedError


NDJSON = {"Content-Type": "application/x-ndjson"}


def test_chunks_are_given_as_they_arrive(engine: EngineName, colour: Colour) -> None:
    server = Server(engine, Arriving([b"ab", b"", b"c"]))
    assert read(colour, Market(transport=server.transport).export).items == [b"ab", b"c"]
    assert server.requests[0].headers["accept"] == "*/*"
    assert server.closed == 1


def test_lines_of_text_end_as_text_does(engine: EngineName, colour: Colour) -> None:
    server = Server(engine, Arriving([b"gr\xc3", b"\xbc\xc3\x9f\r", b"\nb\x0b\n\n", b"c\rd"]))
    assert read(colour, Market(transport=server.transport).log).items == ["grüß", "b\x0b", "", "c", "d"]
    assert server.requests[0].headers["accept"] == "text/*, */*;q=0.5"


def test_lines_are_in_the_charset_that_the_server_names(engine: EngineName, colour: Colour) -> None:
    content = "grüß\nnoch eine".encode("utf-16")
    server = Server(
        engine, Arriving([content[:5], content[5:]], headers={"Content-Type": "text/plain; charset=utf-16"})
    )
    assert read(colour, Market(transport=server.transport).log).items == ["grüß", "noch eine"]


def test_models_are_read_from_json_lines(engine: EngineName, colour: Colour) -> None:
    """NDJSON and JSON Lines: ended by LF or CR LF, the last perhaps by none; blank lines are left out."""
    lines = [b'\xef\xbb\xbf{"symbol": "A"}\n', b"\n  \r\n", b'{"symbol"', b': "B", "price": 2}\r\n\n{"symbol": "C"}']
    server = Server(engine, Arriving(lines, headers=NDJSON))
    found = read(colour, Market(transport=server.transport).ticks, "x")
    assert found.items == [Tick(symbol="A"), Tick(symbol="B", price=2), Tick(symbol="C")]
    accept = "application/x-ndjson, application/jsonl, text/event-stream;q=0.9, */*;q=0.5"
    assert server.requests[0].headers["accept"] == accept
    assert str(server.requests[0].url) == "https://market.test/ticks?symbol=x"


def test_json_lines_may_hold_any_type(engine: EngineName, colour: Colour) -> None:
    server = Server(engine, Arriving([b"1\nnull\n2\n \n"]))
    assert read(colour, Market(transport=server.transport).numbers).items == [1, None, 2]


def test_models_are_read_from_the_data_of_events(engine: EngineName, colour: Colour) -> None:
    """If that is what the server answers with; blank data is left out, as blank lines are."""
    stream = [b'data: {"symbol":\ndata: "A"}\n\n', b"event: ping\ndata:\n\n", b'id: 1\ndata: {"symbol": "B"}\n\n']
    server = Server(engine, events(*stream))
    assert read(colour, Market(transport=server.transport).ticks).items == [Tick(symbol="A"), Tick(symbol="B")]


def test_a_terminator_ends_the_stream(engine: EngineName, colour: Colour) -> None:
    """What comes after it is not read, and it is no item."""
    stream = [b'data: {"symbol": "A"}\n\ndata: {"symbol": "B"}\n\ndata: [DONE]\n\ndata: x\n\n', b"data: y\n\n"]
    server = Server(engine, events(*stream, fail="ReadError"))
    market = Market(transport=server.transport)
    assert [item.symbol for item in read(colour, market.chat).items] == ["A", "B"]
    accept = "text/event-stream, application/x-ndjson;q=0.9, application/jsonl;q=0.9, */*;q=0.5"
    assert server.requests[0].headers["accept"] == accept
    assert read(colour, market.texts).items == [Event('{"symbol": "A"}'), Event('{"symbol": "B"}')]
    assert server.closed == 2


def test_events_have_their_fields(engine: EngineName, colour: Colour) -> None:
    stream = [b'event: tick\nid: 7\nretry: 250\ndata: {"symbol": "A"}\n\ndata: {"symbol": "B"}\n\n']
    server = Server(engine, events(*stream, **{"Content-Type": "Text/Event-Stream; charset=utf-8"}))
    assert read(colour, Market(transport=server.transport).events).items == [
        Event(data=Tick(symbol="A"), event="tick", id="7", retry=250),
        Event(data=Tick(symbol="B"), event="message", id="7", retry=None),
    ]
    assert server.requests[0].headers["accept"] == "text/event-stream"


@pytest.mark.parametrize("name", ["texts", "bare"])
def test_the_data_of_an_event_is_text_by_default(engine: EngineName, colour: Colour, name: str) -> None:
    server = Server(engine, events(b"data: gr\xc3\xbc\xff\n\n", b"data: [DONE"))
    assert read(colour, getattr(Market(transport=server.transport), name)).items == [Event("grü\ufffd")]


def test_json_in_events_that_is_not_utf_8_is_repaired(engine: EngineName, colour: Colour) -> None:
    """The text decodes it so before anybody parses it."""
    stream = b'data: {"symbol": "A"}\n\ndata: {"symbol": "\xff"}\n\ndata: {"symbol": "\xfe"}\n\n'
    server = Server(engine, events(stream))
    market = Market(transport=server.transport)
    assert [item.symbol for item in read(colour, market.ticks).items] == ["A", "\ufffd", "\ufffd"]
    assert [item.data.symbol for item in read(colour, market.events).items] == ["A", "\ufffd", "\ufffd"]


@pytest.mark.parametrize("name", ["export", "log", "ticks", "events"])
def test_no_content_is_no_items(engine: EngineName, colour: Colour, name: str) -> None:
    server = Server(engine, Arriving(status=204))
    found = read(colour, getattr(Market(transport=server.transport), name))
    assert (found.items, found.error) == ([], None)


def test_a_declared_accept_header_stands(engine: EngineName, colour: Colour) -> None:
    server = Server(engine, Arriving())
    read(colour, Market(transport=server.transport, headers={"Accept": "application/json"}).ticks)
    assert server.requests[0].headers["accept"] == "application/json"


def test_a_stream_may_answer_a_post(engine: EngineName) -> None:
    server = Server(engine, Arriving([b"yes\n"]))

    async def ask() -> list[str]:
        stream = Market(transport=server.transport).ask(Tick(symbol="A"))
        return [line async for line in stream]

    assert Colour("asyncio").drive(ask) == ["yes"]
    assert server.requests[0].content == b'{"symbol":"A","price":0.0}'


def test_a_response_of_a_middleware_is_streamed_too(engine: EngineName, colour: Colour) -> None:
    from stubwire import CallNext, Request, Response

    async def answer(request: Request, call_next: CallNext) -> Response[Any]:
        return Response(200, content=b"1\n2\n")

    market = Market(transport=Server(engine, Arriving()).transport, middleware=[answer])
    assert read(colour, market.numbers, most=1).items == [1]
    assert read(colour, market.numbers).items == [1, 2]


def test_a_stream_in_a_middleware_has_the_colour_of_the_call(engine: EngineName, colour: Colour) -> None:
    """An `.aio` stream inside a synchronous call is driven by it."""
    from stubwire import CallNext, Request, Response

    other = Market(transport=Server(engine, Arriving([b"a\n", b"b\n"])).transport)

    async def prefix(request: Request, call_next: CallNext) -> Response[Any]:
        async with other.log.aio() as stream:
            request.headers["X-Lines"] = ",".join([line async for line in stream])
        return await call_next(request)

    server = Server(engine, Arriving())
    read(colour, Market(transport=server.transport, middleware=[prefix]).log)
    assert server.requests[0].headers["x-lines"] == "a,b"


# ---- who may read it


def test_nothing_is_sent_before_it_is_entered_or_iterated(engine: EngineName) -> None:
    server = Server(engine, Arriving([b"a"]))
    stream = Market(transport=server.transport).export()
    assert server.requests == []
    assert repr(stream) == "<Stream of Market.export: new>"
    with pytest.raises(RuntimeError, match=r"^the stream of Market\.export is not open yet: enter it, or iterate it$"):
        _ = stream.response
    with stream:
        assert len(server.requests) == 1
        assert stream.response.status_code == 200
        assert repr(stream) == "<Stream of Market.export: open, 200>"
    assert server.closed == 1
    assert repr(stream) == "<Stream of Market.export: closed, 200>"


def test_without_with_it_opens_at_the_first_item_and_closes_at_the_last(engine: EngineName) -> None:
    server = Server(engine, Arriving([b"a", b"b"]))
    stream = Market(transport=server.transport).export()
    items = iter(stream)
    assert server.requests == []
    assert (next(items), server.closed) == (b"a", 0)
    assert (list(items), server.closed) == ([b"b"], 1)


def test_without_async_with_too(engine: EngineName, colour: Colour) -> None:
    server = Server(engine, Arriving([b"a", b"b"]))

    async def run() -> list[bytes]:
        stream = Market(transport=server.transport).export.aio()
        assert repr(stream) == "<AsyncStream of Market.export: new>"
        return [chunk async for chunk in stream]

    assert Colour("trio" if colour.name == "trio" else "asyncio").drive(run) == [b"a", b"b"]
    assert server.closed == 1


def test_an_iterator_that_is_dropped_lets_go(engine: EngineName) -> None:
    server = Server(engine, Arriving([b"a", b"b"]))
    for _ in Market(transport=server.transport).export():
        break
    gc.collect()
    assert server.closed == 1


READ_ONCE = r"^the stream of Market\.export is read once, and was: call the endpoint again$"


def test_it_is_read_once(engine: EngineName) -> None:
    stream = Market(transport=Server(engine, Arriving([b"a"])).transport).export()
    with stream:
        items = iter(stream)
        with pytest.raises(RuntimeError, match=READ_ONCE):
            iter(stream)
        assert list(items) == [b"a"]
    with pytest.raises(RuntimeError, match=READ_ONCE):
        iter(stream)
    with pytest.raises(RuntimeError, match=READ_ONCE):
        stream.__enter__()


def test_it_is_read_once_asynchronously(engine: EngineName) -> None:
    async def run() -> None:
        stream = Market(transport=Server(engine, Arriving([b"a"])).transport).export.aio()
        assert [chunk async for chunk in stream] == [b"a"]
        with pytest.raises(RuntimeError, match=READ_ONCE):
            aiter(stream)
        with pytest.raises(RuntimeError, match=READ_ONCE):
            await stream.__aenter__()

    Colour("trio").drive(run)


def test_close_ends_what_is_being_iterated(engine: EngineName) -> None:
    server = Server(engine, Arriving([b"a", b"b"]))
    stream = Market(transport=server.transport).export()
    items = iter(stream)
    next(items)
    stream.close()
    stream.close()
    assert (list(items), server.closed) == ([], 1)
    unread = Market(transport=server.transport).export()
    unread.close()
    with pytest.raises(RuntimeError, match=READ_ONCE):
        iter(unread)


def test_aclose_ends_what_is_being_iterated(engine: EngineName, colour: Colour) -> None:
    server = Server(engine, Arriving([b"a", b"b"]))

    async def run() -> None:
        async with Market(transport=server.transport).export.aio() as stream:
            items = aiter(stream)
            await anext(items)
            await stream.aclose()
            assert [chunk async for chunk in items] == []
        await Market(transport=server.transport).export.aio().aclose()

    Colour("trio" if colour.name == "trio" else "asyncio").drive(run)
    assert server.closed == 1


def test_an_error_of_a_validator_says_where_it_was_raised(engine: EngineName) -> None:
    for reaction in (Arriving([b'{"symbol": "A", "price": 13}\n']), events(b'data: {"symbol": "A", "price": 13}\n\n')):
        with pytest.raises(ZeroDivisionError) as caught:
            list(Market(transport=Server(engine, reaction).transport).ticks())
        assert caught.value.__notes__ == ["raised while decoding the response of Market.ticks"]


def test_interceptors_see_a_stream_before_it_is_read(engine: EngineName, colour: Colour) -> None:
    seen: list[str] = []
    market = Market(transport=Server(engine, Arriving([b"a"])).transport)
    market.interceptors.response.use(lambda response: seen.append(repr(response)))
    assert read(colour, market.export).items == [b"a"]
    assert seen == ["<Response 200 without a type, streamed>"]


def test_a_status_that_is_no_success_raises_when_it_is_opened(engine: EngineName, colour: Colour) -> None:
    from stubwire import NotFoundError

    server = Server(engine, Arriving([b'{"why": "gone"}'], status=404, headers={"Content-Type": "application/json"}))
    found = read(colour, Market(transport=server.transport).ticks)
    assert type(found.error) is NotFoundError
    assert found.error.body == {"why": "gone"}
    assert str(found.error) == "Market.ticks: GET https://market.test/ticks answered 404"


def test_another_content_type_is_no_stream_of_events(engine: EngineName, colour: Colour) -> None:
    server = Server(engine, Arriving([b"<html>"], headers={"Content-Type": "text/html"}), Arriving([b"x"]))
    market = Market(transport=server.transport)
    error = read(colour, market.events).error
    assert isinstance(error, DecodeError)
    start = "Market.events: GET https://market.test/events answered 200 with"
    assert str(error) == f"{start} text/html, where text/event-stream was declared"
    assert str(read(colour, market.events).error) == f"{start} no content type, where text/event-stream was declared"
    assert server.closed == 2
