"""JSON bodies: what is sent for a model, a dataclass, a mapping or a list, and what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, Field, PlainSerializer, SecretStr
from typing_extensions import TypedDict

from stubwire import UNSET, ApiClient, ArgumentError, Body, Unset, delete, patch, post, put

T = TypeVar("T")


class Item(BaseModel):
    name: str = Field(alias="itemName")
    size: int = 1
    note: str | None = None


class Nested(BaseModel):
    item: Item


class Page(BaseModel, Generic[T]):
    item: T


@dataclass
class Point:
    x: int
    when: datetime | None = None


class Shape(TypedDict):
    size: int


def _fail(value: object) -> Any:
    raise RuntimeError(f"{value} is wrong")


class Api(ApiClient):
    base_url = "https://api.example"

    @post("/x")
    def model(self, item: Item) -> None:
        raise NotImplementedError

    @patch("/x")
    def change(self, item: Item) -> None:
        raise NotImplementedError

    @patch("/x")
    def change_all(self, item: Annotated[Item, Body(exclude_unset=False)]) -> None:
        raise NotImplementedError

    @put("/x")
    def put_set(self, item: Annotated[Item, Body(exclude_unset=True)]) -> None:
        raise NotImplementedError

    @post("/x")
    def nested(self, nested: Nested) -> None:
        raise NotImplementedError

    @post("/x")
    def point(self, point: Point) -> None:
        raise NotImplementedError

    @post("/x")
    def shape(self, shape: Shape) -> None:
        raise NotImplementedError

    @post("/x")
    def items(self, items: list[Item]) -> None:
        raise NotImplementedError

    @post("/x")
    def mapping(self, mapping: dict[str, int]) -> None:
        raise NotImplementedError

    @post("/x")
    def scalar(self, number: Annotated[int, Body(), Field(ge=1)]) -> None:
        raise NotImplementedError

    @post("/x")
    def few(self, items: Annotated[list[Item], Field(max_length=1)]) -> None:
        raise NotImplementedError

    @post("/x")
    def gaps(self, items: list[Item | None]) -> None:
        raise NotImplementedError

    @post("/x")
    def optional(self, item: Item | None = None) -> None:
        raise NotImplementedError

    @delete("/x")
    def nullable(self, item: Annotated[Item | Unset | None, Body()] = UNSET) -> None:
        raise NotImplementedError

    @post("/x")
    def implicit(self, item: Item | Unset = None) -> None:  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
        raise NotImplementedError

    @post("/x")
    def failing(self, item: dict[str, Annotated[int, PlainSerializer(_fail)]]) -> None:
        raise NotImplementedError

    @post("/x")
    def either(self, item: Item | Nested) -> None:
        raise NotImplementedError

    @post("/x")
    def page(self, page: Page[Item]) -> None:
        raise NotImplementedError

    @post("/x")
    def anything(self, item: Item | dict[str, int]) -> None:
        raise NotImplementedError


ITEM = Item(itemName="a")


@pytest.mark.parametrize(
    ("endpoint", "value", "sent"),
    [
        ("model", ITEM, {"itemName": "a", "size": 1, "note": None}),
        ("change", ITEM, {"itemName": "a"}),
        ("change", Item(itemName="a", note=None), {"itemName": "a", "note": None}),
        ("change_all", ITEM, {"itemName": "a", "size": 1, "note": None}),
        ("put_set", ITEM, {"itemName": "a"}),
        ("nested", Nested(item=ITEM), {"item": {"itemName": "a", "size": 1, "note": None}}),
        ("point", Point(1, datetime(2024, 1, 2, tzinfo=UTC)), {"x": 1, "when": "2024-01-02T00:00:00Z"}),
        ("shape", {"size": 3}, {"size": 3}),
        ("items", [ITEM], [{"itemName": "a", "size": 1, "note": None}]),
        ("items", [], []),
        ("gaps", [ITEM, None], [{"itemName": "a", "size": 1, "note": None}, None]),
        ("mapping", {"ü": 1}, {"ü": 1}),
        ("scalar", 5, 5),
        ("few", [ITEM], [{"itemName": "a", "size": 1, "note": None}]),
        ("optional", ITEM, {"itemName": "a", "size": 1, "note": None}),
        ("nullable", None, None),
        ("either", Nested(item=ITEM), {"item": {"itemName": "a", "size": 1, "note": None}}),
        ("page", Page(item=ITEM), {"item": {"itemName": "a", "size": 1, "note": None}}),
        ("page", Page[Item](item=ITEM), {"item": {"itemName": "a", "size": 1, "note": None}}),
        ("anything", {"a": 1}, {"a": 1}),
    ],
)
def test_a_body_is_what_its_type_serializes_to(endpoint: str, value: object, sent: object) -> None:
    request = getattr(Api(), endpoint).request(value)
    assert json.loads(request.content) == sent
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("endpoint", ["optional", "nullable", "implicit"])
def test_a_body_that_is_left_out_sends_nothing(endpoint: str) -> None:
    request = getattr(Api(), endpoint).request()
    assert request.content is None
    assert "Content-Type" not in request.headers


@pytest.mark.parametrize(
    ("endpoint", "value", "message"),
    [
        ("model", {"itemName": "83512"}, "item: expected Item, got dict"),
        ("model", None, "item: expected Item, got NoneType"),
        ("model", "83512", "item: expected Item, got str"),
        ("model", Point(83512), "item: expected Item, got Point"),
        ("model", Item.model_construct(name="a", size="83512"), "item: its field 'size' must be int"),
        ("nested", Nested.model_construct(item=83512), "nested: its field 'item' must be Item"),
        ("point", Point("83512"), "point: its field 'x' must be int"),  # type: ignore[arg-type]
        ("point", {"x": 83512}, "point: expected Point, got dict"),
        ("shape", {"size": "83512"}, "shape: its field 'size' must be int"),
        ("shape", "83512", "shape: expected Shape, got str"),
        ("items", [{"itemName": "83512"}], "items: a value in it must be Item"),
        ("items", ITEM, "items: expected list[Item], got Item"),
        ("mapping", {"a": "83512"}, "mapping: a value in it must be int"),
        ("items", [ITEM, Nested(item=ITEM)], "items: a value in it must be Item"),
        ("items", "83512", "items: expected list[Item], got str"),
        ("gaps", [None, Nested(item=ITEM)], "items: a value in it must be Item | None"),
        ("either", Point(83512), "item: expected Item | Nested, got Point"),
        ("page", Page(item=83512), "page: its field 'item' must be Item"),
        ("page", ITEM, "page: expected Page[Item], got Item"),
        ("scalar", 0, "number: Input should be greater than or equal to 1"),
        ("few", [ITEM, ITEM], "items: List should have at most 1 item after validation, not 2"),
        ("failing", {"a": 83512}, "item: a value of type dict cannot be serialized"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_without_being_shown(endpoint: str, value: object, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        getattr(Api(), endpoint).request(value)
    assert str(caught.value) == f"Api.{endpoint}: {message}"
    assert "83512" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_body_without_end_is_refused() -> None:
    class Tree(ApiClient):
        base_url = "https://api.example"

        @post("/x")
        def send(self, tree: dict[str, Any]) -> None:
            raise NotImplementedError

    tree: dict[str, Any] = {}
    tree["tree"] = tree
    with pytest.raises(ArgumentError) as caught:
        Tree().send.request(tree)
    assert str(caught.value) == "Tree.send: tree: it contains itself, or is nested too deep"


class Login(BaseModel):
    password: SecretStr


class SentLogin(BaseModel):
    password: Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]


class Logins(ApiClient):
    base_url = "https://api.example"

    @post("/masked")
    def masked(self, login: Login) -> None:
        raise NotImplementedError

    @post("/sent")
    def sent(self, login: SentLogin) -> None:
        raise NotImplementedError


def test_a_masked_secret_is_not_sent() -> None:
    """Pydantic would put asterisks in its place, and the server would take them for the password."""
    with pytest.raises(ArgumentError) as caught:
        Logins().masked.request(Login(password=SecretStr("83512")))
    assert str(caught.value) == (
        "Logins.masked: login: pydantic would send a SecretStr in it as '**********': give the field a serializer, "
        "as in Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]"
    )
    assert Logins().sent.request(SentLogin(password=SecretStr("83512"))).content == b'{"password":"83512"}'
