"""A model that stands for headers or cookies, a list that is one header, and secrets among the fields."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from stubwire import ApiClient, ArgumentError, Cookie, Header, Query, Request, get

BASE = "https://api.example"


class Tracing(BaseModel):
    x_trace_id: str
    accept_language: list[str] = []
    if_match: Annotated[str | None, Header("If-Match")] = None
    limits: dict[str, int] = {}


class Session(BaseModel):
    model_config = ConfigDict(extra="allow")

    sid: str
    is_new: Annotated[bool | None, Field(serialization_alias="new")] = None


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")


class Sent(ApiClient):
    base_url = BASE

    @get("/x")
    def headers_(self, tracing: Annotated[Tracing, Header()], *, x_own: Annotated[str, Header()] = "o") -> None:
        raise NotImplementedError

    @get("/x")
    def extra(self, extra: Annotated[Extra, Header()]) -> None:
        raise NotImplementedError

    @get("/x")
    def cookies(self, session: Annotated[Session, Cookie()], *, theme: Annotated[str, Cookie()] = "dark") -> None:
        raise NotImplementedError

    @get("/x")
    def lists(self, *, ids: Annotated[list[int] | None, Header("X-Ids")] = None) -> None:
        raise NotImplementedError


def own(request: Request) -> tuple[tuple[str, str], ...]:
    """The headers of a request but for the one that every request has."""
    return tuple(pair for pair in request.headers.pairs() if pair[0] != "Accept")


def test_the_fields_are_headers() -> None:
    request = Sent().headers_.request(
        Tracing(x_trace_id="t", accept_language=["de", "en"], if_match='"e"', limits={"a": 1})
    )
    assert own(request) == (
        ("X-Trace-Id", "t"),
        ("Accept-Language", "de,en"),
        ("If-Match", '"e"'),
        ("Limits", "a,1"),
        ("X-Own", "o"),
    )
    assert own(Sent().headers_.request(Tracing(x_trace_id="t"))) == (("X-Trace-Id", "t"), ("X-Own", "o"))
    assert own(Sent().extra.request(Extra.model_validate({"X-More": 1}))) == (("X-More", "1"),)


def test_the_fields_are_cookies() -> None:
    assert Sent().cookies.request(Session(sid="s", is_new=True)).headers["Cookie"] == "sid=s; new=true; theme=dark"
    further = Session.model_validate({"sid": "s", "more": 1})
    assert Sent().cookies.request(further).headers["Cookie"] == "sid=s; more=1; theme=dark"


def test_a_list_is_one_header() -> None:
    assert Sent().lists.request(ids=[1, 2]).headers["X-Ids"] == "1,2"
    assert "X-Ids" not in Sent().lists.request(ids=[]).headers
    assert "X-Ids" not in Sent().lists.request().headers


LINES = "a value with a line break, a control character or one outside ASCII cannot be sent; encode it first"
COOKIE = (
    "a cookie's value cannot have blanks, quotes, commas, semicolons, backslashes, control characters, or any outside "
    "ASCII: encode it first"
)


@pytest.mark.parametrize(
    ("endpoint", "given", "message"),
    [
        (
            "headers_",
            Tracing(x_trace_id="83512\r\nX: y"),
            f"headers_: tracing.x_trace_id: header 'X-Trace-Id': {LINES}",
        ),
        ("headers_", Tracing(x_trace_id="\x00"), f"headers_: tracing.x_trace_id: header 'X-Trace-Id': {LINES}"),
        (
            "headers_",
            Tracing(x_trace_id="t", accept_language=["83512\n"]),
            f"headers_: tracing.accept_language: header 'Accept-Language': {LINES}",
        ),
        (
            "headers_",
            Tracing(x_trace_id="t", accept_language=["a,83512"]),
            "headers_: tracing.accept_language: ',' cannot stand in an item, because it separates them",
        ),
        (
            "extra",
            Extra.model_validate({"X\r\nY": 83512}),
            "extra: extra: 'X\\r\\nY' is no header name: write letters, digits and hyphens",
        ),
        ("cookies", Session(sid="83512;x"), f"cookies: session.sid: {COOKIE}"),
        ("cookies", Session(sid="83512\r"), f"cookies: session.sid: {COOKIE}"),
        (
            "cookies",
            Session.model_validate({"sid": "s", "a;b": 83512}),
            "cookies: session: 'a;b' is no cookie name: write letters, digits and hyphens",
        ),
    ],
)
def test_what_would_split_a_header_is_refused(endpoint: str, given: object, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        getattr(Sent(), endpoint).request(given)
    assert str(caught.value) == f"Sent.{message}"
    assert caught.value.__context__ is None


def test_a_field_s_name_cannot_end_early_in_an_exploded_header() -> None:
    class Exploded(ApiClient):
        base_url = BASE

        @get("/x")
        def find(self, a: Annotated[dict[str, int], Header(explode=True)]) -> None:
            raise NotImplementedError

    with pytest.raises(ArgumentError) as caught:
        Exploded().find.request({"a=b": 83512})
    assert str(caught.value) == "Exploded.find: a: '=' cannot stand in the name of a field, because it ends it"
    assert "A" not in Exploded().find.request({}).headers


# ---- secrets


class Login(BaseModel):
    user: str
    pin_code: SecretStr
    inner: dict[str, SecretStr] = {}


class Guarded(ApiClient):
    base_url = BASE

    @get("/x", query_style="deep")
    def spread(self, login: Annotated[Login, Query()]) -> None:
        raise NotImplementedError

    @get("/x")
    def whole(self, login: Annotated[Login | None, Query(style="deep")]) -> None:
        raise NotImplementedError

    @get("/x")
    def sent(self, login: Annotated[Login, Header()]) -> None:
        raise NotImplementedError


LOGIN = Login(user="u", pin_code=SecretStr("83512"), inner={"a": SecretStr("83512")})


def test_a_secret_in_a_model_is_sent_and_not_shown() -> None:
    api = Guarded()
    spread, whole, sent = api.spread.request(LOGIN), api.whole.request(LOGIN), api.sent.request(LOGIN)
    assert spread.url == f"{BASE}/x?user=u&pin_code=83512&inner%5Ba%5D=83512"
    assert whole.url == f"{BASE}/x?login%5Buser%5D=u&login%5Bpin_code%5D=83512&login%5Binner%5D%5Ba%5D=83512"
    assert sent.headers["Pin-Code"] == "83512"
    for request in (spread, whole, sent):
        assert "83512" not in repr(request)
        assert "83512" not in request.curl()
        assert "83512" not in repr(request.headers)
    assert "user=u" in repr(spread)
