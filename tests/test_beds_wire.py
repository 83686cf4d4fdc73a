"""Queries as nginx saw them, byte for byte, in every style."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict, Unpack, get_args
from uuid import UUID

import pytest
from hypothesis import settings
from pydantic import BaseModel, Field, PlainSerializer

from stubwire import ApiClient, Query, get
from stubwire.markers import Style
from stubwire.types import (
    Base64,
    Base64Url,
    CommaSeparated,
    HttpDate,
    Milliseconds,
    PipeSeparated,
    Seconds,
    SpaceSeparated,
    UnixMillis,
    UnixTime,
)
from witnesses import nginx, target

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nginx(tmp_path_factory.mktemp("nginx")) as server:
        yield server.url


# -- styles of a query


class Styled(ApiClient):
    @get("/raw")
    def anything(self, k: Any) -> str:
        raise NotImplementedError

    @get("/raw")
    def several(self, k: list[Any]) -> str:
        raise NotImplementedError


HOSTILE = "a b&c=d+e#f%g/h?i;j@k:l,m[n]{o}|p\\q\"r<s>t^u`v'w(x)y*z!~$\r\n\t\x00\x7fé\u2028😀%2F"
HOSTILE_ENCODED = (
    "a%20b%26c%3Dd%2Be%23f%25g%2Fh%3Fi%3Bj%40k%3Al%2Cm%5Bn%5D%7Bo%7D%7Cp%5Cq%22r%3Cs%3Et%5Eu%60v%27w%28x%29y%2Az%21~"
    "%24%0D%0A%09%00%7F%C3%A9%E2%80%A8%F0%9F%98%80%252F"
)

DEEP = {"a": {"b": {"c": [True, False]}}, "n": None}
RECORDS = [{"p": 1, "q": 2}, {"p": 3}]

ROWS: dict[Style, list[tuple[Any, str]]] = {
    "form": [
        (["a", "b"], "k=a&k=b"),
        (["a,b", "c d", "ü|&=", ""], "k=a%2Cb&k=c%20d&k=%C3%BC%7C%26%3D&k="),
        ([HOSTILE, "z"], f"k={HOSTILE_ENCODED}&k=z"),
        ([1, 2.5, True, date(2024, 2, 29)], "k=1&k=2.5&k=true&k=2024-02-29"),
    ],
    "comma": [
        (["a", "b"], "k=a,b"),
        (["a,b", "c d", "ü"], "k=a%2Cb,c%20d,%C3%BC"),
        ([HOSTILE, "z"], f"k={HOSTILE_ENCODED},z"),
        ({"x": 1, "y,z": "b c"}, "k=x,1,y%2Cz,b%20c"),
    ],
    "space": [
        (["a", "b"], "k=a%20b"),
        (["a,b", "ü|&"], "k=a%2Cb%20%C3%BC%7C%26"),
        ({"x": 1, "y": True}, "k=x%201%20y%20true"),
    ],
    "pipe": [
        (["a", "b"], "k=a%7Cb"),
        (["a b", "ü,&"], "k=a%20b%7C%C3%BC%2C%26"),
        ({"x": 1, "y": True}, "k=x%7C1%7Cy%7Ctrue"),
    ],
    "deep": [
        (["a", "b"], "k%5B0%5D=a&k%5B1%5D=b"),
        ({"x": 1, "y z": "b&c"}, "k%5Bx%5D=1&k%5By%20z%5D=b%26c"),
        (RECORDS, "k%5B0%5D%5Bp%5D=1&k%5B0%5D%5Bq%5D=2&k%5B1%5D%5Bp%5D=3"),
        (DEEP, "k%5Ba%5D%5Bb%5D%5Bc%5D%5B0%5D=true&k%5Ba%5D%5Bb%5D%5Bc%5D%5B1%5D=false"),
        ({"a&b=c#d e": HOSTILE}, f"k%5Ba%26b%3Dc%23d%20e%5D={HOSTILE_ENCODED}"),
    ],
    "brackets": [
        (["a", "b"], "k%5B%5D=a&k%5B%5D=b"),
        ({"x": 1, "y": {"z": "b c"}}, "k%5Bx%5D=1&k%5By%5D%5Bz%5D=b%20c"),
        (RECORDS, "k%5B0%5D%5Bp%5D=1&k%5B0%5D%5Bq%5D=2&k%5B1%5D%5Bp%5D=3"),
        ({"x": ["a", "b"], "y": []}, "k%5Bx%5D%5B%5D=a&k%5Bx%5D%5B%5D=b"),
    ],
    "json": [
        (["a", "b"], "k=%5B%22a%22%2C%22b%22%5D"),
        ({"x": 1, "n": None}, "k=%7B%22x%22%3A1%2C%22n%22%3Anull%7D"),
        ({"ü": ["&", {"y": 1.5}]}, "k=%7B%22%C3%BC%22%3A%5B%22%26%22%2C%7B%22y%22%3A1.5%7D%5D%7D"),
    ],
}
STYLES = get_args(Style)


def test_every_style_has_rows() -> None:
    assert tuple(ROWS) == STYLES


@pytest.mark.parametrize(("style", "value", "query"), [(style, *row) for style in ROWS for row in ROWS[style]])
def test_a_value_arrives_in_its_style(
    url: str, engine: EngineName, colour: Colour, *, style: Style, value: object, query: str
) -> None:
    with Styled(base_url=url, query_style=style, engine=engine, proxy=None) as styled:
        endpoint = styled.several if style == "form" else styled.anything
        assert target(colour.run(endpoint, value)) == f"/raw?{query}"


@pytest.mark.parametrize("style", STYLES)
def test_a_text_is_the_same_in_every_style(url: str, engine: EngineName, colour: Colour, style: Style) -> None:
    with Styled(base_url=url, query_style=style, engine=engine, proxy=None) as styled:
        assert target(colour.run(styled.anything, HOSTILE)) == f"/raw?k={HOSTILE_ENCODED}"
        assert target(colour.run(styled.anything, "")) == "/raw?k="


class Levels(ApiClient):
    query_style = "pipe"

    @get("/raw")
    def client(self, k: list[str]) -> str:
        raise NotImplementedError

    @get("/raw", query_style="comma")
    def endpoint(self, k: list[str]) -> str:
        raise NotImplementedError

    @get("/raw", query_style="comma")
    def parameters(
        self,
        *,
        a: Annotated[list[str], Query(style="form")],
        b: list[str],
        c: Annotated[list[str], Query(style="space")],
        d: Annotated[list[str], Query("filter[d]", style="brackets")],
        e: Annotated[dict[str, int], Query(style="deep")],
        f: Annotated[dict[str, int], Query(style="json")],
    ) -> str:
        raise NotImplementedError


def test_the_nearest_style_wins(url: str, engine: EngineName, colour: Colour) -> None:
    two, one = ["1", "2"], {"x": 1}
    with Levels(base_url=url, engine=engine, proxy=None) as levels:
        assert target(colour.run(levels.client, two)) == "/raw?k=1%7C2"
        assert target(colour.run(levels.endpoint, two)) == "/raw?k=1,2"
        assert target(colour.run(levels.parameters, a=two, b=two, c=two, d=two, e=one, f=one)) == (
            "/raw?a=1&a=2&b=1,2&c=1%202&filter%5Bd%5D%5B%5D=1&filter%5Bd%5D%5B%5D=2&e%5Bx%5D=1&f=%7B%22x%22%3A1%7D"
        )


# -- models and merged queries


class Size(Enum):
    LARGE = "x l"


class Range(BaseModel):
    gte: int | None = None
    lt: int | None = None


class Filter(BaseModel):
    state: str = "open"
    per_page: Annotated[int | None, Field(serialization_alias="per-page")] = None
    since: datetime | None = None
    labels: list[str] = []
    created: Annotated[Range | None, Query(style="brackets")] = None
    size: Size = Size.LARGE


class Listed(TypedDict):
    page: int
    order: NotRequired[Annotated[list[str], Query("sort-by", style="comma")]]


class Searches(ApiClient):
    @get("/raw?kind=all")
    def spread(self, filter: Annotated[Filter, Query()]) -> str:
        raise NotImplementedError

    @get("/raw")
    def changes(self, filter: Annotated[Filter, Query(exclude_unset=True)]) -> str:
        raise NotImplementedError

    @get("/raw")
    def found(self, filter: Annotated[Range, Query("f", style="deep")], q: Annotated[str, Query("from")]) -> str:
        raise NotImplementedError

    @get("/raw")
    def listed(self, **params: Unpack[Listed]) -> str:
        raise NotImplementedError


def test_models_and_keywords_are_spread(url: str, engine: EngineName, colour: Colour) -> None:
    since = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    with Searches(base_url=url, engine=engine, proxy=None) as searches:
        whole = Filter(per_page=5, since=since, labels=["a b", "c"], created=Range(gte=1))
        assert target(colour.run(searches.spread, whole)) == (
            "/raw?kind=all&state=open&per-page=5&since=2024-01-02T03%3A04%3A05Z&labels=a%20b&labels=c"
            "&created%5Bgte%5D=1&size=x%20l"
        )
        assert target(colour.run(searches.changes, Filter(state="all", created=Range(lt=2)))) == (
            "/raw?state=all&created%5Blt%5D=2"
        )
        assert target(colour.run(searches.found, Range(gte=1, lt=2), "a&b")) == (
            "/raw?f%5Bgte%5D=1&f%5Blt%5D=2&from=a%26b"
        )
        assert target(colour.run(searches.listed, page=2, order=["a,b", "c"])) == "/raw?page=2&sort-by=a%2Cb,c"
        assert target(colour.run(searches.listed, page=2)) == "/raw?page=2"


class Merged(ApiClient):
    query = {"version": "2 0", "lang": "en"}

    @get("/raw?kind=all&lang=fr")
    def listed(self, page: int, kind: str | None = None) -> str:
        raise NotImplementedError


def test_template_client_view_and_call_are_merged_and_the_later_wins(
    url: str, engine: EngineName, colour: Colour
) -> None:
    with Merged(base_url=url, query={"tier": 1}, engine=engine, proxy=None) as merged:
        assert target(colour.run(merged.listed, 2)) == "/raw?kind=all&version=2%200&lang=en&tier=1&page=2"
        view = merged.with_options(query={"page": 9, "trace": True, "tier": None})
        assert target(colour.run(view.listed, 2, "a b")) == "/raw?version=2%200&lang=en&trace=true&page=2&kind=a%20b"


# -- scalars


class Values(ApiClient):
    @get("/raw")
    def known(
        self,
        *,
        size: Size,
        amount: Decimal,
        id: UUID,
        day: date,
        at: datetime,
        wait: timedelta,
        exact: bool,
        data: bytes,
        shout: Annotated[str, PlainSerializer(str.upper)],
    ) -> str:
        raise NotImplementedError

    @get("/raw")
    def wire(
        self,
        *,
        http: HttpDate,
        unix: UnixTime,
        millis: UnixMillis,
        seconds: Seconds,
        milliseconds: Milliseconds,
        base64: Base64,
        base64url: Base64Url,
        comma: CommaSeparated[int],
        space: SpaceSeparated[int],
        pipe: PipeSeparated[int],
    ) -> str:
        raise NotImplementedError


def test_scalars_are_written_as_pydantic_writes_them_in_json(url: str, engine: EngineName, colour: Colour) -> None:
    with Values(base_url=url, engine=engine, proxy=None) as values:
        line = colour.run(
            values.known,
            size=Size.LARGE,
            amount=Decimal("1.50"),
            id=UUID(int=1),
            day=date(2024, 2, 29),
            at=datetime(2024, 2, 29, 1, 2, 3, 4000, tzinfo=UTC),
            wait=timedelta(hours=1, seconds=1.5),
            exact=False,
            data="é".encode(),
            shout="straße",
        )
    assert target(line) == (
        "/raw?size=x%20l&amount=1.50&id=00000000-0000-0000-0000-000000000001&day=2024-02-29"
        "&at=2024-02-29T01%3A02%3A03.004000Z&wait=PT1H1.5S&exact=false&data=%C3%A9&shout=STRASSE"
    )


def test_the_types_of_the_wire_have_its_habits(url: str, engine: EngineName, colour: Colour) -> None:
    at = datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)
    with Values(base_url=url, engine=engine, proxy=None) as values:
        line = colour.run(
            values.wire,
            http=at,
            unix=at,
            millis=at,
            seconds=timedelta(seconds=1.5),
            milliseconds=timedelta(seconds=1.5),
            base64=b"\xff\xfe?",
            base64url=b"\xff\xfe?x",
            comma=[1, 2],
            space=[1, 2],
            pipe=[1, 2],
        )
    assert target(line) == (
        "/raw?http=Thu%2C%2029%20Feb%202024%2001%3A02%3A03%20GMT&unix=1709168523&millis=1709168523000&seconds=1.5"
        "&milliseconds=1500&base64=%2F%2F4%2F&base64url=__4_eA&comma=1%2C2&space=1%202&pipe=1%7C2"
    )
