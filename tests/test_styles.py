"""Lists and objects in a query or a form: the table of styles, as one pure function."""

from __future__ import annotations

import json
from typing import Any, get_args
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stubwire import ArgumentError
from stubwire._styles import DEEPEST, PLAIN, encode
from stubwire.markers import Style

STYLES: tuple[Style, ...] = get_args(Style)

LIST = ["a", "b"]
OBJECT = {"x": 1, "y": "b c"}
RECORDS = [{"p": 1, "q": 2}, {"p": 3}]
LISTS = {"x": ["a", "b"], "y": []}
DEEP = {"a": {"b": {"c": [True, False]}}, "n": None}

ROWS: dict[Style, list[tuple[Any, str]]] = {
    "form": [
        (LIST, "k=a&k=b"),
        (["a,b", "c d", "ü|&="], "k=a%2Cb&k=c%20d&k=%C3%BC%7C%26%3D"),
        ([1, 2.5, True], "k=1&k=2.5&k=true"),
        ([""], "k="),
    ],
    "comma": [
        (LIST, "k=a,b"),
        (["a,b", "c d"], "k=a%2Cb,c%20d"),
        (["ü", ""], "k=%C3%BC,"),
        (OBJECT, "k=x,1,y,b%20c"),
        ({"x,y": "a", "n": None}, "k=x%2Cy,a"),
        ({"n": None}, ""),
    ],
    "space": [
        (LIST, "k=a%20b"),
        (["a,b", "ü|"], "k=a%2Cb%20%C3%BC%7C"),
        ({"x": 1, "y": True}, "k=x%201%20y%20true"),
    ],
    "pipe": [
        (LIST, "k=a%7Cb"),
        (["a b", "ü"], "k=a%20b%7C%C3%BC"),
        ({"x": 1, "y": True}, "k=x%7C1%7Cy%7Ctrue"),
    ],
    "deep": [
        (LIST, "k%5B0%5D=a&k%5B1%5D=b"),
        (OBJECT, "k%5Bx%5D=1&k%5By%5D=b%20c"),
        (RECORDS, "k%5B0%5D%5Bp%5D=1&k%5B0%5D%5Bq%5D=2&k%5B1%5D%5Bp%5D=3"),
        (LISTS, "k%5Bx%5D%5B0%5D=a&k%5Bx%5D%5B1%5D=b"),
        (DEEP, "k%5Ba%5D%5Bb%5D%5Bc%5D%5B0%5D=true&k%5Ba%5D%5Bb%5D%5Bc%5D%5B1%5D=false"),
        ({"ü": "ß"}, "k%5B%C3%BC%5D=%C3%9F"),
        ({"x": {}, "y": [], "z": {"n": None}}, ""),
    ],
    "brackets": [
        (LIST, "k%5B%5D=a&k%5B%5D=b"),
        (OBJECT, "k%5Bx%5D=1&k%5By%5D=b%20c"),
        (RECORDS, "k%5B0%5D%5Bp%5D=1&k%5B0%5D%5Bq%5D=2&k%5B1%5D%5Bp%5D=3"),
        (LISTS, "k%5Bx%5D%5B%5D=a&k%5Bx%5D%5B%5D=b"),
        ([["a"], ["b", "c"]], "k%5B0%5D%5B%5D=a&k%5B1%5D%5B%5D=b&k%5B1%5D%5B%5D=c"),
        (DEEP, "k%5Ba%5D%5Bb%5D%5Bc%5D%5B%5D=true&k%5Ba%5D%5Bb%5D%5Bc%5D%5B%5D=false"),
    ],
    "json": [
        (LIST, "k=%5B%22a%22%2C%22b%22%5D"),
        ({"x": 1}, "k=%7B%22x%22%3A1%7D"),
        ({"n": None, "u": "ü"}, "k=%7B%22n%22%3Anull%2C%22u%22%3A%22%C3%BC%22%7D"),
        (RECORDS, "k=%5B%7B%22p%22%3A1%2C%22q%22%3A2%7D%2C%7B%22p%22%3A3%7D%5D"),
        ({"x": {}, "y": []}, "k=%7B%22x%22%3A%7B%7D%2C%22y%22%3A%5B%5D%7D"),
    ],
}


def joined(value: object, style: Style) -> str:
    """A parameter as it stands in a query."""
    return "&".join(f"{name}={text}" for name, text in encode("k", value, style))


@pytest.mark.parametrize(("style", "value", "query"), [(style, *row) for style in ROWS for row in ROWS[style]])
def test_a_style_writes_a_value_as_its_row_says(style: Style, value: object, query: str) -> None:
    assert joined(value, style) == query


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("value", "query"),
    [("a b", "k=a%20b"), ("", "k="), (0, "k=0"), (1.5, "k=1.5"), (True, "k=true"), ("ü,|", "k=%C3%BC%2C%7C")],
)
def test_a_scalar_is_the_same_in_every_style(style: Style, value: object, query: str) -> None:
    assert joined(value, style) == query


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("value", [[], {}])
def test_nothing_is_sent_of_an_empty_list_or_object(style: Style, value: object) -> None:
    assert joined(value, style) == ""


def test_a_name_is_encoded_too() -> None:
    assert encode("filter[a b]", "x") == [("filter%5Ba%20b%5D", "x")]


