"""A model, a dataclass or a TypedDict that stands for its fields: in a query, in headers, in cookies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, NotRequired, TypeVar

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, computed_field, field_serializer
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from declaring import both_modes, declare, refusal, refused_stub
from stubwire import ApiClient, ArgumentError, Query, get

BASE = "https://api.example"
T = TypeVar("T")


class Order(Enum):
    UP = "asc"


class Filter(BaseModel):
    model_config = ConfigDict(extra="allow")

    page: int = 1
    per_page: int | None = Field(default=None, serialization_alias="per-page")
    order: Order | None = None
    since: date | None = None
    within: timedelta | None = None
    price: Decimal | None = Field(default=None, validation_alias=AliasChoices("p", "price"))
    tags: list[str] = []
    ids: Annotated[list[int], Query("id", style="comma")] = []
    hidden: str = Field(default="x", exclude=True)

    @computed_field(alias="even")
    def is_even(self) -> bool:
        return self.page % 2 == 0

    @field_serializer("tags")
    def lower(self, tags: list[str]) -> list[str]:
        return [tag.lower() for tag in tags]


@dataclass
class Sorted:
    sort: str
    desc: bool = False
    fields: list[str] = field(default_factory=list[str])


@pydantic_dataclass
class Checked:
    size: Annotated[int, Field(alias="s")] = 1


class Keys(TypedDict, total=False):
    page: int
    per_page: Annotated[int, Query("per-page")]
    until: Annotated[date, Field(serialization_alias="to")]


class Window(TypedDict, Generic[T]):
    start: T
    end: NotRequired[T]


class Api(ApiClient):
    base_url = BASE

    @get("/x")
    def model(self, filter: Annotated[Filter | None, Query()] = None, *, q: str | None = None) -> None:
        raise NotImplementedError

    @get("/x")
    def unset(self, filter: Annotated[Filter, Query(exclude_unset=True)]) -> None:
        raise NotImplementedError

    @get("/x")
    def record(self, sorted: Annotated[Sorted, Query()]) -> None:
        raise NotImplementedError

    @get("/x")
    def checked(self, checked: Annotated[Checked, Query()]) -> None:
        raise NotImplementedError

    @get("/x")
    def keys(self, keys: Annotated[Keys, Query()]) -> None:
        raise NotImplementedError

    @get("/x")
    def window(self, window: Annotated[Window[date], Query()]) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("endpoint", "given", "query"),
    [
        ("model", None, ""),
        ("model", Filter(), "?page=1&even=false"),
        ("model", Filter(page=2, per_page=5), "?page=2&per-page=5&even=true"),
        ("model", Filter(order=Order.UP), "?page=1&order=asc&even=false"),
        ("model", Filter(since=date(2024, 1, 2)), "?page=1&since=2024-01-02&even=false"),
        ("model", Filter(within=timedelta(hours=1)), "?page=1&within=PT1H&even=false"),
        ("model", Filter.model_validate({"p": Decimal("1.50")}), "?page=1&price=1.50&even=false"),
        ("model", Filter(tags=["A b", "C"]), "?page=1&tags=a%20b&tags=c&even=false"),
        ("model", Filter(ids=[1, 2]), "?page=1&id=1,2&even=false"),
        ("model", Filter.model_validate({"further": "ü"}), "?page=1&further=%C3%BC&even=false"),
        ("unset", Filter(tags=["a"]), "?tags=a&even=false"),
        ("record", Sorted("name", fields=["a", "b"]), "?sort=name&desc=false&fields=a&fields=b"),
        ("checked", TypeAdapter(Checked).validate_python({"s": 2}), "?s=2"),
        ("keys", Keys(), ""),
        ("keys", Keys(page=1, per_page=2, until=date(2024, 1, 2)), "?page=1&per-page=2&to=2024-01-02"),
        ("window", Window(start=date(2024, 1, 2)), "?start=2024-01-02"),
    ],
)
def test_the_fields_are_parameters(endpoint: str, given: object, query: str) -> None:
    assert getattr(Api(), endpoint).request(given).url == f"{BASE}/x{query}"


def test_a_later_layer_replaces_a_field_too() -> None:
    """The call's parameters, spread ones among them, replace those of the client."""

    class Layered(Api):
        query = {"page": 9, "z": 1}

    assert Layered().model.request(Filter(page=2)).url == f"{BASE}/x?z=1&page=2&even=true"


