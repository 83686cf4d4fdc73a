"""From a response to the stub's result: what is returned is what was annotated."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, NewType
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter
from typing_extensions import TypedDict

import stubwire
from conftest import Api, Colour, Reply
from servers import RawServer, http
from stubwire import ApiClient, DecodeError, Response, ResponseValidationError, get
from stubwire._decode import Decoder, decoder, result_type

MakeApi = Callable[..., Api]


class Repo(BaseModel):
    id: int
    name: str


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    id: UUID
    created: datetime
    price: Decimal


class Paint(Enum):
    RED = "red"


class Row(TypedDict):
    id: int


@dataclass
class Point:
    x: float


Name = NewType("Name", str)
UTC = timezone.utc  # noqa: UP017 - as the model makes it
AN_ID = "12345678-1234-5678-1234-567812345678"


def decode(returns: object, response: Response[Any], unwrap: str | None = None) -> object:
    """What a stub that returns this makes of a response."""
    data_type, _ = result_type(returns)
    made: Decoder = decoder(data_type, unwrap, "Test.stub")
    return made(response)


JSON: list[tuple[object, bytes, object]] = [
    (Repo, b'{"id": 1, "name": "a"}', Repo(id=1, name="a")),
    (list[Repo], b'[{"id": 1, "name": "a"}]', [Repo(id=1, name="a")]),
    (dict[str, Repo], b'{"a": {"id": 1, "name": "a"}}', {"a": Repo(id=1, name="a")}),
    (Row, b'{"id": 1}', {"id": 1}),
    (Point, b'{"x": 1.5}', Point(1.5)),
    (int, b"5", 5),
    (bool, b"true", True),
    (UUID, f'"{AN_ID}"'.encode(), UUID(AN_ID)),
    (datetime, b'"2024-02-03T04:05:06Z"', datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)),
    (date, b'"2024-02-03"', date(2024, 2, 3)),
    (Decimal, b'"1.10"', Decimal("1.10")),
    (Paint, b'"red"', Paint.RED),
    (tuple[int, str], b'[1, "a"]', (1, "a")),
    (int | str, b'"5"', "5"),
    (Repo | None, b"null", None),
    (Repo | None, b'{"id": 1, "name": "a"}', Repo(id=1, name="a")),
    (str | int | None, b'"a"', "a"),
    (Any, b'{"a": [1, null]}', {"a": [1, None]}),
    (object, b"[1]", [1]),
    (list[Annotated[int, Field(ge=1)]], b"[1]", [1]),
    (Annotated[int, AfterValidator(lambda number: number + 1)], b"1", 2),
]


@pytest.mark.parametrize(("returns", "content", "expected"), JSON)
def test_json_becomes_any_type_that_pydantic_can_validate(returns: object, content: bytes, expected: object) -> None:
    got = decode(returns, Response(200, content=content))
    assert got == expected
    assert type(got) is type(expected)


RAW: list[tuple[object, bytes, object]] = [
    (None, b"anything", None),
    (type(None), b'{"id": 1}', None),
    (bytes, b"\xff\x00", b"\xff\x00"),
    (bytes, b"", b""),
    (bytes | None, b"", None),
    (bytes | None, b"a", b"a"),
    (str, b"caf\xc3\xa9", "café"),
    (str, b'"quoted"', '"quoted"'),
    (str, b"", ""),
    (str | None, b"", None),
    (str | None, b"a", "a"),
    (Name, b"octocat", "octocat"),
    (Annotated[str, StringConstraints(strip_whitespace=True)], b" a ", "a"),
    (Annotated[bytes, Field(max_length=3)], b"abc", b"abc"),
]


@pytest.mark.parametrize(("returns", "content", "expected"), RAW, ids=[str(row[0]) for row in RAW])
def test_bytes_are_the_body_str_is_its_text_and_none_reads_nothing(
    returns: object, content: bytes, expected: object
) -> None:
    assert decode(returns, Response(200, content=content)) == expected


def test_text_is_held_to_the_constraints_of_its_type() -> None:
    short = Annotated[str, Field(max_length=3)]

    with pytest.raises(ResponseValidationError) as caught:
        decode(short, Response(200, content=b"secret"))

    assert str(caught.value) == "answered 200 with a body that does not fit: String should have at most 3 characters"
    assert caught.value.errors() == [
        {"type": "string_too_long", "loc": (), "msg": "String should have at most 3 characters"}
    ]


class Repos(ApiClient):
    base_url = "https://api.example"

    @get("/repo")
    def repo(self) -> Repo:
        raise NotImplementedError

    @get("/whole")
    def whole(self) -> Response[Repo]:
        raise NotImplementedError

    @get("/untyped")
    def untyped(self) -> Response:
        raise NotImplementedError

    @get("/maybe", none_on={404, 304})
    def maybe(self) -> Repo | None:
        raise NotImplementedError

    @get("/maybe-whole", none_on={404})
    def maybe_whole(self) -> Response[Repo | None]:
        raise NotImplementedError

    @get("/nothing")
    def nothing(self) -> None:
        raise NotImplementedError


REPO = {"id": 1, "name": "a"}


def test_a_stub_returns_its_model(api: MakeApi, colour: Colour) -> None:
    client = Repos(transport=api(Reply(json=REPO)).transport)
    assert colour.run(client.repo) == Repo(id=1, name="a")


def test_a_stub_of_response_returns_what_response_would(api: MakeApi, colour: Colour) -> None:
    client = Repos(transport=api(Reply(201, json=REPO, headers={"X-Request-Id": "8F3A"})).transport)

    every: list[Response[Repo]] = [
        colour.run(client.whole),
        colour.response(client.whole),
        colour.response(client.repo),
    ]
    for response in every:
        assert type(response) is Response
        assert (response.status_code, response.data, response.request_id) == (201, Repo(id=1, name="a"), "8F3A")
        assert response.request.method == "GET"
    assert colour.run(client.untyped).data == REPO


@pytest.mark.parametrize(
    "reply", [Reply(204), Reply(200, content=b""), Reply(404, json={"message": "no"}), Reply(304)], ids=str
)
def test_none_is_an_empty_body_or_a_status_of_none_on(api: MakeApi, colour: Colour, reply: Reply) -> None:
    client = Repos(transport=api(reply).transport)
    assert colour.run(client.maybe) is None
    assert colour.response(client.maybe).status_code == reply.status


def test_none_on_holds_for_a_stub_of_response(api: MakeApi) -> None:
    client = Repos(transport=api(Reply(404)).transport)
    response = client.maybe_whole()
    assert (response.status_code, response.data) == (404, None)


@pytest.mark.parametrize("reply", [Reply(204), Reply(200, content=b"<html>"), Reply(200, json=REPO)], ids=str)
def test_a_stub_of_none_reads_no_body(api: MakeApi, colour: Colour, reply: Reply) -> None:
    client = Repos(transport=api(reply).transport)
    assert colour.run(client.nothing) is None


def test_a_gzipped_body_comes_decompressed_over_a_real_socket(engine: Any, colour: Colour) -> None:
    body = gzip.compress(b'{"id": 1, "name": "caf\xc3\xa9"}')
    with RawServer(http(body, headers={"Content-Encoding": "gzip"})) as server:
        client = Repos(base_url=server.url, engine=engine)
        try:
            assert colour.run(client.repo) == Repo(id=1, name="café")
        finally:
            client.close()


# ---- what an interceptor assigned


def assigned(value: Any) -> Response[Any]:
    """A response whose data an interceptor assigned."""
    response: Response[Any] = Response(200, content=b'{"id": 0}')
    response.data = value
    return response


def test_assigned_data_is_validated_as_json_again() -> None:
    """So an interceptor changes no type: a UUID, a datetime and a Decimal of a strict model are read from text."""
    value = {"id": AN_ID, "created": "2024-02-03T04:05:06Z", "price": "1.10"}
    expected = Strict(id=UUID(AN_ID), created=datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC), price=Decimal("1.10"))
    assert decode(Strict, assigned(value)) == expected
    assert decode(Strict, assigned(expected)) == expected  # what pydantic serialises is assigned as well


ASSIGNED: list[tuple[object, object, object]] = [
    (None, {"id": 1}, None),
    (str, "text", "text"),
    (str | None, None, None),
    (bytes, b"\xff", b"\xff"),
    (bytes, "text", b"text"),
    (bytes | None, None, None),
    (Repo | None, None, None),
    (list[UUID], [AN_ID], [UUID(AN_ID)]),
]


@pytest.mark.parametrize(("returns", "value", "expected"), ASSIGNED, ids=str)
def test_assigned_data_is_what_was_annotated(returns: object, value: object, expected: object) -> None:
    assert decode(returns, assigned(value)) == expected


def test_assigned_data_passes_through_unwrap() -> None:
    assert decode(int, assigned({"data": {"count": 3}}), "data.count") == 3


@pytest.mark.parametrize("returns", [str, Repo, bytes])
def test_assigned_data_that_does_not_fit_is_a_validation_error(returns: object) -> None:
    with pytest.raises(ResponseValidationError) as caught:
        decode(returns, assigned(5))
    assert str(caught.value).startswith("answered 200 with data that an interceptor assigned that does not fit: ")


def test_assigned_data_that_is_no_json_is_a_decode_error() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(Repo, assigned(object()))
    assert str(caught.value) == "answered 200, and an interceptor assigned data of type object, which is no JSON"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_an_interceptor_assigns_what_is_decoded(api: MakeApi, colour: Colour) -> None:
    client = Repos(transport=api(Reply(json={"items": REPO})).transport)

    def extract_items(response: Response[Any]) -> Response[Any]:
        response.data = response.data["items"]
        return response

    client.interceptors.response.use(extract_items)
    assert colour.run(client.repo) == Repo(id=1, name="a")


def test_data_changed_in_place_is_not_seen(api: MakeApi) -> None:
    client = Repos(transport=api(Reply(json=REPO)).transport)

    def rename(response: Response[Any]) -> None:
        response.data["name"] = "changed"

    client.interceptors.response.use(rename)
    assert client.repo().name == "a"


# ---- a user's own validators


def broken(_: object) -> object:
    """A validator with a bug."""
    nothing: dict[str, object] = {}
    return nothing["at all"]


def test_a_bug_in_a_validator_propagates_and_says_where() -> None:
    with pytest.raises(KeyError) as caught:
        decode(Annotated[int, AfterValidator(broken)], Response(200, content=b"1"))
    assert caught.value.__notes__ == ["raised while decoding the response of Test.stub"]


def test_a_type_that_pydantic_cannot_handle_is_a_spec_error() -> None:
    class Plain:
        pass

    with pytest.raises(stubwire.SpecError, match=r"^Test\.stub: pydantic cannot handle the type .*Plain"):
        decoder(Plain, None, "Test.stub")


def test_json_is_validated_in_one_pass_from_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also behind `unwrap`: nothing decodes JSON by itself."""
    made = decoder(Repo, "data", "Test.stub")
    monkeypatch.setattr("pydantic_core.from_json", None)
    monkeypatch.setattr("pydantic_core.to_json", None)
    monkeypatch.setattr(TypeAdapter, "validate_python", None)
    assert made(Response(200, content=b'{"data": {"id": 1, "name": "a"}}')) == Repo(id=1, name="a")
