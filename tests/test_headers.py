"""`Headers`: a mapping whose names have no case, and whose values stay in their line."""

from __future__ import annotations

import copy
import pickle
from typing import Annotated, Any

import pytest
from pydantic import SecretStr

from stubwire import ApiClient, ArgumentError, Cookie, Header, Headers, Request, SpecError, get
from stubwire._headers import check_name, is_name


def test_names_have_no_case_and_keep_their_order() -> None:
    headers = Headers({"X-B": "1", "x-a": "2"})
    assert headers["x-b"] == headers["X-B"] == "1"
    assert "X-A" in headers
    number: Any = 5
    assert number not in headers
    assert list(headers) == ["x-b", "x-a"]
    assert len(headers) == 2
    assert headers.pairs() == (("X-B", "1"), ("x-a", "2"))
    assert headers.get("missing") is None


def test_headers_of_one_name_read_as_one() -> None:
    headers = Headers([("Vary", "a"), ("X", "y"), ("vary", "b")])
    assert headers["Vary"] == "a, b"
    assert headers.get_list("VARY") == ["a", "b"]
    assert headers.pairs() == (("Vary", "a"), ("X", "y"), ("vary", "b"))


def test_assigning_replaces_all_of_a_name() -> None:
    headers = Headers([("Vary", "a"), ("X", "y"), ("vary", "b")])
    assert headers["vary"] == "a, b"
    headers["VARY"] = " c\t"
    assert headers.pairs() == (("X", "y"), ("VARY", "c"))
    assert headers["vary"] == "c"


def test_deleting_removes_all_of_a_name() -> None:
    headers = Headers([("Vary", "a"), ("vary", "b"), ("X", "y")])
    del headers["VARY"]
    assert headers.pairs() == (("X", "y"),)
    with pytest.raises(KeyError):
        del headers["vary"]
    assert headers.pop("x") == "y"
    assert not headers


VALUE = "a value with a line break, a control character or one outside ASCII cannot be sent; encode it first"


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nX-Evil: 1", "a\0", "\x01", "\x7f", "é", "€", "\ud800"])
def test_a_value_that_could_leave_its_line_does_not_get_in(value: str) -> None:
    headers = Headers()
    with pytest.raises(ArgumentError) as caught:
        headers["X-A"] = value
    assert str(caught.value) == f"header 'X-A': {VALUE}"
    with pytest.raises(ArgumentError, match="header 'X-A'"):
        Headers({"X-A": value})
    with pytest.raises(ArgumentError, match="header 'X-A'"):
        Headers([("X-A", value)])
    assert not headers


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\n", "é", "a(b)"])
def test_a_name_is_a_token(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(ArgumentError) as caught:
        check_name(name)
    assert str(caught.value) == f"{name!r} is no header name: write letters, digits and hyphens"


def test_a_value_that_is_no_text_is_refused() -> None:
    value: Any = 83512
    with pytest.raises(ArgumentError) as caught:
        Headers({"X-A": value})
    assert str(caught.value) == "header 'X-A': expected a str, got int"


def test_a_repr_and_a_pickle_hide_what_is_secret_and_a_copy_does_not() -> None:
    headers = Headers({"Authorization": "Bearer s3cr3t", "X-A": "1"})
    assert repr(headers) == "Headers([('Authorization', '[redacted]'), ('X-A', '1')])"
    assert pickle.loads(pickle.dumps(headers)).pairs() == (("Authorization", "[redacted]"), ("X-A", "1"))
    for twin in (copy.copy(headers), copy.deepcopy(headers)):
        assert twin.pairs() == headers.pairs()
        twin["X-A"] = "2"
    assert headers["X-A"] == "1"


def test_a_header_parameter_has_the_name_of_its_alias_or_its_own() -> None:
    class Api(ApiClient):
        base_url = "https://api.example"
        headers = {"X-Trace": "client", "X-Kept": "yes"}

        @get("/x")
        def find(
            self,
            x_trace: Annotated[str | None, Header()] = None,
            other: Annotated[int | None, Header("X-Count")] = None,
        ) -> None:
            raise NotImplementedError

    api = Api()
    assert api.find.request("a", 5).headers.pairs() == (("X-Kept", "yes"), ("X-Trace", "a"), ("X-Count", "5"))
    assert api.find.request().headers.pairs() == (("X-Trace", "client"), ("X-Kept", "yes"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": "a\nb"}, f"x: header 'X-X': {VALUE}"),
        ({"x": "é83512"}, f"x: header 'X-X': {VALUE}"),
        ({"x": 83512}, "x: expected str, got int"),
        ({"secret": SecretStr("83512\n")}, f"secret: header 'Secret': {VALUE}"),
        (
            {"c": "83512;"},
            (
                "c: a cookie's value cannot have blanks, quotes, commas, semicolons, backslashes, control characters, "
                "or any outside ASCII: encode it first"
            ),
        ),
    ],
)
def test_an_argument_that_cannot_be_a_header_is_refused(arguments: dict[str, Any], message: str) -> None:
    class Api(ApiClient):
        base_url = "https://api.example"

        @get("/x")
        def find(
            self,
            x: Annotated[str | None, Header("X-X")] = None,
            secret: Annotated[SecretStr | None, Header()] = None,
            c: Annotated[str | None, Cookie()] = None,
        ) -> None:
            raise NotImplementedError

    with pytest.raises(ArgumentError) as caught:
        Api().find.request(**arguments)
    assert str(caught.value) == f"Api.find: {message}"
    assert caught.value.__context__ is None


def test_cookies_are_one_header() -> None:
    class Api(ApiClient):
        base_url = "https://api.example"

        @get("/x")
        def find(
            self,
            a: Annotated[str | None, Cookie()] = None,
            b: Annotated[int | None, Cookie("B-id")] = None,
        ) -> None:
            raise NotImplementedError

    assert Api().find.request("1", 2).headers["Cookie"] == "a=1; B-id=2"
    assert "Cookie" not in Api().find.request().headers


@pytest.mark.parametrize("alias", ["a b", "a;b", "a=b", "é"])
def test_a_cookie_has_a_token_for_a_name(alias: str) -> None:
    with pytest.raises(SpecError) as caught:

        class Api(ApiClient):
            base_url = "https://api.example"

            @get("/x")
            def find(self, a: Annotated[str, Cookie(alias)]) -> None:
                raise NotImplementedError

    assert f"{alias!r} is no cookie name: write letters, digits and hyphens" in str(caught.value)


def test_a_request_made_by_hand_checks_its_headers() -> None:
    with pytest.raises(ArgumentError, match="header 'X'"):
        Request("GET", "https://api.example", headers={"X": "a\nb"})
