"""Unions by shape, literals, and statuses that mean nothing: what pydantic decides, and what stubwire adds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Discriminator, Field, Tag

from conftest import Api, Colour, Reply
from stubwire import ApiClient, Response, ResponseValidationError, get
from stubwire._decode import decoder

MakeApi = Callable[..., Api]


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str = ""


class Card(BaseModel):
    number: str


class Account(BaseModel):
    iban: str
    bank: str | None = None


def shape(value: Any) -> str:
    return "account" if "iban" in value else "card"


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
MaybePet = Annotated[Cat | Dog | None, Field(discriminator="kind")]
Source = Annotated[Annotated[Card, Tag("card")] | Annotated[Account, Tag("account")], Discriminator(shape)]

SHAPES: list[tuple[object, bytes, object]] = [
    (Card | Account, b'{"number": "1"}', Card(number="1")),
    (Card | Account, b'{"iban": "1"}', Account(iban="1")),
    (Cat | Dog, b'{"kind": "dog"}', Dog(kind="dog")),
    (Pet, b'{"kind": "cat", "lives": 7}', Cat(kind="cat", lives=7)),
    (MaybePet, b"", None),
    (MaybePet, b"null", None),
    (list[Pet], b'[{"kind": "cat"}, {"kind": "dog"}]', [Cat(kind="cat"), Dog(kind="dog")]),
    (Source, b'{"iban": "1"}', Account(iban="1")),
    (dict[str, Pet], b'{"a": {"kind": "dog", "name": "b"}}', {"a": Dog(kind="dog", name="b")}),
    (list[Card] | Card, b'[{"number": "1"}]', [Card(number="1")]),
    (list[Card] | Card, b'{"number": "1"}', Card(number="1")),
    (Card | Literal["none"], b'"none"', "none"),
    (Literal["on", "off"], b'"off"', "off"),
    (Literal[1, 2], b"2", 2),
    (bool | Card, b"true", True),
    (bytes | None, b"", None),
    (str | None, b"null", "null"),
]


@pytest.mark.parametrize(("data_type", "content", "expected"), SHAPES, ids=[repr(row[1]) for row in SHAPES])
def test_a_union_is_the_member_that_fits(data_type: object, content: bytes, expected: object) -> None:
    got = decoder(data_type, None, "Test.stub")(Response(200, content=content))
    assert (got, type(got)) == (expected, type(expected))


NO_SHAPES: list[tuple[object, bytes, str]] = [
    (
        Pet,
        b'{"kind": "s3cret"}',
        "Input tag found using 'kind' does not match any of the expected tags: 'cat', 'dog'",
    ),
    (Pet, b"{}", "Unable to extract tag using discriminator 'kind'"),
    (Literal["on", "off"], b'"s3cret"', "Input should be 'on' or 'off'"),
    (Card | Account, b"{}", "Card.number: Field required; Account.iban: Field required"),
]


@pytest.mark.parametrize(("data_type", "content", "message"), NO_SHAPES, ids=[row[2] for row in NO_SHAPES])
def test_what_no_member_takes_says_why_and_shows_no_value(data_type: object, content: bytes, message: str) -> None:
    with pytest.raises(ResponseValidationError) as caught:
        decoder(data_type, None, "Test.stub")(Response(200, content=content))
    assert str(caught.value) == f"answered 200 with JSON that does not fit: {message}"


class Pets(ApiClient):
    base_url = "https://api.example"

    @get("/pet")
    def pet(self) -> Pet:
        raise NotImplementedError

    @get("/source", none_on={404, 410})
    def source(self) -> Card | Account | None:
        raise NotImplementedError

    @get("/switch", unwrap="state")
    def switch(self) -> Literal["on", "off"]:
        raise NotImplementedError


def test_a_stub_returns_the_member_that_fits(api: MakeApi, colour: Colour) -> None:
    client = Pets(transport=api(Reply(json={"kind": "dog", "name": "Rex"})).transport)
    pet = colour.run(client.pet)
    assert pet == Dog(kind="dog", name="Rex")


@pytest.mark.parametrize("reply", [Reply(404), Reply(410, json={"gone": True}), Reply(204)], ids=str)
def test_a_union_with_none_may_be_nothing(api: MakeApi, colour: Colour, reply: Reply) -> None:
    assert colour.run(Pets(transport=api(reply).transport).source) is None


def test_unwrap_leads_to_a_literal(api: MakeApi, colour: Colour) -> None:
    state: Literal["on", "off"] = colour.run(Pets(transport=api(Reply(json={"state": "on"})).transport).switch)
    assert state == "on"
