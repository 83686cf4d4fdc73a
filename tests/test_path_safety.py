"""A value cannot leave its place in a request: judged by the bytes that arrive at a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from servers import RawRequest, RawServer
from stubwire import ApiClient, ArgumentError, Cookie, Header, get

SETTINGS = settings(max_examples=120, deadline=None, derandomize=True, database=None)

PIECES = (
    *(".", "..", "/", "\\", ";", "?", "#", "&", "=", "+", "%", "@", ":", "//", "a", "b1", "é", "😀", " ", "*", "~"),
    *("%2e", "%2E", "%252e", "%2f", "%5c", "%3b", "%00", "%0d%0a", "\r", "\n", "\x00", "\t", "\x7f", "\x85", "\ud800"),
    *("http://evil.example", "[", "]", "{a}", "<b>", "|", '"', "'", "`", "^"),
)
TEXT = st.lists(st.sampled_from(PIECES), max_size=5).map("".join) | st.text(st.characters(), max_size=8)


class Api(ApiClient):
    @get("/base/<name>/end")
    def one(self, name: str) -> None:
        raise NotImplementedError

    @get("/files/<path:name>")
    def many(self, name: str) -> None:
        raise NotImplementedError

    @get("/search?kind=all")
    def search(self, q: str) -> None:
        raise NotImplementedError

    @get("/search")
    def search_many(self, q: list[str]) -> None:
        raise NotImplementedError

    @get("/header")
    def header(self, x_value: Annotated[str, Header()]) -> None:
        raise NotImplementedError

    @get("/cookie")
    def cookie(self, session: Annotated[str, Cookie()], other: Annotated[str, Cookie()] = "z") -> None:
        raise NotImplementedError


Send = Callable[..., RawRequest | None]
"""Calls an endpoint by name; what arrived, or `None` if the argument was refused."""


@pytest.fixture(params=["sync", "asyncio"])
def send(request: pytest.FixtureRequest, engine: Any) -> Iterator[Send]:
    """One client, one connection, one server for all examples of a test."""
    with RawServer() as server, _caller(request.param) as call:
        client = Api(base_url=server.url + "/v1", engine=engine, proxy=None)

        def send_one(endpoint: str, value: object) -> RawRequest | None:
            before = len(server.requests)
            try:
                call(getattr(client, endpoint), value)
            except ArgumentError:
                assert len(server.requests) == before, "refused, and yet something was sent"
                return None
            assert len(server.requests) == before + 1
            return server.requests[-1]

        yield send_one
        call(None, client)
        assert server.opened <= 1


@contextmanager
def _caller(colour: str) -> Generator[Callable[[Any, Any], object]]:
    """A function that calls an endpoint in a colour; without one, it closes the client."""
    if colour == "sync":
        yield lambda endpoint, value: endpoint(value) if endpoint else value.close()
        return
    with asyncio.Runner() as runner:
        yield lambda endpoint, value: runner.run(endpoint.aio(value) if endpoint else value.aclose())


def parts_of(request: RawRequest, prefix: str, suffix: str = "") -> list[str]:
    """The segments between a prefix and a suffix, of a target that has nothing but a path."""
    target = request.target
    assert request.line == f"GET {target} HTTP/1.1"
    assert target.startswith(prefix)
    assert target.endswith(suffix)
    assert not set(target) & set("?#;\\ "), target
    return target[len(prefix) : len(target) - len(suffix)].split("/")


def decoded(text: str) -> str:
    return unquote_to_bytes(text).decode()


def test_a_value_fills_its_segment_or_is_refused(send: Send) -> None:
    @SETTINGS
    @given(TEXT)
    @example("..")
    @example("%2e%2e")
    @example("..;/x")
    @example("..%2f..%2fadmin")
    def check(value: str) -> None:
        request = send("one", value)
        if request is not None:
            assert [decoded(part) for part in parts_of(request, "/v1/base/", "/end")] == [value]

    check()


def test_each_piece_of_a_path_value_fills_its_segment_or_all_is_refused(send: Send) -> None:
    @SETTINGS
    @given(TEXT)
    @example("a/b/c")
    @example("a/../b")
    @example("a//b")
    @example("/a")
    def check(value: str) -> None:
        request = send("many", value)
        if request is not None:
            assert [decoded(part) for part in parts_of(request, "/v1/files/")] == value.split("/")

    check()


@pytest.mark.parametrize(
    "value", ["a", "a b", "é", "😀", "...", "a..b", "..a", "%", "%41", "a;b", "a?b#c", "~!$&'()*+,=:@|"]
)
def test_what_is_harmless_is_sent(send: Send, value: str) -> None:
    request = send("one", value)
    assert request is not None
    assert [decoded(part) for part in parts_of(request, "/v1/base/", "/end")] == [value]


def test_a_query_value_arrives_as_it_was(send: Send) -> None:
    """Its spaces are `%20`, and only text that is no Unicode is refused."""

    @SETTINGS
    @given(TEXT)
    @example("a b+c")
    @example("x&y=z#f")
    def check(value: str) -> None:
        request = send("search", value)
        if request is None:
            assert any("\ud800" <= character <= "\udfff" for character in value)
            return
        path, _, query = request.target.partition("?")
        assert path == "/v1/search"
        assert "+" not in query
        kind, sent = query.split("&")
        assert (kind, sent[:2], decoded(sent[2:])) == ("kind=all", "q=", value)

    check()


def test_several_query_values_arrive_in_order(send: Send) -> None:
    @SETTINGS
    @given(st.lists(st.text(max_size=4), min_size=1, max_size=4))
    def check(values: list[str]) -> None:
        request = send("search_many", values)
        assert request is not None
        query = request.target.removeprefix("/v1/search?")
        assert [decoded(pair.removeprefix("q=")) for pair in query.split("&")] == values

    check()


def test_a_header_value_stays_in_its_line_or_is_refused(send: Send) -> None:
    @SETTINGS
    @given(TEXT)
    @example("a\r\nX-Evil: 1")
    @example("a\x00b")
    @example("é")
    def check(value: str) -> None:
        request = send("header", value)
        if request is None:
            assert not value.isascii() or any(character < " " or character == "\x7f" for character in value)
            return
        assert request.header("X-Value") == value.strip(" \t")
        assert request.headers("X-Evil") == []
        assert len(request.header_lines) == 5

    check()


def test_a_cookie_value_stays_in_its_pair_or_is_refused(send: Send) -> None:
    @SETTINGS
    @given(TEXT)
    @example("a; other=1")
    @example('a"b')
    def check(value: str) -> None:
        request = send("cookie", value)
        if request is None:
            assert set(value) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
            return
        assert request.header("Cookie") == f"session={value}; other=z"

    check()


REASONS = {
    "": "an empty value cannot fill a path segment",
    "a\nb": "a line break or NUL cannot stand in a path",
    "a\rb": "a line break or NUL cannot stand in a path",
    "a\0b": "a line break or NUL cannot stand in a path",
    "\ud800": "it is no valid Unicode text",
    **dict.fromkeys(
        [
            *(
                ".",
                "..",
                "..;x",
                "%2e",
                "%2E.",
                "%252e%252E",
                "%%32%65",
                "../a",
                "a/..",
                "a\\..\\b",
                "..%2fa",
                "a%5c..",
                " ..",
                ".%3bx",
            ),
            "%" + "25" * 30,
        ],
        "'.' and '..' in any spelling cannot fill a path segment",
    ),
}


@pytest.mark.parametrize(("value", "reason"), REASONS.items())
def test_what_cannot_fill_a_segment_says_why(value: str, reason: str) -> None:
    api = Api(base_url="https://api.example")
    with pytest.raises(ArgumentError) as caught:
        api.one.request(value)
    assert str(caught.value) == f"Api.one: name: {reason}"
    assert caught.value.__context__ is None
    with pytest.raises(ArgumentError):
        api.many.request(f"a/{value}")


def test_none_cannot_fill_a_segment() -> None:
    value: Any = None
    with pytest.raises(ArgumentError) as caught:
        Api(base_url="https://api.example").one.request(value)
    assert str(caught.value) == "Api.one: name: expected str, got NoneType"
