"""`**params: Unpack[ListParams]`: the keys of a TypedDict as parameters by name (PEP 692)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Generic, NotRequired, Required, TypeVar

import pytest
import typing_extensions
from typing_extensions import ReadOnly, TypedDict, Unpack

from conftest import Api as Server
from conftest import Colour, Reply
from declaring import both_modes, declare, refusal
from stubwire import UNSET, ApiClient, ArgumentError, Header, Query, Resource, get

BASE = "https://api.example"
T = TypeVar("T")


class Paged(TypedDict, total=False):
    page: int
    per_page: Annotated[int | None, Query("per-page")]


class ListParams(Paged):
    q: str
    since: NotRequired[Annotated[date, Query()]]
    tags: NotRequired[ReadOnly[list[str]]]
    trace: NotRequired[Annotated[str, Header("X-Trace")]]
    where: Annotated[NotRequired[dict[str, int]], Query(style="deep")]


class Of(TypedDict, Generic[T], total=False):
    item: Required[T]
    other: T


class Api(ApiClient):
    base_url = BASE

    @get("/x")
    def find(self, first: int = 0, /, **params: Unpack[ListParams]) -> None:
        raise NotImplementedError

    @get("/items/<item>")
    def of(self, **params: Unpack[Of[int]]) -> None:
        raise NotImplementedError

    @get("/x", query_style="brackets")
    def styled(self, **params: typing_extensions.Unpack[Nested]) -> None:
        raise NotImplementedError


class Nested(TypedDict):
    a: dict[str, list[int]]


def test_the_keys_are_parameters() -> None:
    api = Api()
    assert api.find.request(q="a").url == f"{BASE}/x?first=0&q=a"
    request = api.find.request(
        1, q="a", page=2, per_page=3, since=date(2024, 1, 2), tags=["x", "y"], trace="t", where={"n": 1}
    )
    assert request.url == f"{BASE}/x?first=1&page=2&per-page=3&q=a&since=2024-01-02&tags=x&tags=y&where%5Bn%5D=1"
    assert request.headers["X-Trace"] == "t"
    assert api.find.request(q="a", per_page=None).url == f"{BASE}/x?first=0&q=a"


def test_a_key_may_fill_the_path() -> None:
    assert Api().of.request(item=3, other=4).url == f"{BASE}/items/3?other=4"


def test_a_nested_key_is_written_by_the_style() -> None:
    assert Api().styled.request(a={"b": [1]}).url == f"{BASE}/x?a%5Bb%5D%5B%5D=1"


def test_a_call_with_keys(api: Callable[..., Server], colour: Colour) -> None:
    server = api(Reply())
    client = Api(transport=server.transport)
    colour.run(client.find, q="a", page=1)
    assert str(server.request.url) == f"{BASE}/x?first=0&page=1&q=a"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Api.find() missing 1 required keyword-only argument: 'q'"),
        ({"q": "a", "limit": 1}, "Api.find() got an unexpected keyword argument 'limit'"),
    ],
)
def test_a_key_that_is_missing_or_unknown_is_refused_as_python_does(given: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        Api().find.request(**given)
    assert str(caught.value) == message


def test_a_value_that_does_not_fit_names_its_key() -> None:
    with pytest.raises(ArgumentError) as caught:
        Api().find.request(q="a", page="83512")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert str(caught.value) == "Api.find: page: expected int, got str"


def test_the_signature_shows_each_key() -> None:
    for found in (Api.find.__signature__, inspect.signature(Api().find)):
        assert [parameter.name for parameter in found.parameters.values()] == [
            "first", "page", "per_page", "q", "since", "tags", "trace", "where",
        ]  # fmt: skip
        assert found.parameters["page"] == inspect.Parameter(
            "page", inspect.Parameter.KEYWORD_ONLY, default=UNSET, annotation=int
        )
        assert found.parameters["q"].default is inspect.Parameter.empty
        assert found.parameters["tags"].annotation == list[str]
    assert [parameter.role for parameter in Api.of.spec.parameters] == ["path", "query"]


LATER = """
class {kind}:
    base_url = "https://api.example"
    @get("/x/<a>")
    def f(self, **params: {hint}) -> None: ...

