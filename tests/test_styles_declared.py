"""Where a style is said: at a parameter, at an endpoint, at a client; and what is refused when the class is made."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, PlainSerializer, RootModel, SecretStr

from declaring import both_modes, declare, refusal, refused_stub
from stubwire import ApiClient, ArgumentError, ConfigurationError, Query, Resource, get

BASE = "https://api.example"


class Suit(Enum):
    HEARTS = "h"


class Price(BaseModel):
    amount: Decimal
    on: date | None = None


class Tags(RootModel[list[str]]):
    pass


def upper(value: dict[str, int]) -> str:
    return "+".join(value).upper()


class Api(ApiClient):
    base_url = BASE

    @get("/x")
    def find(
        self,
        *,
        comma: Annotated[list[Suit], Query(style="comma")] = [],  # noqa: B006
        flat: Annotated[dict[str, date] | None, Query("f", style="pipe")] = None,
        deep: Annotated[list[Price] | None, Query(style="deep")] = None,
        brackets: Annotated[dict[str, list[UUID]] | None, Query(style="brackets")] = None,
        json: Annotated[Price | None, Query(style="json", exclude_unset=True)] = None,
        numbers: Annotated[list[int] | None, Query(style="json")] = None,
        few: Annotated[list[Annotated[int, Field(gt=0)]] | None, Query(style="space"), Field(max_length=2)] = None,
        either: list[int] | int | None = None,
        anything: Annotated[Any, Query(style="deep")] = None,
        own: Annotated[dict[str, int] | None, PlainSerializer(upper), Query()] = None,
        root: Annotated[Tags | None, Query(style="comma")] = None,
        secret: Annotated[dict[str, SecretStr] | None, Query(style="deep")] = None,
        amounts: Annotated[dict[str, Decimal] | None, Query(style="deep")] = None,
        counts: Annotated[dict[str, int] | None, Query(style="deep"), Field(max_length=1)] = None,
        secrets: Annotated[frozenset[SecretStr] | None, Query(style="comma")] = None,
    ) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"comma": [Suit.HEARTS, Suit.HEARTS]}, "?comma=h,h"),
        ({"comma": []}, ""),
        ({"flat": {"a": date(2024, 1, 2)}}, "?f=a%7C2024-01-02"),
        ({"deep": [Price(amount=Decimal("1.50"))]}, "?deep%5B0%5D%5Bamount%5D=1.50"),
        (
            {"brackets": {"ids": [UUID(int=1)]}},
            "?brackets%5Bids%5D%5B%5D=00000000-0000-0000-0000-000000000001",
        ),
        ({"json": Price(amount=Decimal(2))}, "?json=%7B%22amount%22%3A%222%22%7D"),
        ({"json": Price(amount=Decimal(2), on=None)}, "?json=%7B%22amount%22%3A%222%22%2C%22on%22%3Anull%7D"),
        ({"deep": iter((Price(amount=Decimal(1)),))}, "?deep%5B0%5D%5Bamount%5D=1"),
        ({"numbers": (1, 2)}, "?numbers=%5B1%2C2%5D"),
        ({"few": [1, 2]}, "?few=1%202"),
        ({"either": [1, 2]}, "?either=1&either=2"),
        ({"either": 3}, "?either=3"),
        ({"anything": {"a": [1]}}, "?anything%5Ba%5D%5B0%5D=1"),
        ({"anything": "a"}, "?anything=a"),
        ({"own": {"a": 1, "b": 2}}, "?own=A%2BB"),
        ({"root": Tags(["a", "b"])}, "?root=a,b"),
        ({"secret": {"k": SecretStr("s3"), "e": SecretStr("")}}, "?secret%5Bk%5D=s3&secret%5Be%5D="),
        ({"amounts": {"a": Decimal(1)}}, "?amounts%5Ba%5D=1"),
        ({"secrets": frozenset({SecretStr("a")})}, "?secrets=a"),
    ],
)
def test_a_parameter_says_its_style(given: dict[str, Any], query: str) -> None:
    assert Api().find.request(**given).url == f"{BASE}/x{query}"


LOOP: dict[str, Any] = {}
LOOP["a"] = [LOOP]
MASK = (
    "pydantic would send a SecretStr in it as '**********': give the field a serializer, as in "
    "Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]"
)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"comma": ["83512"]}, "comma: must be one of h"),
        ({"comma": "83512"}, "comma: expected several values, got str"),
        ({"flat": {"83512": "b"}}, "flat: a value in it must be date"),
        ({"deep": [{"amount": 83512}]}, "deep: expected Price, got dict"),
        ({"deep": 83512}, "deep: expected several values, got int"),
        ({"deep": [None]}, "deep: None cannot stand among several values"),
        ({"few": [0, 83512]}, "few: Input should be greater than 0"),
        ({"few": [83512, 2, 3]}, "few: List should have at most 2 items after validation, not 3"),
        ({"anything": LOOP}, "anything: it contains itself, or is nested too deep"),
        ({"anything": object()}, "anything: a value of type object cannot be serialized"),
        ({"anything": float("nan")}, "anything: a number that is infinite or not a number cannot be sent"),
        ({"amounts": {"a": Decimal("NaN")}}, "amounts: a number that is infinite or not a number cannot be sent"),
        (
            {"counts": {"a": 83512, "b": 2}},
            "counts: Dictionary should have at most 1 item after validation, not more",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Api().find.request(**given)
    assert str(caught.value) == f"Api.find: {message}"
    assert caught.value.__context__ is None


def test_what_looks_like_a_mask_and_is_none_is_sent() -> None:
    assert Api().find.request(anything={"a": "**********", "b": "NaN"}).url == (
        f"{BASE}/x?anything%5Ba%5D={'%2A' * 10}&anything%5Bb%5D=NaN"
    )


def test_a_mask_that_a_serializer_makes_is_not_sent() -> None:
    """Where only JSON shows it, nobody can say what is behind it."""

    class Odd(ApiClient):
        base_url = BASE

        @get("/x")
        def find(self, odd: Annotated[dict[str, Hidden], Query(style="deep")]) -> None:
            raise NotImplementedError

    with pytest.raises(ArgumentError) as caught:
        Odd().find.request({"a": "83512"})
    assert str(caught.value) == f"Odd.find: odd: {MASK}"


Hidden = Annotated[str, PlainSerializer(lambda _: "**********", when_used="json")]


def test_a_style_holds_for_an_endpoint_and_for_a_client() -> None:
    """The parameter's goes before the endpoint's, that before the constructor's, and that before the class's."""

    class Styled(ApiClient):
        base_url = BASE
        query_style = "brackets"

        @get("/x")
        def find(self, k: list[str], d: Annotated[dict[str, int], Query()]) -> None:
            raise NotImplementedError

        @get("/x", query_style="comma")
        def other(self, k: list[str], d: Annotated[list[int], Query(style="pipe")]) -> None:
            raise NotImplementedError

    assert Styled().find.request(["a"], {"x": 1}).url == f"{BASE}/x?k%5B%5D=a&d%5Bx%5D=1"
    assert Styled(query_style="deep").find.request(["a"], {"x": 1}).url == f"{BASE}/x?k%5B0%5D=a&d%5Bx%5D=1"
    assert Styled(query_style="comma").find.request(["a"], {"x": 1}).url == f"{BASE}/x?k=a&d=x,1"
    assert Styled().find.request(["a"], {"x": 1}).url == f"{BASE}/x?k%5B%5D=a&d%5Bx%5D=1"
    assert Styled().other.request(["a", "b"], [1, 2]).url == f"{BASE}/x?k=a,b&d=1%7C2"


def test_a_resource_has_the_style_of_its_client() -> None:
    class Items(Resource, path="/items"):
        @get("")
        def find(self, k: list[str], d: Annotated[dict[str, int], Query()]) -> None:
            raise NotImplementedError

    class Bracketed(ApiClient):
        base_url = BASE
        query_style = "brackets"
        items: Items

    class Deep(ApiClient):
        base_url = BASE
        query_style = "deep"
        items: Items

    assert Bracketed().items.find.request(["a"], {"x": 1}).url == f"{BASE}/items?k%5B%5D=a&d%5Bx%5D=1"
    assert Deep().items.find.request(["a"], {"x": 1}).url == f"{BASE}/items?k%5B0%5D=a&d%5Bx%5D=1"
    assert Items.find.spec.parameters[1].role == "query"


NO_STYLE = (
    "Items.find: parameter 'd' is a query parameter of type dict[str, int], no scalar and no list of scalars: say how "
    "to write it, as in Query(style='deep'), 'brackets' or 'json'"
)
ITEMS = """
class Items(Resource):
    @get("/items")
    def find(self, d: Annotated[dict[str, int], Query()]) -> None: ...