FORM: list[tuple[Style, Any, list[tuple[str, str]]]] = [
    ("form", ["a b", "c,d"], [("k", "a b"), ("k", "c,d")]),
    ("comma", ["a b", "ü"], [("k", "a b,ü")]),
    ("space", LIST, [("k", "a b")]),
    ("pipe", LIST, [("k", "a|b")]),
    ("deep", RECORDS, [("k[0][p]", "1"), ("k[0][q]", "2"), ("k[1][p]", "3")]),
    ("brackets", LISTS, [("k[x][]", "a"), ("k[x][]", "b")]),
    ("json", {"x": "ü"}, [("k", '{"x":"ü"}')]),
]


@pytest.mark.parametrize(("style", "value", "pairs"), FORM)
def test_a_form_has_the_same_names_and_values_before_it_is_encoded(
    style: Style, value: object, pairs: list[tuple[str, str]]
) -> None:
    assert encode("k", value, style, writing=PLAIN) == pairs


def nested(depth: int) -> object:
    """Lists in one another."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def cyclic() -> object:
    """An object that contains itself."""
    value: dict[str, object] = {}
    value["self"] = [value]
    return value


TOO_DEEP = "k: it is nested deeper than 32 levels, or contains itself"
ONLY_FLAT = "k: the style 'form' writes scalars and lists of scalars only: say another, such as style='deep'"
NO_NUMBER = "k: a number that is infinite or not a number cannot be sent"
REFUSED: list[tuple[Style, Any, str]] = [
    *((style, ["a", None], "k: None cannot stand among several values") for style in STYLES),
    *((style, {"x": [None]}, "k: None cannot stand among several values") for style in ("deep", "brackets", "json")),
    *((style, cyclic(), TOO_DEEP) for style in STYLES),
    *((style, nested(DEEPEST + 1), TOO_DEEP) for style in STYLES),
    ("form", OBJECT, ONLY_FLAT),
    ("form", RECORDS, ONLY_FLAT),
    ("form", [["a"]], ONLY_FLAT),
    ("comma", [["a"]], "k: the style 'comma' writes no list or object inside another"),
    ("space", {"x": LIST}, "k: the style 'space' writes no list or object inside another"),
    ("pipe", RECORDS, "k: the style 'pipe' writes no list or object inside another"),
    ("space", ["a", "83512 b"], "k: ' ' cannot stand in an item, because it separates them"),
    ("pipe", {"a|b": "83512"}, "k: '|' cannot stand in an item, because it separates them"),
    ("deep", {"": "83512"}, "k: the name of a field in it is empty or has brackets, and would be read as another"),
    ("deep", {"a][b": 1}, "k: the name of a field in it is empty or has brackets, and would be read as another"),
    (
        "brackets",
        {"a": {"b[": 1}},
        "k: the name of a field in it is empty or has brackets, and would be read as another",
    ),
    *((style, [float("inf")], NO_NUMBER) for style in STYLES if style != "json"),
    ("json", [float("nan")], "k: a number in it is infinite, not a number, or too long"),
    ("json", [10**5000], "k: a number in it is infinite, not a number, or too long"),
    ("deep", [10**5000], "k: the number has too many digits"),
    ("form", None, "k: a value of type NoneType is no text, number or boolean"),
    ("form", ["\ud800"], "k: it is no valid Unicode text"),
]


@pytest.mark.parametrize(("style", "value", "message"), REFUSED)
def test_what_a_style_cannot_write_is_refused(style: Style, value: object, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        encode("k", value, style)
    assert str(caught.value) == message
    assert caught.value.__context__ is None


def test_as_deep_as_it_may_be_is_written() -> None:
    assert encode("k", nested(DEEPEST), "deep") == [("k" + "%5B0%5D" * DEEPEST, "1")]


@pytest.mark.parametrize(
    ("style", "value", "message"),
    [
        ("comma", ["a,b"], "Api.find: k: ',' cannot stand in an item, because it separates them"),
        ("deep", {"a": "\ud800"}, "Api.find: k: it is no valid Unicode text"),
    ],
)
def test_what_a_form_cannot_hold_is_refused(style: Style, value: object, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        encode("k", value, style, where="Api.find: k", writing=PLAIN)
    assert str(caught.value) == message
    assert caught.value.__context__ is None


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEY = TEXT.filter(lambda key: key != "" and not {*"[]"} & {*key})


@given(st.lists(TEXT, min_size=1))
def test_a_list_comes_back_from_a_query(items: list[str]) -> None:
    assert parse_qsl(joined(items, "form"), keep_blank_values=True) == [("k", item) for item in items]
    assert [unquote(item) for item in joined(items, "comma").removeprefix("k=").split(",")] == items
    assert parse_qsl(joined(items, "brackets"), keep_blank_values=True) == [("k[]", item) for item in items]


@given(st.dictionaries(KEY, TEXT, min_size=1))
def test_an_object_comes_back_from_a_query(value: dict[str, str]) -> None:
    pairs = parse_qsl(joined(value, "deep"), keep_blank_values=True)
    assert pairs == [(f"k[{key}]", item) for key, item in value.items()]
    assert json.loads(unquote(joined(value, "json").removeprefix("k="))) == value
