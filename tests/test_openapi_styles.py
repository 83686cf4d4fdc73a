"""OpenAPI's own examples: every style and explode of its table, for query, path and header parameters.

The table stands in section 4.8.12.6 of OpenAPI 3.1.1, "Style Examples". Two cells say what a URL may not have: an empty
path segment, and `.` as one; they are refused. Examples of JSON as a value are in `tests/test_styles.py`.
"""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from stubwire import ApiClient, ArgumentError, Header, Path, Query, get

BASE = "https://api.example"


class Mixed(BaseModel):
    R: int
    G: int
    B: int


class Typed(TypedDict):
    R: int
    G: int
    B: int


EMPTY = ""
STRING = "blue"
ARRAY = ["blue", "black", "brown"]
OBJECT = {"R": 100, "G": 200, "B": 150}
MODEL = Mixed(R=100, G=200, B=150)
TYPED = Typed(R=100, G=200, B=150)


class InPath(ApiClient):
    base_url = BASE

    @get("/m/<color>")
    def matrix(self, color: Annotated[Any, Path(style="matrix")]) -> None:
        raise NotImplementedError

    @get("/m/<color>")
    def matrix_array(self, color: Annotated[list[str], Path(style="matrix")]) -> None:
        raise NotImplementedError

    @get("/m/<color>")
    def matrix_explode(self, color: Annotated[Any, Path(style="matrix", explode=True)]) -> None:
        raise NotImplementedError

    @get("/m/<color>")
    def matrix_explode_object(self, color: Annotated[Mixed, Path(style="matrix", explode=True)]) -> None:
        raise NotImplementedError

    @get("/l/<color>")
    def label(self, color: Annotated[Any, Path(style="label")]) -> None:
        raise NotImplementedError

    @get("/l/<color>")
    def label_object(self, color: Annotated[dict[str, int], Path(style="label")]) -> None:
        raise NotImplementedError

    @get("/l/<color>")
    def label_explode(self, color: Annotated[Any, Path(style="label", explode=True)]) -> None:
        raise NotImplementedError

    @get("/s/<color>")
    def simple(self, color: str) -> None:
        raise NotImplementedError

    @get("/s/<color>")
    def simple_array(self, color: Annotated[list[str], Path()]) -> None:
        raise NotImplementedError

    @get("/s/<color>")
    def simple_mapping(self, color: Annotated[dict[str, Any], Path()]) -> None:
        raise NotImplementedError

    @get("/s/<color>")
    def simple_object(self, color: Annotated[Typed, Path()]) -> None:
        raise NotImplementedError

    @get("/s/<color>")
    def simple_explode(self, color: Annotated[Any, Path(explode=True)]) -> None:
        raise NotImplementedError


IN_PATH = [
    ("matrix", EMPTY, "/m/;color"),
    ("matrix", STRING, "/m/;color=blue"),
    ("matrix", ARRAY, "/m/;color=blue,black,brown"),
    ("matrix_array", ARRAY, "/m/;color=blue,black,brown"),
    ("matrix", OBJECT, "/m/;color=R,100,G,200,B,150"),
    ("matrix_explode", EMPTY, "/m/;color"),
    ("matrix_explode", STRING, "/m/;color=blue"),
    ("matrix_explode", ARRAY, "/m/;color=blue;color=black;color=brown"),
    ("matrix_explode", OBJECT, "/m/;R=100;G=200;B=150"),
    ("matrix_explode_object", MODEL, "/m/;R=100;G=200;B=150"),
    ("label", STRING, "/l/.blue"),
    ("label", ARRAY, "/l/.blue,black,brown"),
    ("label", OBJECT, "/l/.R,100,G,200,B,150"),
    ("label_object", OBJECT, "/l/.R,100,G,200,B,150"),
    ("label_explode", STRING, "/l/.blue"),
    ("label_explode", ARRAY, "/l/.blue.black.brown"),
    ("label_explode", OBJECT, "/l/.R=100.G=200.B=150"),
    ("simple", STRING, "/s/blue"),
    ("simple_array", ARRAY, "/s/blue,black,brown"),
    ("simple_mapping", OBJECT, "/s/R,100,G,200,B,150"),
    ("simple_object", TYPED, "/s/R,100,G,200,B,150"),
    ("simple_explode", STRING, "/s/blue"),
    ("simple_explode", ARRAY, "/s/blue,black,brown"),
    ("simple_explode", OBJECT, "/s/R=100,G=200,B=150"),
]


@pytest.mark.parametrize(("endpoint", "color", "path"), IN_PATH)
def test_a_path_parameter_is_written_as_openapi_shows_it(endpoint: str, color: object, path: str) -> None:
    assert getattr(InPath(), endpoint).request(color).url == BASE + path


