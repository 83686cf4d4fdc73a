"""`errors=`: what a status raises, and what its body becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import pytest
from pydantic import BaseModel

from conftest import Api, Colour, Reply
from stubwire import (
    ApiClient,
    ClientError,
    ConflictError,
    HTTPStatusError,
    NotFoundError,
    Response,
    Retry,
    ServerError,
    get,
)
from stubwire._decode import body_type, narrowest, statuses

MakeApi = Callable[..., Api]


class CardProblem(BaseModel):
    decline_code: str


class Problem(BaseModel):
    message: str


class CardError(ClientError[CardProblem]):
    """The card was declined."""


class Outage(ServerError[Problem]):
    """The server is down."""


class Anything(HTTPStatusError[Problem]):
    """Any status."""


class Payments(ApiClient):
    base_url = "https://api.example"
    retry: Retry | None = None
    errors = {"4XX": Problem, range(500, 503): Outage, 503: Anything}

    @get("/card", errors={402: CardError, range(404, 406): Anything})
    def card(self) -> int:
        raise NotImplementedError

    @get("/plain")
    def plain(self) -> int:
        raise NotImplementedError


RAISED: list[tuple[str, int, type[HTTPStatusError], object]] = [
    ("card", 402, CardError, CardProblem(decline_code="stolen")),
    ("card", 404, Anything, Problem(message="no")),
    ("card", 405, Anything, Problem(message="no")),
    ("card", 409, ConflictError, Problem(message="no")),
    ("card", 500, Outage, Problem(message="no")),
    ("card", 503, Anything, Problem(message="no")),
    ("card", 504, ServerError, {"message": "no", "decline_code": "stolen"}),
    ("plain", 402, ClientError, Problem(message="no")),
    ("plain", 404, NotFoundError, Problem(message="no")),
]


@pytest.mark.parametrize(("endpoint", "status", "kind", "body"), RAISED)
def test_a_model_keeps_the_statuss_class_and_an_exception_class_stands_for_it(  # noqa: PLR0917 - one row of a table
    api: MakeApi, colour: Colour, endpoint: str, status: int, kind: type[HTTPStatusError], body: object
) -> None:
    """The narrowest key wins, whichever layer it stands in."""
    client = Payments(transport=api(Reply(status, json={"message": "no", "decline_code": "stolen"})).transport)
    with pytest.raises(HTTPStatusError) as caught:
        colour.run(getattr(client, endpoint))
    assert type(caught.value) is kind
    assert caught.value.body == body
    assert str(caught.value) == f"Payments.{endpoint}: GET https://api.example/{endpoint} answered {status}"
    assert caught.value.__context__ is None


def test_the_body_is_typed(api: MakeApi) -> None:
    client = Payments(transport=api(Reply(402, json={"decline_code": "stolen"})).transport)
    try:
        client.card()
    except CardError as error:
        code: str | None = error.body.decline_code if error.body else None
        assert code == "stolen"
    else:
        raise AssertionError("unreachable")


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"decline_code": 5}', b"\xff"])
def test_a_body_that_does_not_fit_is_none_and_its_text_is_on_the_response(
    api: MakeApi, colour: Colour, content: bytes
) -> None:
    client = Payments(transport=api(Reply(402, content=content)).transport)
    with pytest.raises(CardError) as caught:
        colour.run(client.card)
    assert caught.value.body is None
    assert caught.value.response.content == content
    assert caught.value.__context__ is None


PROBLEM = {"type": "about:blank", "title": "Out of credit", "detail": "Your balance is 30,\n but that costs 50."}
PROBLEMS: list[tuple[Mapping[str, object] | list[int], str, str]] = [
    (PROBLEM, "application/problem+json", "answered 403: Out of credit. Your balance is 30, but that costs 50."),
    (
        PROBLEM,
        "Application/Problem+JSON; charset=utf-8",
        "answered 403: Out of credit. Your balance is 30, but that costs 50.",
    ),
    ({"title": "Out of credit"}, "application/problem+json", "answered 403: Out of credit"),
    ({"detail": "x" * 300}, "application/problem+json", f"answered 403: {'x' * 200}"),
    ({"title": 5, "detail": ""}, "application/problem+json", "answered 403"),
    ({}, "application/problem+json", "answered 403"),
    ([1], "application/problem+json", "answered 403"),
    (PROBLEM, "application/json", "answered 403"),
]


@pytest.mark.parametrize(("body", "content_type", "message"), PROBLEMS, ids=str)
def test_problem_json_is_understood_without_being_declared(
    api: MakeApi, body: object, content_type: str, message: str
) -> None:
    """RFC 9457: the message says its title and detail, and the body is the decoded document."""

    class Bank(ApiClient):
        base_url = "https://api.example"

        @get("/pay")
        def pay(self) -> int:
            raise NotImplementedError

    reply = Reply(403, json=body, headers={"Content-Type": content_type, "X-Request-Id": "8F3A"})
    with pytest.raises(ClientError) as caught:
        Bank(transport=api(reply).transport).pay()
    assert str(caught.value) == f"Bank.pay: GET https://api.example/pay {message} (request id 8F3A)"
    assert caught.value.body == body


def test_a_declared_model_reads_problem_json_too(api: MakeApi) -> None:
    reply = Reply(402, json={**PROBLEM, "decline_code": "x"}, headers={"Content-Type": "application/problem+json"})
    with pytest.raises(CardError, match="answered 402: Out of credit") as caught:
        Payments(transport=api(reply).transport).card()
    assert caught.value.body == CardProblem(decline_code="x")


def test_a_redirect_that_is_not_followed_is_a_plain_status_error(api: MakeApi, colour: Colour) -> None:
    client = Payments(transport=api(Reply(302, headers={"Location": "/elsewhere"})).transport)
    with pytest.raises(HTTPStatusError) as caught:
        colour.run(client.plain)
    assert type(caught.value) is HTTPStatusError
    assert str(caught.value) == "Payments.plain: GET https://api.example/plain answered 302"


# ---- the pure parts

KEYS: list[tuple[int | range | str, range]] = [
    (300, range(300, 301)),
    (404, range(404, 405)),
    (599, range(599, 600)),
    (range(400, 410), range(400, 410)),
    ("3XX", range(300, 400)),
    ("4xx", range(400, 500)),
    ("5XX", range(500, 600)),
]


@pytest.mark.parametrize(("key", "expected"), KEYS, ids=str)
def test_a_key_names_statuses(key: int | range | str, expected: range) -> None:
    assert statuses(key) == expected


@pytest.mark.parametrize(
    "key",
    [
        0,
        200,
        299,
        600,
        True,
        range(400, 400),
        range(400, 500, 2),
        range(200, 300),
        range(500, 601),
        "2XX",
        "404",
        "XX",
        "4Xx",
    ],
)
def test_anything_else_is_no_status(key: int | range | str) -> None:
    with pytest.raises(
        ValueError, match="is no status: write a number from 300 to 599, a range of them, or '4XX' or '5XX'"
    ):
        statuses(key)


def test_of_two_keys_as_narrow_the_upper_layers_wins() -> None:
    lower, upper = range(400, 410), range(405, 415)
    assert narrowest({lower: int, upper: str}, 407) is str
    assert narrowest({lower: int, upper: str}, 401) is int
    assert narrowest({range(400, 500): bytes, lower: int}, 401) is int
    assert narrowest({lower: int}, 500) is None


M = TypeVar("M")


def test_the_model_of_an_exception_class_is_found_in_its_bases() -> None:
    class Base(ClientError[M], Generic[M]):
        pass

    class Derived(Base[Problem]):
        pass

    class Further(Derived):
        pass

    class Mixin(Generic[M]):
        pass

    class Mixed(Mixin[int], ClientError[Problem]):
        pass

    declared: list[object] = [body_type(kind) for kind in (CardError, Derived, Further, Mixed)]
    expected: list[object] = [
        CardProblem,
        Problem,
        Problem,
        Problem,
    ]
    assert declared == expected
    assert [body_type(kind) for kind in (ClientError, NotFoundError, Base)] == [None, None, None]


def test_an_exception_class_without_a_model_has_the_decoded_json(api: MakeApi) -> None:
    class Gone(ClientError):
        pass

    class Things(ApiClient):
        base_url = "https://api.example"

        @get("/thing", errors={410: Gone})
        def thing(self) -> Response[int]:
            raise NotImplementedError

    with pytest.raises(Gone) as caught:
        Things(transport=api(Reply(410, json={"since": 2020})).transport).thing()
    assert caught.value.body == {"since": 2020}
