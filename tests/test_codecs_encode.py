"""Bodies by a `Codec`: what it gets, and what it must not send."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SecretStr

from conftest import Api, Colour, Reply
from formats import MSGPACK, MsgPack, msgpack
from stubwire import ApiClient, ArgumentError, Body, post
from stubwire._codecs import body_encoder

MakeApi = Callable[..., Api]


class Event(BaseModel):
    id: int


class Problem(BaseModel):
    message: str


class Broken(MsgPack):
    def encode(self, value: object, /) -> bytes:
        raise LookupError(f"never heard of {value!r}")


class Wordy(MsgPack):
    def encode(self, value: object, /) -> Any:
        return "text"


class Events(ApiClient):
    base_url = "https://api.example"
    codecs = [Broken()]

    @post("/events")
    def create(self, event: Annotated[Event, Body(content_type=MSGPACK)]) -> None:
        raise NotImplementedError


def encode(hint: object, value: object, codec: Any = None, **options: Any) -> bytes:
    """What a body of a type becomes."""
    made = body_encoder(hint, MSGPACK, [codec or MsgPack()], "Events.create: event", **options)
    assert made is not None
    return made(value)


def test_the_first_codec_that_has_a_type_serves_it() -> None:
    class Other(MsgPack):
        content_types = frozenset({MSGPACK})

        def encode(self, value: object, /) -> bytes:
            return b"other"

    made = body_encoder(int, MSGPACK, [Other(), MsgPack()], "here")
    assert made is not None
    assert made(1) == b"other"


def test_no_codec_has_another_type() -> None:
    assert body_encoder(Event, "application/cbor", [MsgPack()], "here") is None
    assert body_encoder(Event, None, [MsgPack()], "here") is None
    assert body_encoder(Event, MSGPACK, [], "here") is None


def test_a_codec_gets_plain_data() -> None:
    class Sparse(BaseModel):
        model_config = ConfigDict(serialize_by_alias=True)
        name: str = Field(default="a", alias="Name")
        price: Annotated[Decimal, PlainSerializer(str)] = Decimal("1.10")

    assert msgpack.unpackb(encode(Sparse, Sparse())) == {"Name": "a", "price": "1.10"}
    assert msgpack.unpackb(encode(Sparse, Sparse(Name="b"), exclude_unset=True)) == {"Name": "b"}
    assert msgpack.unpackb(encode(list[Sparse], [Sparse()])) == [{"Name": "a", "price": "1.10"}]
    assert msgpack.unpackb(encode(dict[str, int], {"a": 1})) == {"a": 1}


class Vault(BaseModel):
    secrets: dict[str, list[SecretStr]] = {}


class Open(BaseModel):
    secret: Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]


def test_a_secret_is_sent_only_where_a_serializer_says_so() -> None:
    assert msgpack.unpackb(encode(Open, Open(secret=SecretStr("s3cret")))) == {"secret": "s3cret"}
    assert msgpack.unpackb(encode(Vault, Vault())) == {"secrets": {}}
    with pytest.raises(ArgumentError) as caught:
        encode(Vault, Vault(secrets={"a": [SecretStr("s3cret")]}))
    assert str(caught.value) == (
        "Events.create: event: pydantic would send a SecretStr in it as '**********': give the field a serializer, "
        "as in Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]"
    )


NOT_SENT: list[tuple[object, object, Any, str]] = [
    (Event, Problem(message="s3cret"), None, "expected Event, got Problem"),
    (Event | Problem, 5, None, "expected Event | Problem, got int"),
    (list[Event], [5], None, "a value of type list is no list[Event]"),
    (Annotated[int, Field(ge=1)], 0, None, "Input should be greater than or equal to 1"),
    (list[Event], 5, None, "a value of type int is no list[Event]"),
    (Event, Event(id=2**70), None, "MsgPack cannot encode it (OverflowError)"),
    (Problem, Problem(message="s3cret"), Broken(), "Broken cannot encode it (LookupError)"),
    (Problem, Problem(message="s3cret"), Wordy(), "Wordy made a str of it, not bytes"),
]


@pytest.mark.parametrize(("hint", "value", "codec", "message"), NOT_SENT, ids=[row[3] for row in NOT_SENT])
def test_what_cannot_be_encoded_is_an_argument_error_that_quotes_nothing(
    hint: object, value: object, codec: Any, message: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        encode(hint, value, codec)
    assert str(caught.value) == f"Events.create: event: {message}"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_what_cannot_be_encoded_is_not_sent(api: MakeApi, colour: Colour) -> None:
    answers = api(Reply())
    with pytest.raises(ArgumentError) as caught:
        colour.run(Events(transport=answers.transport).create, Event(id=1))
    assert str(caught.value) == "Events.create: event: Broken cannot encode it (LookupError)"
    assert answers.requests == []
