"""JSON that is nested too deeply, or has a number that is too long, is refused as such, wherever JSON is read."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from conftest import Api, Colour, Reply
from stubwire import ApiClient, DecodeError, Event, Stream, UnprocessableEntityError, get

MakeApi = Callable[..., Api]
DEEP = b"[" * 100_000 + b"]" * 100_000
LONG = b'{"a": ' + b"9" * 4_301 + b"}"
BEYOND = pytest.mark.parametrize(
    ("body", "what"),
    [
        (DEEP, "that is nested more than 200 levels deep"),
        (b'{"a":' * 201 + b"1" + b"}" * 201, "that is nested more than 200 levels deep"),
        (LONG, "with a number of more than 4300 digits"),
    ],
    ids=["brackets", "braces", "digits"],
)


class Thing(BaseModel):
    a: Any


class Things(ApiClient):
    base_url = "https://api.example"

    @get("/a")
    def anything(self) -> Any:
        raise NotImplementedError

    @get("/a")
    def thing(self) -> Thing:
        raise NotImplementedError

    @get("/a", unwrap="a")
    def part(self) -> int:
        raise NotImplementedError

    @get("/a")
    def lines(self) -> Stream[Thing]:
        raise NotImplementedError

    @get("/a")
    def events(self) -> Stream[Event[Thing]]:
        raise NotImplementedError


@BEYOND
@pytest.mark.parametrize("name", ["anything", "thing", "part"])
def test_it_is_no_result(api: MakeApi, colour: Colour, body: bytes, what: str, name: str) -> None:
    things = Things(transport=api(Reply(200, content=body, headers={"content-type": "application/json"})).transport)
    with pytest.raises(DecodeError) as caught:
        colour.run(getattr(things, name))
    assert str(caught.value) == f"Things.{name}: GET https://api.example/a answered 200 with JSON {what}"
    for twin in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert str(twin) == str(caught.value)


@BEYOND
def test_it_is_no_body_of_an_error(api: MakeApi, colour: Colour, body: bytes, what: str) -> None:
    """The status still says what it says."""
    del what
    things = Things(
        transport=api(Reply(422, content=body, headers={"content-type": "application/problem+json"})).transport
    )
    with pytest.raises(UnprocessableEntityError) as caught:
        colour.run(things.thing)
    assert caught.value.body is None
    assert str(caught.value) == "Things.thing: GET https://api.example/a answered 422"


@BEYOND
@pytest.mark.parametrize("end", [b"", b"\n", b'\n{"a": 1}\n'])
def test_it_is_no_line(api: MakeApi, body: bytes, what: str, end: bytes) -> None:
    headers = {"content-type": "application/x-ndjson"}
    things = Things(transport=api(Reply(200, content=b'{"a": 1}\n' + body + end, headers=headers)).transport)
    seen: list[Thing] = []
    with pytest.raises(DecodeError) as caught, things.lines() as stream:
        seen.extend(stream)
    assert str(caught.value) == f"Things.lines: GET https://api.example/a answered 200 with line 2 {what}"


@BEYOND
def test_it_is_no_event(api: MakeApi, body: bytes, what: str) -> None:
    headers = {"content-type": "text/event-stream"}
    things = Things(transport=api(Reply(200, content=b"data: " + body + b"\n\n", headers=headers)).transport)
    with pytest.raises(DecodeError) as caught, things.events() as stream:
        list(stream)
    assert str(caught.value) == f"Things.events: GET https://api.example/a answered 200 with event 1 {what}"


def test_what_is_just_within_is_read(api: MakeApi, colour: Colour) -> None:
    things = Things(
        transport=api(Reply(200, content=b"[" * 200 + b"]" * 200), Reply(200, content=b"9" * 4_300)).transport
    )
    assert str(colour.run(things.anything)).count("[") == 200
    assert colour.run(things.anything) == int("9" * 4_300)