@pytest.mark.parametrize(
    ("endpoint", "given", "message"),
    [
        ("model", Sorted("83512"), "model: filter: expected Filter, got Sorted"),
        ("model", {"page": 83512}, "model: filter: expected Filter, got dict"),
        (
            "model",
            Filter.model_validate({"page": 83512, "extra": {"a": 1}}),
            "model: filter.extra: the style 'form' writes scalars and lists of ",
        ),
        ("record", Sorted(83512), "record: sorted: its field 'sort' must be str"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        ("keys", {"page": "83512"}, "keys: keys: its field 'page' must be int"),
        ("model", Filter(tags=["\ud800"]), "model: filter.tags: it is no valid Unicode text"),
    ],
)
def test_what_does_not_fit_is_refused(endpoint: str, given: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        getattr(Api(), endpoint).request(given)
    assert str(caught.value).startswith(f"Api.{message}")
    assert "83512" not in str(caught.value)
    assert caught.value.__context__ is None


# ---- nested values, by style


class Range(BaseModel):
    gte: int | None = None
    lt: int | None = None


class Search(BaseModel):
    q: str
    created: Range | None = None
    extra: dict[str, list[str]] = {}


class Nested(ApiClient):
    base_url = BASE
    query_style = "brackets"

    @get("/x")
    def find(self, search: Annotated[Search, Query()]) -> None:
        raise NotImplementedError

    @get("/x", query_style="deep")
    def deep(self, search: Annotated[Search, Query()]) -> None:
        raise NotImplementedError

    @get("/x")
    def one(
        self, search: Annotated[Search, Query("s")], range: Annotated[Range | None, Query(style="comma")] = None
    ) -> None:
        raise NotImplementedError


def test_what_is_nested_in_a_field_is_written_by_the_style() -> None:
    search = Search(q="a", created=Range(gte=1), extra={"t": ["x"]})
    api = Nested()
    assert api.find.request(search).url == f"{BASE}/x?q=a&created%5Bgte%5D=1&extra%5Bt%5D%5B%5D=x"
    assert api.deep.request(search).url == f"{BASE}/x?q=a&created%5Bgte%5D=1&extra%5Bt%5D%5B0%5D=x"


def test_an_alias_or_a_style_makes_it_one_parameter() -> None:
    request = Nested().one.request(Search(q="a", created=Range(lt=2)), Range(gte=1, lt=2))
    assert request.url == f"{BASE}/x?s%5Bq%5D=a&s%5Bcreated%5D%5Blt%5D=2&range=gte,1,lt,2"


# ---- what is refused when the class is created


ROWS = {
    "a field that is a parameter too": (
        "f: Annotated[Filter, Query()], page: int",
        "parameters 'f' and 'page' are both the query 'page': write another alias for one, as in Query('other')",
    ),
    "two spreads with one field": (
        "f: Annotated[Filter, Header()], g: Annotated[Filter, Header()]",
        "parameters 'f' and 'g' are both the header 'Page': write another alias for one, as in Header('other')",
    ),
    "a nested field": (
        "f: Annotated[Outer, Query()]",
        (
            "parameter 'f' is a query parameter that spreads, and the field 'inner' of Outer is Filter, no scalar and "
            "no list of scalars: say how to write it, as in query_style='deep', 'brackets' or 'json' of the endpoint, "
            "or write Query(style=...) beside its type"
        ),
    ),
    "a list in a cookie": (
        "f: Annotated[Listed, Cookie()]",
        (
            "parameter 'f' is a cookie parameter that spreads, and the field 'tags' of Listed is list[str], which no "
            "cookie can hold: write one for each value"
        ),
    ),
    "another marker in a field": (
        "f: Annotated[Marked, Query()]",
        (
            "parameter 'f' spreads the fields of Marked, of which 'trace' has another marker: write Query() there too, "
            "or none"
        ),
    ),
    "a field that is no header name": (
        "f: Annotated[Named, Header()]",
        "parameter 'f' is a header, and 'a b' is no header name: write letters, digits and hyphens",
    ),
    "a field that is no cookie name": (
        "f: Annotated[Named, Cookie()]",
        "parameter 'f' is a cookie, and 'a b' is no cookie name: write letters, digits and hyphens",
    ),
}
MODELS = """
class Filter(BaseModel):
    page: int = 1

class Outer(BaseModel):
    inner: Filter

class Listed(BaseModel):
    tags: list[str]

class Marked(BaseModel):
    trace: Annotated[str, Header()]

class Named(BaseModel):
    a: str = Field(serialization_alias="a b")

class Api(ApiClient):
    base_url = "https://api.example"
    @get("/x")
    def f(self, {parameters}) -> None: ...
"""


@both_modes
@pytest.mark.parametrize(("parameters", "message"), ROWS.values(), ids=ROWS.keys())
def test_a_wrong_spread_is_refused_when_the_class_is_created(parameters: str, message: str, flags: int) -> None:
    assert refusal(MODELS.format(parameters=parameters), flags) == f"Api.f: {message}"


def test_a_model_that_writes_itself_as_text_cannot_be_spread() -> None:
    text = """
    from pydantic import model_serializer

    class Odd(BaseModel):
        @model_serializer
        def as_text(self) -> str:
            return "a"

    class Api(ApiClient):
        base_url = "https://api.example"
        @get("/x")
        def f(self, a: Annotated[Odd, Query()]) -> None: ...
    """
    names = declare(text)
    with pytest.raises(ArgumentError) as caught:
        names["Api"]().f.request(names["Odd"]())
    assert str(caught.value) == "Api.f: a: its serializer makes no object of Odd, so it cannot be spread"


def test_a_model_without_a_marker_is_still_a_body() -> None:
    assert refused_stub('@get("/x")\ndef f(self, a: Model) -> None: ...').startswith(
        "Api.f: parameter 'a' has the type Model"
    )


def test_a_dataclass_whose_names_are_not_defined_is_found_out_at_first_access() -> None:
    text = """
    @dataclasses.dataclass
    class Later:
        at: "Nowhere"

    class Api(ApiClient):
        base_url = "https://api.example"
        @get("/x")
        def f(self, a: Annotated[Later, Query()]) -> None: ...
    """
    api = declare(text)["Api"]()
    with pytest.raises(TypeError, match=r"^Api\.f: a: pydantic cannot handle the type Later: "):
        _ = api.f


class Bounded(TypedDict, total=False):
    page: Annotated[int, Query("p"), Field(ge=1)]
    size: int


def test_the_constraints_of_a_typed_dict_hold() -> None:
    """Nobody validates a dict; a model was validated when it was made."""

    class Pages(ApiClient):
        base_url = BASE

        @get("/x")
        def find(self, bounds: Annotated[Bounded | None, Query()] = None) -> None:
            raise NotImplementedError

    assert Pages().find.request({"page": 1, "size": 0}).url == f"{BASE}/x?p=1&size=0"
    assert Pages().find.request({"size": 0}).url == f"{BASE}/x?size=0"
    with pytest.raises(ArgumentError) as caught:
        Pages().find.request({"page": 0})
    assert str(caught.value) == "Pages.find: bounds.page: Input should be greater than or equal to 1"