class Later(TypedDict):
    a: str
    b: str
"""


def test_a_type_that_is_defined_later_is_found_at_first_access() -> None:
    names = declare(LATER.format(kind="Api(ApiClient)", hint='"typing.Unpack[Later]"'))
    assert names["Api"]().f.request(a="1", b="2").url == f"{BASE}/x/1?b=2"
    assert list(names["Api"].f.__signature__.parameters) == ["a", "b"]


@pytest.mark.parametrize("hint", ['"typing.Unpack[Never]"', 'typing.Unpack["Never"]'])
def test_a_type_that_is_never_defined_says_so(hint: str) -> None:
    api = declare(LATER.format(kind="Api(ApiClient)", hint=hint))["Api"]
    (parameter,) = api.f.__signature__.parameters.values()
    assert str(parameter).startswith("**params")
    with pytest.raises(TypeError, match=r"^Api\.f: the name 'Never' in its annotations is not defined: import it"):
        _ = api().f


def test_a_resource_has_keys_too() -> None:
    class Items(Resource, path="/<item>"):
        @get("")
        def find(self, **params: Unpack[Of[str]]) -> None:
            raise NotImplementedError

    class Holder(ApiClient):
        base_url = BASE
        items: Items

    assert Holder().items.find.request(item="i").url == f"{BASE}/i"


NO_PARAMS = "write **params: Unpack[Params], where Params is a TypedDict, or each parameter by its name"
ROWS = {
    "a type": ("**params: int", f"**params has the type int: {NO_PARAMS}"),
    "nothing": ("**params", f"**params has no annotation: {NO_PARAMS}"),
    "a model": ("**params: typing.Unpack[Model]", f"**params has the type Unpack[Model]: {NO_PARAMS}"),
    "a parameter of the same name": (
        "page: int, **params: typing.Unpack[Options]",
        "'page' is a parameter, and a key of **params too: rename one of them",
    ),
    "a keyword": (
        '**params: typing.Unpack[TypedDict("T", {"from": str})]',
        (
            "**params has the key 'from', which is no parameter name: write another, and Annotated[..., Query('from')] "
            "as its type"
        ),
    ),
    "no name": (
        '**params: typing.Unpack[TypedDict("T", {"per-page": str})]',
        (
            "**params has the key 'per-page', which is no parameter name: write another, and "
            "Annotated[..., Query('per-page')] as its type"
        ),
    ),
    "the same name on the wire": (
        'a: Annotated[int, Query("page")], **params: typing.Unpack[Options]',
        "parameters 'a' and 'page' are both the query 'page': write another alias for one, as in Query('other')",
    ),
    "a nested key": (
        '**params: typing.Unpack[TypedDict("T", {"a": Model})]',
        (
            "parameter 'a' is a query parameter of type Model, no scalar and no list of scalars: say how to write it, "
            "as in Query(style='deep'), 'brackets' or 'json'"
        ),
    ),
}


@both_modes
@pytest.mark.parametrize(("parameters", "message"), ROWS.values(), ids=ROWS.keys())
def test_wrong_keys_are_refused_when_the_class_is_created(parameters: str, message: str, flags: int) -> None:
    text = f'class Api(ApiClient):\n    @get("/x")\n    def f(self, {parameters}) -> None: ...'
    assert refusal(text, flags) == f"Api.f: {message}"


def test_a_path_that_no_key_fills_is_refused() -> None:
    text = 'class Api(ApiClient):\n    @get("/<a>")\n    def f(self, **params: typing.Unpack[Options]) -> None: ...'
    assert refusal(text) == (
        "Api.f: path '/<a>' names 'a', which no parameter supplies: write the parameter a: str, or take <a> out of the "
        "path"
    )
