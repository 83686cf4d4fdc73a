"""What a client takes as codecs."""

from __future__ import annotations

from typing import Any

import pytest

from stubwire import ApiClient, ConfigurationError


class Reads:
    content_types: Any = {"application/msgpack"}

    def encode(self, value: object, /) -> bytes:
        raise NotImplementedError

    def decode(self, content: bytes, /) -> object:
        raise NotImplementedError


class OneType(Reads):
    content_types = "application/msgpack"


class NoTypes(Reads):
    content_types = ()


class NumberTypes(Reads):
    content_types = 5


class Extension(Reads):
    content_types = ["msgpack"]


class Blank(Reads):
    content_types = ["application/ms gpack"]


class Number(Reads):
    content_types = [5]


class Half:
    content_types = {"application/msgpack"}

    def encode(self, value: object, /) -> bytes:
        raise NotImplementedError


A_SET = "content_types must be a set: write {'application/msgpack'}"
WRONG: list[tuple[Any, str]] = [
    (Reads(), "codecs must be a list: write codecs=[...]"),
    ({"application/msgpack": Reads()}, "codecs must be a list: write codecs=[...]"),
    (None, "codecs must be a list: write codecs=[...]"),
    ([Reads], "Reads is a class: pass an object of it, Reads()"),
    ([Half()], "Half is no codec: write content_types, encode(value) and decode(content)"),
    (["application/msgpack"], "str is no codec: write content_types, encode(value) and decode(content)"),
    ([OneType()], f"OneType.{A_SET}"),
    ([NoTypes()], f"NoTypes.{A_SET}"),
    ([NumberTypes()], f"NumberTypes.{A_SET}"),
    ([Extension()], "Extension.content_types has 'msgpack': write a type, 'application/msgpack'"),
    ([Blank()], "Blank.content_types has 'application/ms gpack': write a type, 'application/msgpack'"),
    ([Number()], "Number.content_types has 5: write a type, 'application/msgpack'"),
]


@pytest.mark.parametrize(("given", "message"), WRONG, ids=[row[1] for row in WRONG])
def test_what_is_no_codec_is_a_configuration_error(given: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ApiClient(base_url="https://api.example", codecs=given)
    assert str(caught.value) == f"ApiClient: {message}"
    with pytest.raises(ConfigurationError) as caught:

        class Wrong(ApiClient):
            codecs = given

    assert str(caught.value) == f"Wrong: {message}"


@pytest.mark.parametrize("given", [[], (), [Reads()], (Reads(),)], ids=["none", "no tuple", "a list", "a tuple"])
def test_a_client_keeps_its_codecs(given: Any) -> None:
    assert ApiClient(base_url="https://api.example", codecs=given).codecs == given