@pytest.mark.parametrize("endpoint", ["label", "label_explode", "simple", "simple_explode"])
def test_an_empty_value_is_no_segment(endpoint: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        getattr(InPath(), endpoint).request("")
    assert str(caught.value) == f"InPath.{endpoint}: color: an empty value cannot fill a path segment"


class InQuery(ApiClient):
    base_url = BASE

    @get("/q")
    def form(self, color: str | None = None) -> None:
        raise NotImplementedError

    @get("/q")
    def form_array(self, color: list[str]) -> None:
        raise NotImplementedError

    @get("/q")
    def form_object(self, color: Annotated[Mixed, Query()]) -> None:
        raise NotImplementedError

    @get("/q")
    def comma(self, color: Annotated[str, Query(style="comma")]) -> None:
        raise NotImplementedError

    @get("/q")
    def comma_array(self, color: Annotated[list[str], Query(style="comma")]) -> None:
        raise NotImplementedError

    @get("/q")
    def comma_object(self, color: Annotated[Mixed, Query(style="comma")]) -> None:
        raise NotImplementedError

    @get("/q")
    def space_array(self, color: Annotated[list[str], Query(style="space")]) -> None:
        raise NotImplementedError

    @get("/q")
    def space_object(self, color: Annotated[Typed, Query(style="space")]) -> None:
        raise NotImplementedError

    @get("/q")
    def pipe_array(self, color: Annotated[list[str], Query(style="pipe")]) -> None:
        raise NotImplementedError

    @get("/q")
    def pipe_object(self, color: Annotated[dict[str, int], Query(style="pipe")]) -> None:
        raise NotImplementedError

    @get("/q")
    def deep_object(self, color: Annotated[Mixed, Query(style="deep")]) -> None:
        raise NotImplementedError


IN_QUERY = [
    ("form", EMPTY, "?color="),
    ("form", STRING, "?color=blue"),
    ("form_array", ARRAY, "?color=blue&color=black&color=brown"),
    ("form_object", MODEL, "?R=100&G=200&B=150"),
    ("comma", EMPTY, "?color="),
    ("comma", STRING, "?color=blue"),
    ("comma_array", ARRAY, "?color=blue,black,brown"),
    ("comma_object", MODEL, "?color=R,100,G,200,B,150"),
    ("space_array", ARRAY, "?color=blue%20black%20brown"),
    ("space_object", TYPED, "?color=R%20100%20G%20200%20B%20150"),
    ("pipe_array", ARRAY, "?color=blue%7Cblack%7Cbrown"),
    ("pipe_object", OBJECT, "?color=R%7C100%7CG%7C200%7CB%7C150"),
    ("deep_object", MODEL, "?color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
]


@pytest.mark.parametrize(("endpoint", "color", "query"), IN_QUERY)
def test_a_query_parameter_is_written_as_openapi_shows_it(endpoint: str, color: object, query: str) -> None:
    assert getattr(InQuery(), endpoint).request(color).url == f"{BASE}/q{query}"


class InHeader(ApiClient):
    base_url = BASE

    @get("/h")
    def simple(self, color: Annotated[str, Header()]) -> None:
        raise NotImplementedError

    @get("/h")
    def simple_array(self, color: Annotated[list[str], Header()]) -> None:
        raise NotImplementedError

    @get("/h")
    def simple_object(self, color: Annotated[Mixed, Header("Color")]) -> None:
        raise NotImplementedError

    @get("/h")
    def explode_array(self, color: Annotated[list[str], Header(explode=True)]) -> None:
        raise NotImplementedError

    @get("/h")
    def explode_object(self, color: Annotated[dict[str, int], Header(explode=True)]) -> None:
        raise NotImplementedError


IN_HEADER = [
    ("simple", EMPTY, ""),
    ("simple", STRING, "blue"),
    ("simple_array", ARRAY, "blue,black,brown"),
    ("simple_object", MODEL, "R,100,G,200,B,150"),
    ("explode_array", ARRAY, "blue,black,brown"),
    ("explode_object", OBJECT, "R=100,G=200,B=150"),
]


@pytest.mark.parametrize(("endpoint", "color", "value"), IN_HEADER)
def test_a_header_is_written_as_openapi_shows_it(endpoint: str, color: object, value: str) -> None:
    assert getattr(InHeader(), endpoint).request(color).headers["Color"] == value


# ---- a path segment stays one


@pytest.mark.parametrize("endpoint", ["matrix", "matrix_explode", "label", "label_explode", "simple_explode"])
@pytest.mark.parametrize(
    "color",
    [
        ["..", "83512"],
        ["83512", "."],
        ["83512", "%2e%2E"],
        ["83512/.."],
        {"..": 83512},
        {"83512": ".."},
        [""],
        {"": 83512},
        [],
        {},
        ["83512\r\n"],
        ["\x00"],
        [["83512"]],
        ["83512", None],
    ],
)
def test_no_item_leaves_its_segment(endpoint: str, color: object) -> None:
    with pytest.raises(ArgumentError) as caught:
        getattr(InPath(), endpoint).request(color)
    assert str(caught.value).startswith(f"InPath.{endpoint}: color: ")
    assert "83512" not in str(caught.value)


@pytest.mark.parametrize(
    ("endpoint", "color", "path"),
    [
        ("simple_array", ["a,b", "c/d"], "/s/a%2Cb,c%2Fd"),
        ("simple_explode", {"a=b": "c=d,e"}, "/s/a%3Db=c%3Dd%2Ce"),
        ("label_explode", ["a.b", ".c"], "/l/.a%2Eb.%2Ec"),
        ("label", ["a.b", "c"], "/l/.a.b,c"),
        ("matrix_explode", ["a;b", "c=d"], "/m/;color=a%3Bb;color=c%3Dd"),
        ("matrix", "a/b?c#d", "/m/;color=a%2Fb%3Fc%23d"),
        ("simple_array", ["ü", "ß"], "/s/%C3%BC,%C3%9F"),
    ],
)
def test_a_separator_inside_an_item_is_encoded(endpoint: str, color: object, path: str) -> None:
    assert getattr(InPath(), endpoint).request(color).url == BASE + path


def test_a_label_cannot_become_a_dot_segment_for_a_server_that_cuts_at_semicolons() -> None:
    with pytest.raises(ArgumentError) as caught:
        InPath().label.request(";x")
    assert str(caught.value) == "InPath.label: color: '.' and '..' in any spelling cannot fill a path segment"
