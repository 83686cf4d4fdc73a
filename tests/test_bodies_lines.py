"""JSON Lines: a line for each value, streamed, and what is wrong with one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Annotated

import pytest
from pydantic import BaseModel

from conftest import Api, Clock, Colour, Reply
from stubwire import ApiClient, ArgumentError, Body, ColourError, post
from stubwire._json_lines import AT_ONCE, LINES, TOGETHER, AsyncLines, Lines


class Row(BaseModel):
    id: int
    note: str | None = None


class Bulk(ApiClient):
    base_url = "https://bulk.example"

    @post("/x")
    def load(self, rows: Annotated[Iterable[Row], Body(content_type="application/x-ndjson")]) -> None:
        raise NotImplementedError

    @post("/x")
    def feed(self, rows: Annotated[AsyncIterable[Row], Body(content_type="application/jsonl; charset=utf-8")]) -> None:
        raise NotImplementedError

    @post("/x")
    def listed(self, rows: Annotated[list[Row | None], Body(content_type="application/json-lines")]) -> None:
        raise NotImplementedError

    @post("/x")
    def numbers(self, rows: Annotated[Iterator[int], Body(content_type="application/jsonl")]) -> None:
        raise NotImplementedError

    @post("/x")
    def ready(self, rows: Annotated[Iterable[bytes] | bytes, Body(content_type="application/x-ndjson")]) -> None:
        raise NotImplementedError


ROWS = [Row(id=1), Row(id=2, note="a\nb\u2028")]
SENT = '{"id":1,"note":null}\n{"id":2,"note":"a\\nb\u2028"}\n'.encode()


async def _async(rows: Iterable[Row]) -> AsyncIterator[Row]:
    for row in rows:
        yield row


@pytest.mark.parametrize("make", [list[Row], tuple[Row], iter], ids=["list", "tuple", "iterator"])
def test_each_value_is_a_line(
    api: Callable[..., Api], colour: Colour, make: Callable[[list[Row]], Iterable[Row]]
) -> None:
    server = api(Reply(204))
    colour.run(Bulk(transport=server.transport).load, make(ROWS))
    assert server.request.read() == SENT
    assert server.request.headers["content-type"] == "application/x-ndjson"
    assert server.request.headers["transfer-encoding"] == "chunked"


def test_an_asynchronous_iterable_is_for_asynchronous_calls(api: Callable[..., Api], colour: Colour) -> None:
    server = api(Reply(204))
    client = Bulk(transport=server.transport)
    if colour.name == "sync":
        with pytest.raises(ColourError):
            client.feed(_async(ROWS))
        return
    colour.drive(lambda: client.feed.aio(_async(ROWS)))

    async def read() -> bytes:
        body: bytes = await server.request.aread()
        return body

    assert asyncio.run(read()) == SENT
    assert server.request.headers["content-type"] == "application/jsonl; charset=utf-8"


def test_an_ordinary_iterable_serves_where_an_asynchronous_one_is_declared() -> None:
    request = Bulk().feed.request(ROWS)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert request.is_streamed


def test_a_list_is_written_before_anything_is_sent() -> None:
    """All of it is there: its length is known, and what is wrong with a value is said before any I/O."""
    assert Bulk().listed.request([*ROWS, None]).content == SENT + b"null\n"
    with pytest.raises(ArgumentError) as caught:
        Bulk().listed.request([ROWS[0], 83512])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    assert str(caught.value) == "Bulk.listed: rows: line 2: expected Row | None, got int"


@pytest.mark.parametrize("value", ["83512", b"83512", {"a": 1}, 83512])
def test_what_has_no_values_is_refused(value: object) -> None:
    for endpoint in (Bulk().load, Bulk().listed):
        with pytest.raises(ArgumentError) as caught:
            endpoint.request(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert str(caught.value).endswith(f": rows: expected several values, got {type(value).__name__}")


def test_a_value_that_does_not_fit_ends_the_call_and_is_not_shown(api: Callable[..., Api], colour: Colour) -> None:
    server = api(Reply(204))
    with pytest.raises(ArgumentError) as caught:
        colour.run(Bulk(transport=server.transport).load, iter([Row(id=1), Row.model_construct(id="83512")]))
    assert str(caught.value) == "Bulk.load: rows: line 2: its field 'id' must be int"
    assert caught.value.__context__ is None


def test_lines_that_are_there_are_sent_as_they_are() -> None:
    assert Bulk().ready.request(b'{"id":1}\n').content == b'{"id":1}\n'


@pytest.mark.parametrize("content_type", sorted(LINES))
def test_every_name_of_json_lines_is_known(content_type: str) -> None:
    class Anyhow(ApiClient):
        base_url = "https://bulk.example"

        @post("/x")
        def send(self, rows: Annotated[list[int], Body(content_type=content_type.upper())]) -> None:
            raise NotImplementedError

    assert Anyhow().send.request([1, 2]).content == b"1\n2\n"


# -- together, or at once


def _number(value: int) -> bytes:
    return json.dumps(value).encode()


def test_lines_that_come_quickly_travel_together(clock: Clock) -> None:
    chunks = list(Lines(range(50_000), _number, "x").read())
    assert b"".join(chunks).split() == [b"%d" % number for number in range(50_000)]
    assert all(TOGETHER <= len(chunk) < TOGETHER + 10 for chunk in chunks[:-1])


def test_a_line_that_was_waited_for_travels_at_once(clock: Clock) -> None:
    def slow() -> Iterator[int]:
        for number in range(3):
            clock.advance(2 * AT_ONCE)
            yield number

    assert list(Lines(slow(), _number, "x").read()) == [b"0\n", b"1\n", b"2\n"]

    async def feed() -> AsyncIterator[int]:
        for number in slow():
            yield number

    async def read() -> list[bytes]:
        return [lines async for lines in AsyncLines(feed(), _number, "x").aread()]

    assert asyncio.run(read()) == [b"0\n", b"1\n", b"2\n"]


def test_lines_are_written_while_they_are_sent(clock: Clock) -> None:
    """However many there are, no more are in memory than travel together."""
    given = 0

    def rows() -> Iterator[int]:
        nonlocal given
        while True:
            given += 1
            yield 7

    chunks = Lines(rows(), _number, "x").read()
    for number in range(1, 4):
        next(chunks)
        assert given == number * TOGETHER // len(b"7\n")


def test_nothing_is_no_line(api: Callable[..., Api], colour: Colour) -> None:
    server = api(Reply(204))
    colour.run(Bulk(transport=server.transport).numbers, iter([]))
    assert server.request.read() == b""


def test_no_asynchronous_values_are_no_line(api: Callable[..., Api]) -> None:
    server = api(Reply(204))
    asyncio.run(Bulk(transport=server.transport).feed.aio(_async([])))
    assert server.request.headers["content-type"] == "application/jsonl; charset=utf-8"
