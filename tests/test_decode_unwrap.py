"""`unwrap`: the part of the JSON that the return type describes."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from conftest import Api, Colour, Reply
from stubwire import ApiClient, DecodeError, Response, ResponseValidationError, get
from stubwire._decode import decoder

MakeApi = Callable[..., Api]


class Item(BaseModel):
    id: int


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    id: UUID
    price: Decimal


BODY = {
    "data": {"items": [{"id": 1}, {"id": 2}], "total": 2, "next": None},
    "_embedded": {"a-b": {"class": "x"}},
    "0": {"1": "by name"},
    "strict": [{"id": "12345678-1234-5678-1234-567812345678", "price": "1.10"}],
}

UNWRAPPED: list[tuple[str, object, object]] = [
    ("data.items", list[Item], [Item(id=1), Item(id=2)]),
    ("data.items.1", Item, Item(id=2)),
    ("data.items.0.id", int, 1),
    ("data.total", int, 2),
    ("data.total", str | int, 2),
    ("data.next", Item | None, None),
    ("_embedded.a-b.class", str, "x"),
    ("0.1", str, "by name"),
    (
        "strict.0",
        Strict,
        Strict(id=UUID("12345678-1234-5678-1234-567812345678"), price=Decimal("1.10")),
    ),
]


@pytest.mark.parametrize(("unwrap", "returns", "expected"), UNWRAPPED, ids=[row[0] for row in UNWRAPPED])
def test_a_dotted_path_leads_to_the_part_and_integers_index_lists(
    unwrap: str, returns: object, expected: object
) -> None:
    response: Response[Any] = Response(200, json=BODY)
    assert decoder(returns, unwrap, "Test.stub")(response) == expected


MISSING: list[tuple[str, str, tuple[int | str, ...]]] = [
    ("data.nothing", "data.nothing: Field required", ("data", "nothing")),
    ("nothing.at.all", "nothing: Field required", ("nothing",)),
    ("data.items.5", "data.items.5: Field required", ("data", "items", 5)),
    ("data.items.0.name", "data.items.0.name: Field required", ("data", "items", 0, "name")),
    ("data.total.0", "data.total.0: Field required", ("data", "total", 0)),
    ("data.next.items", "data.next: Input should be an object", ("data", "next")),
    ("data.items.0", "data.items.0: Input should be a valid integer", ("data", "items", 0)),
    ("strict.0.id", "strict.0.id: Input should be a valid integer, unable to parse string as an integer", ()),
]


@pytest.mark.parametrize(("unwrap", "message", "location"), MISSING, ids=[row[0] for row in MISSING])
def test_what_is_not_there_is_a_validation_error_with_its_location(
    unwrap: str, message: str, location: tuple[int | str, ...]
) -> None:
    """The location begins at the top of the body."""
    with pytest.raises(ResponseValidationError) as caught:
        decoder(int, unwrap, "Test.stub")(Response(200, json=BODY))
    error = caught.value
    assert str(error) == f"answered 200 with JSON that does not fit: {message}"
    assert error.errors()[0].get("loc") == (location or ("strict", 0, "id"))
    assert "input" in error.errors(show_input=True)[0]
    assert "input" not in error.errors()[0]
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize("unwrap", ["data", "data.0"])
def test_a_body_that_is_no_json_says_what_it_is(unwrap: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder(int, unwrap, "Test.stub")(Response(200, content=b"<html>", headers={"Content-Type": "text/html"}))
    assert type(caught.value) is DecodeError
    assert str(caught.value) == "answered 200 with text/html, which is not JSON: '<html>'"


@pytest.mark.parametrize("unwrap", ["data", "data.0"])
def test_an_empty_body_is_none_where_the_type_allows_it(unwrap: str) -> None:
    assert decoder(int | None, unwrap, "Test.stub")(Response(200)) is None


KEY = st.text(st.characters(exclude_characters=".", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(KEY, min_size=1, max_size=4), st.integers(-(2**53), 2**53))
def test_any_path_finds_what_stands_there(keys: list[str], value: int) -> None:
    body: object = value
    for key in reversed(keys):
        body = {key: body}
    response: Response[Any] = Response(200, content=json.dumps(body).encode())
    assert decoder(int, ".".join(keys), "Test.stub")(response) == value


def test_a_stub_unwraps(api: MakeApi, colour: Colour) -> None:
    class Items(ApiClient):
        base_url = "https://api.example"

        @get("/items", unwrap="data.items")
        def find(self) -> list[Item]:
            raise NotImplementedError

        @get("/items", unwrap="data.items.0")
        def first(self) -> Response[Item]:
            raise NotImplementedError

    client = Items(transport=api(Reply(json=BODY)).transport)
    assert colour.run(client.find) == [Item(id=1), Item(id=2)]
    assert colour.run(client.first).data == Item(id=1)
