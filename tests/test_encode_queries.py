"""Several values in a query, and what a template, a client, a view and a call say about the same name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, SecretStr

from stubwire import UNSET, ApiClient, ArgumentError, Query, Unset, get

BASE = "https://api.example"


class Model(BaseModel):
    name: str


class Api(ApiClient):
    base_url = BASE

    @get("/search")
    def search(
        self,
        *,
        k: list[str] | None = None,
        days: tuple[date, ...] = (),
        numbers: Annotated[Sequence[int], Query("n"), Field(max_length=2)] = (),
        positive: Iterable[Annotated[int, Field(gt=0)]] = (),
        either: set[int | str] | Unset = UNSET,
        secrets: list[SecretStr] | None = None,
        maybe: list[int | None] | None = None,
        anything: list[Any] | None = None,
    ) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"k": ["a", "b"]}, "?k=a&k=b"),
        ({"k": ("a b", "c,d")}, "?k=a%20b&k=c%2Cd"),
        ({"k": []}, ""),
        ({"k": None}, ""),
        ({"k": {"a": 1}.keys()}, "?k=a"),
        ({"days": (date(2024, 1, 2), date(2024, 1, 3))}, "?days=2024-01-02&days=2024-01-03"),
        ({"numbers": [1, 2]}, "?n=1&n=2"),
        ({"positive": iter([1, 2])}, "?positive=1&positive=2"),
        ({"either": {1}}, "?either=1"),
        ({"either": {"a"}}, "?either=a"),
        ({"either": UNSET}, ""),
        ({"secrets": [SecretStr("s")]}, "?secrets=s"),
        ({"anything": [1, "a", True]}, "?anything=1&anything=a&anything=true"),
    ],
)
def test_a_sequence_repeats_its_name(given: dict[str, Any], query: str) -> None:
    assert Api().search.request(**given).url == f"{BASE}/search{query}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"k": "83512"}, "k: expected several values, got str"),
        ({"k": b"83512"}, "k: expected several values, got bytes"),
        ({"k": bytearray(b"83512")}, "k: expected several values, got bytearray"),
        ({"k": 83512}, "k: expected several values, got int"),
        ({"k": {"83512": 1}}, "k: expected several values, got dict"),
        ({"k": Model(name="83512")}, "k: expected several values, got Model"),
        ({"k": ["a", None]}, "k: None cannot stand among several values"),
        ({"maybe": [1, None]}, "maybe: None cannot stand among several values"),
        ({"k": ["a", 83512]}, "k: expected str, got int"),
        ({"k": ["\ud800"]}, "k: it is no valid Unicode text"),
        ({"positive": [83512, 0]}, "positive: Input should be greater than 0"),
        (
            {"numbers": [83512, 2, 3]},
            "numbers: Value should have at most 2 items after validation, not 3",
        ),
        ({"anything": [{"a": 83512}]}, "anything: a value of type dict is no text, number or boolean"),
    ],
)
def test_what_cannot_be_several_values_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Api().search.request(**given)
    assert str(caught.value) == f"Api.search: {message}"
    assert "83512" not in str(caught.value)


def test_a_later_layer_replaces_a_name_of_an_earlier_one() -> None:
    """The template's query, the client's, the view's and the call's merge in that order."""

    class Layers(ApiClient):
        base_url = BASE
        query = {"b": 1, "c": True, "d": None}

        @get("/x?a=0&b=0&c=0&e=a+b&f=%e9&g")
        def find(self, *, c: int | None = None, a: list[int] | None = None) -> None:
            raise NotImplementedError

    api = Layers()
    assert api.find.request().url == f"{BASE}/x?a=0&e=a%20b&f=%E9&g=&b=1&c=true"
    assert api.find.request(c=3).url == f"{BASE}/x?a=0&e=a%20b&f=%E9&g=&b=1&c=3"
    assert api.find.request(a=[1, 2]).url == f"{BASE}/x?e=a%20b&f=%E9&g=&b=1&c=true&a=1&a=2"
    assert api.with_options(query={"b": "ü"}).find.request().url == f"{BASE}/x?a=0&e=a%20b&f=%E9&g=&b=%C3%BC&c=true"


def test_a_name_on_the_wire_is_encoded() -> None:
    class Odd(ApiClient):
        base_url = BASE

        @get("/x")
        def find(self, *, a: Annotated[str, Query("filter[a b]&")] = "1") -> None:
            raise NotImplementedError

    assert Odd().find.request().url == f"{BASE}/x?filter%5Ba%20b%5D%26=1"
