"""Paths and methods as nginx saw them, byte for byte: a value fills its segment and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ENGINES
from stubwire import ApiClient, ArgumentError, Path, delete, get, head, options, patch, post, put, route
from witnesses import nginx, target

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nginx(tmp_path_factory.mktemp("nginx")) as server:
        yield server.url


class Paths(ApiClient):
    @get("/raw/<name>/end")
    def one(self, name: str) -> str:
        raise NotImplementedError

    @get("/raw/<path:name>")
    def many(self, name: str) -> str:
        raise NotImplementedError

    @get("/raw/<year>-<month>.json")
    def within(self, year: int, month: str) -> str:
        raise NotImplementedError

    @get("/raw/<a>/<b>/<c>")
    def simple(
        self,
        a: Annotated[list[str], Path()],
        b: Annotated[dict[str, str], Path()],
        c: Annotated[dict[str, str], Path(explode=True)],
    ) -> str:
        raise NotImplementedError

    @get("/raw/<a>/<b>/<c>")
    def label(
        self,
        a: Annotated[str, Path(style="label")],
        b: Annotated[list[str], Path(style="label")],
        c: Annotated[dict[str, str], Path(style="label", explode=True)],
    ) -> str:
        raise NotImplementedError

    @get("/raw/<a>/<b>/<c>")
    def matrix(
        self,
        a: Annotated[str, Path(style="matrix")],
        b: Annotated[list[str], Path(style="matrix", explode=True)],
        c: Annotated[dict[str, str], Path(style="matrix")],
    ) -> str:
        raise NotImplementedError


SEGMENTS = [
    ("plain-Text_0.9~", "plain-Text_0.9~"),
    ("a b", "a%20b"),
    ("a/b", "a%2Fb"),
    ("/", "%2F"),
    ("//evil.example/x", "%2F%2Fevil.example%2Fx"),
    ("http://evil.example", "http%3A%2F%2Fevil.example"),
    ("a?b=c&d", "a%3Fb%3Dc%26d"),
    ("a#b", "a%23b"),
    ("a;b=c,d", "a%3Bb%3Dc%2Cd"),
    ("50%", "50%25"),
    ("%2F", "%252F"),
    ("%00", "%2500"),
    ("%0d%0a", "%250d%250a"),
    ("...", "..."),
    ("..a", "..a"),
    (".hidden", ".hidden"),
    ("user@host:80", "user%40host%3A80"),
    ("a\\b", "a%5Cb"),
    ("{name}", "%7Bname%7D"),
    ("<name>", "%3Cname%3E"),
    ("[1]", "%5B1%5D"),
    ("a|b^c`d\"e'f", "a%7Cb%5Ec%60d%22e%27f"),
    ("a+b*c!d$e(f)", "a%2Bb%2Ac%21d%24e%28f%29"),
    ("\t\x7f\x1f", "%09%7F%1F"),
    ("é", "%C3%A9"),
    ("e\u0301", "e%CC%81"),
    ("\u202e\u2028\x85", "%E2%80%AE%E2%80%A8%C2%85"),
    ("\u2025\uff0e", "%E2%80%A5%EF%BC%8E"),
    ("\N{CAT FACE}", "%F0%9F%90%B1"),
    ("x" * 3000, "x" * 3000),
]


@pytest.mark.parametrize(("value", "segment"), SEGMENTS)
def test_a_value_fills_its_segment(url: str, engine: EngineName, colour: Colour, value: str, segment: str) -> None:
    with Paths(base_url=url, engine=engine, proxy=None) as paths:
        assert target(colour.run(paths.one, value)) == f"/raw/{segment}/end"


@pytest.mark.parametrize(
    ("value", "segments"),
    [
        ("a/b/c", "a/b/c"),
        ("a b/ü?/#", "a%20b/%C3%BC%3F/%23"),
        (".../x", ".../x"),
        ("%2F/a", "%252F/a"),
    ],
)
def test_slashes_survive_in_a_path(url: str, engine: EngineName, colour: Colour, value: str, segments: str) -> None:
    with Paths(base_url=url, engine=engine, proxy=None) as paths:
        assert target(colour.run(paths.many, value)) == f"/raw/{segments}"


def test_values_share_a_segment(url: str, engine: EngineName, colour: Colour) -> None:
    with Paths(base_url=url, engine=engine, proxy=None) as paths:
        assert target(colour.run(paths.within, 2024, "0/2")) == "/raw/2024-0%2F2.json"


def test_lists_and_objects_fill_a_segment_in_their_style(url: str, engine: EngineName, colour: Colour) -> None:
    record = {"R": "1,0", "G": "2;0"}
    with Paths(base_url=url, engine=engine, proxy=None) as paths:
        assert target(colour.run(paths.simple, ["a,b", "c"], record, record)) == (
            "/raw/a%2Cb,c/R,1%2C0,G,2%3B0/R=1%2C0,G=2%3B0"
        )
        assert target(colour.run(paths.label, "a/b", ["a", "b c"], record)) == ("/raw/.a%2Fb/.a,b%20c/.R=1%2C0.G=2%3B0")
        assert target(colour.run(paths.matrix, "a;b", ["a", "b"], record)) == (
            "/raw/;a=a%3Bb/;b=a;b=b/;c=R,1%2C0,G,2%3B0"
        )


REFUSED = [
    *("", ".", "..", "%2e", "%2e%2e", ".%2E", "%252e%252e", "..;x", "../x", "..%2fx", "x/../y", "x\\..\\y", ".. "),
    *("a\rb", "a\nb", "a\x00b", "\ud800"),
]


@pytest.mark.parametrize("value", REFUSED)
def test_a_value_that_could_leave_its_segment_is_never_sent(
    url: str, engine: EngineName, colour: Colour, value: str
) -> None:
    sent: list[object] = []
    with Paths(base_url=url, engine=engine, proxy=None) as paths:
        paths.interceptors.request.use(sent.append)
        for endpoint in (paths.one, paths.many):
            with pytest.raises(ArgumentError, match=r"^Paths\.(one|many): name: "):
                colour.run(endpoint, value)
    assert sent == []


# -- whatever the value


class Whatever(ApiClient):
    @get("/raw/<name>")
    def search(self, name: str, q: str) -> str:
        raise NotImplementedError


@pytest.mark.parametrize("engine", ENGINES)
def test_any_text_arrives_in_its_place(url: str, engine: EngineName) -> None:
    with Whatever(base_url=url, engine=engine, proxy=None) as client:

        @SETTINGS
        @given(st.text(st.characters(exclude_characters="\r\n\0/\\"), min_size=1, max_size=20), st.text(max_size=20))
        def check(name: str, q: str) -> None:
            try:
                line = client.search(name, q)
            except ArgumentError:
                assert "." in unquote(name) or any("\ud800" <= character <= "\udfff" for character in name + q)
                return
            seen = target(line)
            assert seen.isascii()
            path, _, query = seen.partition("?")
            assert unquote_to_bytes(path.removeprefix("/raw/")).decode() == name
            assert "/" not in path.removeprefix("/raw/")
            assert query.count("&") == 0
            assert unquote_to_bytes(query.removeprefix("q=")).decode() == q

        check()


# -- methods


class Methods(ApiClient):
    @get("/raw")
    def get_(self, q: str) -> str:
        raise NotImplementedError

    @post("/raw")
    def post_(self, q: str) -> str:
        raise NotImplementedError

    @put("/raw")
    def put_(self, q: str) -> str:
        raise NotImplementedError

    @patch("/raw")
    def patch_(self, q: str) -> str:
        raise NotImplementedError

    @delete("/raw")
    def delete_(self, q: str) -> str:
        raise NotImplementedError

    @options("/raw")
    def options_(self, q: str) -> str:
        raise NotImplementedError

    @route("PROPFIND", "/raw")
    def propfind_(self, q: str) -> str:
        raise NotImplementedError

    @head("/raw")
    def head_(self, q: str) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_a_method_arrives_without_a_body(url: str, engine: EngineName, colour: Colour, method: str) -> None:
    with Methods(base_url=url, engine=engine, proxy=None) as methods:
        line = colour.run(getattr(methods, f"{method.lower()}_"), "a b")
        assert target(line, method) == "/raw?q=a%20b"


def test_head_is_answered_without_a_body(url: str, engine: EngineName, colour: Colour) -> None:
    with Methods(base_url=url, engine=engine, proxy=None) as methods:
        response = colour.response(methods.head_, "a b")
        assert response.headers["content-length"] == str(len("HEAD /raw?q=a%20b \n"))
        assert response.content == b""