"""


@both_modes
def test_a_resource_without_a_style_is_refused_where_it_is_mounted(flags: int) -> None:
    declare(ITEMS, flags)
    assert refusal(ITEMS + "class Api(ApiClient):\n    items: Items", flags) == NO_STYLE


def test_a_subclass_without_its_base_s_style_is_checked_again() -> None:
    """What was right in brackets may be wrong in another style."""
    text = """
    class Api(ApiClient):
        query_style = "brackets"
        @get("/x")
        def f(self, d: Annotated[dict[str, int], Query()]) -> None: ...

    class Other(Api):
        query_style = "form"
    """
    assert refusal(text) == NO_STYLE.replace("Items.find", "Other.f")


def test_a_client_made_with_a_style_that_cannot_write_a_parameter_says_so() -> None:
    class Api(ApiClient):
        base_url = BASE
        query_style = "deep"

        @get("/x")
        def find(self, d: Annotated[dict[str, list[int]], Query()]) -> None:
            raise NotImplementedError

    with pytest.raises(TypeError) as caught:
        _ = Api(query_style="pipe").find
    assert str(caught.value) == (
        "Api.find: parameter 'd' is a query parameter of type dict[str, list[int]], which is too deep for the style "
        "'pipe': say how to write it, as in Query(style='deep'), 'brackets' or 'json'"
    )


KNOWN = "write one of form, comma, space, pipe, deep, brackets, json"


def test_an_unknown_style_is_refused() -> None:
    assert refused_stub('@get("/x", query_style="php")\ndef f(self) -> None: ...') == (
        f"Api.f: query_style='php' is no style: {KNOWN}"
    )
    assert refused_stub('@get("/x", query_style=["deep"])\ndef f(self) -> None: ...') == (
        f"Api.f: query_style=['deep'] is no style: {KNOWN}"
    )
    for given in ("'php'", "['deep']"):
        with pytest.raises(ConfigurationError, match=f"^Api: query_style=.* is no style: {KNOWN}$"):
            declare(f"class Api(ApiClient):\n    query_style = {given}")
    with pytest.raises(ConfigurationError, match=f"^Api: query_style='php' is no style: {KNOWN}$"):
        Api(query_style="php")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


ROWS = {
    "a style that is none": (
        'a: Annotated[list[int], Query(style="php")]',
        "has the style 'php': write one of 'form', 'comma', 'space', 'pipe', 'deep', 'brackets', 'json'",
    ),
    "an object in form": (
        'a: Annotated[Model, Query("b")]',
        (
            "is a query parameter of type Model, no scalar and no list of scalars: say how to write it, as in "
            "Query(style='deep'), 'brackets' or 'json'"
        ),
    ),
    "a list of lists with commas": (
        'a: Annotated[list[list[int]], Query(style="comma")]',
        (
            "is a query parameter of type list[list[int]], which is too deep for the style 'comma': say how to write "
            "it, as in Query(style='deep'), 'brackets' or 'json'"
        ),
    ),
    "a union that may be nested": (
        'a: Annotated[int | list[Model], Query(style="pipe")]',
        (
            "is a query parameter of type int | list[Model], which is too deep for the style 'pipe': say how to write "
            "it, as in Query(style='deep'), 'brackets' or 'json'"
        ),
    ),
    "a list in a cookie": (
        "a: Annotated[list[int], Cookie()]",
        "is a cookie parameter of type list[int], which no cookie can hold: write one for each value",
    ),
    "a nested object in a header": (
        "a: Annotated[dict[str, list[int]], Header()]",
        "is a header parameter of type dict[str, list[int]], which no header can hold: write one for each value",
    ),
}


@both_modes
@pytest.mark.parametrize(("parameter", "message"), ROWS.values(), ids=ROWS.keys())
def test_a_shape_that_a_style_cannot_write_is_refused_when_the_class_is_created(
    parameter: str, message: str, flags: int
) -> None:
    assert (
        refused_stub(f'@get("/x")\ndef f(self, {parameter}) -> None: ...', flags) == f"Api.f: parameter 'a' {message}"
    )


PATHS = {
    "a style of the path that is none": (
        '"/<a>"',
        'Annotated[list[int], Path(style="form")]',
        "has the style 'form': write one of 'simple', 'label', 'matrix'",
    ),
    "a nested object in the path": (
        '"/<a>"',
        "Annotated[dict[str, Model], Path()]",
        "is a path parameter of type dict[str, Model], which no path can hold: write one for each value",
    ),
    "a list in several segments": (
        '"/<path:a>"',
        "Annotated[list[int], Path()]",
        "fills <path:a>, which takes text, and has the type list[int]: write a: str",
    ),
    "a style in several segments": (
        '"/<path:a>"',
        'Annotated[str, Path(style="label")]',
        "fills <path:a>, which has no style: write Path() without style and explode",
    ),
}


@pytest.mark.parametrize(("path", "hint", "message"), PATHS.values(), ids=PATHS.keys())
def test_a_shape_that_a_path_cannot_hold_is_refused(path: str, hint: str, message: str) -> None:
    assert refused_stub(f"@get({path})\ndef f(self, a: {hint}) -> None: ...") == f"Api.f: parameter 'a' {message}"


def test_a_type_that_contains_itself_is_nested() -> None:
    text = """
    class Tree(BaseModel):
        children: "list[Tree]" = []

    class Api(ApiClient):
        base_url = "https://api.example"
        @get("/x")
        def f(self, a: Annotated[Tree, Query(style="{style}")]) -> None: ...
    """
    message = refusal(text.format(style="pipe"))
    assert message.startswith("Api.f: parameter 'a' is a query parameter of type Tree, which is too deep for")
    names = declare(text.format(style="brackets"))
    tree = names["Tree"]
    request = names["Api"]().f.request(tree(children=[tree(children=[tree()])]))
    assert request.url == f"{BASE}/x"
