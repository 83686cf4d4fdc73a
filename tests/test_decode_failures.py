"""What cannot be decoded: a `DecodeError` that a person can act on, and nothing of pydantic, json or codecs."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from conftest import Api, Colour, Reply
from stubwire import ApiClient, DecodeError, Response, ResponseValidationError, get
from stubwire._decode import decoder

MakeApi = Callable[..., Api]


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]


class Tree(BaseModel):
    child: Tree | None = None


class Zoo(ApiClient):
    base_url = "https://api.example"

    @get("/cat")
    def cat(self) -> Cat:
        raise NotImplementedError

    @get("/name")
    def name(self) -> str:
        raise NotImplementedError


def fails(returns: object, content: bytes, content_type: str | None = "application/json") -> DecodeError:
    """The error of decoding this body."""
    headers = {"Content-Type": content_type} if content_type else {}
    with pytest.raises(DecodeError) as caught:
        decoder(returns, None, "Test.stub")(Response(200, content=content, headers=headers))
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


PAGE = "<html><body>Down for maintenance until noon.</body></html>"
TRUNCATED = "answered 200 with text/html, which is not JSON: " + repr("<p>" + "x" * 197)

NOT_JSON: list[tuple[bytes, str | None, str]] = [
    (b"", "application/json", "answered 200 with an empty body of application/json, where JSON was declared"),
    (b"", None, "answered 200 with an empty body, where JSON was declared"),
    (PAGE.encode(), "text/html", f"answered 200 with text/html, which is not JSON: {PAGE!r}"),
    (b"<p>" + b"x" * 500, "text/html", TRUNCATED),
    (b"gone", None, "answered 200 with no content type, which is not JSON: 'gone'"),
    (b'{"id": 1', "application/json", "answered 200 with application/json, which is not JSON: '{\"id\": 1'"),
    (b"{'id': 1}", "application/json", "answered 200 with application/json, which is not JSON: \"{'id': 1}\""),
    (
        "müde".encode("latin-1"),
        "text/html; charset=latin-1",
        "answered 200 with text/html; charset=latin-1, which is not JSON: 'müde'",
    ),
    (b'{"id": "\xff"}', "application/json", "answered 200 with a body that is not utf-8"),
    (b"\x89PNG\r\n", "image/png", "answered 200 with a body that is not utf-8"),
    (
        b'{"token": "s3cret", ',
        "application/json",
        'answered 200 with application/json, which is not JSON: \'{"token": "[redacted]", \'',
    ),
]


@pytest.mark.parametrize(("content", "content_type", "message"), NOT_JSON, ids=str)
def test_a_body_that_is_not_json_shows_status_type_and_its_first_200_characters(
    content: bytes, content_type: str | None, message: str
) -> None:
    error = fails(Cat, content, content_type)
    assert type(error) is DecodeError
    assert str(error) == message
    assert error.response.content == content


@pytest.mark.parametrize("returns", [Any, Tree, list[int]], ids=str)
def test_json_that_is_too_deep_is_a_decode_error(returns: object) -> None:
    content = b"[" * 100_000 + b"]" * 100_000
    assert str(fails(returns, content)) == "answered 200 with JSON that is nested more than 200 levels deep"


def test_json_that_does_not_fit_lists_pydantics_errors_without_values() -> None:
    error = fails(Cat, b'{"kind": "fish", "lives": "s3cret"}')
    assert isinstance(error, ResponseValidationError)
    assert str(error) == (
        "answered 200 with JSON that does not fit: kind: Input should be 'cat'; "
        "lives: Input should be a valid integer, unable to parse string as an integer"
    )
    assert error.errors() == [
        {"type": "literal_error", "loc": ("kind",), "msg": "Input should be 'cat'"},
        {
            "type": "int_parsing",
            "loc": ("lives",),
            "msg": "Input should be a valid integer, unable to parse string as an integer",
        },
    ]
    assert [detail.get("input") for detail in error.errors(show_input=True)] == ["fish", "s3cret"]
    assert "s3cret" not in "".join(traceback.format_exception(error))


def test_of_many_errors_the_first_five_are_shown() -> None:
    error = fails(list[int], json.dumps(["a"] * 8).encode())
    what = "Input should be a valid integer, unable to parse string as an integer"
    shown = "; ".join(f"{index}: {what}" for index in range(5))
    assert str(error) == f"answered 200 with JSON that does not fit: {shown}; and 3 more"
    assert isinstance(error, ResponseValidationError)
    assert len(error.errors()) == 8


def test_a_discriminators_value_is_not_quoted() -> None:
    error = fails(Annotated[Cat | Dog, Field(discriminator="kind")], b'{"kind": "s3cret"}')
    assert str(error) == (
        "answered 200 with JSON that does not fit: "
        "Input tag found using 'kind' does not match any of the expected tags: 'cat', 'dog'"
    )


def test_a_returned_list_of_details_is_the_callers_own() -> None:
    error = fails(list[int], b'["a"]')
    assert isinstance(error, ResponseValidationError)
    error.errors(show_input=True)[0]["input"] = "changed"
    error.errors().clear()
    assert error.errors(show_input=True)[0].get("input") == "a"


def test_a_call_says_which_endpoint_did_not_decode(api: MakeApi, colour: Colour) -> None:
    reply = Reply(200, content=PAGE.encode(), headers={"Content-Type": "text/html", "X-Request-Id": "8F3A"})
    client = Zoo(transport=api(reply).transport)
    with pytest.raises(DecodeError) as caught:
        colour.run(client.cat)
    assert str(caught.value) == (
        "Zoo.cat: GET https://api.example/cat answered 200 with text/html, which is not JSON: "
        f"{PAGE!r} (request id 8F3A)"
    )
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_body_that_is_not_in_its_content_encoding_is_a_decode_error(api: MakeApi, colour: Colour) -> None:
    def raw(request: Any) -> Any:
        library = server.library
        headers = {"Content-Encoding": "gzip"}
        return library.Response(200, headers=headers, stream=library.ByteStream(b"no gzip"))

    server = api()
    client = Zoo(transport=server.library.MockTransport(raw))
    with pytest.raises(DecodeError) as caught:
        colour.run(client.cat)
    assert str(caught.value) == (
        "Zoo.cat: GET https://api.example/cat answered 200 with a body that is not in its Content-Encoding"
    )
    assert caught.value.response.status_code == 200
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert len(caught.value.attempts) == 1


@given(st.binary(max_size=40), st.sampled_from(["", "; charset=utf-8", "; charset=utf-16", "; charset=latin-1"]))
def test_whatever_the_bytes_nothing_but_a_decode_error_comes_out(content: bytes, charset: str) -> None:
    response: Response[Any] = Response(200, content=content, headers={"Content-Type": f"application/json{charset}"})
    failures: list[Exception] = []
    for returns in (Cat, str, int | None, list[str]):
        try:
            decoder(returns, None, "Test.stub")(response)
        except Exception as error:  # noqa: BLE001 - whatever it is
            failures.append(error)
    assert all(isinstance(error, DecodeError) and error.__context__ is None for error in failures), failures
