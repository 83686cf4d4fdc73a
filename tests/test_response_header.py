"""`Response.header`: a header as a typed value."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, BeforeValidator, Field, Json, PlainValidator

from conftest import Api, Colour, Reply
from stubwire import ApiClient, DecodeError, Response, ResponseValidationError, SpecError, get

MakeApi = Callable[..., Api]
UTC = timezone.utc  # noqa: UP017 - as pydantic makes it
Date = Annotated[datetime, BeforeValidator(parsedate_to_datetime)]


class Paint(Enum):
    RED = "red"


class Rate(BaseModel):
    left: int


def split(text: str) -> list[str]:
    return text.split("|")


TYPED: list[tuple[object, str, object]] = [
    (str, "abc", "abc"),
    (int, "5", 5),
    (float, "0.5", 0.5),
    (bool, "true", True),
    (Decimal, "1.10", Decimal("1.10")),
    (UUID, "12345678-1234-5678-1234-567812345678", UUID("12345678-1234-5678-1234-567812345678")),
    (datetime, "2024-02-03T04:05:06Z", datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)),
    (Date, "Sat, 03 Feb 2024 04:05:06 GMT", datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)),
    (Paint, "red", Paint.RED),
    (Literal["a", "b"], "b", "b"),
    (int | None, "5", 5),
    (int | str, "5", "5"),
    (str | int, "5", "5"),
    (Annotated[int, Field(ge=1)], "5", 5),
    (Json[Rate], '{"left": 3}', Rate(left=3)),
    (list[str], "a, b", ["a", "b"]),
    (list[str], "a,,b ,\tc", ["a", "b", "c"]),
    (list[str], "", []),
    (list[str], r'"a, \"b", c', [r'"a, \"b"', "c"]),
    (list[str], '"a, b', ['"a, b']),
    (list[int], "1, 2", [1, 2]),
    (set[str], "GET, POST, GET", {"GET", "POST"}),
    (tuple[int, ...], "1,2", (1, 2)),
    (Annotated[list[int], Field(max_length=2)], "1, 2", [1, 2]),
    (Annotated[list[int], BeforeValidator(split)], "1|2", [1, 2]),
    (Annotated[list[str], PlainValidator(split)], "1,2|3", ["1,2", "3"]),
    (Any, "a, b", "a, b"),
]


@pytest.mark.parametrize(("into", "text", "expected"), TYPED, ids=[row[1] for row in TYPED])
def test_a_header_is_what_its_type_makes_of_the_text(into: Any, text: str, expected: object) -> None:
    got: object = Response(200, headers={"X-It": text}).header("x-it", into)
    assert got == expected
    assert type(got) is type(expected)


def test_its_type_is_known_to_type_checkers() -> None:
    response: Response[None] = Response(200, headers={"X-Total": "5", "Allow": "GET, PUT"})
    total: int = response.header("X-Total", int)
    text: str = response.header("X-Total")
    allow: list[str] = response.header("Allow", list[str])
    maybe: int | None = response.header("X-Missing", int, default=None)
    none: str | None = response.header("X-Missing", default=None)
    date: datetime | None = response.header("Date", Date, default=None)
    assert (total, text, allow, maybe, none, date) == (5, "5", ["GET", "PUT"], None, None, None)


def test_headers_of_one_name_are_one_list() -> None:
    response = Response(200, headers=[("Vary", "Accept"), ("Vary", "Origin, Cookie")])
    assert response.header("Vary", list[str]) == ["Accept", "Origin", "Cookie"]


def test_a_header_that_is_not_there_is_an_error_unless_something_stands_for_it() -> None:
    response = Response(200)
    assert response.header("X-Total", int, default=0) == 0
    assert response.header("X-Total", int, default=None) is None
    assert response.header("X-Total", int | None) is None
    assert response.header("X-Total", int | None, default=1) == 1
    with pytest.raises(ResponseValidationError) as caught:
        response.header("X-Total", int)
    assert str(caught.value) == "answered 200 without the header 'X-Total'"
    assert caught.value.errors() == [{"type": "missing", "loc": ("X-Total",), "msg": "Field required"}]


def test_a_header_that_does_not_fit_is_named_and_its_value_is_not() -> None:
    response = Response(200, headers={"X-Total": "s3cret"})
    with pytest.raises(ResponseValidationError) as caught:
        response.header("X-Total", int, default=0)
    assert str(caught.value) == (
        "answered 200 with a header 'X-Total' that does not fit: "
        "Input should be a valid integer, unable to parse string as an integer"
    )
    assert [detail.get("loc") for detail in caught.value.errors()] == [("X-Total",)]
    assert [detail.get("input") for detail in caught.value.errors(show_input=True)] == ["s3cret"]
    assert caught.value.__context__ is None
    assert isinstance(caught.value, DecodeError)


def test_what_does_not_fit_in_a_list_is_located() -> None:
    with pytest.raises(ResponseValidationError) as caught:
        Response(200, headers={"X-Ids": "1, b"}).header("X-Ids", list[int])
    assert [detail.get("loc") for detail in caught.value.errors()] == [("X-Ids", 1)]


def test_a_type_that_pydantic_cannot_handle_is_a_spec_error() -> None:
    class Unknown:
        pass

    with pytest.raises(SpecError, match=r"^Response\.header: pydantic cannot handle the type Unknown: "):
        Response(200, headers={"X": "1"}).header("X", Unknown)


class Repos(ApiClient):
    base_url = "https://api.example"

    @get("/repos")
    def repos(self) -> list[str]:
        raise NotImplementedError


DOES_NOT_FIT = (
    "GET https://api.example/repos answered 200 with a header 'X-Total' that does not fit: "
    "Input should be a valid integer, unable to parse string as an integer (request id 8F3A)"
)


def test_an_error_says_which_call_it_came_from(api: MakeApi, colour: Colour) -> None:
    client = Repos(transport=api(Reply(json=["a"], headers={"X-Total": "many", "X-Request-Id": "8F3A"})).transport)
    response = colour.response(client.repos)
    elapsed = response.elapsed

    with pytest.raises(ResponseValidationError) as caught:
        response.header("X-Total", int)

    error = caught.value
    assert str(error) == f"Repos.repos: {DOES_NOT_FIT}"
    assert (error.attempts, error.elapsed, response.elapsed) == (response.attempts, elapsed, elapsed)


def test_a_pickled_response_has_left_its_call(api: MakeApi) -> None:
    kept = pickle.loads(pickle.dumps(Repos(transport=api(Reply(json=["a"])).transport).repos.response()))
    with pytest.raises(ResponseValidationError) as caught:
        kept.header("X-Total", int)
    assert str(caught.value) == "answered 200 without the header 'X-Total'"


def test_an_interceptor_may_read_one(api: MakeApi, colour: Colour) -> None:
    client = Repos(transport=api(Reply(json=[], headers={"X-Total": "many", "X-Request-Id": "8F3A"})).transport)

    def count(response: Response[Any]) -> None:
        response.header("X-Total", int)

    client.interceptors.response.use(count)
    with pytest.raises(ResponseValidationError) as caught:
        colour.run(client.repos)
    assert str(caught.value) == f"Repos.repos: {DOES_NOT_FIT}"
