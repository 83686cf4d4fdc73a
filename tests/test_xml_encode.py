"""Models of pydantic-xml to XML: what is sent, what cannot be, and what a client without any does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import AfterValidator, BaseModel, SecretStr
from pydantic_xml import BaseXmlModel, attr, element

from conftest import Api, Colour, Reply
from stubwire import ApiClient, ArgumentError, ClientError, SpecError, get, post
from stubwire._codecs import body_encoder, body_type

MakeApi = Callable[..., Api]
T = TypeVar("T")


class Song(BaseXmlModel, tag="song"):
    id: int = attr()
    title: str = element()
    at: datetime | None = element(default=None)


class Problem(BaseXmlModel, tag="error"):
    code: str = element()


class Plain(BaseModel):
    id: int


class Box(BaseXmlModel, Generic[T], tag="box"):
    inside: T


def test_other_types_and_content_types_are_no_xml() -> None:
    assert body_type(Song) == body_type(Song | Problem) == "application/xml"
    assert body_type(Plain) is None
    assert body_encoder(Plain, "application/xml", (), "here") is None
    assert body_encoder(Song, "application/json", (), "here") is None


def test_nothing_of_xml_is_looked_for_where_nobody_imported_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pydantic_xml")
    assert body_type(Plain) is None
    assert body_encoder(Plain, None, (), "here") is None


def encode(hint: object, value: object, content_type: str | None = None, **options: Any) -> bytes:
    made = body_encoder(hint, content_type, (), "Music.create: song", **options)
    assert made is not None
    return made(value)


def test_the_fields_that_are_set_may_be_all() -> None:
    assert b"<at" in encode(Song, Song(id=1, title="a"))
    assert b"at" not in encode(Song, Song(id=1, title="a"), exclude_unset=True)
    assert b"<error>" in encode(Song | Problem, Problem(code="a"), "application/problem+xml")


def one(song: Song) -> Song:
    if song.id != 1:
        raise ValueError("s3cret")
    return song


class Vault(BaseXmlModel, tag="vault"):
    secret: SecretStr = element()


MASKED = (
    "pydantic would send a SecretStr in it as '**********': give the field a serializer, as in "
    "Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]"
)


class Odd(Song, tag="song"):
    def to_xml(self, **options: Any) -> bytes:
        return b"<song"


NOT_SENT: list[tuple[object, object, str]] = [
    (Song, Problem(code="s3cret"), "expected Song, got Problem"),
    (Song, {"id": 1}, "expected Song, got dict"),
    (Annotated[Song, AfterValidator(one)], 5, "expected Song, got int"),
    (Song, Odd(id=1, title="s3cret"), "a value in it cannot stand in XML"),
    (Song, Song(id=1, title="s3cret\x00"), "a value in it cannot stand in XML"),
    (Song, Song(id=1, title="s3cret\uffff"), "a value in it cannot stand in XML"),
    (Song, Song(id=1, title="s3cret\x01"), "a value in it cannot stand in XML"),
    (Song, Song(id=1, title="s3cret\ud800"), "a value in it cannot stand in XML"),
    (Vault, Vault(secret=SecretStr("s3cret")), MASKED),
]


@pytest.mark.parametrize(("hint", "value", "message"), NOT_SENT, ids=[row[2] for row in NOT_SENT])
def test_what_cannot_stand_in_xml_is_an_argument_error(hint: object, value: object, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        encode(hint, value)
    assert str(caught.value) == f"Music.create: song: {message}"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_what_is_xml_or_json_must_say_which() -> None:
    with pytest.raises(SpecError) as caught:
        body_encoder(Song | Plain, None, (), "Music.create: song")
    assert str(caught.value) == (
        "Music.create: song: Song | Plain is XML or JSON: write one model, or Body(content_type=...)"
    )
    with pytest.raises(SpecError) as caught:
        body_encoder(Song, "text/xml; charset=zlib", (), "Music.create: song")
    assert str(caught.value) == (
        "Music.create: song: the content type 'text/xml; charset=zlib' names the charset 'zlib', which is no text "
        "encoding"
    )
    assert body_encoder(Song | Plain, "application/json", (), "here") is None


def test_a_model_that_is_not_complete_is_a_spec_error() -> None:
    with pytest.raises(SpecError) as caught:
        body_encoder(Box, None, (), "Music.create: box")
    assert str(caught.value) == (
        "Music.create: box: pydantic-xml cannot handle the type Box: a name in it is not defined, or a type variable "
        "of it is not filled in"
    )
    assert encode(Box[int], Box[int](inside=5)).endswith(b"<box>5</box>")


class Music(ApiClient):
    base_url = "https://api.example"

    @post("/songs")
    def create(self, song: Song) -> None:
        raise NotImplementedError


def test_what_cannot_stand_in_xml_is_not_sent(api: MakeApi, colour: Colour) -> None:
    answers = api(Reply())
    with pytest.raises(ArgumentError) as caught:
        colour.run(Music(transport=answers.transport).create, Song(id=1, title="\x00"))
    assert str(caught.value) == "Music.create: song: a value in it cannot stand in XML"
    assert answers.requests == []


def test_a_client_without_xml_looks_for_none(api: MakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pydantic_xml")

    class Counts(ApiClient):
        base_url = "https://api.example"
        errors = {410: Plain}

        @get("/count", unwrap="data")
        def count(self) -> int:
            raise NotImplementedError

    client = Counts(transport=api(Reply(json={"data": 5}), Reply(410, json={"id": 1})).transport)
    assert client.count() == 5
    with pytest.raises(ClientError) as caught:
        client.count()
    assert caught.value.body == Plain(id=1)
