"""Strategies as pure functions: from a request and its response to the next request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stubwire import ConfigurationError, CursorPages, LinkPages, NumberPages, OffsetPages, PageStrategy
from stubwire._paging import ResumableStrategy
from stubwire._places import read, written
from stubwire._request import Request
from stubwire._response import Response
from stubwire.errors import ArgumentError, PaginationError

URL = "https://api.example/items"


def asked(query: str = "", body: object = None) -> Request:
    content = None if body is None else json.dumps(body).encode()
    return Request("GET", f"{URL}?{query}" if query else URL, content=content)


def answer(body: object = None, items: int = 0, **headers: str) -> Response[Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response: Response[Any] = Response(200, json=body, headers=named)
    response._data = [0] * items
    return response


def query_of(request: Request | None) -> str | None:
    return None if request is None else request.url.partition("?")[2]


# ---- which request comes next


LINKS: list[tuple[LinkPages, Response[Any], str | None]] = [
    (LinkPages(), answer(Link='<?page=2>; rel="next"'), "?page=2"),
    (LinkPages(), answer(), None),
    (LinkPages("links.next"), answer({"links": {"next": "/items?page=2"}}), "/items?page=2"),
    (LinkPages("links.next"), answer({"links": {"next": None}}), None),
    (LinkPages("links.next"), answer({"links": {"next": ""}}), None),
    (LinkPages("links.next"), answer({"links": {"next": False}}), None),
    (LinkPages("links.next"), answer({"links": {}}), None),
    (LinkPages("@odata.nextLink"), answer({"@odata.nextLink": "u"}), "u"),
]


@pytest.mark.parametrize(("strategy", "response", "url"), LINKS)
def test_the_next_url(strategy: LinkPages, response: Response[Any], url: str | None) -> None:
    following = strategy.next(asked(), response)
    assert (following and following.url) == url


CURSORS: list[tuple[CursorPages, Response[Any], str | None]] = [
    (CursorPages("next", "cursor"), answer({"next": "c2"}), "a=1&cursor=c2"),
    (CursorPages("next", "cursor"), answer({"next": 7}), "a=1&cursor=7"),
    (CursorPages("next", "cursor"), answer({"next": 0}), "a=1&cursor=0"),
    (CursorPages("next", "cursor"), answer({"next": None}), None),
    (CursorPages("next", "cursor"), answer({"next": ""}), None),
    (CursorPages("next", "cursor"), answer({"next": False}), None),
    (CursorPages("next", "cursor"), answer({}), None),
    (CursorPages("next", "cursor"), answer([]), None),
    (CursorPages("data.-1.id", "starting_after"), answer({"data": [{"id": 1}, {"id": 2}]}), "a=1&starting_after=2"),
    (CursorPages("data.-1.id", "starting_after"), answer({"data": []}), None),
    (CursorPages("X-Next", "cursor", found_in="header"), answer(X_Next="c2"), "a=1&cursor=c2"),
    (CursorPages("X-Next", "cursor", found_in="header"), answer(), None),
    (CursorPages("next", "cursor", more="more"), answer({"next": "c2", "more": True}), "a=1&cursor=c2"),
    (CursorPages("next", "cursor", more="more"), answer({"next": "c2", "more": False}), None),
    (CursorPages("next", "cursor", more="more"), answer({"next": "c2"}), None),
]


@pytest.mark.parametrize(("strategy", "response", "query"), CURSORS)
def test_the_next_cursor(strategy: CursorPages, response: Response[Any], query: str | None) -> None:
    assert query_of(strategy.next(asked("a=1"), response)) == query


OFFSETS: list[tuple[OffsetPages, str, Response[Any], str | None]] = [
    (OffsetPages(), "", answer(items=3), "offset=3"),
    (OffsetPages(), "offset=6", answer(items=3), "offset=9"),
    (OffsetPages(), "offset=6", answer(items=0), None),
    (OffsetPages("skip"), "skip=1&take=2", answer(items=2), "take=2&skip=3"),
    (OffsetPages(limit="limit"), "limit=3", answer(items=3), "limit=3&offset=3"),
    (OffsetPages(limit="limit"), "limit=3", answer(items=2), None),
    (OffsetPages(limit="limit"), "", answer(items=2), "offset=2"),
    (OffsetPages(total="total"), "offset=6", answer({"total": 10}, items=3), "offset=9"),
    (OffsetPages(total="total"), "offset=6", answer({"total": 9}, items=3), None),
    (OffsetPages(total="total"), "offset=6", answer({}, items=3), "offset=9"),
]


@pytest.mark.parametrize(("strategy", "query", "response", "following"), OFFSETS)
def test_the_next_offset(strategy: OffsetPages, query: str, response: Response[Any], following: str | None) -> None:
    assert query_of(strategy.next(asked(query), response)) == following


NUMBERS: list[tuple[NumberPages, str, Response[Any], str | None]] = [
    (NumberPages(), "", answer(items=3), "page=2"),
    (NumberPages(), "page=7", answer(items=1), "page=8"),
    (NumberPages(), "page=7", answer(items=0), None),
    (NumberPages("p", start=0), "", answer(items=3), "p=1"),
    (NumberPages(size="per_page"), "per_page=3", answer(items=3), "per_page=3&page=2"),
    (NumberPages(size="per_page"), "per_page=3", answer(items=2), None),
    (NumberPages(total="pages"), "page=2", answer({"pages": 3}, items=0), "page=3"),
    (NumberPages(total="pages"), "page=3", answer({"pages": 3}, items=3), None),
    (NumberPages(total="pages"), "page=3", answer({}, items=3), "page=4"),
    (NumberPages(more="more"), "page=3", answer({"more": True}, items=0), "page=4"),
    (NumberPages(more="more"), "page=3", answer({"more": False}, items=3), None),
]


@pytest.mark.parametrize(("strategy", "query", "response", "following"), NUMBERS)
def test_the_next_number(strategy: NumberPages, query: str, response: Response[Any], following: str | None) -> None:
    assert query_of(strategy.next(asked(query), response)) == following


def test_a_number_may_stand_in_a_header_or_in_the_body() -> None:
    following = NumberPages("X-Page", sent_in="header").next(asked(), answer(items=1))
    assert following is not None
    assert following.headers["x-page"] == "2"
    following = OffsetPages("page.from", sent_in="body").next(asked(body={"page": {"from": 5}}), answer(items=5))
    assert following is not None
    assert json.loads(following.content or b"") == {"page": {"from": 10}}


@pytest.mark.parametrize(
    ("strategy", "request_", "response", "message"),
    [
        (
            LinkPages("next"),
            asked(),
            answer({"next": {"href": "u"}}),
            "answered with a next page at 'next' that is no URL",
        ),
        (
            CursorPages("next", "cursor"),
            asked(),
            answer({"next": [1]}),
            (
                "answered with a next page that cannot be asked for: a value of type list cannot stand in the query "
                "as 'cursor'"
            ),
        ),
        (
            NumberPages(),
            asked("page=last"),
            answer(items=1),
            "was sent with 'page' that is no whole number, so that nobody knows the next",
        ),
    ],
)
def test_a_next_page_that_cannot_be_asked_for(
    strategy: PageStrategy, request_: Request, response: Response[Any], message: str
) -> None:
    with pytest.raises(PaginationError) as caught:
        strategy.next(request_, response)
    assert str(caught.value) == message
    assert caught.value.response is response
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "strategy", [LinkPages(), CursorPages("a", "b"), OffsetPages(), NumberPages()], ids=lambda s: type(s).__name__
)
def test_all_have_tokens(strategy: object) -> None:
    assert isinstance(strategy, ResumableStrategy)


# ---- tokens


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=5,
)  # fmt: skip


@given(JSON)
def test_any_cursor_that_is_sent_in_a_body_survives_its_token(cursor: Any) -> None:
    strategy = CursorPages("next", "search_after", sent_in="body")
    token = strategy.token(written(asked(body={}), "body", "search_after", cursor))
    assert read(strategy.resume(asked(body={}), token), "body", "search_after") == cursor


@pytest.mark.parametrize(
    ("strategy", "following", "token"),
    [
        (LinkPages(), asked("page=2"), "/items?page=2"),
        (LinkPages(), Request("GET", "https://api.example/"), "/"),
        (CursorPages("a", "cursor"), asked("cursor=1%2F2"), "1/2"),
        (CursorPages("a", "n", sent_in="body"), asked(body={"n": "x"}), "x"),
        (CursorPages("a", "n", sent_in="body"), asked(body={"n": "1"}), '"1"'),
        (CursorPages("a", "n", sent_in="body"), asked(body={"n": 1}), "1"),
        (CursorPages("a", "n", sent_in="body"), asked(body={"n": [1, "a"]}), '[1,"a"]'),
        (OffsetPages(), asked("offset=30"), "30"),
        (NumberPages("p", sent_in="body"), asked(body={"p": 3}), "3"),
    ],
)
def test_a_token_says_which_page_a_request_asks_for(
    strategy: ResumableStrategy, following: Request, token: str
) -> None:
    assert strategy.token(following) == token
    resumed = strategy.resume(asked("x=1"), token)
    assert strategy.token(resumed) == token


@pytest.mark.parametrize("url", ["https://api.example", "https://api.example?x=1", "https://api.example/a/b?x=1"])
def test_a_token_of_a_link_is_path_and_query_at_the_origin_of_the_request(url: str) -> None:
    assert LinkPages().resume(Request("GET", url), "/items?page=2").url == "https://api.example/items?page=2"


@pytest.mark.parametrize("token", ["", "x", "https://evil.example/", "@evil.example/", "?page=2", ":80/"])
def test_a_token_that_is_no_path_is_refused(token: str) -> None:
    with pytest.raises(ArgumentError, match=r"^the token is no path$"):
        LinkPages().resume(asked(), token)


@pytest.mark.parametrize("make", [OffsetPages, NumberPages])
def test_a_token_that_is_no_number_is_refused(make: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^the token is no whole number$"):
        make().resume(asked(), "x")


# ---- wrong values


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (LinkPages, {"path": ""}, "LinkPages path='' must be a text such as 'meta.next'"),
        (LinkPages, {"path": 3}, "LinkPages path=3 must be a text such as 'meta.next'"),
        (LinkPages, {"max_pages": 0}, "LinkPages max_pages=0 must be a whole number above 0, or None for no limit"),
        (
            LinkPages,
            {"max_pages": True},
            "LinkPages max_pages=True must be a whole number above 0, or None for no limit",
        ),
        (CursorPages, {"cursor": "", "param": "c"}, "CursorPages cursor='' must be a text such as 'meta.next'"),
        (CursorPages, {"cursor": "n", "param": ""}, "CursorPages param='' must be a text such as 'meta.next'"),
        (
            CursorPages,
            {"cursor": "n", "param": "c", "found_in": "query"},
            "CursorPages found_in='query' must be 'body' or 'header'",
        ),
        (
            CursorPages,
            {"cursor": "n", "param": "c", "sent_in": "path"},
            "CursorPages sent_in='path' must be 'query', 'header' or 'body'",
        ),
        (
            CursorPages,
            {"cursor": "X Next", "param": "c", "found_in": "header"},
            "CursorPages cursor='X Next' is no header name",
        ),
        (
            CursorPages,
            {"cursor": "n", "param": "a b", "sent_in": "header"},
            "CursorPages param='a b' is no header name",
        ),
        (
            CursorPages,
            {"cursor": "n", "param": "c", "more": ""},
            "CursorPages more='' must be a text such as 'meta.next'",
        ),
        (OffsetPages, {"limit": ""}, "OffsetPages limit='' must be a text such as 'meta.next'"),
        (OffsetPages, {"total": ""}, "OffsetPages total='' must be a text such as 'meta.next'"),
        (NumberPages, {"start": -1}, "NumberPages start=-1 must be a whole number, 0 or more"),
        (NumberPages, {"start": None}, "NumberPages start=None must be a whole number, 0 or more"),
        (NumberPages, {"size": ""}, "NumberPages size='' must be a text such as 'meta.next'"),
        (NumberPages, {"more": ""}, "NumberPages more='' must be a text such as 'meta.next'"),
    ],
)
def test_wrong_values_are_refused_where_a_strategy_is_made(make: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(**arguments)
    assert str(caught.value) == message
