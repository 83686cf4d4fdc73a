"""Forms: fields of every style, models that spread, and what is left out."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr
from typing_extensions import TypedDict

from conftest import Api, Colour, Reply
from stubwire import UNSET, ApiClient, ArgumentError, Form, Header, Unset, delete, patch, post

if TYPE_CHECKING:
    from collections.abc import Callable

FORM = "application/x-www-form-urlencoded"


class Size(enum.Enum):
    SMALL = "s"


class Address(BaseModel):
    line: str = Field(serialization_alias="line1")
    city: str | None = None


class Customer(BaseModel):
    name: str
    email: str | None = None
    address: Address | None = None


@dataclass
class Point:
    x: int
    y: int = 0


class Options(TypedDict, total=False):
    limit: int
    deep: bool


class Shop(ApiClient):
    base_url = "https://shop.example"

    @post("/x")
    def scalars(
        self,
        name: Annotated[str, Form()],
        size: Annotated[Size, Form("item-size")] = Size.SMALL,
        day: Annotated[dt.date | None, Form()] = None,
        flag: Annotated[bool | Unset, Form()] = UNSET,
    ) -> None:
        raise NotImplementedError

    @post("/x")
    def styles(
        self,
        plain: Annotated[list[str], Form()],
        comma: Annotated[list[int], Form(style="comma")],
        deep: Annotated[dict[str, list[int]], Form(style="deep")],
        brackets: Annotated[dict[str, str], Form(style="brackets")],
        json: Annotated[list[int], Form(style="json")],
    ) -> None:
        raise NotImplementedError

    @post("/x")
    def customer(self, customer: Annotated[Customer, Form(style="brackets")]) -> None:
        raise NotImplementedError

    @patch("/x")
    def change(self, customer: Annotated[Customer, Form("c", style="deep", exclude_unset=True)]) -> None:
        raise NotImplementedError

    @post("/x")
    def records(self, point: Annotated[Point, Form()], options: Annotated[Options, Form()]) -> None:
        raise NotImplementedError

    @post("/x")
    def optional(self, note: Annotated[str | None, Form()] = None) -> None:
        raise NotImplementedError

    @delete("/x")
    def remove(self, reason: Annotated[Literal["old", "wrong"], Form()]) -> None:
        raise NotImplementedError

    @post("/x")
    def secret(self, password: Annotated[SecretStr, Form()]) -> None:
        raise NotImplementedError

    @post("/x")
    def few(self, count: Annotated[int, Form(), Field(le=3)]) -> None:
        raise NotImplementedError

    @post("/x")
    def typed(self, a: Annotated[str, Form()], kind: Annotated[str | None, Header("Content-Type")] = None) -> None:
        raise NotImplementedError


def sent(endpoint: str, /, *args: Any, **kwargs: Any) -> str:
    request = getattr(Shop(), endpoint).request(*args, **kwargs)
    assert request.headers["Content-Type"] == FORM
    assert isinstance(request.content, bytes)
    return request.content.decode("ascii")


@pytest.mark.parametrize(
    ("endpoint", "arguments", "body"),
    [
        ("scalars", {"name": "a b"}, "name=a%20b&item-size=s"),
        ("scalars", {"name": "", "day": dt.date(2026, 5, 1)}, "name=&item-size=s&day=2026-05-01"),
        ("scalars", {"name": "=&+%", "flag": False}, "name=%3D%26%2B%25&item-size=s&flag=false"),
        ("scalars", {"name": "ü\r\n\x00"}, "name=%C3%BC%0D%0A%00&item-size=s"),
        (
            "styles",
            {"plain": ["a", "b"], "comma": [1, 2], "deep": {"k": [1]}, "brackets": {"k": "v"}, "json": [1, 2]},
            "plain=a&plain=b&comma=1%2C2&deep%5Bk%5D%5B0%5D=1&brackets%5Bk%5D=v&json=%5B1%2C2%5D",
        ),
        ("customer", {"customer": Customer(name="a")}, "customer%5Bname%5D=a"),
        (
            "customer",
            {"customer": Customer(name="a", address=Address(line="b"))},
            "customer%5Bname%5D=a&customer%5Baddress%5D%5Bline1%5D=b",
        ),
        ("change", {"customer": Customer(name="a")}, "c%5Bname%5D=a"),
        ("change", {"customer": Customer(name="a", email=None)}, "c%5Bname%5D=a"),
        ("records", {"point": Point(1), "options": {"deep": True}}, "x=1&y=0&deep=true"),
        ("optional", {}, ""),
        ("optional", {"note": "a"}, "note=a"),
        ("remove", {"reason": "old"}, "reason=old"),
        ("secret", {"password": SecretStr("83512")}, "password=83512"),
    ],
)
def test_a_form_is_its_fields_in_order(endpoint: str, arguments: dict[str, object], body: str) -> None:
    assert sent(endpoint, **arguments) == body


def test_an_empty_form_has_its_content_type_and_no_byte(api: Callable[..., Api], colour: Colour) -> None:
    """Nothing was given, yet the server learns that it is a form."""
    server = api(Reply(204))
    colour.run(Shop(transport=server.transport).optional)
    assert server.request.headers["content-type"] == FORM
    assert server.request.headers["content-length"] == "0"
    assert server.request.read() == b""


def test_a_form_arrives(api: Callable[..., Api], colour: Colour) -> None:
    server = api(Reply(204))
    colour.run(Shop(transport=server.transport).scalars, "a b")
    assert server.request.read() == b"name=a%20b&item-size=s"
    assert server.request.headers["content-length"] == "22"


@pytest.mark.parametrize(
    ("endpoint", "value", "message"),
    [
        ("few", 83512, "Shop.few: count: Input should be less than or equal to 3"),
        ("remove", "83512", "Shop.remove: reason: must be one of old, wrong"),
        ("secret", 83512, "Shop.secret: password: expected SecretStr, got int"),
        ("optional", "\ud800", "Shop.optional: note: it is no valid Unicode text"),
    ],
)
def test_what_cannot_be_sent_is_refused_without_being_shown(endpoint: str, value: object, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        getattr(Shop(), endpoint).request(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ("application/json", FORM),
        ("application/x-www-form-urlencoded; charset=utf-8", "application/x-www-form-urlencoded; charset=utf-8"),
    ],
)
def test_a_form_is_labelled_as_one_whatever_the_clients_headers_say(declared: str, kept: str) -> None:
    """A header for all endpoints may say more of a form, but not that it is something else."""
    request = Shop(headers={"Content-Type": declared}).optional.request(note="a")
    assert request.headers.get_list("Content-Type") == [kept]


def test_a_header_of_the_calls_own_counts_most() -> None:
    assert Shop().typed.request("b", kind="text/x").headers.get_list("Content-Type") == ["text/x"]
    assert Shop().typed.request("b").headers.get_list("Content-Type") == [FORM]


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_any_text_comes_back_from_a_form(fields: dict[str, str]) -> None:
    class Anyhow(ApiClient):
        base_url = "https://shop.example"

        @post("/x")
        def send(self, fields: Annotated[dict[str, str], Form(style="deep")]) -> None:
            raise NotImplementedError

    plain = {key: value for key, value in fields.items() if not set(key) & set("[]")}
    content = Anyhow().send.request(plain).content
    assert content is not None
    assert parse_qsl(content.decode(), keep_blank_values=True, strict_parsing=bool(content)) == [
        (f"fields[{key}]", value) for key, value in plain.items()
    ]
