"""Places: where a value stands in a request, and where one is found in a JSON body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stubwire._payload import Payload
from stubwire._places import found, read, text, whole, without_query, written
from stubwire._request import Request
from stubwire._sources import Memory
from stubwire.errors import ArgumentError

URL = "https://api.example/items"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def asked(query: str = "", body: object = None, method: str = "GET", **headers: str) -> Request:
    content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method, f"{URL}?{query}" if query else URL, content=content, headers=headers)


def query_of(request: Request) -> str:
    return request.url.partition("?")[2]


# ---- where a value is found


DATA = {"a": {"b": [1, {"c": 2}]}, "x.y": {"z.w": 3}, "0": 4, "n": None, "f": False}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("0", 4),
        ("a.b.0", 1),
        ("a.b.1.c", 2),
        ("a.b.-1.c", 2),
        ("a.b.-2", 1),
        ("a.b.2", None),
        ("a.b.-3", None),
        ("a.b.c", None),
        ("a.b.-", None),
        ("a.b.0.c", None),
        ("a.c.d", None),
        ("z", None),
        ("n", None),
        ("n.m", None),
        ("f", False),
        ("x.y", {"z.w": 3}),
        ("x.y.z", None),
        ("a.b", [1, {"c": 2}]),
    ],
)
def test_a_dotted_path_leads_into_json(path: str, value: object) -> None:
    """Integers index lists, also from the end; what is not there is None."""
    assert found(DATA, path) == value


def test_a_key_with_dots_is_found_as_it_stands() -> None:
    assert found({"@odata.nextLink": "u"}, "@odata.nextLink") == "u"
    assert found({"meta": {"@odata.nextLink": "u"}}, "meta.@odata.nextLink") == "u"


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), ("3", 3), ("", None), ("x", None), ("٣", None), ("-1", None), (True, None), (1.0, None), (None, None)],
)
def test_a_whole_number(value: object, number: int | None) -> None:
    assert whole(value) == number


@pytest.mark.parametrize(("value", "shown"), [("a", "a"), (1, "1"), (1.5, "1.5"), (True, None), ([1], None)])
def test_a_scalar_as_text(value: object, shown: str | None) -> None:
    assert text(value) == shown


@pytest.mark.parametrize(
    ("url", "names", "kept"),
    [
        ("/a", ("key",), "/a"),
        ("/a?key=1", ("key",), "/a"),
        ("/a?x=1&key=2&y=3", ("key",), "/a?x=1&y=3"),
        ("/a?api%5Fkey=1&x", ("api_key",), "/a?x"),
    ],
)
def test_a_url_without_some_of_its_query(url: str, names: tuple[str, ...], kept: str) -> None:
    assert without_query(url, names) == kept


# ---- where a value is sent


def test_a_value_in_the_query_replaces_the_one_that_was_there() -> None:
    request = written(asked("a=1&cursor=x&b=2&cursor=y"), "query", "cursor", "ä &=")
    assert request.url == f"{URL}?a=1&b=2&cursor=%C3%A4%20%26%3D"
    assert read(request, "query", "cursor") == "ä &="
    assert read(request, "query", "other") is None


def test_a_name_in_the_query_is_found_however_it_is_encoded() -> None:
    request = written(asked("page%5Bafter%5D=1&page[after]=2"), "query", "page[after]", 3)
    assert query_of(request) == "page%5Bafter%5D=3"


def test_a_value_in_a_header() -> None:
    request = asked(**{"X-Cursor": "a"})
    assert read(request, "header", "x-cursor") == "a"
    assert written(request, "header", "X-Cursor", 5).headers["x-cursor"] == "5"
    assert request.headers["x-cursor"] == "a"


@pytest.mark.parametrize(
    ("body", "path", "after"),
    [
        (None, "after", {"after": "c"}),
        ({}, "after", {"after": "c"}),
        ({"after": "b", "n": 1}, "after", {"after": "c", "n": 1}),
        ({"query": "q"}, "variables.after", {"query": "q", "variables": {"after": "c"}}),
        ({"variables": None}, "variables.after", {"variables": {"after": "c"}}),
        ({"variables": {"n": 1}}, "variables.after", {"variables": {"n": 1, "after": "c"}}),
        ({"page.after": "b"}, "page.after", {"page.after": "c"}),
    ],
)
def test_a_value_in_a_json_body(body: object, path: str, after: object) -> None:
    request = written(asked(body=body, method="POST"), "body", path, "c")
    assert json.loads(request.content or b"") == after
    assert request.headers["content-type"] == "application/json"
    assert read(request, "body", path) == "c"


def test_the_type_of_a_json_body_stays_as_it_was() -> None:
    request = asked(body={}, method="POST", **{"Content-Type": "application/vnd.api+json"})
    assert written(request, "body", "after", 1).headers["content-type"] == "application/vnd.api+json"


def test_a_value_in_a_form() -> None:
    request = asked(body=b"a=1&cursor=x", method="POST", **FORM)
    assert read(request, "body", "cursor") == "x"
    assert written(request, "body", "cursor", "y z").content == b"a=1&cursor=y%20z"
    empty = asked(method="POST", **FORM)
    assert read(empty, "body", "cursor") is None
    assert written(empty, "body", "cursor", 1).content == b"cursor=1"


def test_a_body_that_is_no_json_says_nothing() -> None:
    assert read(asked(body=b"\x00"), "body", "a") is None
    assert read(asked(), "body", "a") is None


@pytest.mark.parametrize(
    ("request_", "place", "value", "message"),
    [
        (asked(), "query", [1], "a value of type list cannot stand in the query as 'name'"),
        (asked(), "query", None, "null cannot stand in the query as 'name'"),
        (asked(), "header", {}, "a value of type dict cannot stand in the header as 'name'"),
        (asked(body=b"", **FORM), "body", True, "a value of type bool cannot stand in the body as 'name'"),
        (
            asked(),
            "header",
            "a\r\nb: c",
            (
                "header 'name': a value with a line break, a control character or one outside ASCII cannot be sent; "
                "encode it first"
            ),
        ),
        (
            asked(),
            "query",
            "\ud800",
            "a text that is no valid Unicode cannot stand in a query or form as 'name'",
        ),
        (
            asked(body=b"<xml/>"),
            "body",
            "x",
            "'name' cannot stand in the body, which is no JSON object that has a place for it",
        ),
        (
            asked(body=[1]),
            "body",
            "x",
            "'name' cannot stand in the body, which is no JSON object that has a place for it",
        ),
    ],
)
def test_a_value_that_cannot_stand_there(request_: Request, place: Any, value: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        written(request_, place, "name", value)
    assert str(caught.value) == message
    assert caught.value.__context__ is None


def test_a_body_that_is_streamed_has_no_place() -> None:
    request = asked()
    request._payload = Payload([Memory(b"{}")], "application/json")
    with pytest.raises(ArgumentError, match=r"^'a' cannot stand in a body that is streamed$"):
        written(request, "body", "a", 1)
