"""The verb's `responses`: what a body is, by the status of a success."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from conftest import Api, Colour, Reply
from declaring import both_modes, declare
from stubwire import ApiClient, DecodeError, NotFoundError, Response, ResponseValidationError, SpecError, get, post
from stubwire._responses import successes

MakeApi = Callable[..., Api]


class Job(BaseModel):
    id: int


class Repo(BaseModel):
    id: int
    name: str = ""


class Created(BaseModel):
    id: int


class Repos(ApiClient):
    base_url = "https://api.example"

    @get("/repo", responses={202: Job, "2XX": Repo, range(200, 202): Created, 203: str, 204: None, 205: bytes})
    def repo(self) -> Repo | Job | Created | str | bytes | None:
        raise NotImplementedError

    @get("/whole", responses={202: Job})
    def whole(self) -> Response[Repo | Job]:
        raise NotImplementedError

    @get("/lists", responses={200: list[Repo], 206: list[Job]})
    def lists(self) -> list[Repo] | list[Job]:
        raise NotImplementedError

    @post("/data", unwrap="data.0", responses={202: Job, 203: str, 204: None})
    def data(self) -> Repo | Job | str | None:
        raise NotImplementedError

    @get("/maybe", none_on={404}, responses={200: Repo, 202: Job})
    def maybe(self) -> Repo | Job | None:
        raise NotImplementedError

    @get("/any", responses={202: Job})
    def anything(self) -> Any:
        raise NotImplementedError


BY_STATUS: list[tuple[int, bytes, object]] = [
    (200, b'{"id": 1}', Created(id=1)),
    (201, b'{"id": 1}', Created(id=1)),
    (202, b'{"id": 1}', Job(id=1)),
    (203, b"plain text", "plain text"),
    (204, b"", None),
    (204, b"whatever", None),
    (205, b"\xff", b"\xff"),
    (206, b'{"id": 1}', Repo(id=1)),
    (299, b'{"id": 1, "name": "a"}', Repo(id=1, name="a")),
]


@pytest.mark.parametrize(("status", "content", "expected"), BY_STATUS)
def test_the_narrowest_key_says_what_a_body_is(
    api: MakeApi, colour: Colour, status: int, content: bytes, expected: object
) -> None:
    client = Repos(transport=api(Reply(status, content=content)).transport)
    got = colour.run(client.repo)
    assert (got, type(got)) == (expected, type(expected))


def test_a_status_that_no_key_names_is_what_the_stub_returns(api: MakeApi, colour: Colour) -> None:
    client = Repos(transport=api(Reply(200, json={"id": 1, "name": "a"}), Reply(202, json={"id": 2})).transport)
    assert [colour.response(client.whole).data, colour.run(client.whole).data] == [Repo(id=1, name="a"), Job(id=2)]


def test_a_list_of_one_model_is_not_one_of_the_other(api: MakeApi) -> None:
    client = Repos(transport=api(Reply(200, json=[{"id": 1}]), Reply(206, json=[{"id": 1}])).transport)
    assert [client.lists(), client.lists()] == [[Repo(id=1)], [Job(id=1)]]


def test_unwrap_holds_for_every_type(api: MakeApi) -> None:
    client = Repos(
        transport=api(
            Reply(200, json={"data": [{"id": 1}]}),
            Reply(202, json={"data": [{"id": 2}]}),
            Reply(203, json={"data": ["text"]}),
            Reply(204),
        ).transport
    )
    assert [client.data() for _ in range(4)] == [Repo(id=1), Job(id=2), "text", None]


def test_none_on_goes_first(api: MakeApi) -> None:
    client = Repos(transport=api(Reply(404, json={}), Reply(202, json={"id": 2}), Reply(200)).transport)
    assert [client.maybe(), client.maybe()] == [None, Job(id=2)]
    with pytest.raises(DecodeError, match="answered 200 with an empty body, where JSON was declared"):
        client.maybe()


def test_anything_may_be_anything(api: MakeApi) -> None:
    client = Repos(transport=api(Reply(200, json={"id": 1}), Reply(202, json={"id": 2})).transport)
    assert [client.anything(), client.anything()] == [{"id": 1}, Job(id=2)]


def test_a_body_that_is_not_what_its_status_says_does_not_fit(api: MakeApi, colour: Colour) -> None:
    client = Repos(transport=api(Reply(202, json={"name": "a"})).transport)
    with pytest.raises(ResponseValidationError) as caught:
        colour.run(client.whole)
    assert str(caught.value) == (
        "Repos.whole: GET https://api.example/whole answered 202 with JSON that does not fit: id: Field required"
    )


def test_a_failure_stays_one(api: MakeApi) -> None:
    with pytest.raises(NotFoundError):
        Repos(transport=api(Reply(404)).transport).repo()


# ---- keys and types


@pytest.mark.parametrize(
    ("key", "statuses"),
    [(200, range(200, 201)), (299, range(299, 300)), ("2XX", range(200, 300)), ("2xx", range(200, 300))],
)
def test_a_key_names_statuses(key: Any, statuses: range) -> None:
    assert successes(key) == statuses
    assert successes(statuses) == statuses


NO_KEYS: list[Any] = [
    *(199, 300, True, "4XX", "202", "", 202.0, None),
    *(range(199, 201), range(200, 301), range(200, 200), range(200, 300, 2)),
]


@pytest.mark.parametrize("key", NO_KEYS, ids=repr)
def test_a_key_that_is_no_status_of_a_success_is_a_spec_error(key: Any) -> None:
    with pytest.raises(SpecError) as caught:

        class Wrong(ApiClient):
            @get("/repo", responses={key: Repo})
            def repo(self) -> Repo:
                raise NotImplementedError

    assert str(caught.value) == (
        f"Wrong.repo: responses has the key {key!r}: write a status from 200 to 299, a range of them, or '2XX'"
    )


NOT_RETURNED = "which the stub does not return: write ->"
NO_TYPES = [
    ("Model", "{202: Other}", f"responses maps 202 to Other, {NOT_RETURNED} Model | Other"),
    (
        "Model | Other",
        "{'2XX': list[Other]}",
        f"responses maps '2XX' to list[Other], {NOT_RETURNED} Model | Other | list[Other]",
    ),
    ("Model", "{204: None}", f"responses maps 204 to None, {NOT_RETURNED} Model | None"),
    (
        "Model | Other",
        "{200: Model | str}",
        f"responses maps 200 to Model | str, {NOT_RETURNED} Model | Other | Model | str",
    ),
    ("Response[Model]", "{202: Other}", f"responses maps 202 to Other, {NOT_RETURNED} Model | Other"),
    ("Model", "[Model]", "responses=[<class 'declared.Model'>] is no mapping: write {202: Job, '2XX': Repo}"),
    (
        "Model | bytes",
        "{202: bytes}, unwrap='a'",
        "unwrap needs JSON results, and responses maps 202 to bytes: drop one",
    ),
]


@pytest.mark.parametrize(("returns", "given", "message"), NO_TYPES, ids=[row[2] for row in NO_TYPES])
@both_modes
def test_a_type_that_the_stub_does_not_return_is_a_spec_error(
    flags: int, returns: str, given: str, message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        declare(
            f'class Wrong(ApiClient):\n    @get("/a", responses={given})\n    def stub(self) -> {returns}: ...', flags
        )
    assert str(caught.value) == f"Wrong.stub: {message}"


RIGHT = [
    ("Model", "{200: Model}"),
    ("Annotated[Model, Field(description='a')] | None", "{200: Model, 204: None}"),
    ("Model | Other | str", "{range(200, 203): Model | Other, 203: str}"),
    ("object", "{200: Model}"),
    ("Any", "{200: Model}"),
    ("Response[Model | Other]", "{202: Other}"),
    ("Response", "{202: Other}"),
    ("Model", "{}"),
]


@pytest.mark.parametrize(("returns", "given"), RIGHT)
@both_modes
def test_a_type_that_the_stub_returns_is_right(flags: int, returns: str, given: str) -> None:
    text = f'class Right(ApiClient):\n    base_url = "https://a.example"\n    @get("/a", responses={given})\n'
    names = declare(f"{text}    def stub(self) -> {returns}: ...", flags)
    assert callable(names["Right"]().stub)
