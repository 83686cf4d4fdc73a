"""What goes wrong in a stream raises after the items before it, names endpoint and request, and shows no value."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from conftest import Colour, EngineName
from streaming import Arriving, Server, events, read
from stubwire import (
    SSE,
    ApiClient,
    CallError,
    DecodeError,
    Event,
    Lines,
    ReadError,
    ReadTimeout,
    ResponseTooLargeError,
    ResponseValidationError,
    Stream,
    get,
)


class Row(BaseModel):
    id: int


class Feed(ApiClient):
    base_url = "https://feed.test"

    @get("/", stream=Lines(max_line_bytes=20))
    def text(self) -> Stream[str]:
        raise NotImplementedError

    @get("/", stream=Lines(max_line_bytes=20))
    def rows(self) -> Stream[Row]:
        raise NotImplementedError

    @get("/", stream=SSE(max_event_bytes=20))
    def events(self) -> Stream[Event[Row]]:
        raise NotImplementedError

    @get("/", stream=SSE(max_event_bytes=20, terminator="[DONE]"))
    def data(self) -> Stream[Row]:
        raise NotImplementedError

    @get("/")
    def raw(self) -> Stream[bytes]:
        raise NotImplementedError


GOOD = b'{"id": 1}\n'
EVENT = b'data: {"id": 1}\n\n'
UTF_16 = {"Content-Type": "application/x-ndjson; charset=utf-16-le"}
LATIN = {"Content-Type": "text/plain; charset=ascii"}

CASES: list[tuple[str, Arriving, int, type[CallError], str]] = [
    (
        "rows",
        Arriving([GOOD, b'\n{"id": "secret"}\n', GOOD]),
        1,
        ResponseValidationError,
        "line 3 that does not fit: id: Input should be a valid integer, unable to parse string as an integer",
    ),
    (
        "rows",
        Arriving([GOOD + b"{}\n" + GOOD]),
        1,
        ResponseValidationError,
        "line 2 that does not fit: id: Field required",
    ),
    ("rows", Arriving([GOOD, b"<secret>\n", GOOD]), 1, DecodeError, "line 2 that is not JSON"),
    ("rows", Arriving([GOOD, b'{"id": \xff}\n']), 1, DecodeError, "line 2 that is not JSON"),
    ("rows", Arriving([GOOD, GOOD, b'{"id": 2']), 2, DecodeError, "a body that ends within line 3"),
    (
        "rows",
        Arriving([GOOD, b'{"id":"a"}']),
        1,
        ResponseValidationError,
        "line 2 that does not fit: id: Input should be a valid integer, unable to parse string as an integer",
    ),
    (
        "rows",
        Arriving([GOOD + b" " * 21 + b"\n"]),
        1,
        ResponseTooLargeError,
        "a line of more than max_line_bytes=20 bytes",
    ),
    (
        "rows",
        Arriving([GOOD, b" " * 15, b" " * 15]),
        1,
        ResponseTooLargeError,
        "a line of more than max_line_bytes=20 bytes",
    ),
    (
        "rows",
        Arriving([GOOD.decode().encode("utf-16-le") + b"\0\xd8\0\0"], headers=UTF_16),
        1,
        DecodeError,
        "a body that is not utf-16-le",
    ),
    (
        "rows",
        Arriving([GOOD], headers={"Content-Type": "text/plain; charset=nope"}),
        0,
        DecodeError,
        "a body that names the charset 'nope', which is no text encoding",
    ),
    ("text", Arriving([b"a\nb\xff\nc\n"]), 1, DecodeError, "a body that is not utf-8"),
    ("text", Arriving([b"a\nb\nc", b"\xff"]), 2, DecodeError, "a body that is not utf-8"),
    ("text", Arriving([b"a\nb\xff\nc\n"], headers=LATIN), 1, DecodeError, "a body that is not ascii"),
    ("text", Arriving([b"a\nb\n", b"c" * 21]), 2, ResponseTooLargeError, "a line of more than max_line_bytes=20 bytes"),
    (
        "events",
        events(EVENT, EVENT + b'data: {"id": "secret"}\n\n'),
        2,
        ResponseValidationError,
        "event 3 that does not fit: id: Input should be a valid integer, unable to parse string as an integer",
    ),
    ("events", events(EVENT + b"data: secret\n\n" + EVENT), 1, DecodeError, "event 2 that is not JSON"),
    ("events", events(EVENT + b"data:\n\n" + EVENT), 1, DecodeError, "event 2 that is not JSON"),
    (
        "events",
        events(EVENT + b"data: " + b"1" * 21 + b"\n\n" + EVENT),
        1,
        ResponseTooLargeError,
        "an event of more than max_event_bytes=20 bytes",
    ),
    (
        "data",
        events(EVENT + b"\n\ndata: \n\ndata: {}\n\n"),
        1,
        ResponseValidationError,
        "event 3 that does not fit: id: Field required",
    ),
    ("data", events(EVENT, b":" * 30), 1, ResponseTooLargeError, "an event of more than max_event_bytes=20 bytes"),
]


@pytest.mark.parametrize(("name", "arriving", "before", "kind", "what"), CASES)
def test_a_stream_that_is_wrong(  # noqa: PLR0917 - a table
    engine: EngineName,
    colour: Colour,
    name: str,
    arriving: Arriving,
    before: int,
    kind: type[CallError],
    what: str,
) -> None:
    server = Server(engine, arriving)
    found = read(colour, getattr(Feed(transport=server.transport), name))
    assert (len(found.items), type(found.error)) == (before, kind)
    assert str(found.error) == f"Feed.{name}: GET https://feed.test/ answered 200 with {what}"
    assert found.error.request.method == "GET"
    assert found.error.endpoint == f"Feed.{name}"
    assert found.error.__context__ is None
    assert len(found.error.attempts) == 1
    assert server.closed == 1


@pytest.mark.parametrize(
    ("name", "arriving", "before"),
    [
        ("raw", Arriving([b"a", b"b"], fail="ReadError"), 2),
        ("text", Arriving([b"a\nb\nc"], fail="ReadError"), 2),
        ("rows", Arriving([GOOD, GOOD, b'{"id": 3}'], fail="ReadError"), 2),
        ("events", events(EVENT, EVENT[:-1], fail="ReadError"), 1),
        ("data", events(EVENT, EVENT[:-1], fail="ReadError"), 1),
    ],
)
def test_a_connection_that_is_lost(
    engine: EngineName, colour: Colour, name: str, arriving: Arriving, before: int
) -> None:
    """Half an item is none."""
    server = Server(engine, arriving)
    found = read(colour, getattr(Feed(transport=server.transport), name))
    assert (len(found.items), type(found.error)) == (before, ReadError)
    what = "lost the connection before the response was whole: it failed"
    assert str(found.error) == f"Feed.{name}: GET https://feed.test/ {what}"
    assert server.closed == 1
    assert len(server.requests) == 1


def test_a_server_that_falls_silent(engine: EngineName, colour: Colour) -> None:
    found = read(colour, Feed(transport=Server(engine, Arriving([b"a"], fail="ReadTimeout")).transport).raw)
    assert (found.items, type(found.error)) == ([b"a"], ReadTimeout)


def test_nothing_counts_after_a_terminator(engine: EngineName, colour: Colour) -> None:
    server = Server(engine, events(EVENT + b"data: [DONE]\n\ndata: " + b"1" * 50))
    assert read(colour, Feed(transport=server.transport).data).error is None


def test_an_error_of_a_stream_pickles(engine: EngineName) -> None:
    import pickle

    error = read(Colour("sync"), Feed(transport=Server(engine, Arriving([b"{}\n"])).transport).rows).error
    twin = pickle.loads(pickle.dumps(error))
    assert (str(twin), twin.response.status_code) == (str(error), 200)
